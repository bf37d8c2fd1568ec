//! The outside, behind the ports.
//!
//! Adapters implement [`crate::ports`] and know nothing of the use cases.

#[cfg(feature = "embedded")]
pub mod embedded;
