//! countersign: a policy decides who must approve a deployment, pull request reviews approve it, and the waiting
//! execution is resumed exactly once.
//!
//! Which room may import which (`tests/integration/floors.rs` checks it):
//!
//! ```text
//! ident, finding  ←  policy  ←  approval  ←  request  ←  ports  ←  app
//!                                              ↑           ↑
//!                                           render      adapters      (implement ports; never import app)
//! ```
//!
//! `webhook` answers deliveries for `dev` and `lambda`. `cli`, `dev`, `lambda`, `main` and `bin` may import everything
//! below them; nothing imports them.

#[cfg(feature = "gate")]
pub mod adapters;
#[cfg(feature = "gate")]
pub mod app;
pub mod approval;
#[cfg(feature = "demo")]
pub mod cli;
#[cfg(feature = "demo")]
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
