//! A commit: who made it, whether GitHub has verified that, and its parents.

use std::collections::BTreeSet;

use serde::Deserialize;

use super::super::list::nullable;
use super::{Account, Oid};
use crate::approval::facts::{self, AccountKind, Person};
use crate::ident::{Login, Revision, UserId};

/// A commit with the accounts that GitHub finds by its e-mail addresses.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(in super::super) struct Commit {
    oid: Revision,
    committed_via_web: bool,
    #[serde(deserialize_with = "nullable")]
    author: Option<GitActor>,
    #[serde(deserialize_with = "nullable")]
    committer: Option<GitActor>,
    authors: Counted<GitActor>,
    #[serde(deserialize_with = "nullable")]
    signature: Option<Signature>,
    parents: Counted<Oid>,
}

#[derive(Debug, Clone, Deserialize)]
struct GitActor {
    #[serde(deserialize_with = "nullable")]
    user: Option<Account>,
}

impl GitActor {
    fn person(actor: Option<Self>) -> Option<Person> {
        actor?.user?.person()
    }
}

/// The first page of a list of a commit. A longer list is not read on.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Counted<T> {
    total_count: usize,
    nodes: Vec<T>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Signature {
    is_valid: bool,
}

impl Commit {
    /// `None` if GitHub gives only a part of its authors or parents.
    pub(in super::super) fn fact(self) -> Option<facts::Commit> {
        let (authors, parents) = (self.authors, self.parents);
        if authors.total_count != authors.nodes.len() || parents.total_count != parents.nodes.len() {
            return None;
        }
        let signed = self.signature.is_some_and(|signature| signature.is_valid);
        let author = GitActor::person(self.author);
        // GitHub names no account for `web-flow`, which signs what is made on its pages.
        let web_flow =
            || Person { id: UserId::WEB_FLOW, login: Login::new("web-flow").ok()?, kind: AccountKind::User }.into();
        let committer =
            GitActor::person(self.committer).or_else(|| (self.committed_via_web && signed).then(web_flow).flatten());
        let listed = authors.nodes.len();
        let people: Vec<Person> = authors.nodes.into_iter().filter_map(|one| GitActor::person(Some(one))).collect();
        // The author is the first of its authors.
        let nameless = listed.saturating_sub(people.len()) > usize::from(author.is_none());
        let mut seen: BTreeSet<UserId> = author.iter().map(|author| author.id).collect();
        let co_authors = people.into_iter().filter(|person| seen.insert(person.id)).collect();
        Some(facts::Commit {
            sha: self.oid,
            author,
            committer,
            co_authors,
            // A co-author without an account may be anybody.
            verified: signed && !nameless,
            parents: parents.nodes.into_iter().map(|parent| parent.oid).collect(),
        })
    }
}
