//! The ports on AWS and the three functions: what they send and how answers are taken, the store against a DynamoDB.

mod callback;
mod cloud;
mod dynamodb;
#[cfg(feature = "lambda")]
mod functions;
mod notices;
mod secrets;
