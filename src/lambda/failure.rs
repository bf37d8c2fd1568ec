//! Makes a function's error of a use case's failure: its stable name, with the cause as the message.

use lambda_runtime::Diagnostic;

use crate::app::Failure;

/// A failure with the name by which the state machine catches or retries it.
#[derive(Debug)]
pub(super) struct Named(pub(super) Failure);

impl From<Named> for Diagnostic {
    fn from(Named(failure): Named) -> Self {
        Self { error_type: failure.name().to_owned(), error_message: failure.cause() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_becomes_an_error_with_its_stable_name_and_its_cause_as_json() {
        let failure = Failure::PolicyInvalid { detail: "of another digest".to_owned() };
        let error = Diagnostic::from(Named(failure));
        assert_eq!(error.error_type, "Countersign.PolicyInvalid");
        let cause: serde_json::Value = serde_json::from_str(&error.error_message).unwrap();
        assert_eq!(cause.pointer("/error/message"), Some(&"of another digest".into()));
    }
}
