//! How a use case's failure becomes a function's error: by its stable name, with the cause as the message.

use lambda_runtime::Diagnostic;

use crate::app::Failure;

/// A failure by the name that the state machine catches and retries it by.
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
    fn a_failure_is_an_error_of_its_stable_name_and_its_message_is_the_cause_as_json() {
        let failure = Failure::PolicyInvalid { detail: "of another digest".to_owned() };
        let error = Diagnostic::from(Named(failure));
        assert_eq!(error.error_type, "Countersign.PolicyInvalid");
        let cause: serde_json::Value = serde_json::from_str(&error.error_message).unwrap();
        assert_eq!(cause.pointer("/error/message"), Some(&"of another digest".into()));
    }
}
