//! What the fuzz targets do with their bytes, and what must hold whatever the bytes are.

pub mod bundle;
pub mod delivery;
pub mod facts;
mod given;
