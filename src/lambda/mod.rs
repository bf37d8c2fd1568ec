//! The three functions on AWS Lambda.
