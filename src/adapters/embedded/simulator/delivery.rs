//! A webhook delivery: the record of one attempt, its headers and its signature.
//!
//! As on GitHub, a redelivery is a record of its own with the same GUID. Knows nothing of how it is sent.

use hmac::{Hmac, KeyInit as _, Mac as _};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use sha2::Sha256;

use super::world::{Hook, HookSecret};
use crate::ident::sha256_hex;

/// The App that the stand-in plays the host for.
pub const APP_ID: u64 = 1;
/// That App's installation.
pub const INSTALLATION_ID: u64 = 1;

/// For how long GitHub keeps deliveries.
const KEPT: SignedDuration = SignedDuration::from_hours(3 * 24);

/// One attempt at telling the hook about an event.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Delivery {
    /// Its id.
    pub id: u64,
    /// `X-GitHub-Delivery`: the same for every attempt at the same event.
    pub guid: String,
    /// `X-GitHub-Event`.
    pub event: HookEvent,
    /// The payload's `action`, where it has one.
    pub action: Option<String>,
    /// The repository it is about.
    pub repository: Option<u64>,
    /// The very bytes that are signed and sent.
    pub body: String,
    /// When it was put into the queue.
    pub queued_at: Timestamp,
    /// Whether somebody asked for it to be sent again.
    pub redelivery: bool,
    /// How it went. None: not sent yet.
    pub outcome: Option<Outcome>,
}

/// How a delivery went.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Outcome {
    /// `OK`, or what was wrong.
    pub status: String,
    /// What the receiver answered; 502 where it could not be reached.
    pub status_code: u16,
    /// When it was sent.
    pub delivered_at: Timestamp,
    /// How long the answer took, in milliseconds of the stand-in's clock.
    pub duration_ms: u64,
}

/// The events that the stand-in tells of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HookEvent {
    /// The hook was set.
    Ping,
    /// A pull request changed.
    PullRequest,
    /// A review was given, edited or dismissed.
    PullRequestReview,
    /// A check is to be run again, or one of its buttons was pressed.
    CheckRun,
    /// A deployment of a workflow run waits for the App.
    DeploymentProtectionRule,
}

impl HookEvent {
    /// As GitHub writes it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Ping => "ping",
            Self::PullRequest => "pull_request",
            Self::PullRequestReview => "pull_request_review",
            Self::CheckRun => "check_run",
            Self::DeploymentProtectionRule => "deployment_protection_rule",
        }
    }
}

impl Outcome {
    /// Whether the receiver took it.
    #[must_use]
    pub const fn is_success(&self) -> bool {
        matches!(self.status_code, 200..=299)
    }
}

impl Delivery {
    /// Whether GitHub still has it: it keeps deliveries for 3 days. One that waits to be sent is never dropped.
    #[must_use]
    pub fn is_kept(&self, now: Timestamp) -> bool {
        self.outcome.is_none() || now.duration_since(self.queued_at) <= KEPT
    }

    /// The headers that go with the body, in GitHub's names.
    #[must_use]
    pub fn headers(&self, hook: &Hook) -> Vec<(&'static str, String)> {
        vec![
            ("content-type", "application/json".into()),
            ("accept", "*/*".into()),
            ("user-agent", "GitHub-Hookshot/standin".into()),
            ("x-github-delivery", self.guid.clone()),
            ("x-github-event", self.event.as_str().into()),
            ("x-github-hook-id", hook.id.to_string()),
            ("x-github-hook-installation-target-id", APP_ID.to_string()),
            ("x-github-hook-installation-target-type", "integration".into()),
            ("x-hub-signature-256", signature(&hook.secret, self.body.as_bytes())),
        ]
    }
}

/// The value of `X-Hub-Signature-256`: HMAC-SHA256 over the raw bytes.
#[must_use]
pub fn signature(secret: &HookSecret, body: &[u8]) -> String {
    // A key of any length is right for HMAC; the empty text stands for a failure that cannot be.
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(secret.expose().as_bytes()) else { return String::new() };
    mac.update(body);
    let hex: String = mac.finalize().into_bytes().iter().map(|byte| format!("{byte:02x}")).collect();
    format!("sha256={hex}")
}

/// A GUID in the form of a UUID version 4, from what makes a delivery the one it is. Two databases that were begun at
/// different times never share one, else a receiver that dedupes would drop the second's deliveries.
#[must_use]
pub(super) fn guid(hook: &Hook, id: u64, body: &str) -> String {
    let hash = sha256_hex(format!("{}\n{}\n{id}\n{body}", hook.id, hook.created_at).as_bytes());
    let digits: String = hash
        .chars()
        .take(32)
        .enumerate()
        .flat_map(|(place, digit)| {
            let digit = match place {
                12 => '4',
                16 => 'a',
                _ => digit,
            };
            let dash = matches!(place, 8 | 12 | 16 | 20).then_some('-');
            dash.into_iter().chain([digit])
        })
        .collect();
    digits
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_signature_is_the_one_of_githubs_own_example() {
        let secret = HookSecret::new("It's a Secret to Everybody").unwrap();
        assert_eq!(
            signature(&secret, b"Hello, World!"),
            "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17"
        );
    }

    #[test]
    fn an_empty_secret_is_refused() {
        assert_eq!(HookSecret::new(""), None);
    }

    #[test]
    fn a_guid_has_the_form_of_a_uuid_of_version_4() {
        let hook = Hook {
            id: 7,
            url: "http://127.0.0.1:1/".into(),
            secret: HookSecret::new("s").unwrap(),
            created_at: Timestamp::UNIX_EPOCH,
        };
        let guid = guid(&hook, 1, "{}");
        let lengths: Vec<usize> = guid.split('-').map(str::len).collect();
        assert_eq!(lengths, [8, 4, 4, 4, 12]);
        assert_eq!(guid.chars().nth(14), Some('4'));
        assert_eq!(guid.chars().nth(19), Some('a'));
    }
}
