//! Adapters that need no account. The local gate and the tests run on them.

pub mod broker;
pub mod clock;
mod code_host;
pub mod outbox;
mod publisher;
#[cfg(test)]
mod scene;
pub mod simulator;
pub mod store;
