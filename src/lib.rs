//! countersign: a policy decides who must approve a deployment, pull request reviews approve it, and the waiting
//! execution is resumed exactly once.
//!
//! The rooms, and what may import what (`tests/integration/floors.rs` holds it):
//!
//! ```text
//! ident, finding  ←  policy  ←  approval  ←  ports  ←  app
//!                                   ↑          ↑
//!                                render     adapters        (implement ports; never import app)
//! cli, dev, lambda, main and bin may import everything below; nothing imports them. webhook lies between: what dev and
//! lambda both answer to a delivery
//! ```

#[cfg(feature = "gate")]
pub mod adapters;
#[cfg(feature = "gate")]
pub mod app;
pub mod approval;
#[cfg(feature = "cli")]
pub mod cli;
#[cfg(feature = "embedded")]
pub mod dev;
pub mod finding;
pub mod ident;
#[cfg(feature = "lambda")]
pub mod lambda;
pub mod policy;
#[cfg(feature = "gate")]
pub mod ports;
pub mod render;
pub mod request;
#[cfg(feature = "gate")]
pub mod webhook;
