//! Whether a condition holds for the facts: yes, no, or unknown.
//!
//! More facts can only turn an unknown into a yes or a no. They never change a yes or a no.

use jiff::Timestamp;
use serde_json::Value;

use super::decision::Applies;
use super::eligibility::{self, Teams};
use super::exclusion;
use super::facts::{AccountKind, ChangedFile, Facts, Person, PullRequest};
use crate::policy::{ApproverRef, Condition, PathPattern, Pattern, Test};

/// Whether the condition holds for the facts at an instant, which may be later than theirs.
pub(super) fn holds(condition: &Condition, facts: &Facts, at: Timestamp) -> Applies {
    match condition {
        Condition::All(parts) => Applies::all(parts.iter().map(|part| holds(part, facts, at))),
        Condition::Any(parts) => Applies::any(parts.iter().map(|part| holds(part, facts, at))),
        Condition::Not(inner) => holds(inner, facts, at).not(),
        Condition::Is(term) => passes(&term.test, facts, at),
    }
}

fn passes(test: &Test, facts: &Facts, at: Timestamp) -> Applies {
    let of_pull_request =
        |known: &dyn Fn(&PullRequest) -> Applies| facts.pull_request.as_ref().map_or(Applies::Unknown, known);
    match test {
        Test::Paths(paths) => of_pull_request(&|pull_request| changes_one_of(pull_request, paths)),
        Test::OnlyPaths(paths) => of_pull_request(&|pull_request| changes_only(pull_request, paths)),
        Test::Labels(labels) => of_pull_request(&|pull_request| {
            let carried = |label: &str| pull_request.labels.iter().any(|other| same_without_case(other, label));
            labels.iter().any(|label| carried(label)).into()
        }),
        Test::Branch(patterns) => of_pull_request(&|pull_request| matches_one(patterns, &pull_request.base)),
        Test::Authors(refs) => of_pull_request(&|pull_request| {
            let found = Applies::any(people(pull_request).map(|person| is_meant(person, refs, &facts.teams)));
            found.or(if everyone_is_known(pull_request) { Applies::No } else { Applies::Unknown })
        }),
        Test::OnlyAuthors(refs) => of_pull_request(&|pull_request| {
            let all = Applies::all(people(pull_request).map(|person| is_meant(person, refs, &facts.teams)));
            all.and(if everyone_is_known(pull_request) { Applies::Yes } else { Applies::Unknown })
        }),
        Test::Requester(patterns) => facts
            .requester
            .as_ref()
            .map_or(Applies::Unknown, |requester| matches_one(patterns, requester.login.as_str())),
        Test::Version(patterns) => {
            facts.version.as_deref().map_or(Applies::Unknown, |version| matches_one(patterns, version))
        }
        Test::Lines(comparison) => of_pull_request(&|pull_request| {
            comparison.holds(pull_request.additions.saturating_add(pull_request.deletions)).into()
        }),
        Test::Input(inputs) => Applies::all(inputs.iter().map(|(pointer, patterns)| {
            pointer.find(&facts.input).map_or(Applies::Unknown, |value| value_matches(patterns, value))
        })),
        Test::Within(calendars) => calendars.iter().any(|calendar| calendar.contains(at)).into(),
    }
}

/// Whether a changed file matches, under its old or its new name.
fn changes_one_of(pull_request: &PullRequest, paths: &[PathPattern]) -> Applies {
    if pull_request.files.iter().flat_map(names).any(|name| is_among(name, paths)) {
        Applies::Yes
    } else if pull_request.files_complete {
        Applies::No
    } else {
        Applies::Unknown
    }
}

/// Whether every changed file matches under all its names, and at least one file changed.
fn changes_only(pull_request: &PullRequest, paths: &[PathPattern]) -> Applies {
    if !pull_request.files.iter().flat_map(names).all(|name| is_among(name, paths)) {
        Applies::No
    } else if pull_request.files_complete {
        (!pull_request.files.is_empty()).into()
    } else {
        Applies::Unknown
    }
}

fn names(file: &ChangedFile) -> impl Iterator<Item = &str> {
    std::iter::once(file.path.as_str()).chain(file.previous_path.as_deref())
}

fn is_among(name: &str, paths: &[PathPattern]) -> bool {
    paths.iter().any(|path| path.matches(name))
}

fn matches_one(patterns: &[Pattern], text: &str) -> Applies {
    patterns.iter().any(|pattern| pattern.matches(text)).into()
}

/// Compares the value as text. A null, list or map cannot be compared, so the answer is unknown.
fn value_matches(patterns: &[Pattern], value: &Value) -> Applies {
    match value {
        Value::String(text) => matches_one(patterns, text),
        Value::Bool(true) => matches_one(patterns, "true"),
        Value::Bool(false) => matches_one(patterns, "false"),
        Value::Number(number) => matches_one(patterns, &number.to_string()),
        Value::Null | Value::Array(_) | Value::Object(_) => Applies::Unknown,
    }
}

/// GitHub compares labels like this, umlauts too.
fn same_without_case(a: &str, b: &str) -> bool {
    a.chars().flat_map(char::to_lowercase).eq(b.chars().flat_map(char::to_lowercase))
}

/// Everyone known to have opened the pull request, written or committed a part of it, or pushed. Without GitHub's own
/// account.
fn people(pull_request: &PullRequest) -> impl Iterator<Item = &Person> {
    let committed = pull_request.commits.iter().flat_map(exclusion::people_of);
    let all = pull_request.author.iter().chain(committed).chain(&pull_request.pushers);
    all.filter(|person| !exclusion::is_web_flow(person))
}

/// Whether [`people`] is complete.
fn everyone_is_known(pull_request: &PullRequest) -> bool {
    pull_request.author.is_some()
        && exclusion::commits_known(pull_request)
        && !pull_request.commits.iter().any(exclusion::lacks_account)
        && exclusion::pushers_known(pull_request)
}

/// Whether the account is one of those listed. A person may be in a team that cannot be read. Other accounts are in
/// none.
fn is_meant(person: &Person, refs: &[ApproverRef], teams: &Teams) -> Applies {
    if eligibility::is_one_of(person, refs, teams) {
        return Applies::Yes;
    }
    let unread = refs.iter().flat_map(ApproverRef::teams).any(|team| !teams.contains_key(team));
    if unread && person.kind == AccountKind::User { Applies::Unknown } else { Applies::No }
}

#[cfg(test)]
mod tests;
