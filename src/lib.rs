//! countersign: a policy decides who must approve a deployment, pull request reviews approve it, and the waiting
//! execution is resumed exactly once.
//!
//! The rooms, and which room may import which (`tests/integration/floors.rs` holds it):
//!
//! ```text
//! ident, finding  ←  policy  ←  approval  ←  request  ←  ports  ←  app
//!                                              ↑          ↑
//!                                           render     adapters   (app imports render too; adapters implement ports,
//!                                                                  and never import app or each other)
//! webhook imports app and adapters: it is what dev and lambda do with a delivery. cli, dev, lambda, main and bin import
//! what is below, and nothing imports them, except that cli imports dev
//! ```

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
