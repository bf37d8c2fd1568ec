//! Why AWS did not do it, in words that hold nothing of what was sent: validation errors quote their input, and a task
//! token or an item may be in it.

use aws_smithy_types::error::metadata::ProvideErrorMetadata;

/// What the SDK says of a failed call, whatever the service.
pub(super) type SdkError<E> = aws_sdk_dynamodb::error::SdkError<E>;

/// Codes whose messages name a right or a resource, which whoever has to put it right must know, and nothing else.
const TOLD: [&str; 4] = ["AccessDeniedException", "AuthorizationError", "ResourceNotFoundException", "NotFound"];

/// Why the call failed.
pub(super) fn describe<E: ProvideErrorMetadata>(error: &SdkError<E>) -> String {
    match error {
        SdkError::ConstructionFailure(_) => "the call could not be made".to_owned(),
        SdkError::TimeoutError(_) => "no answer in time".to_owned(),
        SdkError::DispatchFailure(failure) if failure.is_timeout() => "no connection in time".to_owned(),
        SdkError::DispatchFailure(_) => "no connection".to_owned(),
        SdkError::ResponseError(_) => "the answer cannot be read".to_owned(),
        SdkError::ServiceError(refused) => match (refused.err().code(), refused.err().message()) {
            (Some(code), Some(message)) if TOLD.contains(&code) => format!("`{code}`: {message}"),
            (Some(code), _) => format!("`{code}`"),
            (None, _) => format!("status {}", refused.raw().status().as_u16()),
        },
        _ => "the call failed".to_owned(),
    }
}
