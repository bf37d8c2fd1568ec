//! Adapters that need no account: the local gate runs on them, and so do the tests.

pub mod broker;
pub mod clock;
mod code_host;
pub mod outbox;
mod publisher;
#[cfg(test)]
mod scene;
pub mod simulator;
pub mod store;
