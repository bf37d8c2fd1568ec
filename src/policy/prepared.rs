//! A bundle in a form that is read without YAML, quickly, as the same policy with the same places.
//!
//! What is written is the tree that the YAML was read as, not the policy that was made of it. So the reader makes the
//! policy as [`load`](super::load) does, with every check, and computes the digest over what it read. A changed file
//! either has another digest, or is refused by a check. Does no file access.

use serde::{Deserialize, Serialize};

use super::Policy;
use super::assemble::{Assembled, assemble};
use super::lint::Linted;
use super::load::{Loaded, Parsed};
use super::read::Reader;
use super::yaml::{Node, NodeJson, Room, StoredNode, Value, parse};
use crate::finding::{Findings, Severity, SourceId, SourceMap};
use crate::ident::PolicyDigest;

/// The version of the prepared form.
pub const PREPARED_SCHEMA: u32 = 1;

/// Why a prepared policy was refused.
#[derive(Debug, thiserror::Error)]
pub enum PreparedError {
    /// It is not the JSON that [`Loaded::prepared`] writes.
    #[error("the prepared policy cannot be read: {0}")]
    Form(#[source] serde_json::Error),
    /// It was written by another version.
    #[error("the prepared policy has schema {0}, but this engine reads schema {PREPARED_SCHEMA}")]
    Schema(u32),
    /// Its content has another digest than the one that it states.
    #[error("the prepared policy states the digest {stated}, but its content has {found}")]
    Digest { stated: PolicyDigest, found: PolicyDigest },
    /// A check failed with this message.
    #[error("the prepared policy is not valid: {0}")]
    Unsound(String),
}

impl Loaded {
    /// The policy as JSON that [`read_prepared`] takes, the same bytes for the same bundle. `None` if there is no policy.
    #[must_use]
    pub fn prepared(&self) -> Option<String> {
        write(self.policy.as_ref()?, &self.sources)
    }
}

impl Linted {
    /// The same as [`Loaded::prepared`].
    #[must_use]
    pub fn prepared(&self) -> Option<String> {
        write(self.policy.as_ref()?, &self.sources)
    }
}

fn write(policy: &Policy, sources: &SourceMap) -> Option<String> {
    let mut room = Room::default();
    // They were read before, so this does not fail.
    let trees: Result<Vec<Node>, _> = sources.ids().map(|id| parse(id, sources.text(id), &mut room)).collect();
    let trees = trees.ok()?;
    let named = sources.ids().map(|id| sources.name(id)).zip(&trees);
    let files = named.map(|(name, tree)| WrittenFile { name, tree: NodeJson(tree) }).collect();
    serde_json::to_string(&WrittenBundle { schema: PREPARED_SCHEMA, policy_digest: policy.digest(), files }).ok()
}

/// Reads what [`Loaded::prepared`] wrote.
///
/// # Errors
/// It has another form, schema or digest, or a check fails.
pub fn read_prepared(json: &str) -> Result<Policy, PreparedError> {
    let bundle: ReadBundle = serde_json::from_str(json).map_err(|error| {
        // Another schema may have another form altogether. Then the schema is the problem.
        let other = serde_json::from_str::<Head>(json).ok().filter(|head| head.schema != PREPARED_SCHEMA);
        other.map_or(PreparedError::Form(error), |head| PreparedError::Schema(head.schema))
    })?;
    if bundle.schema != PREPARED_SCHEMA {
        return Err(PreparedError::Schema(bundle.schema));
    }
    let mut parsed = Parsed { sources: SourceMap::default(), trees: Vec::new(), findings: Findings::new() };
    for (number, ReadFile { name, tree: StoredNode(mut tree) }) in (0..).zip(bundle.files) {
        parsed.sources.add(name, String::new());
        // As when it was loaded: an empty file holds no key.
        if !matches!(tree.value, Value::Null) {
            tree.belongs_to(SourceId(number));
            parsed.trees.push(tree);
        }
    }
    let Assembled { policy, findings, .. } = assemble(Reader::new(&parsed.sources), &parsed);
    let error = || findings.iter().find(|finding| finding.severity() == Severity::Error);
    let policy =
        policy.ok_or_else(|| PreparedError::Unsound(error().map(|e| e.message.clone()).unwrap_or_default()))?;
    if *policy.digest() != bundle.policy_digest {
        return Err(PreparedError::Digest { stated: bundle.policy_digest, found: policy.digest().clone() });
    }
    Ok(policy)
}

#[derive(Serialize)]
struct WrittenBundle<'n> {
    schema: u32,
    policy_digest: &'n PolicyDigest,
    files: Vec<WrittenFile<'n>>,
}

#[derive(Serialize)]
struct WrittenFile<'n> {
    name: &'n str,
    tree: NodeJson<'n>,
}

#[derive(Deserialize)]
struct Head {
    schema: u32,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ReadBundle {
    schema: u32,
    policy_digest: PolicyDigest,
    files: Vec<ReadFile>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ReadFile {
    name: String,
    tree: StoredNode,
}
