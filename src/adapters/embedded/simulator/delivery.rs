//! A webhook delivery: the record of one attempt, its headers and its signature.
//!
//! As on GitHub, a redelivery is a new record with the same GUID. Knows nothing of sending.

use hmac::{Hmac, KeyInit as _, Mac as _};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use sha2::Sha256;

use super::world::{Hook, HookSecret};
use crate::ident::sha256_hex;

/// The id of the App.
pub const APP_ID: u64 = 1;
/// The id of the App's installation.
pub const INSTALLATION_ID: u64 = 1;

/// How long GitHub keeps deliveries.
const KEPT: SignedDuration = SignedDuration::from_hours(3 * 24);

/// One attempt to deliver an event to the hook.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Delivery {
    pub id: u64,
    /// `X-GitHub-Delivery`: the same for every attempt of an event.
    pub guid: String,
    /// `X-GitHub-Event`.
    pub event: HookEvent,
    /// The payload's `action`.
    pub action: Option<String>,
    pub repository: Option<u64>,
    /// The bytes that are signed and sent.
    pub body: String,
    pub queued_at: Timestamp,
    /// Whether it repeats an earlier attempt.
    pub redelivery: bool,
    /// `None` until it is sent.
    pub outcome: Option<Outcome>,
}

/// The result of sending a delivery.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Outcome {
    /// `OK`, or the problem.
    pub status: String,
    /// The receiver's status. 502 if it could not be reached.
    pub status_code: u16,
    pub delivered_at: Timestamp,
    /// By the simulator's clock.
    pub duration_ms: u64,
}

/// The events that the simulator delivers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HookEvent {
    /// The hook was set.
    Ping,
    PullRequest,
    PullRequestReview,
    /// A check run was rerequested, or one of its buttons was pressed.
    CheckRun,
    /// A deployment of a workflow run waits for the App.
    DeploymentProtectionRule,
}

impl HookEvent {
    /// GitHub's word.
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
    #[must_use]
    pub const fn is_success(&self) -> bool {
        matches!(self.status_code, 200..=299)
    }
}

impl Delivery {
    /// Whether GitHub still lists it: for 3 days. A delivery that waits to be sent is never dropped.
    #[must_use]
    pub fn is_kept(&self, now: Timestamp) -> bool {
        self.outcome.is_none() || now.duration_since(self.queued_at) <= KEPT
    }

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
    // HMAC takes a key of any length, so this never fails.
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(secret.expose().as_bytes()) else { return String::new() };
    mac.update(body);
    let hex: String = mac.finalize().into_bytes().iter().map(|byte| format!("{byte:02x}")).collect();
    format!("sha256={hex}")
}

/// A GUID in the form of a UUID version 4, derived from the delivery. It depends on when the hook was created, so that two
/// databases never share one: a receiver that deduplicates would drop the second one's deliveries.
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
    fn the_signature_equals_githubs_example() {
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
    fn a_guid_has_the_form_of_a_version_4_uuid() {
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
