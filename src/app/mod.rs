//! The use cases. Each is three paragraphs: gather facts, decide, act. No rule is looked at after the first effect.

mod end_execution;
mod evaluate;
mod failure;
mod gather;
mod input;
mod inspect;
mod notify;
mod open_request;
mod protect;
mod publish;
mod read_once;
mod record_delivery;
mod redeliver;
mod reevaluate;
mod rewrite;
mod settle;
mod sweep;
mod verify;
mod vetoes;

use std::sync::Arc;

pub use end_execution::end_execution;
pub use evaluate::{Evaluated, evaluate};
pub use failure::Failure;
pub use input::{ExecutionInput, InvalidInput};
pub use inspect::inspect;
pub use open_request::{Pinned, Wait, open_request};
pub use protect::protect;
pub use publish::publish_opened;
pub use record_delivery::{Recorded, Told, record_delivery};
pub use redeliver::{Redelivered, Redelivery};
pub use reevaluate::{Asked, reevaluate};
pub use settle::{Settled, Waiting, settle};
pub use sweep::{SweepTime, Swept, sweep, sweep_within};
pub use verify::{Release, verify};

use crate::ident::{ExecutionArn, RequestId};
use crate::policy::Policy;
use crate::ports::{Clock, CodeHost, ExecutionCallback, Notifier, Publisher, RequestStore};

/// The policy and the ports that the use cases work with.
#[derive(Clone)]
pub struct App {
    /// The policy in force.
    pub policy: Arc<Policy>,
    /// Where requests are kept.
    pub store: Arc<dyn RequestStore>,
    /// How executions are resumed.
    pub callback: Arc<dyn ExecutionCallback>,
    /// Where pull requests are reviewed.
    pub code_host: Arc<dyn CodeHost>,
    /// How channels are told.
    pub notifier: Arc<dyn Notifier>,
    /// The deliveries that failed, where the code host remembers them; the sweep asks for them again.
    pub redelivery: Option<Arc<Redelivery>>,
    /// Writes what people see on pull requests. `None` publishes nothing.
    pub publisher: Option<Arc<dyn Publisher>>,
    /// The time.
    pub clock: Arc<dyn Clock>,
}

/// An execution, in one run of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExecutionRef {
    /// Which.
    pub arn: ExecutionArn,
    /// How often it was redriven, 0 for the first run.
    pub redrive: u32,
}

impl ExecutionRef {
    /// The id of the request that it makes.
    #[must_use]
    pub fn request_id(&self) -> RequestId {
        RequestId::of(&self.arn, self.redrive)
    }
}
