//! The fields of GitHub's types, read from the simulator's state.

use std::borrow::Cow;

use serde_json::{Value, json};

use super::objects::{
    Arguments, Found, Object, allows, event_kind, file, found, list, object, page, page_info, text, value,
};
use crate::adapters::embedded::simulator::access::Allowance;
use crate::adapters::embedded::simulator::pull::{IssueEvent, PullRequest, PullState, Review, ReviewState};
use crate::adapters::embedded::simulator::world::{
    Account, AccountType, Commit, MembershipState, Repository, Team, World,
};
use crate::adapters::github_rest::FILES_LISTED;
use crate::ident::{Login, PullRequestRef, RepositoryName, Revision, TeamSlug, UserId};

/// The state that a query reads, and what the answer says of the query.
#[derive(Debug)]
pub(super) struct Reader<'w> {
    pub(super) world: &'w World,
    pub(super) by: UserId,
    /// Before this query.
    pub(super) allowance: Allowance,
    pub(super) cost: u64,
    pub(super) nodes: u64,
}

/// The commit that merging made.
fn merge_commit(pull: &PullRequest) -> Option<Commit> {
    let sha = pull.merge_commit_sha.clone().filter(|_| pull.is_merged())?;
    Some(Commit {
        sha,
        author: pull.merged_by,
        committer: pull.merged_by,
        co_authors: Vec::new(),
        verified: true,
        message: format!("Merge pull request #{}", pull.number),
        parents: vec![pull.base_sha.clone(), pull.head.sha.clone()],
        files: Vec::new(),
        at: pull.closed_at.unwrap_or(pull.updated_at),
    })
}

impl<'w> Reader<'w> {
    /// A field of an object of that type. `None` if the simulator lacks it.
    pub(super) fn field(&self, of: &Object<'w>, kind: &str, name: &str, arguments: &Arguments) -> Option<Found<'w>> {
        match of {
            Object::Query => self.query(name, arguments),
            Object::RateLimit => self.rate_limit(name),
            Object::Account(account) => self.account(account, kind, (name, arguments)),
            Object::Team(team) => self.team(team, name, arguments),
            Object::Repository(repository) => self.repository(repository, name, arguments),
            Object::Pull(pull) => self.pull(pull, name).or_else(|| self.list_of_pull(pull, name, arguments)),
            Object::File(changed) => file(changed, name),
            Object::Review(pull, review) => self.review(pull, review, name),
            Object::PullCommit(commit) => {
                (name == "commit").then_some(Found::Object(Some(Object::Commit(Cow::Borrowed(commit)))))
            }
            Object::Commit(commit) => self.commit(commit, name),
            Object::Hash(sha) => (name == "oid").then(|| Found::Value(json!(sha))),
            Object::GitActor(id) => (name == "user").then(|| Found::Object(id.and_then(|id| self.account_by_id(id)))),
            Object::Signature => match name {
                "isValid" | "wasSignedByGitHub" => value(true),
                "state" => value("VALID"),
                _ => None,
            },
            Object::Event(pull, event) => self.event(pull, event, name),
            Object::Branch(text) | Object::Label(text) => (name == "name").then(|| Found::Value(json!(text))),
            Object::Page(of) => page(of, name),
            Object::PageInfo(span) => page_info(*span, name),
        }
    }

    fn account_by_id(&self, id: UserId) -> Option<Object<'w>> {
        self.world.accounts.get(&id).map(|account| Object::Account(account))
    }

    fn owner(&self, name: &RepositoryName) -> Option<Object<'w>> {
        let login = Login::new(name.parts().0).ok()?;
        self.world.account(&login).map(|account| Object::Account(account))
    }

    fn repository_named(&self, name: &str) -> Option<Object<'w>> {
        let name = RepositoryName::new(name).ok()?;
        self.world.repository(&name).map(|repository| Object::Repository(repository))
    }

    fn query(&self, name: &str, arguments: &Arguments) -> Option<Found<'w>> {
        match name {
            "rateLimit" => object(Some(Object::RateLimit)),
            "repository" => {
                let name = format!("{}/{}", text(arguments, "owner"), text(arguments, "name"));
                let missing = format!("Could not resolve to a Repository with the name '{name}'.");
                found(self.repository_named(&name), missing)
            }
            "organization" => {
                let login = text(arguments, "login");
                let account = Login::new(login).ok().and_then(|login| self.world.account(&login));
                let account = account.filter(|account| account.kind == AccountType::Organization);
                let missing = format!("Could not resolve to an Organization with the login of '{login}'.");
                found(account.map(|account| Object::Account(account)), missing)
            }
            _ => None,
        }
    }

    fn rate_limit(&self, name: &str) -> Option<Found<'w>> {
        let Allowance { limit, used, reset } = self.allowance;
        let used = used.saturating_add(self.cost);
        match name {
            "cost" => value(self.cost),
            "limit" => value(limit),
            "nodeCount" => value(self.nodes),
            "remaining" => value(limit.saturating_sub(used)),
            "resetAt" => value(reset),
            "used" => value(used),
            _ => None,
        }
    }

    fn account(&self, account: &'w Account, kind: &str, (name, arguments): (&str, &Arguments)) -> Option<Found<'w>> {
        let login = account.login.as_str();
        match name {
            "databaseId" => value(account.id),
            // As type `Bot` an App's login lacks its ending. A commit's author is always of type `User`, and keeps it.
            "login" if kind == "Bot" => value(login.trim_end_matches("[bot]")),
            "login" => value(login),
            "team" => {
                let slug = text(arguments, "slug");
                let team = TeamSlug::new(&format!("{login}/{slug}")).ok().and_then(|slug| self.world.teams.get(&slug));
                let missing = format!("Could not resolve to a Team with the slug of '{slug}'.");
                found(team.filter(|team| team.readable).map(|team| Object::Team(team)), missing)
            }
            _ => None,
        }
    }

    fn team(&self, team: &'w Team, name: &str, arguments: &Arguments) -> Option<Found<'w>> {
        match name {
            "databaseId" => value(team.id),
            "name" => value(&team.name),
            "combinedSlug" => value(&team.slug),
            "slug" => value(team.slug.parts().1),
            "parentTeam" => {
                let parent = team.parent.as_ref().and_then(|parent| self.world.teams.get(parent));
                object(parent.filter(|parent| parent.readable).map(|parent| Object::Team(parent)))
            }
            "members" => {
                let own = |account: &Account| team.members.get(&account.id) == Some(&MembershipState::Active);
                let wanted = |account: &Account| match text(arguments, "membership") {
                    "IMMEDIATE" => own(account),
                    "CHILD_TEAM" => !own(account),
                    _ => true,
                };
                let members = self.world.team_members(&team.slug).unwrap_or_default().into_iter();
                list(members.filter(|account| wanted(account)).map(|account| Object::Account(account)))
            }
            _ => None,
        }
    }

    fn repository(&self, repository: &'w Repository, name: &str, arguments: &Arguments) -> Option<Found<'w>> {
        match name {
            "databaseId" => value(repository.id),
            "nameWithOwner" => value(&repository.name),
            "name" => value(repository.name.parts().1),
            "isFork" => value(repository.fork),
            "isPrivate" => value(!repository.switches.public),
            "owner" => object(self.owner(&repository.name)),
            "defaultBranchRef" => object(Some(Object::Branch(&repository.default_branch))),
            "object" => object(self.commit_of(repository, text(arguments, "oid"))),
            "pullRequest" => {
                let number = arguments.get("number").and_then(Value::as_u64).unwrap_or_default();
                let at = PullRequestRef { repository: repository.name.clone(), number };
                let missing = format!("Could not resolve to a PullRequest with the number of {number}.");
                found(self.world.pull(&at).map(|pull| Object::Pull(pull)), missing)
            }
            _ => None,
        }
    }

    /// A commit of a branch or of a pull request.
    fn commit_of(&self, repository: &'w Repository, sha: &str) -> Option<Object<'w>> {
        let on_branches = repository.branches.values().flat_map(|branch| &branch.commits);
        let of_pulls = self.world.pulls_of(repository.id).flat_map(|pull| &pull.commits);
        let commit = on_branches.chain(of_pulls).find(|commit| commit.sha.as_str() == sha);
        commit.map(|commit| Object::Commit(Cow::Borrowed(commit)))
    }

    fn pull(&self, pull: &'w PullRequest, name: &str) -> Option<Found<'w>> {
        let repository = self.world.repositories.get(&pull.repository)?;
        let (additions, deletions) = pull.line_counts();
        match name {
            "databaseId" => value(pull.id),
            "fullDatabaseId" => value(pull.id.to_string()),
            "number" => value(pull.number),
            "title" => value(&pull.title),
            "state" => value(match pull.state {
                PullState::Open => "OPEN",
                PullState::Closed => "CLOSED",
                PullState::Merged => "MERGED",
            }),
            "closed" => value(pull.state != PullState::Open),
            "merged" => value(pull.is_merged()),
            "mergedAt" => value(pull.closed_at.filter(|_| pull.is_merged())),
            "mergedBy" => object(pull.merged_by.and_then(|id| self.account_by_id(id))),
            "mergeCommit" => object(merge_commit(pull).map(|commit| Object::Commit(Cow::Owned(commit)))),
            "isDraft" => value(pull.draft),
            "isCrossRepository" => value(pull.head.repository != repository.name),
            "headRefOid" => value(&pull.head.sha),
            "headRefName" => value(&pull.head.branch),
            "headRepository" => object(self.repository_named(pull.head.repository.as_str())),
            "headRepositoryOwner" => object(self.owner(&pull.head.repository)),
            "baseRefName" => value(&pull.base),
            "baseRefOid" => value(&pull.base_sha),
            "baseRepository" => object(Some(Object::Repository(repository))),
            "author" => object(self.account_by_id(pull.author)),
            "createdAt" => value(pull.created_at),
            "updatedAt" => value(pull.updated_at),
            "additions" => value(additions),
            "deletions" => value(deletions),
            "changedFiles" => value(pull.files().len()),
            _ => None,
        }
    }

    fn list_of_pull(&self, pull: &'w PullRequest, name: &str, arguments: &Arguments) -> Option<Found<'w>> {
        match name {
            "labels" => list(pull.labels.iter().map(|label| Object::Label(label))),
            "files" => list(pull.files().into_iter().take(FILES_LISTED).map(Object::File)),
            "commits" => list(pull.commits.iter().map(Object::PullCommit)),
            "reviews" => {
                // Only its author sees a pending review.
                let seen = |review: &&Review| review.state != ReviewState::Pending || review.user == self.by;
                let wanted =
                    |review: &&Review| allows(arguments, "states", &review.state.as_str().to_ascii_uppercase());
                let reviews = pull.reviews.iter().filter(seen).filter(wanted);
                list(reviews.map(|review| Object::Review(pull, review)))
            }
            "timelineItems" => {
                let wanted = |event: &&IssueEvent| {
                    event_kind(&event.what).is_some_and(|(_, word)| allows(arguments, "itemTypes", word))
                };
                list(pull.events.iter().filter(wanted).map(|event| Object::Event(pull, event)))
            }
            _ => None,
        }
    }

    fn review(&self, pull: &'w PullRequest, review: &'w Review, name: &str) -> Option<Found<'w>> {
        match name {
            "fullDatabaseId" => value(review.id.to_string()),
            "author" => object(self.account_by_id(review.user)),
            "state" => value(review.state.as_str().to_ascii_uppercase()),
            "body" => value(&review.body),
            "submittedAt" => value(review.submitted_at),
            "lastEditedAt" => value(review.edited_at),
            "commit" => object(review.commit_id.as_ref().map(|sha| {
                let of_pull = pull.commits.iter().find(|commit| commit.sha == *sha);
                of_pull.map_or_else(|| Object::Hash(sha.clone()), |commit| Object::Commit(Cow::Borrowed(commit)))
            })),
            _ => None,
        }
    }

    fn commit(&self, commit: &Cow<'w, Commit>, name: &str) -> Option<Found<'w>> {
        match name {
            "oid" => value(&commit.sha),
            "message" => value(&commit.message),
            "committedDate" => value(commit.at),
            "committedViaWeb" => {
                let committer = commit.committer.and_then(|id| self.world.accounts.get(&id));
                let by_github = committer.is_some_and(|committer| committer.login.as_str() == "web-flow");
                value(commit.verified && by_github)
            }
            "author" => object(Some(Object::GitActor(commit.author))),
            "committer" => object(Some(Object::GitActor(commit.committer))),
            "authors" => {
                let authors = std::iter::once(commit.author).chain(commit.co_authors.iter().copied());
                list(authors.map(Object::GitActor))
            }
            "signature" => object(commit.verified.then_some(Object::Signature)),
            "parents" => list(commit.parents.iter().cloned().map(Object::Hash)),
            "associatedPullRequests" => list(self.associated(&commit.sha).map(Object::Pull)),
            _ => None,
        }
    }

    /// The pull requests of a commit, whichever their repository. GitHub never lists those that were closed without merging,
    /// and open ones only until the commit is in the default branch.
    fn associated(&self, sha: &Revision) -> impl Iterator<Item = &'w PullRequest> {
        let merged_as = |pull: &PullRequest| pull.is_merged() && pull.merge_commit_sha.as_ref() == Some(sha);
        let has = |pull: &&PullRequest| pull.commits.iter().any(|commit| commit.sha == *sha) || merged_as(pull);
        let pulls: Vec<&PullRequest> = self.world.pulls.values().map(|pull| &**pull).filter(has).collect();
        let is_default = |pull: &PullRequest| {
            self.world
                .repositories
                .get(&pull.repository)
                .is_some_and(|repository| repository.default_branch == pull.base)
        };
        let landed: Vec<u64> =
            pulls.iter().filter(|pull| pull.is_merged() && is_default(pull)).map(|pull| pull.repository).collect();
        pulls.into_iter().filter(move |pull| match pull.state {
            PullState::Open => !landed.contains(&pull.repository),
            PullState::Closed => false,
            PullState::Merged => true,
        })
    }

    fn event(&self, pull: &'w PullRequest, event: &'w IssueEvent, name: &str) -> Option<Found<'w>> {
        let dismissal = event.what.dismissal();
        match name {
            "createdAt" => value(event.created_at),
            "actor" => object(self.account_by_id(event.actor)),
            "review" => {
                let review = dismissal.and_then(|(id, _)| pull.review(id));
                object(review.map(|review| Object::Review(pull, review)))
            }
            "previousReviewState" => value(dismissal.map(|(_, was)| was.as_str().to_ascii_uppercase())),
            _ => None,
        }
    }
}
