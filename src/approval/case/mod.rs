//! Policy tests: facts in short, events that change them, and what the decisions must contain. Reads no files.

mod compare;
mod complete;
pub mod coverage;
mod event;
mod expect;
mod file;
mod given;
mod overlay;
mod value;

pub use compare::Failure;
pub use file::{Suite, Suites, read};

use jiff::Timestamp;

use super::decision::{Decision, Verdict};
use super::facts::Facts;
use crate::policy::{Place, Policy};

/// One policy test.
#[derive(Debug, Clone)]
pub struct Case {
    pub name: String,
    pub place: Place,
    given: given::Given,
    expect: Option<expect::Expect>,
    steps: Vec<event::Step>,
}

/// The decisions of a case, and where they differ from what it expects.
#[derive(Debug, Clone)]
pub struct Outcome {
    /// Before all steps.
    pub decision: Decision,
    pub steps: Vec<StepOutcome>,
    /// All differences, before and after all steps. The case passed if this is empty.
    pub failures: Vec<Failure>,
}

#[derive(Debug, Clone)]
pub struct StepOutcome {
    /// As a sentence.
    pub event: String,
    pub at: Timestamp,
    pub decision: Decision,
    /// How the request had ended before this step. `None` if it was open.
    pub ended: Option<Ended>,
}

/// The end of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ended {
    pub verdict: Verdict,
    /// After which step, numbered from 0. `None`: before all steps.
    pub step: Option<usize>,
}

impl StepOutcome {
    /// How the request had ended before this step, if no gate would make the decision after it any more.
    ///
    /// In a gate an ended request stays ended. A case goes on, because `decide` takes any facts. An approved request is
    /// decided on again at release: it may wait or be refused there, but never waits for people again.
    #[must_use]
    pub fn contradicts(&self) -> Option<Ended> {
        self.ended.filter(|ended| match ended.verdict {
            Verdict::Approved => matches!(self.decision.verdict, Verdict::Pending | Verdict::Blocked),
            Verdict::Pending
            | Verdict::Blocked
            | Verdict::Wait
            | Verdict::Rejected
            | Verdict::Expired
            | Verdict::Superseded
            | Verdict::Denied => ended.verdict != self.decision.verdict,
        })
    }
}

impl Case {
    /// The facts before all steps, with defaults for what the case leaves out.
    #[must_use]
    pub fn facts(&self, policy: &Policy) -> Facts {
        complete::facts(&self.given, policy.rule(&self.given.target).ok().as_ref())
    }

    /// Decides under the policy, at the start and after each step, and compares.
    #[must_use]
    pub fn run(&self, policy: &Policy) -> Outcome {
        self.run_watched(policy, &mut |_, _| {})
    }

    /// As [`Self::run`]. Passes every decision with its facts to `watch`.
    #[must_use]
    pub fn run_watched(&self, policy: &Policy, watch: &mut dyn FnMut(&Facts, &Decision)) -> Outcome {
        let mut facts = self.facts(policy);
        let decision = super::decide(policy, &facts);
        watch(&facts, &decision);
        overlay::remember(&decision, &mut facts);
        let expected = self.expect.iter();
        let mut failures: Vec<Failure> =
            expected.flat_map(|expect| compare::failures(expect, &decision, None)).collect();
        let mut ended = end_of(&decision, None);
        let mut steps = Vec::with_capacity(self.steps.len());
        for (number, step) in self.steps.iter().enumerate() {
            // Only what depends on the policy can fail here. The rest was reported when the case was read.
            if let Err(why) = overlay::apply(step, &mut facts) {
                let (path, expected) = (format!("steps[{number}]"), "an event that can happen".into());
                failures.push(Failure { path, expected, got: why.into(), step: Some(number) });
            }
            let decision = super::decide(policy, &facts);
            watch(&facts, &decision);
            overlay::remember(&decision, &mut facts);
            let expected = step.expect.iter();
            failures.extend(expected.flat_map(|expect| compare::failures(expect, &decision, Some(number))));
            let end = end_of(&decision, Some(number));
            steps.push(StepOutcome { event: step.sentence(), at: facts.now, decision, ended });
            // An approved request can still be refused at release.
            ended = ended.filter(|ended| ended.verdict != Verdict::Approved).or(end).or(ended);
        }
        Outcome { decision, steps, failures }
    }
}

/// The end that a decision brings. `None` if the request goes on.
fn end_of(decision: &Decision, step: Option<usize>) -> Option<Ended> {
    let verdict = decision.verdict;
    match verdict {
        Verdict::Approved | Verdict::Rejected | Verdict::Expired | Verdict::Superseded | Verdict::Denied => {
            Some(Ended { verdict, step })
        }
        Verdict::Pending | Verdict::Blocked | Verdict::Wait => None,
    }
}
