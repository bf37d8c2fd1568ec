//! The one wording of what is shown: findings, rules and decisions, as text and as JSON.
//!
//! Knows what a policy and a decision are and nothing of terminals: whether colour is wanted is an argument.

pub mod decision;
pub mod finding;
pub mod rule;
mod visible;

pub use visible::visible;
