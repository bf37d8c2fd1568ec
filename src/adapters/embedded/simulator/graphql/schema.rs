//! The part of GitHub's schema that the simulator answers, and what GitHub checks before it answers a query: that it fits
//! the schema, and how many nodes it requests.
//!
//! Source: `@octokit/graphql-schema` 15.26.1. Limits: <https://docs.github.com/en/graphql/overview/rate-limits-and-query-limits-for-the-graphql-api>.

use serde_json::{Map, Value};

use super::Fault;
use super::parse::{Document, Field, Fragment, Literal, Selected, Selection};
use crate::adapters::github_rest::{NODES, PAGE};

/// A type on each line with its fields: `name(arguments):Type`. `!` marks what is required. Without a type, a scalar.
pub(super) const TYPES: &str = "
Query organization(login!):Organization rateLimit:RateLimit repository(owner!,name!):Repository
RateLimit cost limit nodeCount remaining resetAt used
Organization databaseId login team(slug!):Team
RepositoryOwner login
Team combinedSlug databaseId members(first,last,after,membership):TeamMemberConnection name parentTeam:Team slug
TeamMemberConnection nodes:User pageInfo:PageInfo totalCount
PageInfo endCursor hasNextPage hasPreviousPage startCursor
Actor login
User databaseId login
Bot databaseId login
Mannequin databaseId login
Repository databaseId defaultBranchRef:Ref isFork isPrivate name nameWithOwner object(oid):GitObject owner:RepositoryOwner pullRequest(number!):PullRequest
GitObject oid
Ref name
PullRequest additions author:Actor baseRefName baseRefOid baseRepository:Repository changedFiles closed commits(first,last,after):PullRequestCommitConnection createdAt databaseId deletions files(first,last,after):PullRequestChangedFileConnection fullDatabaseId headRefName headRefOid headRepository:Repository headRepositoryOwner:RepositoryOwner isCrossRepository isDraft labels(first,last,after):LabelConnection mergeCommit:Commit merged mergedAt mergedBy:Actor number reviews(first,last,after,states):PullRequestReviewConnection state timelineItems(first,last,after,itemTypes):PullRequestTimelineItemsConnection title updatedAt
PullRequestConnection nodes:PullRequest pageInfo:PageInfo totalCount
LabelConnection nodes:Label pageInfo:PageInfo totalCount
Label name
PullRequestChangedFileConnection nodes:PullRequestChangedFile pageInfo:PageInfo totalCount
PullRequestChangedFile additions changeType deletions path
PullRequestReviewConnection nodes:PullRequestReview pageInfo:PageInfo totalCount
PullRequestReview author:Actor body commit:Commit fullDatabaseId lastEditedAt state submittedAt
PullRequestCommitConnection nodes:PullRequestCommit pageInfo:PageInfo totalCount
PullRequestCommit commit:Commit
Commit associatedPullRequests(first,last,after):PullRequestConnection author:GitActor authors(first,last,after):GitActorConnection committedDate committedViaWeb committer:GitActor message oid parents(first,last,after):CommitConnection signature:GitSignature
CommitConnection nodes:Commit pageInfo:PageInfo totalCount
GitActorConnection nodes:GitActor pageInfo:PageInfo totalCount
GitActor user:User
GitSignature isValid state wasSignedByGitHub
GpgSignature isValid state wasSignedByGitHub
PullRequestTimelineItemsConnection nodes:PullRequestTimelineItems pageInfo:PageInfo totalCount
PullRequestTimelineItems
AutomaticBaseChangeSucceededEvent actor:Actor createdAt
BaseRefChangedEvent actor:Actor createdAt
ReviewDismissedEvent actor:Actor createdAt previousReviewState review:PullRequestReview
";

/// The types that have no objects of their own, with the types that they stand for.
const ABSTRACT: [(&str, &[&str]); 5] = [
    ("Actor", &["Bot", "Mannequin", "Organization", "User"]),
    ("RepositoryOwner", &["Organization", "User"]),
    ("GitObject", &["Commit"]),
    ("GitSignature", &["GpgSignature"]),
    ("PullRequestTimelineItems", &["AutomaticBaseChangeSucceededEvent", "BaseRefChangedEvent", "ReviewDismissedEvent"]),
];

/// The words of an argument that is an enumeration, or a list of one.
fn words(argument: &str) -> &'static [&'static str] {
    match argument {
        "itemTypes" => &["AUTOMATIC_BASE_CHANGE_SUCCEEDED_EVENT", "BASE_REF_CHANGED_EVENT", "REVIEW_DISMISSED_EVENT"],
        "membership" => &["ALL", "CHILD_TEAM", "IMMEDIATE"],
        "states" => &["APPROVED", "CHANGES_REQUESTED", "COMMENTED", "DISMISSED", "PENDING"],
        _ => &[],
    }
}

/// A field of a type.
#[derive(Debug, Clone, Copy)]
pub(super) struct Definition {
    name: &'static str,
    arguments: &'static str,
    /// The type of the object. `None` for a scalar.
    pub(super) kind: Option<&'static str>,
}

/// The types that an object of this type may have.
fn possible(kind: &str) -> Vec<&str> {
    let known = ABSTRACT.iter().find(|(name, _)| *name == kind);
    known.map_or_else(|| vec![kind], |(_, kinds)| kinds.to_vec())
}

/// Whether a fragment on `on` holds for an object of the type `kind`.
pub(super) fn holds(on: &str, kind: &str) -> bool {
    possible(on).contains(&kind)
}

pub(super) fn is_abstract(kind: &str) -> bool {
    ABSTRACT.iter().any(|(name, _)| *name == kind)
}

fn fields(kind: &str) -> Option<impl Iterator<Item = Definition> + use<>> {
    let fields = TYPES.lines().find_map(|line| {
        let (name, fields) = line.split_once(' ').unwrap_or((line, ""));
        (name == kind && !name.is_empty()).then_some(fields)
    })?;
    Some(fields.split(' ').filter(|field| !field.is_empty()).map(|field| {
        let (rest, kind) = field.split_once(':').map_or((field, None), |(rest, kind)| (rest, Some(kind)));
        let (name, arguments) = rest.split_once('(').unwrap_or((rest, ""));
        Definition { name, arguments: arguments.trim_end_matches(')'), kind }
    }))
}

pub(super) fn definition(kind: &str, name: &str) -> Option<Definition> {
    fields(kind)?.find(|field| field.name == name)
}

/// The query's fragments and the values of its variables.
#[derive(Debug, Clone, Copy)]
pub(super) struct Query<'q> {
    pub(super) document: &'q Document,
    pub(super) variables: &'q Map<String, Value>,
}

impl<'q> Query<'q> {
    /// The value of a literal. `None` for a variable that is neither given nor has a default.
    pub(super) fn value(&self, literal: &Literal) -> Option<Value> {
        match literal {
            Literal::Variable(name) => self.variables.get(name).cloned(),
            Literal::Known(value) => Some(value.clone()),
            Literal::List(items) => Some(items.iter().filter_map(|item| self.value(item)).collect()),
        }
    }

    pub(super) fn arguments(&self, field: &Field) -> Map<String, Value> {
        let given = field.arguments.iter();
        given.filter_map(|(name, literal)| Some((name.clone(), self.value(literal)?))).collect()
    }

    /// Whether the conditions of a selection hold.
    pub(super) fn is_answered(&self, selection: &Selection) -> bool {
        let holds = |value: &Literal| self.value(value) == Some(Value::Bool(true));
        selection.conditions.iter().all(|condition| holds(&condition.value) == condition.answered_if)
    }

    pub(super) fn fragment(&self, name: &str) -> Option<&'q Fragment> {
        self.document.fragments.get(name)
    }
}

/// Checks a query, and counts what it requests.
pub(super) struct Checked<'q> {
    query: Query<'q>,
    /// The place in the query, as GitHub's errors have it.
    path: Vec<String>,
    /// The fragments around that place.
    inside: Vec<&'q str>,
    /// The most nodes that the answer may have.
    pub(super) nodes: u64,
    /// The calls that it would take to read each list by itself.
    calls: u64,
}

impl<'q> Checked<'q> {
    /// # Errors
    /// Why GitHub does not answer the query.
    pub(super) fn new(query: Query<'q>, name: Option<&str>, selections: &'q [Selection]) -> Result<Self, Fault> {
        let path = vec![name.map_or_else(|| "query".to_owned(), |name| format!("query {name}"))];
        let mut checked = Self { query, path, inside: Vec::new(), nodes: 0, calls: 0 };
        checked.selections(selections, "Query", 1)?;
        if checked.nodes > NODES {
            let nodes = checked.nodes;
            let message =
                format!("This query requests up to {nodes} possible nodes which exceeds the maximum limit of {NODES}.");
            return Err(Fault { code: "MAX_NODE_LIMIT_EXCEEDED", message, path: Vec::new() });
        }
        Ok(checked)
    }

    /// The points that GitHub charges for it.
    pub(super) fn cost(&self) -> u64 {
        self.calls.saturating_add(50).checked_div(100).unwrap_or(1).max(1)
    }

    fn fault(&self, code: &'static str, message: String) -> Fault {
        Fault { code, message, path: self.path.iter().map(|step| step.clone().into()).collect() }
    }

    /// `parents` is the most objects that these selections are answered for.
    fn selections(&mut self, selections: &'q [Selection], kind: &'static str, parents: u64) -> Result<(), Fault> {
        for selection in selections {
            for literal in selection.conditions.iter().map(|condition| &condition.value) {
                self.is_declared(literal)?;
            }
            match &selection.what {
                Selected::Field(field) => {
                    let counted = if self.query.is_answered(selection) { parents } else { 0 };
                    self.path.push(field.key.clone());
                    self.field(field, kind, counted)?;
                    self.path.pop();
                }
                Selected::Inline(fragment) => self.fragment(fragment, kind, parents)?,
                Selected::Spread(name) => {
                    let unknown =
                        || self.fault("useAndDefineFragment", format!("Fragment {name} was used, but not defined"));
                    let fragment = self.query.fragment(name).ok_or_else(unknown)?;
                    if self.inside.contains(&name.as_str()) {
                        return Err(self.fault("infiniteLoop", format!("Fragment {name} contains an infinite loop")));
                    }
                    self.inside.push(name);
                    self.fragment(fragment, kind, parents)?;
                    self.inside.pop();
                }
            }
        }
        Ok(())
    }

    fn fragment(&mut self, fragment: &'q Fragment, kind: &'static str, parents: u64) -> Result<(), Fault> {
        let on = match &fragment.on {
            None => kind,
            Some(on) => {
                TYPES.lines().filter_map(|line| line.split(' ').next()).find(|name| name == on).ok_or_else(|| {
                    self.fault("undefinedType", format!("No such type {on}, so it can't be a fragment condition"))
                })?
            }
        };
        if !possible(on).iter().any(|one| possible(kind).contains(one)) {
            let message = format!("Fragment on {on} can't be spread inside {kind}");
            return Err(self.fault("cannotSpreadFragment", message));
        }
        self.selections(&fragment.selections, on, parents)
    }

    fn field(&mut self, field: &'q Field, kind: &'static str, parents: u64) -> Result<(), Fault> {
        let name = &field.name;
        if name == "__typename" {
            return Ok(());
        }
        let unknown = || self.fault("undefinedField", format!("Field '{name}' doesn't exist on type '{kind}'"));
        let definition = definition(kind, name).ok_or_else(unknown)?;
        self.arguments(field, definition)?;
        match definition.kind {
            Some(kind) if field.selections.is_empty() => {
                let message =
                    format!("Field must have selections (field '{name}' returns {kind} but has no selections.)");
                Err(self.fault("selectionMismatch", message))
            }
            None if !field.selections.is_empty() => {
                let message = format!("Selections can't be made on scalars (field '{name}' is a scalar)");
                Err(self.fault("selectionMismatch", message))
            }
            Some(kind) if kind.ends_with("Connection") => {
                let nodes = parents.saturating_mul(self.page_size(field)?);
                self.calls = self.calls.saturating_add(parents);
                self.nodes = self.nodes.saturating_add(nodes);
                self.selections(&field.selections, kind, nodes)
            }
            Some(kind) => self.selections(&field.selections, kind, parents),
            None => Ok(()),
        }
    }

    /// How many nodes a list requests.
    fn page_size(&self, field: &Field) -> Result<u64, Fault> {
        let arguments = self.query.arguments(field);
        let given: Vec<(&str, i64)> =
            ["first", "last"].iter().filter_map(|name| Some((*name, arguments.get(*name)?.as_i64()?))).collect();
        let name = &field.name;
        let [(bound, size)] = given.as_slice() else {
            let message =
                format!("You must provide a `first` or `last` value to properly paginate the `{name}` connection.");
            return Err(self.fault("MISSING_PAGINATION_BOUNDARIES", message));
        };
        let most = PAGE as u64;
        u64::try_from(*size).ok().filter(|size| *size <= most).ok_or_else(|| {
            let message = format!(
                "Requesting {size} records on the `{name}` connection exceeds the `{bound}` limit of {most} records."
            );
            self.fault("EXCESSIVE_PAGINATION", message)
        })
    }

    fn arguments(&self, field: &Field, definition: Definition) -> Result<(), Fault> {
        let name = &field.name;
        let known: Vec<&str> = definition.arguments.split(',').collect();
        for (argument, literal) in &field.arguments {
            if !known.iter().any(|known| known.trim_end_matches('!') == argument) {
                let message = format!("Field '{name}' doesn't accept argument '{argument}'");
                return Err(self.fault("argumentNotAccepted", message));
            }
            self.is_declared(literal)?;
            let value = self.query.value(literal).unwrap_or(Value::Null);
            if !fits(argument, &value) {
                let message = format!("Argument '{argument}' on Field '{name}' has an invalid value ({value}).");
                return Err(self.fault("argumentLiteralsIncompatible", message));
            }
        }
        let given = |required: &str| field.arguments.iter().any(|(argument, _)| argument == required);
        match known.iter().filter_map(|known| known.strip_suffix('!')).find(|required| !given(required)) {
            None => Ok(()),
            Some(missing) => {
                let message = format!("Field '{name}' is missing required arguments: {missing}");
                Err(self.fault("missingRequiredArguments", message))
            }
        }
    }

    fn is_declared(&self, literal: &Literal) -> Result<(), Fault> {
        match literal {
            Literal::Known(_) => Ok(()),
            Literal::List(items) => items.iter().try_for_each(|item| self.is_declared(item)),
            Literal::Variable(name) if self.query.variables.contains_key(name) => Ok(()),
            Literal::Variable(name) => {
                Err(self.fault("variableNotDefined", format!("Variable ${name} is used but not declared")))
            }
        }
    }
}

/// Whether an argument may have that value.
fn fits(argument: &str, value: &Value) -> bool {
    let is_word = |value: &Value| value.as_str().is_some_and(|word| words(argument).contains(&word));
    match argument {
        "first" | "last" | "after" | "oid" | "membership" | "states" | "itemTypes" if value.is_null() => true,
        "first" | "last" | "number" => value.is_i64(),
        "membership" => is_word(value),
        "states" | "itemTypes" => value.as_array().is_some_and(|words| words.iter().all(is_word)),
        _ => value.is_string(),
    }
}

/// A query for every field of every type, without types within themselves.
#[cfg(test)]
pub(in super::super) fn everything() -> String {
    fn selections(kind: &'static str, path: &[&'static str]) -> String {
        let path = [path, &[kind]].concat();
        let field = |field: Definition| {
            let given = |argument: &str| match argument {
                "login!" | "owner!" => Some(format!("{}: \"acme\"", argument.trim_end_matches('!'))),
                "name!" => Some("name: \"checkout\"".to_owned()),
                "slug!" => Some("slug: \"payments-core\"".to_owned()),
                "number!" => Some("number: 1".to_owned()),
                "last" => Some("last: 1".to_owned()),
                "oid" => Some(format!("oid: \"{}\"", "b".repeat(40))),
                _ => None,
            };
            let arguments: Vec<String> = field.arguments.split(',').filter_map(given).collect();
            let arguments = if arguments.is_empty() { String::new() } else { format!("({})", arguments.join(", ")) };
            match field.kind {
                Some(kind) if path.contains(&kind) => String::new(),
                Some(kind) => format!("{}{arguments} {{ __typename {} }}", field.name, selections(kind, &path)),
                None => format!("{}{arguments}", field.name),
            }
        };
        let own: Vec<String> = fields(kind).unwrap().map(field).collect();
        let of = |one: &'static str| format!("... on {one} {{ __typename {} }}", selections(one, &path));
        let possible = ABSTRACT.iter().find(|(name, _)| *name == kind).map_or(&[][..], |(_, kinds)| kinds);
        [own, possible.iter().map(|one| of(one)).collect()].concat().join(" ")
    }
    format!("query Everything {{ {} }}", selections("Query", &[]))
}
