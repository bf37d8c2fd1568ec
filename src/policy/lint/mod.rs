//! Lints: what a sound policy says and probably does not mean. One file for each code, and a list of them here.
//!
//! They run for `check` alone: nothing here is on the way to a decision. Each reports only what is certain from the
//! policy's text, and none looks at more pairs than the budget allows, whatever a bundle holds.

mod audit;
mod bodies;
mod calendar_always_open;
mod calendar_never_opens;
mod calendar_over;
mod channel_without_subscriber;
mod committers_counted;
mod distinct_off;
mod globs;
mod invalid_waiver;
mod may_require_nothing;
mod no_time_left;
mod nobody_excluded;
mod nobody_notified;
mod none_by_pattern;
mod none_in_production;
mod override_as_weak_as_the_rule;
mod quorum;
mod quorum_unmeetable;
mod quorum_without_reserve;
mod shadowed_pattern;
mod sole_approver;
mod stand_in_unused;
mod stretches;
mod timeout_in_freeze;
mod unreachable_rule;
mod unused_calendar;
mod unused_channel;
mod unused_group;
mod unused_waiver;
mod uses;
mod waiver;
mod waiver_without_reason;
mod weak_condition;

use bodies::{Body, Keys, bodies, levels};
use quorum::Quorum;

use jiff::Timestamp;

use super::assemble::{Assembled, Section, assemble};
use super::load::Parsed;
use super::read::Reader;
use super::yaml::{Entry, Node, Value};
use super::{Calendar, Policy};
use crate::finding::{Code, Finding, Findings, Levels, Source, SourceId, SourceMap, Waived};

/// The most lints that are told of one bundle.
const MAX_LINTS: usize = 1000;
/// How many steps the lints that compare one thing with many may take together.
const BUDGET: u64 = 10_000_000;
/// How many steps it is to ask a calendar for its next change.
const OF_A_CALENDAR: usize = 10;

/// What came of linting a bundle.
#[derive(Debug)]
pub struct Linted {
    /// The policy; none where it cannot be used.
    pub policy: Option<Policy>,
    /// What is wrong with it, and what is worth changing.
    pub findings: Findings,
    /// The lints that comments in the policy set aside.
    pub waived: Vec<Waived>,
    /// The texts that the findings point into.
    pub sources: SourceMap,
}

/// What the lints find on the way: the reader still has the tree then, which knows every place.
#[derive(Debug, Default)]
pub(super) struct Look {
    /// What they found, in no order.
    pub(super) found: Vec<Finding>,
    /// When they look.
    now: Timestamp,
    /// How much of the budget was spent.
    steps: u64,
}

/// Loads a bundle as [`super::load`] does, and lints it as it is `now` if it is sound. The sources stand in the order of
/// their names.
#[must_use]
pub fn lint(bundle: Vec<Source>, levels: &Levels, now: Timestamp) -> Linted {
    let mut look = Look { now, ..Look::default() };
    let parsed = Parsed::of(bundle);
    let Assembled { policy, sections, mut findings, .. } = assemble(Reader::new(&parsed.sources), &parsed);
    let texts: Vec<SourceId> = parsed.trees.iter().map(|tree| tree.span.source).collect();
    let (waivers, problems) = waiver::read(&parsed.sources, &texts);
    let (mut lints, mut waived) = (problems, Vec::new());
    if let Some(policy) = &policy {
        self::look(&mut look, policy, &sections);
        let mut found: Findings = look.found.into_iter().collect();
        found.sort();
        let (kept, aside, unused) = waiver::apply(&waivers, found);
        lints.extend(kept.into_iter().chain(unused));
        waived = aside;
    }
    findings.extend(told(levels.applied(lints.into_iter().collect())));
    findings.sort();
    Linted { policy, findings, waived, sources: parsed.sources }
}

/// As many as anyone reads, the worst first to be kept; what is left out is told as one, as bad as the worst of it.
fn told(findings: Findings) -> Vec<Finding> {
    let mut found: Vec<Finding> = findings.into_iter().collect();
    if found.len() > MAX_LINTS {
        found.sort_by_key(|finding| (std::cmp::Reverse(finding.severity()), finding.span));
        let left_out = found.split_off(MAX_LINTS);
        let severity = left_out.iter().map(Finding::severity).max().unwrap_or(Code::TooManyFindings.severity());
        let message = format!("there are {} findings more, and they are not told", left_out.len());
        let rest = Finding::of_bundle(Code::TooManyFindings, message).hint("mend these first, or `--allow` a code");
        found.push(Finding { severity, ..rest });
    }
    found
}

/// The policy and its text, as the lints see them.
struct Lint<'l> {
    policy: &'l Policy,
    sections: &'l [Section<'l>],
    now: Timestamp,
    /// Every rule body that is written.
    bodies: Vec<Body<'l>>,
    /// Every list of selectors that is written.
    levels: Vec<Keys<'l>>,
    /// What the requirements of the bodies come to.
    quorums: Vec<Quorum<'l>>,
    budget: u64,
    found: Vec<Finding>,
}

/// In the order of the codes.
const LOOKS: [fn(&mut Lint<'_>); 25] = [
    unused_group::look,
    unused_channel::look,
    unused_calendar::look,
    channel_without_subscriber::look,
    calendar_never_opens::look,
    calendar_always_open::look,
    calendar_over::look,
    unreachable_rule::look,
    shadowed_pattern::look,
    none_by_pattern::look,
    none_in_production::look,
    nobody_notified::look,
    distinct_off::look,
    committers_counted::look,
    nobody_excluded::look,
    audit::look,
    weak_condition::look,
    may_require_nothing::look,
    quorum_unmeetable::look,
    quorum_without_reserve::look,
    sole_approver::look,
    stand_in_unused::look,
    override_as_weak_as_the_rule::look,
    no_time_left::look,
    timeout_in_freeze::look,
];

/// Looks at a sound policy. The sections are those that it was read from.
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

impl<'l> Lint<'l> {
    fn report(&mut self, finding: Finding) {
        self.found.push(finding);
    }

    /// Whether so many steps may still be taken; they are taken off.
    fn spend(&mut self, steps: usize) -> bool {
        let left = self.budget.checked_sub(u64::try_from(steps).unwrap_or(u64::MAX));
        self.budget = left.unwrap_or(0);
        left.is_some()
    }

    /// The calendars of which this holds now, as written.
    fn calendars(&mut self, holds: fn(&Calendar, Timestamp) -> bool) -> Vec<(&'l Entry, &'l Calendar)> {
        let defined = &self.policy.calendars;
        let of = |entry: &'l Entry| defined.get(&entry.key).map(|calendar| (entry, &**calendar));
        let entries: Vec<_> = self.entries("calendars").into_iter().filter_map(of).collect();
        let now = self.now;
        entries.into_iter().filter(|(_, calendar)| self.spend(OF_A_CALENDAR) && holds(calendar, now)).collect()
    }

    /// What stands under a top-level key, in all files.
    fn entries(&self, key: &str) -> Vec<&'l Entry> {
        entries(nodes(self.sections, key))
    }
}

fn nodes<'n>(sections: &'n [Section<'n>], key: &str) -> &'n [&'n Node] {
    sections.iter().find(|section| section.key == key).map(|section| section.nodes.as_slice()).unwrap_or_default()
}

fn entries<'n>(nodes: &[&'n Node]) -> Vec<&'n Entry> {
    nodes.iter().flat_map(|node| entries_of(node)).collect()
}

fn entries_of(node: &Node) -> &[Entry] {
    match &node.value {
        Value::Map(entries) => entries,
        Value::Null | Value::Bool(_) | Value::Integer(_) | Value::Float(_) | Value::Text(_) | Value::List(_) => &[],
    }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::{MAX_LINTS, lint};
    use crate::finding::{Code, Level, Levels, Severity, Source, SourceContent};

    /// When every test looks.
    pub(super) fn looked_at() -> Timestamp {
        "2026-11-18T10:00:00Z".parse().unwrap()
    }

    /// Lints one file, and tells each finding of this code as `line:column message`.
    pub(super) fn found(code: Code, text: &str) -> Vec<String> {
        let content = SourceContent::Bytes(text.as_bytes().to_vec());
        let linted = lint(vec![Source { name: "a.yaml".to_owned(), content }], &Levels::default(), looked_at());
        assert!(linted.policy.is_some(), "{:?}", linted.findings);
        let place = |finding: &crate::finding::Finding| {
            let span = finding.span.unwrap();
            format!("{}:{} {}", span.line, span.column, finding.message)
        };
        linted.findings.iter().filter(|finding| finding.code == code).map(place).collect()
    }

    /// How often a lint is found in one file.
    pub(super) fn count(code: Code, text: &str) -> usize {
        found(code, text).len()
    }

    fn of(text: String, levels: &Levels) -> super::Linted {
        let content = SourceContent::Bytes(text.into_bytes());
        lint(vec![Source { name: "a.yaml".to_owned(), content }], levels, looked_at())
    }

    #[test]
    fn more_lints_than_anyone_reads_are_not_all_told_and_the_worst_are() {
        let groups: String = (0..2000).map(|number| format!("  g{number}: {{ users: [ana] }}\n")).collect();
        let text = format!("version: 1\nchannels: {{ none-hears: {{}} }}\ngroups:\n{groups}");
        let linted = of(text.clone(), &Levels::default());
        assert_eq!(linted.findings.len(), MAX_LINTS + 1);
        assert_eq!(linted.findings.count(Severity::Error), 0, "a sound policy stays sound");
        assert!(
            linted
                .findings
                .iter()
                .any(|finding| finding.message == "there are 1002 findings more, and they are not told")
        );
        let mut levels = Levels::default();
        levels.set(Code::ChannelWithoutSubscriber, Level::Deny).unwrap();
        levels.set(Code::UnusedGroup, Level::Allow).unwrap();
        assert_eq!(of(text, &levels).findings.count(Severity::Error), 1);
    }

    /// What a file costs of the budget.
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
    fn what_a_rule_costs_does_not_grow_with_the_number_of_rules() {
        for of in [|number| format!("pay-{number}-*"), |number| format!("*-{number}"), |number| format!("p{number}")] {
            let (few, many) = (steps(patterns(200, of)), steps(patterns(800, of)));
            assert!(few > 0 && many <= few * 5, "{few} {many}");
        }
    }

    #[test]
    fn patterns_that_could_all_cover_each_other_are_compared_as_far_as_the_budget_goes() {
        assert_eq!(steps(patterns(1300, |number| format!("*a{number}b*"))), super::BUDGET);
    }

    #[test]
    fn a_broken_policy_is_not_linted() {
        let linted = of("version: 1\ngroups: { sre: { users: [ana] } }\nfoo: 1\n".to_owned(), &Levels::default());
        let codes: Vec<_> = linted.findings.iter().map(|finding| finding.code).collect();
        assert_eq!((linted.policy.is_none(), codes), (true, vec![Code::UnknownKey]));
    }

    #[test]
    fn every_lint_has_a_file_of_its_own() {
        let modules: Vec<&str> = include_str!("mod.rs").lines().filter_map(|line| line.strip_prefix("mod ")).collect();
        for code in Code::ALL.iter().filter(|code| code.lint().is_some()) {
            let module = format!("{};", code.as_str().replace('-', "_"));
            assert!(modules.contains(&module.as_str()), "{module}");
        }
    }
}
