//! The steps of a case: reads them, and says them in a sentence. What they do to the facts is in `overlay.rs`.

use jiff::Timestamp;

use super::super::facts::{BoundBy, ChangedFile, Person, ReviewState};
use super::expect::{Expect, read_expect};
use super::given::{BOUND_BY, GivenCommit, commit, file};
use super::value::{Nullable, any_case, flag, get, instant, list, nullable, number, parsed, person, required, text};
use crate::finding::{Code, Finding, Span};
use crate::ident::{ReviewId, Revision};
use crate::policy::Duration;
use crate::policy::read::{Keys, Reader};
use crate::policy::yaml::{Entry, Node, Value};

/// One event, and what the decision after it must hold.
#[derive(Debug, Clone)]
pub(super) struct Step {
    pub(super) span: Span,
    pub(super) event: Event,
    pub(super) time: Time,
    pub(super) expect: Option<Expect>,
}

impl Step {
    /// What happens, e.g. `pia approves` or `dave pushes a2`.
    pub(super) fn sentence(&self) -> String {
        match &self.event {
            Event::Review(review) => {
                let does = match review.state {
                    ReviewState::Approved => "approves",
                    ReviewState::ChangesRequested => "requests changes",
                    ReviewState::Commented => "comments",
                    ReviewState::Dismissed | ReviewState::Pending => "reviews",
                };
                format!("{} {does}", review.by.login)
            }
            Event::Dismiss { of: Dismissed::Login(login), by } => {
                format!("{} dismisses the review of {login}", by.login)
            }
            Event::Dismiss { of: Dismissed::Id(id), by } => format!("{} dismisses review {id}", by.login),
            Event::Push(push) => format!("{} pushes {}", push.by.login, push.head.short()),
            Event::Label { add, remove } => {
                let added = (!add.is_empty()).then(|| format!("labelled {}", add.join(", ")));
                let removed = (!remove.is_empty()).then(|| format!("no longer labelled {}", remove.join(", ")));
                format!("it is {}", added.into_iter().chain(removed).collect::<Vec<_>>().join(", and "))
            }
            Event::Base { to } => format!("its base becomes {to}"),
            Event::Close => "it is closed unmerged".to_owned(),
            Event::Merge { .. } => "it is merged".to_owned(),
            Event::Tick => match self.time {
                Time::After(span) => format!("{span} passes"),
                Time::At(at) => format!("it becomes {at}"),
                Time::Next => "a minute passes".to_owned(),
            },
        }
    }
}

/// When an event happens.
#[derive(Debug, Clone, Copy)]
pub(super) enum Time {
    /// A minute after the step before. Default.
    Next,
    /// This long after the step before.
    After(Duration),
    At(Timestamp),
}

#[derive(Debug, Clone)]
pub(super) enum Event {
    Review(NewReview),
    Dismiss { of: Dismissed, by: Person },
    Push(Box<Push>),
    Label { add: Vec<String>, remove: Vec<String> },
    Base { to: String },
    Close,
    Merge { commit: Option<Revision> },
    Tick,
}

#[derive(Debug, Clone)]
pub(super) struct NewReview {
    pub(super) id: Option<ReviewId>,
    pub(super) by: Person,
    pub(super) state: ReviewState,
    pub(super) revision: Nullable<Revision>,
    pub(super) bound_by: Option<BoundBy>,
    pub(super) edited: Option<bool>,
    pub(super) body: Option<String>,
}

/// Which review is dismissed.
#[derive(Debug, Clone)]
pub(super) enum Dismissed {
    /// The last review by this login that can be dismissed.
    Login(String),
    Id(ReviewId),
}

#[derive(Debug, Clone)]
pub(super) struct Push {
    pub(super) by: Person,
    pub(super) head: Revision,
    /// Whether the branch loses all commits and files it had.
    pub(super) force: bool,
    pub(super) commits: Option<Vec<GivenCommit>>,
    pub(super) files: Vec<ChangedFile>,
    pub(super) additions: u64,
    pub(super) deletions: u64,
}

const EVENTS: [&str; 8] = ["review", "dismiss", "push", "label", "base", "close", "merge", "tick"];
const STEP_KEYS: Keys =
    Keys { what: "a step", known: &["review", "dismiss", "push", "label", "base", "close", "merge", "tick", "expect"] };
const REVIEW_KEYS: Keys =
    Keys { what: "a `review` step", known: &["by", "state", "at", "body", "revision", "id", "bound_by", "edited"] };
const DISMISS_KEYS: Keys = Keys { what: "a `dismiss` step", known: &["of", "by", "at"] };
const PUSH_KEYS: Keys =
    Keys { what: "a `push` step", known: &["by", "head", "at", "force", "commits", "files", "additions", "deletions"] };
const LABEL_KEYS: Keys = Keys { what: "a `label` step", known: &["add", "remove", "at"] };
const BASE_KEYS: Keys = Keys { what: "a `base` step", known: &["to", "at"] };
const CLOSE_KEYS: Keys = Keys { what: "a `close` step", known: &["at"] };
const MERGE_KEYS: Keys = Keys { what: "a `merge` step", known: &["commit", "at"] };
const TICK_KEYS: Keys = Keys { what: "a `tick` step", known: &["by", "to"] };

/// What a review can say when submitted. `dismiss` is an event of its own, and GitHub reports no pending review.
const STATES: [(&str, ReviewState); 3] = [
    ("approved", ReviewState::Approved),
    ("changes_requested", ReviewState::ChangesRequested),
    ("commented", ReviewState::Commented),
];

/// Reads one step, and reports what is wrong with it.
pub(super) fn read_step(reader: &mut Reader<'_>, node: &Node) -> Option<Step> {
    if !reader.fields(node, &STEP_KEYS) {
        return None;
    }
    let Value::Map(entries) = &node.value else { return None };
    let mut events = entries.iter().filter(|entry| EVENTS.contains(&&*entry.key));
    let first = events.next();
    for entry in events {
        reader.report(
            Finding::at(Code::InvalidValue, entry.key_span, format!("`{}` is a second event in one step", entry.key))
                .hint("write it as a step of its own: steps happen one after the other"),
        );
    }
    let expect = match node.get("expect") {
        Some(expect) => Some(read_expect(reader, expect)?),
        None => None,
    };
    let Some(entry) = first else {
        // Any other key was reported as unknown, and was probably meant to be an event.
        if entries.iter().all(|entry| &*entry.key == "expect") {
            let hint = format!("write one of {}", crate::policy::read::list(&EVENTS));
            reader.report(Finding::at(Code::MissingKey, node.span, "the step has no event").hint(hint));
        }
        return None;
    };
    let (event, time) = read_event(reader, entry)?;
    Some(Step { span: entry.key_span, event, time, expect })
}

fn read_event(reader: &mut Reader<'_>, entry: &Entry) -> Option<(Event, Time)> {
    // `close:` and `merge:` need no value.
    let bare = matches!(entry.node.value, Value::Null) && matches!(&*entry.key, "close" | "merge");
    let node = if bare { Node { span: entry.node.span, value: Value::Map(Vec::new()) } } else { entry.node.clone() };
    if &*entry.key == "tick" {
        return Some((Event::Tick, tick(reader, &node)?));
    }
    let event = match &*entry.key {
        "review" => review(reader, &node),
        "dismiss" => dismiss(reader, &node),
        "push" => push(reader, &node),
        "label" => label(reader, &node),
        "base" => base(reader, &node),
        "close" => reader.fields(&node, &CLOSE_KEYS).then_some(Event::Close),
        _ => reader.fields(&node, &MERGE_KEYS).then(|| Event::Merge { commit: get(reader, &node, "commit", parsed) }),
    };
    let time = match node.get("at") {
        Some(at) => Time::At(instant(reader, at, "at")?),
        None => Time::Next,
    };
    Some((event?, time))
}

fn review(reader: &mut Reader<'_>, node: &Node) -> Option<Event> {
    if !reader.fields(node, &REVIEW_KEYS) {
        return None;
    }
    let by = required(reader, node, "by", &REVIEW_KEYS).and_then(|by| person(reader, by, "by"));
    let state =
        required(reader, node, "state", &REVIEW_KEYS).and_then(|state| any_case(reader, state, "state", &STATES));
    let review = NewReview {
        id: get(reader, node, "id", number).map(ReviewId),
        revision: nullable(reader, node, "revision", parsed),
        bound_by: get(reader, node, "bound_by", |reader, node, key| reader.word(node, key, &BOUND_BY)),
        edited: get(reader, node, "edited", flag),
        body: get(reader, node, "body", text),
        by: by?,
        state: state?,
    };
    Some(Event::Review(review))
}

fn dismiss(reader: &mut Reader<'_>, node: &Node) -> Option<Event> {
    if !reader.fields(node, &DISMISS_KEYS) {
        return None;
    }
    let of = required(reader, node, "of", &DISMISS_KEYS).and_then(|of| match of.value {
        Value::Integer(_) => number(reader, of, "of").map(|id| Dismissed::Id(ReviewId(id))),
        Value::Text(ref login) => Some(Dismissed::Login(login.to_string())),
        Value::Null | Value::Bool(_) | Value::Float(_) | Value::List(_) | Value::Map(_) => {
            reader.wrong_type(of, "of", "the login or the number of a review");
            None
        }
    });
    let by = required(reader, node, "by", &DISMISS_KEYS).and_then(|by| person(reader, by, "by"));
    Some(Event::Dismiss { of: of?, by: by? })
}

fn push(reader: &mut Reader<'_>, node: &Node) -> Option<Event> {
    if !reader.fields(node, &PUSH_KEYS) {
        return None;
    }
    let by = required(reader, node, "by", &PUSH_KEYS).and_then(|by| person(reader, by, "by"));
    let head = required(reader, node, "head", &PUSH_KEYS).and_then(|head| parsed(reader, head, "head"));
    let push = Push {
        force: get(reader, node, "force", super::value::flag).unwrap_or(false),
        commits: get(reader, node, "commits", |reader, node, key| {
            reader.list(node, key).map(|items| items.iter().filter_map(|item| commit(reader, item, key)).collect())
        }),
        files: get(reader, node, "files", |reader, node, key| list(reader, node, key, file)).unwrap_or_default(),
        additions: get(reader, node, "additions", number).unwrap_or(0),
        deletions: get(reader, node, "deletions", number).unwrap_or(0),
        by: by?,
        head: head?,
    };
    Some(Event::Push(Box::new(push)))
}

fn label(reader: &mut Reader<'_>, node: &Node) -> Option<Event> {
    if !reader.fields(node, &LABEL_KEYS) {
        return None;
    }
    if node.get("add").is_none() && node.get("remove").is_none() {
        reader.report(
            Finding::at(Code::MissingKey, node.span, "a `label` step needs `add` or `remove`")
                .hint("write `label: { add: [hotfix] }`"),
        );
        return None;
    }
    let mut names = |key: &str| match node.get(key) {
        None => Some(Vec::new()),
        Some(value) => {
            let items = reader.list(value, key)?;
            Some(items.iter().filter_map(|item| text(reader, item, key)).collect())
        }
    };
    let (add, remove) = (names("add"), names("remove"));
    Some(Event::Label { add: add?, remove: remove? })
}

fn base(reader: &mut Reader<'_>, node: &Node) -> Option<Event> {
    if !reader.fields(node, &BASE_KEYS) {
        return None;
    }
    let to = required(reader, node, "to", &BASE_KEYS)?;
    Some(Event::Base { to: text(reader, to, "to")? })
}

/// `{ by: 30m }` or `{ to: 2026-01-01T00:00:00Z }`.
fn tick(reader: &mut Reader<'_>, node: &Node) -> Option<Time> {
    if !reader.fields(node, &TICK_KEYS) {
        return None;
    }
    match (node.get("by"), node.get("to")) {
        (Some(by), None) => reader.parsed(by, "by", Code::InvalidDuration).map(Time::After),
        (None, Some(to)) => instant(reader, to, "to").map(Time::At),
        (Some(_), Some(_)) | (None, None) => {
            reader.report(
                Finding::at(Code::InvalidValue, node.span, "a `tick` step takes one of `by` and `to`")
                    .hint("write `tick: { by: 30m }` or `tick: { to: 2026-01-01T00:00:00Z }`"),
            );
            None
        }
    }
}
