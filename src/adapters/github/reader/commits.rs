//! All commits of a pull request, also if GitHub lists only the first 250 of them.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;
use serde_json::json;

use super::list::List;
use super::query::FACTS;
use super::shape::{Commit, CommitNode, Pull};
use super::teams::join_all;
use super::{of, unavailable};
use crate::adapters::github::client::{Call, CallError, GithubClient};
use crate::adapters::github_rest::{COMMITS_LISTED, COMMITS_READ, PAGE};
use crate::approval::facts;
use crate::ident::{PullRequestRef, Revision};
use crate::ports::CodeHostError;

/// The most pages of a comparison. Of a pull request with more, the commits are incomplete.
const PAGES: usize = COMMITS_READ.div_ceil(PAGE);
/// How many commits one query reads. It costs one point.
const AT_ONCE: usize = 50;

/// The commits of a pull request.
#[derive(Debug)]
pub(super) struct Commits {
    pub(super) known: Vec<facts::Commit>,
    /// Whether these are all.
    pub(super) complete: bool,
}

/// `commit-comparison`, of which every page gives the same count.
#[derive(Debug, Deserialize)]
struct Comparison {
    total_commits: usize,
    commits: Vec<Compared>,
}

#[derive(Debug, Deserialize)]
struct Compared {
    sha: Revision,
}

impl GithubClient {
    /// The listed commits. If GitHub lists only some of them, takes the others from the comparison of base and head, which
    /// are commits and not branches, so that a push in the meantime makes no difference.
    pub(super) async fn all_commits(
        &self,
        at: &PullRequestRef,
        pull: &Pull,
        listed: List<CommitNode<Commit>>,
    ) -> Result<Commits, CodeHostError> {
        let total = listed.total;
        let mut known: Vec<facts::Commit> = listed.items.into_iter().filter_map(|node| node.commit.fact()).collect();
        if total.is_none_or(|total| total < COMMITS_LISTED) {
            let complete = are_all(&hashes(&known), total, &pull.head_ref_oid);
            return Ok(Commits { known, complete });
        }
        let Some(compared) = self.compared(at, pull).await.map_err(|error| unavailable(&error))? else {
            return Ok(Commits { known, complete: false });
        };
        let listed = hashes(&known);
        let missing: Vec<Revision> = compared.iter().filter(|hash| !listed.contains(hash)).cloned().collect();
        for commits in join_all(missing.chunks(AT_ONCE).map(|some| self.commits_by_hash(at, some))).await {
            known.extend(commits.map_err(|error| unavailable(&error))?.into_iter().filter_map(Commit::fact));
        }
        let read = hashes(&known);
        let complete = compared.iter().all(|hash| read.contains(hash));
        Ok(Commits { known, complete })
    }

    /// The hashes of the commits that the head has and the base lacks, oldest first. `None` if they are too many, or not all.
    async fn compared(&self, at: &PullRequestRef, pull: &Pull) -> Result<Option<Vec<Revision>>, CallError> {
        let (base, head) = (&pull.base_ref_oid, &pull.head_ref_oid);
        let path = format!("/repos/{}/compare/{base}...{head}?per_page=100", at.repository);
        let mut call = Call::get(path, of(&at.repository), format!("the commits of `{at}`"));
        let (mut compared, mut total) = (Vec::new(), 0);
        for _ in 0..PAGES {
            let answer = self.call(&call).await?;
            let Comparison { total_commits, commits } = answer.json()?;
            total = total_commits;
            compared.extend(commits.into_iter().map(|commit| commit.sha));
            match answer.next() {
                Some(next) => call = call.at(next),
                None => break,
            }
        }
        Ok(are_all(&compared.iter().cloned().collect(), Some(total), head).then_some(compared))
    }

    async fn commits_by_hash(&self, at: &PullRequestRef, hashes: &[Revision]) -> Result<Vec<Commit>, CallError> {
        let what = format!("the commits of `{at}`");
        let (owner, name) = at.repository.parts();
        let one = |(number, hash): (usize, &Revision)| {
            format!("c{number}: object(oid: {}) {{ __typename ...commit }} ", json!(hash))
        };
        let commits: String = hashes.iter().enumerate().map(one).collect();
        let query = format!(
            "query Commits($owner: String!, $name: String!) {{ repository(owner: $owner, name: $name) {{ {commits}}} }}\n{}",
            fragment("commit")
        );
        let variables = json!({ "owner": owner, "name": name });
        let mut answer = self.query(Call::query(&query, &variables, of(&at.repository), what)).await?;
        let read: Option<BTreeMap<String, Commit>> = answer.take("repository")?;
        answer.whole()?;
        let mut read = read.unwrap_or_default();
        Ok((0..hashes.len()).filter_map(|number| read.remove(&format!("c{number}"))).collect())
    }
}

/// The text of a fragment of the query for facts.
fn fragment(name: &str) -> &'static str {
    let start = FACTS.find(&format!("fragment {name} on")).unwrap_or(FACTS.len());
    let text = FACTS.get(start..).unwrap_or_default();
    text.find("\n}\n").and_then(|end| text.get(..end + 3)).unwrap_or(text)
}

fn hashes(commits: &[facts::Commit]) -> BTreeSet<Revision> {
    commits.iter().map(|commit| commit.sha.clone()).collect()
}

/// Whether these are all commits of the head: as many as GitHub counts, and the head among them. Another head that
/// contains this one has more.
fn are_all(hashes: &BTreeSet<Revision>, total: Option<usize>, head: &Revision) -> bool {
    total == Some(hashes.len()) && hashes.contains(head)
}
