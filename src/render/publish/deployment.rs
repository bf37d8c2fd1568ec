//! The deployment that a request is for, as a code host lists it.
//!
//! `success` means that the gate released it. What happens after that is for the pipeline to report.

use super::markdown::{truncated, words};
use super::people::People;
use super::{RequestStatus, instant};
use crate::render::visible;
use crate::request::End;
use crate::request::published::{Deployment, DeploymentState, DeploymentStatus, Stage};

/// The longest description that GitHub takes, in characters.
const LONGEST: usize = 140;
/// An environment with such a word in its name counts as production.
const PRODUCTION: [&str; 5] = ["live", "prd", "prod", "production", "prods"];

/// Returns `None` if there is no full commit hash, in audit mode, and if the request was refused before it was opened.
#[must_use]
pub fn deployment(status: &RequestStatus) -> Option<Deployment> {
    let request = &status.request;
    let refused_at_once = matches!(status.stage, Stage::Ended(_)) && request.requested_at.is_none();
    if status.stage == Stage::Audited || refused_at_once {
        return None;
    }
    let subject = &request.subject;
    let revision = subject.revision.clone().filter(crate::ident::Revision::is_full_hash)?;
    let environment = subject.target.environment.clone();
    let lower = environment.as_str().to_ascii_lowercase();
    let production = lower.split(|c: char| !c.is_ascii_alphabetic()).any(|word| PRODUCTION.contains(&word));
    let version = subject.version.as_ref().map(|version| format!(" {version}")).unwrap_or_default();
    let description = described(&format!("{}{version}", subject.target.service));
    let service = subject.target.service.clone();
    Some(Deployment { request: request.id.clone(), service, environment, revision, production, description })
}

#[must_use]
pub fn deployment_status(status: &RequestStatus, public: bool) -> DeploymentStatus {
    let state = match status.stage {
        Stage::Unread | Stage::Waiting => DeploymentState::Pending,
        Stage::Approved => DeploymentState::InProgress,
        Stage::Held => DeploymentState::Queued,
        Stage::Released | Stage::Ended(End::Approved) | Stage::Audited => DeploymentState::Success,
        Stage::Ended(End::Rejected | End::Expired | End::Denied) => DeploymentState::Failure,
        Stage::Ended(End::Superseded | End::Canceled) => DeploymentState::Inactive,
    };
    let more = match status.held_until() {
        Some(until) => format!("until {}", instant(until)),
        None => People::new(status, public).text(status.summary()),
    };
    DeploymentStatus { state, description: described(&format!("{}: {more}", status.headline())) }
}

/// A text as a comment of so many characters for a deployment, which GitHub shows as Markdown.
#[must_use]
pub fn deployment_comment(text: &str, longest: usize) -> String {
    let mut most = longest;
    loop {
        let comment = words(&truncated(text, most));
        if comment.chars().count() <= longest {
            return comment;
        }
        // Escaped text is longer, and nothing may be cut out of it.
        most -= most.div_ceil(4);
    }
}

fn described(text: &str) -> String {
    truncated(&visible(text), LONGEST)
}

#[cfg(test)]
mod tests {
    use super::deployment_comment;

    #[test]
    fn a_comment_is_escaped_and_not_cut_inside_of_what_is_escaped() {
        assert_eq!(deployment_comment("fine", 10), "fine");
        assert_eq!(deployment_comment(&"ä".repeat(11), 10), format!("{}…", "ä".repeat(9)));
        let comment = deployment_comment("see @acme/all \r\u{202e} <img> [x](https://evil.example)", 1024);
        assert!(
            !comment.contains(['@', '<', '\r', '\u{202e}']) || comment.starts_with("see <code>&#64;acme/all</code>")
        );
        assert!(!comment.contains("](") && !comment.contains("<img") && !comment.contains("https://"), "{comment}");
        for mark in ["@acme ", "<", "&", "a "] {
            let comment = deployment_comment(&mark.repeat(2_000), 1024);
            let length = comment.chars().count();
            assert!((500..=1024).contains(&length), "{mark}: {length}");
            assert!(comment.ends_with('…') || comment.ends_with("…</code>"), "{comment}");
        }
    }
}
