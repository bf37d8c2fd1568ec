//! The ports on AWS and the three functions.

mod callback;
mod cloud;
mod dynamodb;
#[cfg(feature = "lambda")]
mod functions;
mod notices;
mod secrets;
