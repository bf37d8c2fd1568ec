//! Implementations of the ports, and parsers of what comes from outside. They never import a use case.

#[cfg(feature = "aws")]
pub mod aws;
#[cfg(feature = "demo")]
pub mod embedded;
pub mod github;
pub mod github_rest;
pub mod system_clock;
