//! What the fuzz targets do with their bytes, and what must hold for all bytes.

pub mod answers;
pub mod bundle;
pub mod commands;
pub mod delivery;
pub mod facts;
mod given;
