//! A requirement as a list of choices, given which conditions hold. To meet it, all leaves of one choice must be met.
//!
//! Reads `when` as a decision does: if a condition is unknown, the stricter side applies.

use crate::policy::condition::{Condition, Test};
use crate::policy::requirement::Requirement;

use super::keys::Keys;

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Holds {
    No,
    Unknown,
    Yes,
}

impl Holds {
    fn not(self) -> Self {
        match self {
            Self::Yes => Self::No,
            Self::Unknown => Self::Unknown,
            Self::No => Self::Yes,
        }
    }
}

/// The tests of both requirements, each once, with the result of each test in this case.
#[derive(Debug, Default)]
pub(super) struct Case<'r> {
    tests: Vec<(u32, &'r Test)>,
    answers: Vec<Holds>,
}

/// The most cases that are tried.
const MOST_CASES: usize = 729;
/// The most choices that a requirement may have.
const MOST_CHOICES: usize = 256;

impl<'r> Case<'r> {
    /// The first case, in which every test holds. `None` if there are too many cases.
    pub(super) fn first(requirements: [&'r Requirement; 2], keys: &mut Keys) -> Option<Self> {
        let mut case = Self::default();
        let conditions = requirements.into_iter().flat_map(Requirement::conditions);
        for term in conditions.flat_map(Condition::terms) {
            let number = keys.test(&term.test);
            if !case.tests.iter().any(|(other, _)| *other == number) {
                case.tests.push((number, &term.test));
                case.answers.push(Holds::Yes);
            }
        }
        let ways = case.tests.iter().try_fold(1_usize, |ways, (_, test)| ways.checked_mul(answers_of(test).len()));
        ways.filter(|ways| *ways <= MOST_CASES).map(|_| case)
    }

    /// Moves to the next case. Returns whether there is one.
    pub(super) fn next(&mut self) -> bool {
        for ((_, test), answer) in self.tests.iter().zip(&mut self.answers) {
            let answers = answers_of(test);
            let at = answers.iter().position(|other| other == answer).unwrap_or_default();
            if let Some(next) = answers.get(at + 1) {
                *answer = *next;
                return true;
            }
            *answer = Holds::Yes;
        }
        false
    }

    /// The case as part of a sentence. Empty if there are no conditions.
    pub(super) fn in_words(&self) -> String {
        let words = self.tests.iter().zip(&self.answers).map(|((_, test), answer)| match answer {
            Holds::Yes => format!("{test} holds"),
            Holds::No => format!("{test} does not hold"),
            Holds::Unknown => format!("{test} is not known"),
        });
        let words: Vec<String> = words.collect();
        if words.is_empty() { String::new() } else { format!(" if {}", words.join(" and ")) }
    }

    fn holds(&self, condition: &Condition, keys: &mut Keys) -> Holds {
        match condition {
            Condition::All(parts) => parts.iter().map(|part| self.holds(part, keys)).min().unwrap_or(Holds::Yes),
            Condition::Any(parts) => parts.iter().map(|part| self.holds(part, keys)).max().unwrap_or(Holds::No),
            Condition::Not(inner) => self.holds(inner, keys).not(),
            Condition::Is(term) => {
                let number = keys.test(&term.test);
                let known = self.tests.iter().zip(&self.answers).find(|((other, _), _)| *other == number);
                known.map_or(Holds::Unknown, |(_, answer)| *answer)
            }
        }
    }

    /// The choices of the requirement, each a set of leaves as bits. Empty if it can never be met. `None` if there are
    /// too many.
    pub(super) fn choices(&self, requirement: &Requirement, keys: &mut Keys) -> Option<Vec<u32>> {
        let (_, choices) = self.add(requirement, &mut 0, keys)?;
        Some(choices.unwrap_or_default())
    }

    /// Whether a part applies, assuming its parent does, and its choices if it may apply.
    fn add(&self, requirement: &Requirement, leaf: &mut u32, keys: &mut Keys) -> Option<(Holds, Option<Vec<u32>>)> {
        let own = requirement.when().map_or(Holds::Yes, |when| self.holds(when, keys));
        if matches!(requirement, Requirement::Leaf(_)) {
            let bit = 1_u32.checked_shl(*leaf).unwrap_or_default();
            *leaf += 1;
            return Some((own, (own != Holds::No).then(|| vec![bit])));
        }
        let (mut surest, mut parts) = (Holds::No, Vec::new());
        for part in requirement.parts() {
            let (applies, choices) = self.add(part, leaf, keys)?;
            surest = surest.max(applies);
            parts.extend(choices.map(|choices| (applies, choices)));
        }
        // A group applies as surely as the surest of its parts, under its own condition.
        let applies = own.min(surest);
        if applies == Holds::No {
            return Some((Holds::No, None));
        }
        let choices = match requirement {
            // A part that may not apply cannot be the one that is met.
            Requirement::AnyOf(_) => {
                parts.into_iter().filter(|(sure, _)| *sure == Holds::Yes).flat_map(|(_, choices)| choices).collect()
            }
            Requirement::AllOf(_) | Requirement::InOrder(_) | Requirement::Leaf(_) => {
                parts.into_iter().try_fold(vec![0], |all, (_, choices)| product(&all, &choices))?
            }
        };
        let choices = least(choices)?;
        Some((applies, Some(choices)))
    }
}

/// The possible results of a test if there is a pull request.
const fn answers_of(test: &Test) -> &'static [Holds] {
    match test {
        Test::Labels(_) | Test::Branch(_) | Test::Lines(_) | Test::Within(_) => &[Holds::Yes, Holds::No],
        Test::Paths(_)
        | Test::OnlyPaths(_)
        | Test::Authors(_)
        | Test::OnlyAuthors(_)
        | Test::Requester(_)
        | Test::Version(_)
        | Test::Input(_) => &[Holds::Yes, Holds::No, Holds::Unknown],
    }
}

/// Every choice of `a` combined with every choice of `b`.
fn product(a: &[u32], b: &[u32]) -> Option<Vec<u32>> {
    let size = a.len().checked_mul(b.len()).filter(|size| *size <= MOST_CHOICES)?;
    let mut all = Vec::with_capacity(size);
    for one in a {
        all.extend(b.iter().map(|other| one | other));
    }
    Some(all)
}

/// Removes the choices that contain another choice.
fn least(mut choices: Vec<u32>) -> Option<Vec<u32>> {
    if choices.len() > MOST_CHOICES {
        return None;
    }
    choices.sort_unstable();
    choices.dedup();
    let all = choices.clone();
    choices.retain(|choice| !all.iter().any(|other| other != choice && other & choice == *other));
    Some(choices)
}
