//! countersign: a policy decides who must approve a deployment, pull request reviews approve it, and the waiting
//! execution is resumed exactly once.

#[cfg(feature = "gate")]
pub mod adapters;
pub mod approval;
pub mod ident;
#[cfg(feature = "gate")]
pub mod ports;
