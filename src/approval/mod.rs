//! From facts to a decision, and the life of a request. No YAML, no input or output, no clock.

pub mod decision;
pub mod facts;
pub mod observation;
