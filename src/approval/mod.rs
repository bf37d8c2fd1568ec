//! From facts to a decision, and the life of a request. No YAML, no input or output, no clock.

mod applies;
mod asked;
mod break_glass;
pub mod case;
mod command;
mod condition;
mod decide;
pub mod decision;
mod eligible;
mod exclusion;
pub mod facts;
mod judge;
mod ledger;
mod matching;
pub mod observation;
mod people;
mod plan;
mod reasons;
pub mod record;
pub mod request;
mod review;
mod schedule;
pub mod shown;
mod timeline;
pub mod told;
mod wording;

pub use decide::{decide, decide_under, objectors};
pub use exclusion::is_unattributed;
pub use judge::{Judgment, with_judgment};
pub use schedule::{Moment, MomentKind, moments};
pub use timeline::{Change, timeline};
