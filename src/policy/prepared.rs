//! A bundle written out to be read again without YAML, quickly, as the same policy to the last place.
//!
//! What is written is the tree that the YAML was read as, and not the policy that was made of it: so the reader makes the
//! policy as [`load`](super::load) does, with every check, and takes the digest over what it read. A file that was
//! tampered with is a policy of another digest, and one that no check would pass is none at all. Knows no files.

use serde::{Deserialize, Serialize};

use super::Policy;
use super::lint::Linted;
use super::load::{Loaded, from_trees};
use super::yaml::{Node, NodeJson, Room, StoredNode, Value, parse};
use crate::finding::{Severity, SourceId, SourceMap};
use crate::ident::PolicyDigest;

/// The version of the form.
pub const PREPARED_SCHEMA: u32 = 1;

/// Why no policy came of a prepared one.
#[derive(Debug, thiserror::Error)]
pub enum PreparedError {
    /// Not the JSON that is written here.
    #[error("the prepared policy cannot be read: {0}")]
    Form(#[source] serde_json::Error),
    /// Written by another version.
    #[error("the prepared policy is of schema {0}, and this engine reads schema {PREPARED_SCHEMA}")]
    Schema(u32),
    /// What it holds is not what it says it is.
    #[error("the prepared policy says that its digest is {stated}, and its content has {found}")]
    Digest {
        /// The digest that it states.
        stated: PolicyDigest,
        /// The digest of what it holds.
        found: PolicyDigest,
    },
    /// A check does not pass, and says this.
    #[error("the prepared policy does not hold together: {0}")]
    Unsound(String),
}

impl Loaded {
    /// The policy in the form that [`read_prepared`] takes: JSON, the same bytes for the same bundle. None where there
    /// is no policy.
    #[must_use]
    pub fn prepared(&self) -> Option<String> {
        write(self.policy.as_ref()?, &self.sources)
    }
}

impl Linted {
    /// As [`Loaded::prepared`].
    #[must_use]
    pub fn prepared(&self) -> Option<String> {
        write(self.policy.as_ref()?, &self.sources)
    }
}

fn write(policy: &Policy, sources: &SourceMap) -> Option<String> {
    let mut room = Room::default();
    // They were read before, and are what they were.
    let trees: Result<Vec<Node>, _> = sources.ids().map(|id| parse(id, sources.text(id), &mut room)).collect();
    let trees = trees.ok()?;
    let named = sources.ids().map(|id| sources.name(id)).zip(&trees);
    let files = named.map(|(name, tree)| WrittenFile { name, tree: NodeJson(tree) }).collect();
    serde_json::to_string(&WrittenBundle { schema: PREPARED_SCHEMA, policy_digest: policy.digest(), files }).ok()
}

/// Reads what [`Loaded::prepared`] wrote.
///
/// # Errors
/// [`PreparedError`]: it is of another form or schema, does not hold together, or is not what its digest says.
pub fn read_prepared(json: &str) -> Result<Policy, PreparedError> {
    let bundle: ReadBundle = serde_json::from_str(json).map_err(|error| {
        // Another version may look otherwise altogether: then that is what is wrong.
        let other = serde_json::from_str::<Head>(json).ok().filter(|head| head.schema != PREPARED_SCHEMA);
        other.map_or(PreparedError::Form(error), |head| PreparedError::Schema(head.schema))
    })?;
    if bundle.schema != PREPARED_SCHEMA {
        return Err(PreparedError::Schema(bundle.schema));
    }
    let (mut sources, mut roots) = (SourceMap::default(), Vec::new());
    for (number, ReadFile { name, tree: StoredNode(mut tree) }) in (0..).zip(bundle.files) {
        sources.add(name, String::new());
        // As when it was loaded: an empty file holds no key.
        if !matches!(tree.value, Value::Null) {
            tree.belongs_to(SourceId(number));
            roots.push(tree);
        }
    }
    let (policy, findings) = from_trees(&sources, &roots);
    let first =
        || findings.iter().find(|finding| finding.severity() == Severity::Error).map(|finding| finding.message.clone());
    let policy = policy.ok_or_else(|| PreparedError::Unsound(first().unwrap_or_default()))?;
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
