//! The ports on AWS: DynamoDB, Step Functions, SNS, Secrets Manager.

pub mod connection;
pub mod dynamodb;
mod error;
pub mod secrets;
pub mod sns;
pub mod stepfunctions;
