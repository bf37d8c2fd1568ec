//! countersign: a policy decides who must approve a deployment, pull request reviews approve it, and the waiting
//! execution is resumed exactly once.

#[cfg(feature = "gate")]
pub mod adapters;
pub mod approval;
#[cfg(feature = "cli")]
pub mod cli;
pub mod finding;
pub mod ident;
pub mod policy;
#[cfg(feature = "gate")]
pub mod ports;
pub mod render;
