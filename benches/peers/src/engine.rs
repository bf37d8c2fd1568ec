//! The interface between an engine and the measurement.

/// Holds the policy and queries in the engine's own form, prepared in advance. Only `approved` is timed.
pub trait Engine {
    /// Whether the query with this number is approved.
    fn approved(&mut self, query: usize) -> bool;
}
