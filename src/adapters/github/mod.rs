//! GitHub: what it delivers.

pub mod delivery;
mod payload;
pub mod signature;
