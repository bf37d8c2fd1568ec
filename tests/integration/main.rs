//! The one integration test binary: a module for each subject.
#![expect(clippy::expect_used, clippy::panic, reason = "a test that cannot go on says so by failing")]

mod crash;
mod deliveries;
mod delivery_variants;
mod embedded_store;
mod gate_world;
mod lifecycle_model;
mod races;
mod signatures;
mod specimen;
mod store_contract;
mod webhook_door;
mod webhook_schema;
