//! The outside, each part behind a port or a pure function. Never imports a use case.

#[cfg(feature = "embedded")]
pub mod embedded;
pub mod github;
