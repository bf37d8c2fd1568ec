//! The one query for the facts of a decision, and its further pages.

use serde_json::{Value, json};

use super::list::{List, Misfit, PAGES};
use super::shape::{Commit, CommitNode, Event, File, Named, Pull, Repository, Review, ReviewWithoutText, Twin, Twins};
use super::teams::Teams;
use super::{misfit, of, unavailable};
use crate::adapters::github::client::{Call, GithubClient, Problem};
use crate::adapters::github_rest::{COMMITS_LISTED, FILES_LISTED};
use crate::ident::{PullRequestRef, Revision};
use crate::ports::{CodeHostError, Needs};

/// The query without teams. It is published GraphQL by itself.
pub(super) const FACTS: &str = include_str!("facts.graphql");

/// All that was read of a pull request.
#[derive(Debug)]
pub(super) struct Read {
    /// Without its lists.
    pub(super) repository: Repository,
    /// Without its lists.
    pub(super) pull: Pull,
    pub(super) lists: Lists,
    pub(super) teams: Teams,
}

#[derive(Debug)]
pub(super) struct Lists {
    pub(super) labels: List<Named>,
    pub(super) files: List<File>,
    pub(super) reviews: List<Review>,
    pub(super) comments: Vec<ReviewWithoutText>,
    pub(super) commits: List<CommitNode<Commit>>,
    pub(super) events: List<Event>,
    pub(super) twins: List<Twin>,
}

impl Lists {
    fn needed(needs: &Needs) -> Self {
        Self {
            labels: List::fixed(),
            files: if needs.files { List::fixed() } else { List::unread() },
            reviews: List::growing(),
            comments: Vec::new(),
            commits: List::fixed(),
            events: List::growing(),
            twins: List::growing(),
        }
    }

    /// Only the reviews.
    fn reviews() -> Self {
        Self { reviews: List::growing(), ..Self::none() }
    }

    /// No list: what is left is the head, the base and the counts.
    fn none() -> Self {
        Self {
            labels: List::unread(),
            files: List::unread(),
            reviews: List::unread(),
            comments: Vec::new(),
            commits: List::unread(),
            events: List::unread(),
            twins: List::unread(),
        }
    }

    fn have_more(&self) -> bool {
        self.labels.has_more()
            || self.files.has_more()
            || self.reviews.has_more()
            || self.commits.has_more()
            || self.events.has_more()
            || self.twins.has_more()
    }

    /// The variables that read the next page of each list. `head` is known after the first call.
    fn variables(&self, at: &PullRequestRef, head: Option<&Revision>) -> Value {
        let (owner, name) = at.repository.parts();
        json!({
            "owner": owner, "name": name, "number": at.number,
            "labels": self.labels.has_more(), "labelsAfter": self.labels.after(),
            "files": self.files.has_more(), "filesAfter": self.files.after(),
            "reviews": self.reviews.has_more(), "reviewsAfter": self.reviews.after(),
            "commits": self.commits.has_more(), "commitsAfter": self.commits.after(),
            "events": self.events.has_more(), "eventsAfter": self.events.after(),
            "lastCommit": head.is_none() && self.twins.has_more(),
            "twins": head.is_some() && self.twins.has_more(), "twinsOf": head, "twinsAfter": self.twins.after(),
        })
    }

    /// Takes the next pages from an answer. `is_first` if the head was not known when they were asked for.
    fn add(&mut self, is_first: bool, pull: &mut Pull, twins: Option<Twins>) -> Result<(), Misfit> {
        self.labels.add(pull.labels.take())?;
        self.files.add(pull.files.take())?;
        self.reviews.add(pull.reviews.take())?;
        self.comments.extend(pull.comments.take().into_iter().flat_map(|comments| comments.nodes));
        self.commits.add(pull.commits.take())?;
        self.events.add(pull.timeline_items.take())?;
        let last = pull.last_commit.take().and_then(|last| last.nodes.into_iter().next());
        let of_head = twins.or(last.map(|last| last.commit)).filter(|twins| twins.oid == pull.head_ref_oid);
        // The last commit that GitHub lists need not be the head. The next call reads the pull requests of the head.
        if of_head.is_some() || !is_first {
            self.twins.add(of_head.map(|twins| twins.associated_pull_requests))?;
        }
        // No more than this is ever listed.
        if self.commits.total.is_some_and(|total| total >= COMMITS_LISTED) {
            self.commits.end();
        }
        if pull.changed_files > FILES_LISTED {
            self.files.end();
        }
        Ok(())
    }
}

impl Pull {
    /// Whether both readings have the same lists: the same head on the same base, and as many files.
    pub(super) fn has_the_lists_of(&self, other: &Self) -> bool {
        let lists = |pull: &Self| {
            let Self { head_ref_oid, base_ref_name, changed_files, .. } = pull;
            (head_ref_oid.clone(), base_ref_name.clone(), *changed_files)
        };
        lists(self) == lists(other)
    }
}

impl GithubClient {
    /// The pull request with all that the needs name, to the last page of every list.
    pub(super) async fn read_pages(&self, at: &PullRequestRef, needs: &Needs) -> Result<Read, CodeHostError> {
        let owner = at.repository.parts().0;
        let own = needs.teams.iter().filter(|team| team.is_of(owner));
        self.pages(at, Lists::needed(needs), Teams::new(own)).await
    }

    /// All reviews of a pull request.
    pub(super) async fn all_reviews(&self, at: &PullRequestRef) -> Result<List<Review>, CodeHostError> {
        Ok(self.pages(at, Lists::reviews(), Teams::default()).await?.lists.reviews)
    }

    /// Errors if the pull request has other lists now.
    pub(super) async fn is_unchanged(&self, at: &PullRequestRef, pull: &Pull) -> Result<(), CodeHostError> {
        let now = self.pages(at, Lists::none(), Teams::default()).await?.pull;
        if now.has_the_lists_of(pull) { Ok(()) } else { Err(changed(at)) }
    }

    async fn pages(&self, at: &PullRequestRef, lists: Lists, teams: Teams) -> Result<Read, CodeHostError> {
        let (repository, pull, mut lists, mut teams) = self.page(at, None, (lists, teams)).await?;
        for _ in 0..PAGES {
            if !lists.have_more() && !teams.has_more() {
                return Ok(Read { repository, pull, lists, teams });
            }
            let (_, now, more, more_teams) = self.page(at, Some(&pull.head_ref_oid), (lists, teams)).await?;
            if !now.has_the_lists_of(&pull) {
                return Err(changed(at));
            }
            (lists, teams) = (more, more_teams);
        }
        Err(CodeHostError::Unavailable { detail: format!("a list of `{at}` does not end after {PAGES} pages") })
    }

    /// The next page of every list that has one.
    async fn page(
        &self,
        at: &PullRequestRef,
        head: Option<&Revision>,
        (mut lists, mut teams): (Lists, Teams),
    ) -> Result<(Repository, Pull, Lists, Teams), CodeHostError> {
        let query = FACTS.replacen("  repository(", &format!("{}  repository(", teams.selection()), 1);
        let call =
            Call::query(&query, &lists.variables(at, head), of(&at.repository), format!("the pull request `{at}`"));
        let mut answer = self.query(call).await.map_err(|error| unavailable(&error))?;
        teams.add(&mut answer)?;
        let repository = answer.take::<Repository>("repository").map_err(|error| unavailable(&error))?;
        let is_missing =
            |problem: &Problem| problem.misses(&["repository"]) || problem.misses(&["repository", "pullRequest"]);
        let missing = answer.problems.iter().any(is_missing);
        answer.problems.retain(|problem| !is_missing(problem));
        let Some((mut repository, mut pull)) = repository.and_then(|mut repository| {
            let pull = repository.pull_request.take()?;
            Some((repository, pull))
        }) else {
            answer.whole().map_err(|error| unavailable(&error))?;
            return Err(CodeHostError::NotFound { what: format!("the pull request `{at}`") });
        };
        lists.add(head.is_none(), &mut pull, repository.twins.take()).map_err(|why| match why {
            Misfit::Changed => changed(at),
            Misfit::Missing | Misfit::NoNext => misfit(why, &answer),
        })?;
        if missing || pull.number != at.number {
            return Err(unavailable(&answer.unreadable("it is of another pull request")));
        }
        answer.whole().map_err(|error| unavailable(&error))?;
        Ok((repository, pull, lists, teams))
    }
}

pub(super) fn changed(at: &PullRequestRef) -> CodeHostError {
    CodeHostError::Unavailable { detail: format!("the pull request `{at}` changed while it was read") }
}
