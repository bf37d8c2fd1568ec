//! Lints: what a sound policy says and probably does not mean. A file holds the lints that are read together.
//!
//! They run for `check` and `bundle` alone, never for a decision. Each reports only what the policy's text makes
//! certain, and all of them together stay within a budget of steps, however large the bundle.

mod approvers;
mod bodies;
mod calendars;
mod channels;
mod conditions;
mod context;
mod fields;
mod patterns;
mod quorum;
mod stand_ins;
mod times;
mod unpinned;
mod unused;
mod waiver;
mod weak_override;

use bodies::{bodies, levels};
use context::Lint;

use jiff::Timestamp;

use super::Policy;
use super::assemble::{Assembled, Section, assemble};
use super::load::Parsed;
use super::read::Reader;
use crate::finding::{Code, Finding, Findings, Levels, Source, SourceId, SourceMap, Waived};

/// The most lints that are reported for one bundle.
const MAX_LINTS: usize = 1000;
/// How many steps all lints together may take to compare things with each other.
const BUDGET: u64 = 10_000_000;

#[derive(Debug)]
pub struct Linted {
    /// `None` if the policy cannot be used.
    pub policy: Option<Policy>,
    /// Refusals and lints together.
    pub findings: Findings,
    /// The lints that comments in the policy waive.
    pub waived: Vec<Waived>,
    /// The texts that the findings point into.
    pub sources: SourceMap,
}

/// The results of the lints. They run while the reader still has the YAML tree, which knows every place.
#[derive(Debug, Default)]
pub(super) struct Look {
    /// In no particular order.
    pub(super) found: Vec<Finding>,
    /// The time that calendars are checked at.
    now: Timestamp,
    /// How many steps of the budget were spent.
    steps: u64,
}

/// Loads a bundle as [`super::load`] does and, if it is sound, lints it as of `now`. The sources are in the order of
/// their names.
#[must_use]
pub fn lint(bundle: Vec<Source>, levels: &Levels, now: Timestamp) -> Linted {
    let mut look = Look { now, ..Look::default() };
    let parsed = Parsed::of(bundle);
    let Assembled { policy, sections, mut findings, mentions } =
        assemble(Reader::with_mentions(&parsed.sources), &parsed);
    let texts: Vec<SourceId> = parsed.trees.iter().map(|tree| tree.span.source).collect();
    let (waivers, problems) = waiver::read(&parsed.sources, &texts);
    let (mut lints, mut waived) = (problems, Vec::new());
    if let Some(policy) = &policy {
        self::look(&mut look, policy, &sections);
        let mut found: Findings = look.found.into_iter().chain(unpinned::unpinned(&mentions)).collect();
        found.sort();
        let (kept, aside, unused) = waiver::apply(&waivers, found);
        lints.extend(kept.into_iter().chain(unused));
        waived = aside;
    }
    findings.extend(worst(levels.applied(lints.into_iter().collect())));
    findings.sort();
    Linted { policy, findings, waived, sources: parsed.sources }
}

/// The worst [`MAX_LINTS`] findings. One more finding counts the rest, with the severity of the worst of them.
fn worst(findings: Findings) -> Vec<Finding> {
    let mut found: Vec<Finding> = findings.into_iter().collect();
    if found.len() > MAX_LINTS {
        found.sort_by_key(|finding| (std::cmp::Reverse(finding.severity()), finding.span));
        let left_out = found.split_off(MAX_LINTS);
        let severity = left_out.iter().map(Finding::severity).max().unwrap_or(Code::TooManyFindings.severity());
        let message = format!("{} more findings are not reported", left_out.len());
        let rest = Finding::of_bundle(Code::TooManyFindings, message).hint("fix these first, or `--allow` a code");
        found.push(Finding { severity, ..rest });
    }
    found
}

/// In the order of the codes, apart from those in [`fields`], which need no budget.
const LOOKS: [fn(&mut Lint<'_>); 16] = [
    unused::look,
    channels::without_subscriber,
    calendars::look,
    patterns::unreachable,
    patterns::shadowed,
    channels::nobody_notified,
    fields::look,
    conditions::weak,
    conditions::may_require_nothing,
    approvers::unmeetable,
    approvers::without_reserve,
    approvers::sole,
    stand_ins::look,
    weak_override::look,
    times::no_time_left,
    times::timeout_in_freeze,
];

/// Runs every lint on a sound policy. The sections are those that it was read from.
pub(super) fn look(look: &mut Look, policy: &Policy, sections: &[Section<'_>]) {
    let (bodies, levels) = (bodies(policy, sections), levels(policy, sections));
    let (now, quorums, found) = (look.now, Vec::new(), Vec::new());
    let mut lint = Lint { policy, sections, now, bodies, levels, quorums, budget: BUDGET, found };
    lint.quorums = quorum::quorums(&mut lint);
    for each in LOOKS {
        each(&mut lint);
    }
    look.found = lint.found;
    look.steps = BUDGET - lint.budget;
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::{MAX_LINTS, lint};
    use crate::finding::{Code, Level, Levels, Severity, Source, SourceContent};

    pub(super) fn noon() -> Timestamp {
        "2026-11-18T10:00:00Z".parse().unwrap()
    }

    /// Lints one file, and returns each finding of this code as `line:column message`.
    pub(super) fn found(code: Code, text: &str) -> Vec<String> {
        let content = SourceContent::Bytes(text.as_bytes().to_vec());
        let linted = lint(vec![Source { name: "a.yaml".to_owned(), content }], &Levels::default(), noon());
        assert!(linted.policy.is_some(), "{:?}", linted.findings);
        let place = |finding: &crate::finding::Finding| {
            let span = finding.span.unwrap();
            format!("{}:{} {}", span.line, span.column, finding.message)
        };
        linted.findings.iter().filter(|finding| finding.code == code).map(place).collect()
    }

    pub(super) fn count(code: Code, text: &str) -> usize {
        found(code, text).len()
    }

    fn of(text: String, levels: &Levels) -> super::Linted {
        let content = SourceContent::Bytes(text.into_bytes());
        lint(vec![Source { name: "a.yaml".to_owned(), content }], levels, noon())
    }

    #[test]
    fn of_too_many_lints_the_worst_are_reported() {
        let groups: String = (0..2000).map(|number| format!("  g{number}: {{ users: [ana] }}\n")).collect();
        let text = format!("version: 1\nchannels: {{ none-hears: {{}} }}\ngroups:\n{groups}");
        let linted = of(text.clone(), &Levels::default());
        assert_eq!(linted.findings.len(), MAX_LINTS + 1);
        assert_eq!(linted.findings.count(Severity::Error), 0, "a sound policy stays sound");
        assert!(linted.findings.iter().any(|finding| finding.message == "1003 more findings are not reported"));
        let mut levels = Levels::default();
        levels.set(Code::ChannelWithoutSubscriber, Level::Deny).unwrap();
        levels.set(Code::UnusedGroup, Level::Allow).unwrap();
        assert_eq!(of(text, &levels).findings.count(Severity::Error), 1);
    }

    /// The steps that a file takes off the budget.
    fn steps(text: String) -> u64 {
        let mut look = super::Look::default();
        let content = SourceContent::Bytes(text.into_bytes());
        let parsed = super::Parsed::of(vec![Source { name: "a.yaml".to_owned(), content }]);
        let assembled = super::assemble(super::Reader::new(&parsed.sources), &parsed);
        let policy = assembled.policy.unwrap_or_else(|| panic!("{:?}", assembled.findings));
        super::look(&mut look, &policy, &assembled.sections);
        look.steps
    }

    fn patterns(count: usize, of: fn(usize) -> String) -> String {
        let line = |number| format!("  \"{}\": {{ require: {{ all_of: [2 of sre, 1 of sre] }} }}\n", of(number));
        let rules: String = (0..count).map(line).collect();
        format!("version: 1\ngroups: {{ sre: {{ users: [ana, sam, lee] }} }}\nenvironments:\n{rules}")
    }

    #[test]
    fn the_steps_for_a_rule_do_not_grow_with_the_number_of_rules() {
        for of in [|number| format!("pay-{number}-*"), |number| format!("*-{number}"), |number| format!("p{number}")] {
            let (few, many) = (steps(patterns(200, of)), steps(patterns(800, of)));
            assert!(few > 0 && many <= few * 5, "{few} {many}");
        }
    }

    #[test]
    fn patterns_that_could_all_cover_each_other_are_compared_within_the_budget() {
        assert_eq!(steps(patterns(1300, |number| format!("*a{number}b*"))), super::BUDGET);
    }

    #[test]
    fn a_broken_policy_is_not_linted() {
        let linted = of("version: 1\ngroups: { sre: { users: [ana] } }\nfoo: 1\n".to_owned(), &Levels::default());
        let codes: Vec<_> = linted.findings.iter().map(|finding| finding.code).collect();
        assert_eq!((linted.policy.is_none(), codes), (true, vec![Code::UnknownKey]));
    }
}
