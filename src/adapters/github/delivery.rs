//! Receives webhook deliveries: turns headers and raw bytes into one event, or a refusal.
//!
//! The signature is verified first. It covers the body only, so a header is believed only if the body agrees. An accepted
//! delivery names the pull request to evaluate again, with observations that the API does not give reliably later. Events:
//! <https://docs.github.com/en/webhooks/webhook-events-and-payloads>. Knows nothing of HTTP servers or of storage.

use jiff::Timestamp;
use serde_json::Value;

use super::payload::Place;
use super::signature::{SignatureError, WebhookSecrets};
use crate::approval::facts::AccountKind;
use crate::ident::{DeliveryId, PullRequestRef, RepositoryName, RequestId};
use crate::ports::ProtectionRequest;
use crate::request::observation::Observation;

/// The most bytes of a delivery. GitHub never sends a larger payload.
pub const LARGEST_BODY: usize = 25 * 1024 * 1024;

pub const EVENT_HEADER: &str = "x-github-event";
/// The delivery's id. A redelivery has the same.
pub const DELIVERY_HEADER: &str = "x-github-delivery";
/// The older `X-Hub-Signature`, over SHA-1, is not read.
pub const SIGNATURE_HEADER: &str = "x-hub-signature-256";

/// The headers of a delivery. `None` if a header is missing or not text.
#[derive(Debug, Clone, Copy, Default)]
pub struct DeliveryHeaders<'a> {
    pub event: Option<&'a str>,
    pub delivery: Option<&'a str>,
    pub signature: Option<&'a str>,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Delivery {
    /// From a header, which the signature does not cover.
    pub id: DeliveryId,
    pub kind: DeliveryKind,
    /// The installation of the App. `None` if the webhook is not an App's, or the delivery is a ping or ignored.
    pub installation: Option<AppInstallation>,
}

/// The installation of the App for an owner.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AppInstallation {
    /// The login of the account that owns the repositories.
    pub owner: String,
    pub id: u64,
}

#[derive(Debug, Clone, PartialEq)]
pub enum DeliveryKind {
    /// GitHub tests the webhook.
    Ping,
    Ignored {
        event: String,
        /// `None` if the body has no action of GitHub's form.
        action: Option<String>,
    },
    /// Somebody requested another evaluation on a check of ours.
    Check { repository: RepositoryName, name: String, request: RequestId },
    /// A deployment of GitHub Actions waits for an answer.
    Protection(Box<ProtectionRequest>),
    /// A pull request must be evaluated again.
    PullRequest {
        reference: PullRequestRef,
        what: PullRequestEvent,
        /// Often empty: most facts are read from the API.
        observations: Vec<Observation>,
    },
}

/// The events of a pull request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PullRequestEvent {
    ReviewSubmitted,
    ReviewEdited,
    /// A review without a verdict was submitted or edited. It changes no decision, and anyone can write very many.
    Commented,
    ReviewDismissed,
    Opened,
    /// Somebody pushed to its branch.
    Synchronized,
    /// Merged, or closed without merging.
    Closed,
    Reopened,
    /// Its title, text or base branch changed.
    Edited,
    Labeled,
    Unlabeled,
    ReviewRequestRemoved,
}

/// Why a delivery was refused. The message quotes neither the body nor a header.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    #[error("the body is over 25 MB")]
    TooLarge,
    /// It may not come from GitHub.
    #[error(transparent)]
    Signature(#[from] SignatureError),
    #[error("the `{name}` header is missing or malformed")]
    Header { name: &'static str },
    #[error("the body is not JSON")]
    NotJson,
    #[error("the body is not a JSON object")]
    NotAnObject,
    #[error("the body does not match the event in the `x-github-event` header")]
    OtherEvent,
    /// A required field is missing or malformed.
    #[error("`{name}` {fault}")]
    Field {
        /// With dots.
        name: String,
        fault: Fault,
    },
}

/// The problem with a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// Absent or null.
    #[error("is missing")]
    Missing,
    /// Of another type than GitHub documents.
    #[error("cannot be read")]
    Unreadable,
}

impl Refused {
    /// The HTTP status of the answer.
    #[must_use]
    pub const fn status(&self) -> u16 {
        match self {
            Self::TooLarge => 413,
            Self::Signature(_) => 401,
            Self::Header { .. } | Self::NotJson | Self::OtherEvent => 400,
            Self::NotAnObject | Self::Field { .. } => 422,
        }
    }
}

/// Accepts or refuses a delivery. `body` is the raw bytes as GitHub sent them (decoded if a proxy encoded them in base64), and
/// `now` is the time of arrival.
///
/// # Errors
/// [`Refused`], in this order: size, signature, headers, JSON, agreement of header and body, fields.
pub fn receive(
    secrets: &WebhookSecrets,
    headers: &DeliveryHeaders<'_>,
    body: &[u8],
    now: Timestamp,
) -> Result<Delivery, Refused> {
    if body.len() > LARGEST_BODY {
        return Err(Refused::TooLarge);
    }
    secrets.verify(headers.signature, body)?;
    let event = headers.event.filter(|event| is_word(event)).ok_or(Refused::Header { name: EVENT_HEADER })?;
    let id = headers.delivery.and_then(|id| DeliveryId::new(id).ok());
    let id = id.ok_or(Refused::Header { name: DELIVERY_HEADER })?;

    let payload: Value = serde_json::from_slice(body).map_err(|_| Refused::NotJson)?;
    if !payload.is_object() {
        return Err(Refused::NotAnObject);
    }
    let payload = Place::root(&payload);
    let kind = kind(event, &payload, now)?;
    let installation = match kind {
        // An event that is not understood is not believed: it may name one owner, and another owner's installation.
        DeliveryKind::Ping | DeliveryKind::Ignored { .. } => None,
        DeliveryKind::Check { .. } | DeliveryKind::Protection(_) | DeliveryKind::PullRequest { .. } => {
            payload.installation()
        }
    };
    Ok(Delivery { id, kind, installation })
}

fn kind(event: &str, payload: &Place<'_>, now: Timestamp) -> Result<DeliveryKind, Refused> {
    if !agrees(event, payload) {
        return Err(Refused::OtherEvent);
    }
    if event == "ping" {
        return Ok(DeliveryKind::Ping);
    }
    let action: Option<String> = payload.field("action").optional().ok().flatten();
    if event == "check_run"
        && let Some(check) = payload.reevaluation(action.as_deref())
    {
        return Ok(check);
    }
    if event == "deployment_protection_rule" && action.as_deref() == Some("requested") {
        return Ok(DeliveryKind::Protection(Box::new(payload.protection()?)));
    }
    let Some(what) = action.as_deref().and_then(|action| PullRequestEvent::of(event, action)) else {
        return Ok(DeliveryKind::Ignored { event: event.to_owned(), action: action.filter(|action| is_word(action)) });
    };
    let what = if what.is_of_a_comment(payload) { PullRequestEvent::Commented } else { what };
    let (reference, observation) = (payload.reference()?, what.observation(payload, now)?);
    Ok(DeliveryKind::PullRequest { reference, what, observations: observation.into_iter().collect() })
}

/// Whether the body can be of the event in the header. Only the payload of a review has a `review`. Those of a review comment
/// and of a thread have a `comment` or a `thread` instead. Only the payload of a pull request has a `number` besides.
fn agrees(event: &str, payload: &Place<'_>) -> bool {
    let given = |key| payload.field(key).is_given();
    let review = given("review");
    let pull_request = given("pull_request") && !review && !given("comment") && !given("thread");
    match event {
        "pull_request_review" => review,
        "pull_request" => pull_request,
        _ => !(review && given("pull_request") || pull_request && given("number")),
    }
}

/// Whether the text has the form of GitHub's events and actions, so that it is safe to log.
fn is_word(text: &str) -> bool {
    (1..=64).contains(&text.len()) && text.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'_'))
}

impl PullRequestEvent {
    fn of(event: &str, action: &str) -> Option<Self> {
        match (event, action) {
            ("pull_request_review", "submitted") => Some(Self::ReviewSubmitted),
            ("pull_request_review", "edited") => Some(Self::ReviewEdited),
            ("pull_request_review", "dismissed") => Some(Self::ReviewDismissed),
            ("pull_request", "opened") => Some(Self::Opened),
            ("pull_request", "synchronize") => Some(Self::Synchronized),
            ("pull_request", "closed") => Some(Self::Closed),
            ("pull_request", "reopened") => Some(Self::Reopened),
            ("pull_request", "edited") => Some(Self::Edited),
            ("pull_request", "labeled") => Some(Self::Labeled),
            ("pull_request", "unlabeled") => Some(Self::Unlabeled),
            ("pull_request", "review_request_removed") => Some(Self::ReviewRequestRemoved),
            _ => None,
        }
    }

    fn is_of_a_comment(self, payload: &Place<'_>) -> bool {
        let state = payload.field("review").field("state").optional::<String>();
        matches!(self, Self::ReviewSubmitted | Self::ReviewEdited)
            && state.is_ok_and(|is| is.as_deref() == Some("commented"))
    }

    /// What the API does not give reliably later. An edit never changes the observed commit or text of a review.
    fn observation(self, payload: &Place<'_>, now: Timestamp) -> Result<Option<Observation>, Refused> {
        let sender = || payload.field("sender").person(AccountKind::Other);
        match self {
            Self::ReviewSubmitted => {
                Ok(payload.field("review").review(now)?.map(|review| Observation::ReviewGiven { review }))
            }
            Self::ReviewDismissed => {
                let review = payload.field("review").field("id").required()?;
                Ok(sender()?.map(|by| Observation::ReviewDismissed { review, by }))
            }
            Self::Opened => {
                let pull_request = payload.field("pull_request");
                let head = pull_request.field("head").field("sha").required()?;
                let at = pull_request.field("created_at").optional()?.unwrap_or(now);
                Ok(Some(Observation::Opened { head, by: sender()?, from_fork: payload.is_from_fork()?, at }))
            }
            Self::Synchronized => {
                let head = match payload.field("after").optional()? {
                    Some(after) => after,
                    None => payload.field("pull_request").field("head").field("sha").required()?,
                };
                let before = payload.field("before").optional()?;
                Ok(Some(Observation::HeadSeen { head, before, pusher: sender()?, at: now }))
            }
            Self::ReviewRequestRemoved => {
                Ok(payload.requested()?.map(|reviewer| Observation::ReviewRequestRemoved { reviewer }))
            }
            Self::Edited if payload.field("changes").may_have("base") => Ok(Some(Observation::BaseChanged { at: now })),
            Self::ReviewEdited
            | Self::Commented
            | Self::Closed
            | Self::Reopened
            | Self::Edited
            | Self::Labeled
            | Self::Unlabeled => Ok(None),
        }
    }
}
