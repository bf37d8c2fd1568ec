//! Values that must never be printed.

use std::fmt;

use super::IdentError;

/// A value that is neither printed nor serialised. Only [`Secret::expose`] gives it out.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret<T>(T);

impl<T> Secret<T> {
    pub const fn new(value: T) -> Self {
        Self(value)
    }

    #[must_use]
    pub const fn expose(&self) -> &T {
        &self.0
    }
}

impl<T> fmt::Debug for Secret<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("redacted")
    }
}

/// The one-time key that resumes a waiting execution: 1 to 2048 opaque characters. Only stores and callback adapters
/// call [`TaskToken::expose`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TaskToken(Secret<Box<str>>);

impl TaskToken {
    /// Errors if the text is empty or longer than 2048 bytes. The error does not repeat the text.
    pub fn new(text: &str) -> Result<Self, IdentError> {
        if text.is_empty() || text.len() > 2048 {
            return Err(IdentError::new("task token", "…", "1 to 2048 characters"));
        }
        Ok(Self(Secret::new(text.into())))
    }

    #[must_use]
    pub fn expose(&self) -> &str {
        self.0.expose()
    }
}
