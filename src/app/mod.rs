//! The use cases. Each has three paragraphs: gather facts, decide, act. No rule is looked at after the first effect.

mod budget;
mod candidates;
mod end_execution;
mod evaluate;
mod failure;
mod gather;
mod input;
mod inspect;
mod next_step;
mod notify;
mod open_request;
mod protect;
mod publish;
mod read_once;
mod reading_turn;
mod record_delivery;
mod redeliver;
mod reevaluate;
mod rewrite;
mod settle;
mod sweep;
mod verify;
mod vetoes;

use std::sync::Arc;

pub use end_execution::{end_execution, expire_execution};
pub use evaluate::{Evaluated, evaluate};
pub use failure::Failure;
pub use input::{ExecutionInput, InvalidInput};
pub use inspect::inspect;
pub use next_step::NextStep;
pub use open_request::{Pinned, Wait, open_request};
pub use protect::protect;
pub use publish::publish_opened;
pub use record_delivery::{DeliveredObservations, Recorded, note_delivery, record_delivery};
pub use redeliver::{Redelivered, Redelivery};
pub use reevaluate::{Reevaluation, reevaluate};
pub use settle::{Settled, Waiting, settle};
pub use sweep::{SweepTime, Swept, sweep, sweep_within};
pub use verify::{Release, verify};

pub use crate::request::ExecutionRef;

use crate::policy::Policy;
use crate::ports::{Clock, CodeHost, ExecutionCallback, Notifier, Publisher, RequestStore};

/// The policy and the ports of the use cases.
#[derive(Clone)]
pub struct App {
    /// The policy in force.
    pub policy: Arc<Policy>,
    pub store: Arc<dyn RequestStore>,
    pub callback: Arc<dyn ExecutionCallback>,
    pub code_host: Arc<dyn CodeHost>,
    pub notifier: Arc<dyn Notifier>,
    /// How the sweep has failed deliveries made again. `None` if this process does not do that.
    pub redelivery: Option<Arc<Redelivery>>,
    /// `None` if nothing is published on pull requests.
    pub publisher: Option<Arc<dyn Publisher>>,
    pub clock: Arc<dyn Clock>,
}
