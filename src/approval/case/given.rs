//! Reads `given`: the part of the facts that a case gives.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde_json::Map;

use super::super::facts::{BoundBy, ChangedFile, DismissedFrom, Person, PullRequestState, Requester, ReviewState};
use super::value::{
    Nullable, any_case, either, flag, get, instant, list, nullable, number, object, parsed, person, reference,
    required, text,
};
use crate::finding::{Code, Finding};
use crate::ident::{
    EnvironmentName, Login, PullRequestRef, RepositoryName, ReviewId, Revision, ServiceName, Target, TeamSlug, UserId,
};
use crate::policy::read::{Keys, Reader};
use crate::policy::yaml::{Node, Value};

#[derive(Debug, Clone)]
pub(super) struct Given {
    pub(super) target: Target,
    pub(super) now: Option<Timestamp>,
    pub(super) requested_at: Nullable<Timestamp>,
    pub(super) approved_at: Nullable<Timestamp>,
    pub(super) input: Map<String, serde_json::Value>,
    pub(super) version: Nullable<String>,
    pub(super) requester: Nullable<Requester>,
    pub(super) revision: Nullable<Revision>,
    pub(super) pull_request: Nullable<GivenPullRequest>,
    pub(super) teams: BTreeMap<TeamSlug, Vec<Person>>,
    pub(super) reviews: Vec<GivenReview>,
    pub(super) vetoes: Vec<GivenVeto>,
}

#[derive(Debug, Clone, Default)]
pub(super) struct GivenPullRequest {
    pub(super) repository: Option<RepositoryName>,
    pub(super) number: Option<u64>,
    pub(super) author: Nullable<Person>,
    pub(super) head: Option<Revision>,
    pub(super) head_first_seen: Nullable<Timestamp>,
    pub(super) base: Option<String>,
    pub(super) base_changed_at: Nullable<Timestamp>,
    pub(super) default_branch: Option<String>,
    pub(super) state: Option<PullRequestState>,
    pub(super) merged: Option<bool>,
    pub(super) merge_commit: Nullable<Revision>,
    pub(super) labels: Option<Vec<String>>,
    pub(super) additions: Option<u64>,
    pub(super) deletions: Option<u64>,
    pub(super) files: Option<Vec<ChangedFile>>,
    pub(super) files_complete: Option<bool>,
    pub(super) commits: Option<Vec<GivenCommit>>,
    pub(super) commits_complete: Option<bool>,
    pub(super) pushers: Option<Vec<Person>>,
    pub(super) pushers_complete: Option<bool>,
}

#[derive(Debug, Clone, Default)]
pub(super) struct GivenCommit {
    pub(super) sha: Option<Revision>,
    pub(super) author: Nullable<Person>,
    pub(super) committer: Nullable<Person>,
    pub(super) co_authors: Option<Vec<Person>>,
    pub(super) verified: Option<bool>,
    pub(super) parents: Option<Vec<Revision>>,
}

#[derive(Debug, Clone)]
pub(super) struct GivenReview {
    pub(super) id: Option<ReviewId>,
    pub(super) user: Option<Person>,
    pub(super) state: ReviewState,
    pub(super) was: Nullable<DismissedFrom>,
    pub(super) dismissed_by: Nullable<Person>,
    pub(super) revision: Nullable<Revision>,
    pub(super) bound_by: Option<BoundBy>,
    pub(super) at: Nullable<Timestamp>,
    pub(super) edited: Option<bool>,
    pub(super) body: Option<String>,
}

#[derive(Debug, Clone)]
pub(super) struct GivenVeto {
    pub(super) by: Person,
    pub(super) at: Option<Timestamp>,
    pub(super) pull_request: Option<PullRequestRef>,
}

/// The keys of `given` and of `defaults`.
pub(super) const GIVEN_KEYS: Keys = Keys {
    what: "the facts of a case",
    known: &[
        "service",
        "environment",
        "now",
        "requested_at",
        "approved_at",
        "input",
        "version",
        "requester",
        "revision",
        "pull_request",
        "teams",
        "reviews",
        "vetoes",
    ],
};
const PULL_REQUEST_KEYS: Keys = Keys {
    what: "`pull_request`",
    known: &[
        "repository",
        "number",
        "author",
        "head",
        "head_first_seen",
        "base",
        "base_changed_at",
        "default_branch",
        "state",
        "merged",
        "merge_commit",
        "labels",
        "additions",
        "deletions",
        "files",
        "files_complete",
        "commits",
        "commits_complete",
        "pushers",
        "pushers_complete",
    ],
};
const FILE_KEYS: Keys = Keys { what: "a file", known: &["path", "previous_path"] };
const REQUESTER_KEYS: Keys = Keys { what: "`requester`", known: &["id", "login"] };
const COMMIT_KEYS: Keys =
    Keys { what: "a commit", known: &["sha", "author", "committer", "co_authors", "verified", "parents"] };
const REVIEW_KEYS: Keys = Keys {
    what: "a review",
    known: &[
        "id",
        "by",
        "user",
        "state",
        "was",
        "dismissed_by",
        "revision",
        "bound_by",
        "at",
        "submitted_at",
        "edited",
        "body",
    ],
};
const VETO_KEYS: Keys = Keys { what: "a veto", known: &["by", "at", "pull_request"] };

const STATES: [(&str, ReviewState); 5] = [
    ("approved", ReviewState::Approved),
    ("changes_requested", ReviewState::ChangesRequested),
    ("commented", ReviewState::Commented),
    ("dismissed", ReviewState::Dismissed),
    ("pending", ReviewState::Pending),
];
const DISMISSED_FROM: [(&str, DismissedFrom); 2] =
    [("approved", DismissedFrom::Approved), ("changes_requested", DismissedFrom::ChangesRequested)];
pub(super) const BOUND_BY: [(&str, BoundBy); 2] = [("delivery", BoundBy::Delivery), ("api", BoundBy::Api)];
const PULL_REQUEST_STATES: [(&str, PullRequestState); 2] =
    [("open", PullRequestState::Open), ("closed", PullRequestState::Closed)];

/// Reads `given`, already merged with `defaults`. Reports what is wrong with it.
pub(super) fn read_given(reader: &mut Reader<'_>, node: &Node) -> Option<Given> {
    if !reader.fields(node, &GIVEN_KEYS) {
        return None;
    }
    for key in ["service", "environment"] {
        if node.get(key).is_none() {
            let message = format!("the case has no `{key}`");
            let hint = format!("write `{key}:` under `given` or under the file's `defaults`");
            reader.report(Finding::at(Code::MissingKey, node.span, message).hint(hint));
        }
    }
    let service: Option<ServiceName> = get(reader, node, "service", parsed);
    let environment: Option<EnvironmentName> = get(reader, node, "environment", parsed);
    let now = get(reader, node, "now", instant);
    let requested_at = nullable(reader, node, "requested_at", instant);
    let approved_at = nullable(reader, node, "approved_at", instant);
    let input = get(reader, node, "input", object).unwrap_or_default();
    let version = nullable(reader, node, "version", text);
    let requester = nullable(reader, node, "requester", requester);
    let revision = nullable(reader, node, "revision", parsed);
    let pull_request = nullable(reader, node, "pull_request", pull_request);
    let teams = get(reader, node, "teams", teams).unwrap_or_default();
    let reviews = get(reader, node, "reviews", reviews).unwrap_or_default();
    let vetoes = get(reader, node, "vetoes", |reader, node, key| list(reader, node, key, veto)).unwrap_or_default();
    Some(Given {
        target: Target { service: service?, environment: environment? },
        now,
        requested_at,
        approved_at,
        input,
        version,
        requester,
        revision,
        pull_request,
        teams,
        reviews,
        vetoes,
    })
}

fn pull_request(reader: &mut Reader<'_>, node: &Node, _key: &str) -> Option<GivenPullRequest> {
    if !reader.fields(node, &PULL_REQUEST_KEYS) {
        return None;
    }
    Some(GivenPullRequest {
        repository: get(reader, node, "repository", parsed),
        number: get(reader, node, "number", number),
        author: nullable(reader, node, "author", person),
        head: get(reader, node, "head", parsed),
        head_first_seen: nullable(reader, node, "head_first_seen", instant),
        base: get(reader, node, "base", text),
        base_changed_at: nullable(reader, node, "base_changed_at", instant),
        default_branch: get(reader, node, "default_branch", text),
        state: get(reader, node, "state", |reader, node, key| reader.word(node, key, &PULL_REQUEST_STATES)),
        merged: get(reader, node, "merged", flag),
        merge_commit: nullable(reader, node, "merge_commit", parsed),
        labels: get(reader, node, "labels", |reader, node, key| list(reader, node, key, text)),
        additions: get(reader, node, "additions", number),
        deletions: get(reader, node, "deletions", number),
        files: get(reader, node, "files", |reader, node, key| list(reader, node, key, file)),
        files_complete: get(reader, node, "files_complete", flag),
        commits: get(reader, node, "commits", |reader, node, key| list(reader, node, key, commit)),
        commits_complete: get(reader, node, "commits_complete", flag),
        pushers: get(reader, node, "pushers", |reader, node, key| list(reader, node, key, person)),
        pushers_complete: get(reader, node, "pushers_complete", flag),
    })
}

/// A login, or a mapping with `login` and `id`. If no id is given, it is derived from the login.
fn requester(reader: &mut Reader<'_>, node: &Node, key: &str) -> Option<Requester> {
    if !matches!(node.value, Value::Map(_)) {
        let login: Login = parsed(reader, node, key)?;
        return Some(Requester { id: Some(UserId::derived(&login)), login });
    }
    reader.fields(node, &REQUESTER_KEYS);
    let login = required(reader, node, "login", &REQUESTER_KEYS).and_then(|login| parsed(reader, login, "login"));
    let login: Login = login?;
    let id = nullable(reader, node, "id", number).map_or_else(|| Some(UserId::derived(&login)), |id| id.map(UserId));
    Some(Requester { id, login })
}

/// A bare path, or a mapping with `path`.
pub(super) fn file(reader: &mut Reader<'_>, node: &Node, key: &str) -> Option<ChangedFile> {
    if !matches!(node.value, Value::Map(_)) {
        return Some(ChangedFile { path: text(reader, node, key)?, previous_path: None });
    }
    reader.fields(node, &FILE_KEYS);
    let path = required(reader, node, "path", &FILE_KEYS).and_then(|path| text(reader, path, "path"));
    let previous_path = nullable(reader, node, "previous_path", text).flatten();
    Some(ChangedFile { path: path?, previous_path })
}

pub(super) fn commit(reader: &mut Reader<'_>, node: &Node, _key: &str) -> Option<GivenCommit> {
    reader.fields(node, &COMMIT_KEYS).then(|| GivenCommit {
        sha: get(reader, node, "sha", parsed),
        author: nullable(reader, node, "author", person),
        committer: nullable(reader, node, "committer", person),
        co_authors: get(reader, node, "co_authors", |reader, node, key| list(reader, node, key, person)),
        verified: get(reader, node, "verified", flag),
        parents: get(reader, node, "parents", |reader, node, key| list(reader, node, key, parsed)),
    })
}

/// Teams by `org/slug`.
fn teams(reader: &mut Reader<'_>, node: &Node, key: &str) -> Option<BTreeMap<TeamSlug, Vec<Person>>> {
    let mut teams = BTreeMap::new();
    for entry in reader.map(node, key)? {
        let members = list(reader, &entry.node, &entry.key, person);
        match TeamSlug::new(&entry.key) {
            Ok(team) => {
                teams.insert(team, members.unwrap_or_default());
            }
            Err(error) => reader.report(Finding::at(Code::InvalidValue, entry.key_span, format!("`{key}`: {error}"))),
        }
    }
    Some(teams)
}

fn reviews(reader: &mut Reader<'_>, node: &Node, key: &str) -> Option<Vec<GivenReview>> {
    let reviews = list(reader, node, key, review)?;
    let mut ids: Vec<ReviewId> = reviews.iter().filter_map(|review| review.id).collect();
    ids.sort_unstable();
    if let Some(id) = ids.iter().zip(ids.iter().skip(1)).find_map(|(id, next)| (id == next).then_some(id)) {
        reader.report(
            Finding::at(Code::InvalidValue, node.span, format!("two reviews have the `id` {id}"))
                .hint("leave out `id`, and the reviews are numbered"),
        );
    }
    Some(reviews)
}

fn review(reader: &mut Reader<'_>, node: &Node, _key: &str) -> Option<GivenReview> {
    if !reader.fields(node, &REVIEW_KEYS) {
        return None;
    }
    let by = either(reader, node, "by", "user");
    let at = either(reader, node, "at", "submitted_at");
    if by.is_none() {
        reader.report(
            Finding::at(Code::MissingKey, node.span, "the review has no `by`")
                .hint("write `by: login`, or `by: null` for an account that no longer exists"),
        );
    }
    let state =
        required(reader, node, "state", &REVIEW_KEYS).and_then(|state| any_case(reader, state, "state", &STATES));
    let user = nullable(reader, node, by?, person);
    let at = at.and_then(|at| nullable(reader, node, at, instant));
    Some(GivenReview {
        id: get(reader, node, "id", number).map(ReviewId),
        user: user.flatten(),
        state: state?,
        was: nullable(reader, node, "was", |reader, node, key| any_case(reader, node, key, &DISMISSED_FROM)),
        dismissed_by: nullable(reader, node, "dismissed_by", person),
        revision: nullable(reader, node, "revision", parsed),
        bound_by: get(reader, node, "bound_by", |reader, node, key| reader.word(node, key, &BOUND_BY)),
        at,
        edited: get(reader, node, "edited", flag),
        body: get(reader, node, "body", text),
    })
}

fn veto(reader: &mut Reader<'_>, node: &Node, _key: &str) -> Option<GivenVeto> {
    if !reader.fields(node, &VETO_KEYS) {
        return None;
    }
    let by = required(reader, node, "by", &VETO_KEYS).and_then(|by| person(reader, by, "by"));
    let at = get(reader, node, "at", instant);
    let pull_request = get(reader, node, "pull_request", reference);
    Some(GivenVeto { by: by?, at, pull_request })
}
