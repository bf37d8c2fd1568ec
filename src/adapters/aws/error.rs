//! Errors of AWS without any input: validation errors quote their input, which may contain a task token or an item.

use aws_smithy_types::error::metadata::ProvideErrorMetadata;

pub(super) type SdkError<E> = aws_sdk_dynamodb::error::SdkError<E>;

/// Codes whose messages name a missing permission or resource, and nothing else.
const WITH_MESSAGE: [&str; 4] =
    ["AccessDeniedException", "AuthorizationError", "ResourceNotFoundException", "NotFound"];

pub(super) fn describe<E: ProvideErrorMetadata>(error: &SdkError<E>) -> String {
    match error {
        SdkError::ConstructionFailure(_) => "the call could not be made".to_owned(),
        SdkError::TimeoutError(_) => "no answer in time".to_owned(),
        SdkError::DispatchFailure(failure) if failure.is_timeout() => "no connection in time".to_owned(),
        SdkError::DispatchFailure(_) => "no connection".to_owned(),
        SdkError::ResponseError(_) => "the answer cannot be read".to_owned(),
        SdkError::ServiceError(refused) => match (refused.err().code(), refused.err().message()) {
            (Some(code), Some(message)) if WITH_MESSAGE.contains(&code) => format!("`{code}`: {message}"),
            (Some(code), _) => format!("`{code}`"),
            (None, _) => format!("status {}", refused.raw().status().as_u16()),
        },
        _ => "the call failed".to_owned(),
    }
}
