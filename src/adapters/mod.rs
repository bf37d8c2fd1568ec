//! The outside, each part behind a port or a pure function. Never imports a use case.

#[cfg(feature = "aws")]
pub mod aws;
#[cfg(feature = "demo")]
pub mod embedded;
pub mod github;
pub mod system_clock;
