//! The one wording of what is shown and sent: findings, rules, decisions, answers and messages, as text and as JSON.
//!
//! Knows what a policy and a decision are and nothing of terminals: whether colour is wanted is an argument.

pub mod answer;
pub mod app_form;
pub mod case;
pub mod coverage;
pub mod decision;
pub mod diff;
pub mod field;
pub mod finding;
pub mod github;
pub mod junit;
mod markup;
pub mod matrix;
pub mod message;
pub mod publish;
pub mod rule;
pub mod sarif;
pub mod schema;
pub mod timeline;
mod visible;

pub use visible::visible;
