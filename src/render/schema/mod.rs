//! The JSON Schemas of policy files and of test files, of the whole language: for editors, and for whoever writes policies
//! by program. What only `check` can say (names that are not defined, patterns in the wrong order) is not in them.

mod build;
mod calendar;
mod case;
mod expect;
mod form;
mod policy;
mod requirement;
mod rule;

use serde_json::Value;

/// Where the schema of a policy file is published.
pub const POLICY_ID: &str = "https://raw.githubusercontent.com/countersign/countersign/main/schema/policy.schema.json";
/// Where the schema of a test file is published.
pub const TEST_ID: &str = "https://raw.githubusercontent.com/countersign/countersign/main/schema/test.schema.json";

/// The schema of one file of a policy.
#[must_use]
pub fn policy() -> Value {
    policy::schema(POLICY_ID)
}

/// The schema of a test file.
#[must_use]
pub fn tests() -> Value {
    case::schema(TEST_ID)
}
