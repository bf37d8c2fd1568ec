//! Policy tests: facts in short, what happens to them, what the decision on them must hold, and what it does not.
//!
//! Knows no files: the texts come from outside, and `policy` makes trees of them.

mod compare;
mod complete;
pub mod coverage;
mod event;
mod expect;
mod file;
mod given;
mod overlay;
mod story;
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
    /// What it shows, as a sentence.
    pub name: String,
    /// Where it stands.
    pub place: Place,
    given: given::Given,
    expect: Option<expect::Expect>,
    steps: Vec<event::Step>,
}

/// What a case came to.
#[derive(Debug, Clone)]
pub struct Outcome {
    /// What was decided on the facts as they are given, before any step.
    pub decision: Decision,
    /// What was decided after each step.
    pub steps: Vec<StepOutcome>,
    /// All places, of the start and of every step, where that is not what was expected; empty: the case passed.
    pub failures: Vec<Failure>,
}

/// What a step came to.
#[derive(Debug, Clone)]
pub struct StepOutcome {
    /// What happened, as a sentence.
    pub event: String,
    /// When.
    pub at: Timestamp,
    /// What was decided after it.
    pub decision: Decision,
    /// The end that the request had come to before this step.
    pub ended: Option<Ended>,
}

/// The end of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ended {
    /// As what it ended.
    pub verdict: Verdict,
    /// After which step, by its number from 0; none: at the start.
    pub step: Option<usize>,
}

impl StepOutcome {
    /// The end before this step, where the decision after it is what no gate would come to any more.
    ///
    /// An ended request stays ended, whatever happens then; a case goes on all the same, since `decide` answers on any
    /// facts. What is approved is decided on once more at release: it may wait or be refused there, and never goes back to
    /// asking people.
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
    /// The facts in full, before any step: what the case leaves out takes a default, and the repository and the base
    /// branch are ones that the policy's rule for the target allows.
    #[must_use]
    pub fn facts(&self, policy: &Policy) -> Facts {
        complete::facts(&self.given, policy.rule(&self.given.target).ok().as_ref())
    }

    /// Decides under the policy, at the start and after each step, and compares.
    #[must_use]
    pub fn run(&self, policy: &Policy) -> Outcome {
        self.run_watched(policy, &mut |_, _| {})
    }

    /// As [`Self::run`]; shows every decision with the facts that it was made on.
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
            // Only what depends on the policy can be refused here; the rest was found when the case was read.
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
            steps.push(StepOutcome { event: story::told(step), at: facts.now, decision, ended });
            // What is approved can still be refused at release.
            ended = ended.filter(|ended| ended.verdict != Verdict::Approved).or(end).or(ended);
        }
        Outcome { decision, steps, failures }
    }
}

/// The end that a decision brings the request to, if it does.
fn end_of(decision: &Decision, step: Option<usize>) -> Option<Ended> {
    let verdict = decision.verdict;
    match verdict {
        Verdict::Approved | Verdict::Rejected | Verdict::Expired | Verdict::Superseded | Verdict::Denied => {
            Some(Ended { verdict, step })
        }
        Verdict::Pending | Verdict::Blocked | Verdict::Wait => None,
    }
}
