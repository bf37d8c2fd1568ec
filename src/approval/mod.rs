//! From facts to a decision, and the life of a request. No YAML, no input or output, no clock.

mod applies;
pub mod case;
mod command;
mod condition;
mod decide;
pub mod decision;
mod eligible;
mod exclusion;
pub mod facts;
mod ledger;
mod matching;
pub mod observation;
mod outcome;
pub mod record;
pub mod request;
mod review;
mod wording;

pub use decide::{decide, decide_under, objectors};
