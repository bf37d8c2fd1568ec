//! Objects of GitHub's types, and pages of them.

use std::borrow::Cow;

use serde_json::{Map, Value, json};

use crate::adapters::embedded::simulator::pull::{Happening, IssueEvent, PullRequest, Review};
use crate::adapters::embedded::simulator::world::{Account, Commit, FileChange, Repository, Team};
use crate::ident::{Revision, UserId};

/// An object of GitHub's schema.
#[derive(Debug, Clone)]
pub(super) enum Object<'w> {
    Query,
    RateLimit,
    Account(&'w Account),
    Team(&'w Team),
    Repository(&'w Repository),
    Branch(&'w str),
    Pull(&'w PullRequest),
    Label(&'w str),
    File(FileChange),
    Review(&'w PullRequest, &'w Review),
    PullCommit(&'w Commit),
    Commit(Cow<'w, Commit>),
    /// A commit of which only the hash is known.
    Hash(Revision),
    /// The author, a co-author or the committer of a commit. `None` if GitHub knows no account of the e-mail address.
    GitActor(Option<UserId>),
    /// A commit's signature that GitHub has verified.
    Signature,
    Event(&'w PullRequest, &'w IssueEvent),
    Page(Page<'w>),
    PageInfo(Span),
}

/// A page of a list.
#[derive(Debug, Clone)]
pub(super) struct Page<'w> {
    nodes: Vec<Object<'w>>,
    span: Span,
}

/// The place of a page in its list.
#[derive(Debug, Clone, Copy)]
pub(super) struct Span {
    start: usize,
    end: usize,
    total: usize,
}

/// The value of a field.
pub(super) enum Found<'w> {
    Value(Value),
    Object(Option<Object<'w>>),
    List(Vec<Object<'w>>),
    /// A whole list, to be paged.
    Connection(Vec<Object<'w>>),
    /// Null, with this error.
    Missing(String),
}

pub(super) type Arguments = Map<String, Value>;

pub(super) fn value<'w>(value: impl serde::Serialize) -> Option<Found<'w>> {
    Some(Found::Value(json!(value)))
}

pub(super) fn object(object: Option<Object<'_>>) -> Option<Found<'_>> {
    Some(Found::Object(object))
}

pub(super) fn list<'w>(objects: impl Iterator<Item = Object<'w>>) -> Option<Found<'w>> {
    Some(Found::Connection(objects.collect()))
}

pub(super) fn found<'w>(found: Option<Object<'w>>, missing: String) -> Option<Found<'w>> {
    Some(found.map_or(Found::Missing(missing), |object| Found::Object(Some(object))))
}

pub(super) fn text<'a>(arguments: &'a Arguments, name: &str) -> &'a str {
    arguments.get(name).and_then(Value::as_str).unwrap_or_default()
}

/// Whether a list is restricted to other words than this one.
pub(super) fn allows(arguments: &Arguments, name: &str, word: &str) -> bool {
    let wanted = arguments.get(name).and_then(Value::as_array);
    wanted.is_none_or(|words| words.iter().any(|wanted| wanted == word))
}

impl Object<'_> {
    /// Its type, if the schema names only an abstract one.
    pub(super) fn kind(&self) -> &'static str {
        match self {
            Self::Account(account) => account.kind.as_str(),
            Self::Signature => "GpgSignature",
            Self::Commit(_) | Self::Hash(_) => "Commit",
            Self::Event(_, event) => event_kind(&event.what).map_or("", |(kind, _)| kind),
            Self::Query
            | Self::RateLimit
            | Self::Team(_)
            | Self::Repository(_)
            | Self::Branch(_)
            | Self::Pull(_)
            | Self::Label(_)
            | Self::File(_)
            | Self::Review(..)
            | Self::PullCommit(_)
            | Self::GitActor(_)
            | Self::Page(_)
            | Self::PageInfo(_) => "",
        }
    }
}

/// The type of a timeline event, and its word for `itemTypes`. `None` if the timeline does not list it here.
pub(super) const fn event_kind(what: &Happening) -> Option<(&'static str, &'static str)> {
    match what {
        Happening::ReviewDismissed { .. } => Some(("ReviewDismissedEvent", "REVIEW_DISMISSED_EVENT")),
        Happening::BaseRefChanged => Some(("BaseRefChangedEvent", "BASE_REF_CHANGED_EVENT")),
        Happening::AutomaticBaseChange => {
            Some(("AutomaticBaseChangeSucceededEvent", "AUTOMATIC_BASE_CHANGE_SUCCEEDED_EVENT"))
        }
        Happening::Labeled { .. }
        | Happening::Unlabeled { .. }
        | Happening::Closed
        | Happening::Reopened
        | Happening::Merged { .. }
        | Happening::HeadRefForcePushed { .. } => None,
    }
}

impl<'w> Page<'w> {
    /// `None` if the cursor is none. A page that begins after the end of a list that has become shorter is empty.
    pub(super) fn new(mut nodes: Vec<Object<'w>>, arguments: &Arguments) -> Option<Self> {
        let total = nodes.len();
        let size = |name| arguments.get(name).and_then(Value::as_u64).and_then(|size| usize::try_from(size).ok());
        let mut start = match arguments.get("after").and_then(Value::as_str) {
            Some(cursor) => cursor.strip_prefix("cursor:")?.parse::<usize>().ok()?.min(total),
            None => 0,
        };
        if let Some(size) = size("last") {
            start = start.max(total.saturating_sub(size));
        }
        nodes.drain(..start);
        nodes.truncate(size("first").unwrap_or(usize::MAX));
        let span = Span { start, end: start + nodes.len(), total };
        Some(Self { nodes, span })
    }
}

pub(super) fn page<'w>(page: &Page<'w>, name: &str) -> Option<Found<'w>> {
    match name {
        "nodes" => Some(Found::List(page.nodes.clone())),
        "totalCount" => value(page.span.total),
        "pageInfo" => object(Some(Object::PageInfo(page.span))),
        _ => None,
    }
}

pub(super) fn page_info<'w>(Span { start, end, total }: Span, name: &str) -> Option<Found<'w>> {
    let cursor = |place: usize| (start < end).then(|| format!("cursor:{place}"));
    match name {
        "startCursor" => value(cursor(start + 1)),
        "endCursor" => value(cursor(end)),
        "hasPreviousPage" => value(start > 0),
        "hasNextPage" => value(end < total),
        _ => None,
    }
}

pub(super) fn file<'w>(file: &FileChange, name: &str) -> Option<Found<'w>> {
    match name {
        "path" => value(&file.path),
        "changeType" => value(if file.previous_path.is_some() { "RENAMED" } else { "MODIFIED" }),
        "additions" => value(file.additions),
        "deletions" => value(file.deletions),
        _ => None,
    }
}
