//! GitHub: its webhook deliveries, and calls to its API.

#[cfg(feature = "github")]
pub mod admin;
#[cfg(feature = "github")]
pub mod client;
#[cfg(feature = "github")]
pub mod conversion;
#[cfg(feature = "github")]
mod deliveries;
pub mod delivery;
pub mod manifest;
mod payload;
pub mod protection;
#[cfg(feature = "github")]
mod publish;
#[cfg(feature = "github")]
mod reader;
pub mod signature;
