//! Repositories, their activity and their commits in GitHub's JSON.

use serde_json::{Map, Value, json};

use super::{Shapes, instant, node_id, with};
use crate::adapters::embedded::simulator::world::{Activity, Commit, Repository};
use crate::ident::{Login, RepositoryName, UserId};

/// The URLs of a repository: the field, and the path after the repository's own URL.
const URLS: [(&str, &str); 38] = [
    ("archive_url", "/{archive_format}{/ref}"),
    ("assignees_url", "/assignees{/user}"),
    ("blobs_url", "/git/blobs{/sha}"),
    ("branches_url", "/branches{/branch}"),
    ("collaborators_url", "/collaborators{/collaborator}"),
    ("comments_url", "/comments{/number}"),
    ("commits_url", "/commits{/sha}"),
    ("compare_url", "/compare/{base}...{head}"),
    ("contents_url", "/contents/{+path}"),
    ("contributors_url", "/contributors"),
    ("deployments_url", "/deployments"),
    ("downloads_url", "/downloads"),
    ("events_url", "/events"),
    ("forks_url", "/forks"),
    ("git_commits_url", "/git/commits{/sha}"),
    ("git_refs_url", "/git/refs{/sha}"),
    ("git_tags_url", "/git/tags{/sha}"),
    ("hooks_url", "/hooks"),
    ("issue_comment_url", "/issues/comments{/number}"),
    ("issue_events_url", "/issues/events{/number}"),
    ("issues_url", "/issues{/number}"),
    ("keys_url", "/keys{/key_id}"),
    ("labels_url", "/labels{/name}"),
    ("languages_url", "/languages"),
    ("merges_url", "/merges"),
    ("milestones_url", "/milestones{/number}"),
    ("notifications_url", "/notifications{?since,all,participating}"),
    ("pulls_url", "/pulls{/number}"),
    ("releases_url", "/releases{/id}"),
    ("stargazers_url", "/stargazers"),
    ("statuses_url", "/statuses/{sha}"),
    ("subscribers_url", "/subscribers"),
    ("subscription_url", "/subscription"),
    ("tags_url", "/tags"),
    ("teams_url", "/teams"),
    ("trees_url", "/git/trees{/sha}"),
    ("url", ""),
    ("check_runs_url", "/check-runs"),
];

impl Shapes<'_> {
    /// `repository`, and `full-repository` and `repository-webhooks` as well: the required fields of all three.
    pub(in super::super) fn repository(&self, repository: &Repository) -> Value {
        let name = &repository.name;
        let api = self.api(&format!("/repos/{name}"));
        let web = self.web(&format!("/{name}"));
        let urls: Map<String, Value> =
            URLS.iter().map(|(field, path)| ((*field).to_owned(), json!(format!("{api}{path}")))).collect();
        let pushed_at = repository.activity.last().map_or(repository.created_at, |activity| activity.timestamp);
        let open = self.0.pulls_of(repository.id).filter(|pull| pull.state_text() == "open").count();
        let more = json!({
            "id": repository.id,
            "node_id": node_id("R", repository.id),
            "name": name.parts().1,
            "full_name": name,
            "owner": self.owner(name),
            "private": !repository.switches.public,
            "visibility": if repository.switches.public { "public" } else { "private" },
            "html_url": web,
            "git_url": format!("git:{}.git", web.trim_start_matches("http:")),
            "ssh_url": format!("git@standin:{name}.git"),
            "clone_url": format!("{web}.git"),
            "svn_url": web,
            "fork": repository.fork,
            "default_branch": repository.default_branch,
            "open_issues": open, "open_issues_count": open,
            "created_at": repository.created_at, "updated_at": repository.created_at, "pushed_at": pushed_at,
        });
        with(with(Value::Object(urls), empty_fields()), more)
    }

    /// The account that owns a repository, or null.
    pub(super) fn owner(&self, name: &RepositoryName) -> Value {
        let login = Login::new(name.parts().0).ok();
        login.and_then(|login| self.0.account(&login)).map_or(Value::Null, |account| self.account(account))
    }

    /// `activity`.
    pub(in super::super) fn activity(&self, activity: &Activity) -> Value {
        json!({
            "id": activity.id,
            "node_id": node_id("PSH", activity.id),
            "before": activity.before,
            "after": activity.after,
            "ref": activity.reference,
            "timestamp": activity.timestamp,
            "activity_type": activity.kind.as_str(),
            "actor": self.user(activity.actor),
        })
    }

    /// `commit`.
    pub(in super::super) fn commit(&self, name: &RepositoryName, commit: &Commit) -> Value {
        let sha = &commit.sha;
        let api = self.api(&format!("/repos/{name}"));
        let web = self.web(&format!("/{name}"));
        let parents: Vec<Value> = commit
            .parents
            .iter()
            .map(|sha| {
                let (url, html) = (format!("{api}/commits/{sha}"), format!("{web}/commit/{sha}"));
                json!({ "sha": sha, "url": url, "html_url": html })
            })
            .collect();
        json!({
            "sha": sha,
            "node_id": format!("C_standin{sha}"),
            "url": format!("{api}/commits/{sha}"),
            "html_url": format!("{web}/commit/{sha}"),
            "comments_url": format!("{api}/commits/{sha}/comments"),
            "commit": {
                "url": format!("{api}/git/commits/{sha}"),
                "author": self.git_user(commit.author, commit),
                "committer": self.git_user(commit.committer, commit),
                "message": commit.message,
                "comment_count": 0,
                "tree": { "sha": sha, "url": format!("{api}/git/trees/{sha}") },
                "verification": {
                    "verified": commit.verified, "reason": if commit.verified { "valid" } else { "unsigned" },
                    "signature": null, "payload": null, "verified_at": null,
                },
            },
            "author": commit.author.map_or(Value::Null, |id| self.user(id)),
            "committer": commit.committer.map_or(Value::Null, |id| self.user(id)),
            "parents": parents,
        })
    }

    /// The author or committer in the commit itself: free text that anyone can forge.
    fn git_user(&self, id: Option<UserId>, commit: &Commit) -> Value {
        let account = id.and_then(|id| self.0.accounts.get(&id));
        let name = account.map_or("unknown", |account| account.login.as_str());
        let email = format!("{}@users.noreply.invalid", name.replace(['[', ']'], ""));
        json!({ "name": name, "email": email, "date": instant(Some(commit.at)) })
    }
}

/// The fields of a repository that the simulator has no data for.
fn empty_fields() -> Value {
    json!({
        "description": null, "homepage": null, "language": null, "license": null, "mirror_url": null,
        "archived": false, "disabled": false, "is_template": false, "allow_forking": true,
        "web_commit_signoff_required": false, "topics": [],
        "has_downloads": true, "has_issues": true, "has_projects": true, "has_wiki": true, "has_pages": false,
        "has_discussions": false, "has_pull_requests": true, "pull_request_creation_policy": "all",
        "forks": 0, "forks_count": 0, "size": 0, "stargazers_count": 0, "watchers": 0, "watchers_count": 0,
        "network_count": 0, "subscribers_count": 0,
    })
}
