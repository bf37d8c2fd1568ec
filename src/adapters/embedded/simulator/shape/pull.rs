//! Pull requests, their files, reviews and events in GitHub's JSON.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::{Shapes, instant, node_id, with};
use crate::adapters::embedded::simulator::delivery::{Delivery, INSTALLATION_ID};
use crate::adapters::embedded::simulator::pull::{PullRequest, Review};
use crate::adapters::embedded::simulator::world::{Commit, FileChange};
use crate::adapters::github_rest::escaped;
use crate::ident::{RepositoryName, Revision, sha256_hex};

/// The case of a review's state.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in super::super) enum Case {
    /// REST: `APPROVED`.
    Upper,
    /// Webhooks: `approved`.
    Lower,
}

impl Shapes<'_> {
    fn repository_name(&self, pull: &PullRequest) -> String {
        self.0.repositories.get(&pull.repository).map(|repository| repository.name.to_string()).unwrap_or_default()
    }

    /// `pull-request-simple`, for lists and deliveries about reviews.
    pub(in super::super) fn pull_simple(&self, pull: &PullRequest) -> Value {
        let name = self.repository_name(pull);
        let number = pull.number;
        let (people, teams) = self.requested(pull);
        let merged_at = pull.is_merged().then_some(pull.closed_at).flatten();
        let more = json!({
            "id": pull.id,
            "node_id": node_id("PR", pull.id),
            "number": number,
            "state": pull.state_text(),
            "locked": false,
            "title": pull.title,
            "user": self.user(pull.author),
            "body": pull.body,
            "labels": self.labels(pull),
            "milestone": null,
            "active_lock_reason": null,
            "created_at": pull.created_at,
            "updated_at": pull.updated_at,
            "closed_at": instant(pull.closed_at),
            "merged_at": instant(merged_at),
            "merge_commit_sha": pull.merge_commit_sha,
            "assignee": null, "assignees": [], "requested_reviewers": people, "requested_teams": teams,
            "head": self.side((pull.head.repository.as_str(), &pull.head.branch, &pull.head.sha)),
            "base": self.side((&name, &pull.base, &pull.base_sha)),
            "author_association": self.association(pull, pull.author),
            "auto_merge": null,
            "draft": pull.draft,
        });
        with(self.pull_links(&name, pull), more)
    }

    /// `pull-request`, for one pull request and deliveries about it.
    pub(in super::super) fn pull_full(&self, pull: &PullRequest) -> Value {
        let (additions, deletions) = pull.line_counts();
        let open = pull.state_text() == "open";
        let simple = self.pull_simple(pull);
        let author = simple.get("user").filter(|user| !user.is_null()).cloned();
        let more = json!({
            "user": author.unwrap_or_else(|| self.ghost()),
            "merged": pull.is_merged(),
            "mergeable": open.then_some(true),
            "rebaseable": open.then_some(true),
            "mergeable_state": if open { "clean" } else { "unknown" },
            "merged_by": pull.merged_by.map_or(Value::Null, |id| self.user(id)),
            "comments": 0, "review_comments": 0, "maintainer_can_modify": false,
            "commits": pull.commits.len(),
            "additions": additions,
            "deletions": deletions,
            "changed_files": pull.files().len(),
        });
        with(simple, more)
    }

    fn pull_links(&self, name: &str, pull: &PullRequest) -> Value {
        let (number, head) = (pull.number, &pull.head.sha);
        let api = self.api(&format!("/repos/{name}"));
        let web = self.web(&format!("/{name}/pull/{number}"));
        let url = format!("{api}/pulls/{number}");
        let issue = format!("{api}/issues/{number}");
        let statuses = format!("{api}/statuses/{head}");
        let one_comment = format!("{api}/pulls/comments{{/number}}");
        let href = |url: &str| json!({ "href": url });
        json!({
            "url": url,
            "html_url": web,
            "diff_url": format!("{web}.diff"),
            "patch_url": format!("{web}.patch"),
            "issue_url": issue,
            "commits_url": format!("{url}/commits"),
            "review_comments_url": format!("{url}/comments"),
            "review_comment_url": one_comment,
            "comments_url": format!("{issue}/comments"),
            "statuses_url": statuses,
            "_links": {
                "self": href(&url),
                "html": href(&web),
                "issue": href(&issue),
                "comments": href(&format!("{issue}/comments")),
                "review_comments": href(&format!("{url}/comments")),
                "review_comment": href(&one_comment),
                "commits": href(&format!("{url}/commits")),
                "statuses": href(&statuses),
            },
        })
    }

    /// `head` or `base`: a repository's name, a branch and its commit.
    fn side(&self, (name, branch, sha): (&str, &str, &Revision)) -> Value {
        let repository = RepositoryName::new(name).ok().and_then(|name| self.0.repository(&name));
        let owner = name.split_once('/').map_or(name, |(owner, _)| owner);
        json!({
            "label": format!("{owner}:{branch}"),
            "ref": branch,
            "sha": sha,
            "user": repository.map_or(Value::Null, |repository| self.owner(&repository.name)),
            "repo": repository.map_or(Value::Null, |repository| self.repository(repository)),
        })
    }

    pub(in super::super) fn labels(&self, pull: &PullRequest) -> Vec<Value> {
        let repository = self.0.repositories.get(&pull.repository);
        let label = |repository: &RepositoryName| pull.labels.iter().map(|l| self.label(repository, l)).collect();
        repository.map(|repository| label(&repository.name)).unwrap_or_default()
    }

    /// `pull-request-review`.
    pub(in super::super) fn review(&self, pull: &PullRequest, review: &Review, case: Case) -> Value {
        let name = self.repository_name(pull);
        let web = self.web(&format!("/{name}/pull/{}#pullrequestreview-{}", pull.number, review.id));
        let url = self.api(&format!("/repos/{name}/pulls/{}", pull.number));
        let state = review.state.as_str();
        let mut shape = json!({
            "id": review.id,
            "node_id": node_id("PRR", review.id.0),
            "user": self.user(review.user),
            "body": review.body,
            "state": match case {
                Case::Upper => state.to_ascii_uppercase(),
                Case::Lower => state.to_owned(),
            },
            "html_url": web,
            "pull_request_url": url,
            "author_association": self.association(pull, review.user),
            "_links": { "html": { "href": web }, "pull_request": { "href": url } },
            "commit_id": review.commit_id,
        });
        if let (Some(at), Some(fields)) = (review.submitted_at, shape.as_object_mut()) {
            fields.insert("submitted_at".to_owned(), json!(at));
        }
        shape
    }

    /// `diff-entry`.
    pub(in super::super) fn file(&self, pull: &PullRequest, file: &FileChange) -> Value {
        let name = self.repository_name(pull);
        let (path, head) = (escaped(&file.path).replace("%2F", "/"), &pull.head.sha);
        let mut shape = json!({
            "sha": sha256_hex(format!("{head}\n{path}").as_bytes()).get(..40),
            "filename": file.path,
            "status": if file.previous_path.is_some() { "renamed" } else { "modified" },
            "additions": file.additions,
            "deletions": file.deletions,
            "changes": file.additions + file.deletions,
            "blob_url": self.web(&format!("/{name}/blob/{head}/{path}")),
            "raw_url": self.web(&format!("/{name}/raw/{head}/{path}")),
            "contents_url": self.api(&format!("/repos/{name}/contents/{path}?ref={head}")),
        });
        if let (Some(previous), Some(fields)) = (&file.previous_path, shape.as_object_mut()) {
            fields.insert("previous_filename".to_owned(), json!(previous));
        }
        shape
    }

    /// `commit-comparison` of the pull request's base and head, with a page of its commits.
    pub(in super::super) fn comparison(&self, pull: &PullRequest, page: &[Value]) -> Value {
        let name = self.repository_name(pull);
        let (base, head, total) = (&pull.base_sha, &pull.head.sha, pull.commits.len());
        let web = self.web(&format!("/{name}/compare/{base}...{head}"));
        let base_commit =
            RepositoryName::new(&name).ok().map(|name| self.commit(&name, &unread(base, pull.created_at)));
        json!({
            "url": self.api(&format!("/repos/{name}/compare/{base}...{head}")),
            "html_url": web, "permalink_url": web, "diff_url": format!("{web}.diff"), "patch_url": format!("{web}.patch"),
            "base_commit": base_commit, "merge_base_commit": base_commit,
            "status": "ahead", "ahead_by": total, "behind_by": 0, "total_commits": total, "commits": page,
        })
    }

    /// `hook-delivery-item`. `None` if it was not sent yet.
    pub(in super::super) fn delivery(&self, delivery: &Delivery) -> Option<Value> {
        let outcome = delivery.outcome.as_ref()?;
        Some(json!({
            "id": delivery.id,
            "guid": delivery.guid,
            "delivered_at": outcome.delivered_at,
            "redelivery": delivery.redelivery,
            "duration": std::time::Duration::from_millis(outcome.duration_ms).as_secs_f64(),
            "status": outcome.status,
            "status_code": outcome.status_code,
            "event": delivery.event.as_str(),
            "action": delivery.action,
            "installation_id": INSTALLATION_ID,
            "repository_id": delivery.repository,
            "throttled_at": null,
        }))
    }
}

/// A commit of which only the hash is known.
fn unread(sha: &Revision, at: Timestamp) -> Commit {
    let (author, committer, message) = (None, None, String::new());
    let (co_authors, verified, parents, files) = (Vec::new(), false, Vec::new(), Vec::new());
    Commit { sha: sha.clone(), author, committer, co_authors, verified, message, parents, files, at }
}
