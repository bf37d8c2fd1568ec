//! Policy tests: facts in short, what the decision on them must hold, and what it does not.
//!
//! Knows no files: the texts come from outside, and `policy` makes trees of them.

mod compare;
mod complete;
pub mod coverage;
mod expect;
mod file;
mod given;
mod value;

pub use compare::Failure;
pub use file::{Suite, Suites, read};

use super::decision::Decision;
use super::facts::Facts;
use crate::policy::{Place, Policy};

/// One policy test.
#[derive(Debug, Clone)]
pub struct Case {
    /// What it shows, as a sentence.
    pub name: String,
    /// Where it stands.
    pub place: Place,
    given: given::Given,
    expect: expect::Expect,
}

/// What a case came to.
#[derive(Debug, Clone)]
pub struct Outcome {
    /// What was decided.
    pub decision: Decision,
    /// Where that is not what was expected; empty: the case passed.
    pub failures: Vec<Failure>,
}

impl Case {
    /// The facts in full: what the case leaves out takes a default, and the repository and the base branch are ones that
    /// the policy's rule for the target allows.
    #[must_use]
    pub fn facts(&self, policy: &Policy) -> Facts {
        complete::facts(&self.given, policy)
    }

    /// Decides under the policy, and compares.
    #[must_use]
    pub fn run(&self, policy: &Policy) -> Outcome {
        let decision = super::decide(policy, &self.facts(policy));
        let failures = compare::failures(&self.expect, &decision);
        Outcome { decision, failures }
    }
}
