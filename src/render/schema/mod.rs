//! The JSON Schemas of policy files and test files, for editors and for programs that write policies. They do not find
//! what only `check` can find, such as names that are not defined or patterns in the wrong order.

mod build;
mod calendar;
mod case;
mod expect;
mod form;
mod policy;
mod requirement;
mod rule;

use serde_json::Value;

pub const POLICY_ID: &str = "https://raw.githubusercontent.com/countersign/countersign/main/schema/policy.schema.json";
pub const TEST_ID: &str = "https://raw.githubusercontent.com/countersign/countersign/main/schema/test.schema.json";

#[must_use]
pub fn policy() -> Value {
    policy::schema(POLICY_ID)
}

#[must_use]
pub fn tests() -> Value {
    case::schema(TEST_ID)
}
