//! What an engine is to the measurement.

/// Policy and queries in the engine's own form, made beforehand. Only `approved` is timed.
pub trait Engine {
    /// Whether the query with this number is approved.
    fn approved(&mut self, query: usize) -> bool;
}
