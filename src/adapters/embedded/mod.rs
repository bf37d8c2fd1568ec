//! Adapters that need no account: the local gate runs on them, and so do the tests.

pub mod broker;
pub mod clock;
pub mod outbox;
pub mod simulator;
pub mod store;
