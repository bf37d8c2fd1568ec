//! From facts to a decision. No YAML, no input or output, no clock, no state.

mod bounds;
mod break_glass;
pub mod case;
mod choices;
mod command;
mod condition;
mod decide;
pub mod decision;
mod eligibility;
mod everyone;
mod exclusion;
pub mod facts;
mod judge;
mod matching;
mod people;
mod plan;
mod progress;
mod reasons;
mod review;
mod schedule;
mod standing;
mod text;
mod timeline;
mod wording;

pub use bounds::{cut_lists, cut_text};
pub use command::kept;
pub use decide::{decide, decide_under, objectors, standing_approvals};
pub use exclusion::bears_any_name;
pub(crate) use exclusion::people_of;
pub use judge::verdict;
pub use schedule::{Moment, MomentKind, moments};
pub use timeline::{Change, timeline};
