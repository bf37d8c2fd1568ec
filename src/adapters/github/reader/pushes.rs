//! Who pushed to a pull request's branch, and when its head became head: from GitHub's repository activity, which no commit
//! can forge. <https://docs.github.com/en/rest/repos/repos#list-repository-activities>

use jiff::Timestamp;

use super::shape::{Activity, Pull, person};
use super::{escaped, of};
use crate::adapters::github::client::{Call, CallError, GithubClient, Longer};
use crate::approval::facts::Person;

/// At most 1,000 pushes. The list of a branch with more is incomplete.
const PAGES: usize = 10;

/// The known pushes to a branch. Default: none.
#[derive(Debug, Default)]
pub(super) struct Pushes {
    /// Ordered by id.
    pub(super) by: Vec<Person>,
    /// Whether `by` has everybody since the branch was created.
    pub(super) complete: bool,
    /// When the head last became head.
    pub(super) head_first_seen: Option<Timestamp>,
}

impl GithubClient {
    /// Empty for a fork, and without permission to read contents: GitHub lists no pushes then.
    pub(super) async fn pushes(&self, pull: &Pull) -> Result<Pushes, CallError> {
        let (Some(base), Some(head)) = (&pull.base.repo, &pull.head.repo) else { return Ok(Pushes::default()) };
        if base.id != head.id {
            return Ok(Pushes::default());
        }
        let repository = &base.full_name;
        let reference = escaped(&format!("refs/heads/{}", pull.head.branch));
        let path = format!("/repos/{repository}/activity?ref={reference}&per_page=100");
        let what = format!("the pushes to `{}` in `{repository}`", pull.head.branch);
        let activity = match self.list::<Activity>(Call::get(path, of(repository), what), PAGES, Longer::Cut).await {
            Ok(activity) => activity,
            Err(error) if matches!(error.status(), Some(403 | 404 | 422)) => {
                tracing::warn!(repository = %repository, reason = %error, "cannot read who pushed");
                return Ok(Pushes::default());
            }
            Err(error) => return Err(error),
        };
        // Newest first.
        let from_start = activity.items.last().is_some_and(|first| first.activity_type == "branch_creation");
        let made_head = activity.items.iter().find(|activity| activity.after == pull.head.sha);
        let head_first_seen = made_head.map(|activity| activity.timestamp);
        let pushers: Vec<Option<Person>> = activity.items.into_iter().map(|activity| person(activity.actor)).collect();
        let complete = activity.whole && from_start && pushers.iter().all(Option::is_some);
        let mut by: Vec<Person> = pushers.into_iter().flatten().collect();
        by.sort_by_key(|person| person.id);
        by.dedup_by_key(|person| person.id);
        Ok(Pushes { by, complete, head_first_seen })
    }
}
