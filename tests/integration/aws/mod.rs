//! The ports on AWS and the three functions: against what they send, and the store against DynamoDB's stand-in.

mod dynamodb;
