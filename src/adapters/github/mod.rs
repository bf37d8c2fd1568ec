//! GitHub: what it delivers, and what it is asked.

#[cfg(feature = "github")]
pub mod client;
pub mod delivery;
mod payload;
#[cfg(feature = "github")]
mod reading;
#[cfg(feature = "github")]
mod showing;
pub mod signature;
