//! The outside systems, each behind a port or a pure function. Never imports a use case.

pub mod github;
