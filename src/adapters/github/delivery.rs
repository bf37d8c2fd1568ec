//! The webhook door: from headers and raw bytes to one event in our words, or a refusal.
//!
//! The signature comes first and covers the body only, so the headers are believed as far as the body agrees. What is
//! let in says which pull request is to be looked at again, and what of it the API cannot be trusted for later. Events:
//! <https://docs.github.com/en/webhooks/webhook-events-and-payloads>. Knows nothing of HTTP servers or of storage.

use jiff::Timestamp;
use serde_json::Value;

use super::payload::Place;
use super::signature::{SignatureError, WebhookSecrets};
use crate::approval::facts::AccountKind;
use crate::ident::{DeliveryId, PullRequestRef, RepositoryName, RequestId};
use crate::ports::ProtectionRequest;
use crate::request::observation::Observation;

/// The most bytes that GitHub delivers; a larger payload is never sent.
pub const LARGEST_BODY: usize = 25 * 1024 * 1024;

/// The header that names the event.
pub const EVENT_HEADER: &str = "x-github-event";
/// The header that names the delivery, the same when it is delivered again.
pub const DELIVERY_HEADER: &str = "x-github-delivery";
/// The header that carries the signature. `X-Hub-Signature`, its forerunner over SHA-1, is not read.
pub const SIGNATURE_HEADER: &str = "x-hub-signature-256";

/// The headers that are read, each the one value that was sent; none where it is absent or not text.
#[derive(Debug, Clone, Copy, Default)]
pub struct DeliveryHeaders<'a> {
    /// [`EVENT_HEADER`].
    pub event: Option<&'a str>,
    /// [`DELIVERY_HEADER`].
    pub delivery: Option<&'a str>,
    /// [`SIGNATURE_HEADER`].
    pub signature: Option<&'a str>,
}

/// A delivery that was let in.
#[derive(Debug, Clone, PartialEq)]
pub struct Delivery {
    /// Which. A header says so, which no signature covers.
    pub id: DeliveryId,
    /// What it tells.
    pub kind: DeliveryKind,
    /// Which installation of the App it is from; none where that is not told, as by a webhook that is no App's, or where
    /// nothing is to be done.
    pub installation: Option<AppInstallation>,
}

/// Which installation of the App is an owner's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AppInstallation {
    /// The login of the account whose repositories it is for.
    pub owner: String,
    /// Its number.
    pub id: u64,
}

/// What a delivery tells.
#[derive(Debug, Clone, PartialEq)]
pub enum DeliveryKind {
    /// GitHub tries the webhook out.
    Ping,
    /// Nothing that we act on.
    Ignored {
        /// The event that the header names.
        event: String,
        /// Its action, where the body names one as GitHub writes them.
        action: Option<String>,
    },
    /// At one of our checks somebody asked for its request to be looked at again.
    Check {
        /// The repository that it stands in.
        repository: RepositoryName,
        /// What it is called.
        name: String,
        /// The request that it names.
        request: RequestId,
    },
    /// A deployment of GitHub Actions waits for an answer.
    Protection(Box<ProtectionRequest>),
    /// A pull request is to be looked at again.
    PullRequest {
        /// Which.
        reference: PullRequestRef,
        /// What happened to it.
        what: PullRequestEvent,
        /// What is to be kept of this delivery. Often nothing: the facts are read from the API.
        observations: Vec<Observation>,
    },
}

/// The events that may change a decision.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PullRequestEvent {
    /// A review was given.
    ReviewSubmitted,
    /// A review's text was changed.
    ReviewEdited,
    /// A review was taken back.
    ReviewDismissed,
    /// Its branch was pushed to.
    Synchronized,
    /// It was merged, or closed without.
    Closed,
    /// It was opened again.
    Reopened,
    /// Its title, text or base branch was changed.
    Edited,
    /// A label was added.
    Labeled,
    /// A label was taken away.
    Unlabeled,
    /// Somebody took back that a review was asked for.
    ReviewUnasked,
}

/// Why a delivery was not let in. The text repeats neither the body nor a header.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// GitHub never sends as much.
    #[error("the body is over 25 MB")]
    TooLarge,
    /// It is not known to come from GitHub.
    #[error(transparent)]
    Signature(#[from] SignatureError),
    /// A header is missing, or not of the form that GitHub sends.
    #[error("the `{name}` header is missing or malformed")]
    Header {
        /// Which.
        name: &'static str,
    },
    /// The body is not JSON.
    #[error("the body is not JSON")]
    NotJson,
    /// The body is JSON, but not an object.
    #[error("the body is not a JSON object")]
    NotAnObject,
    /// The header names one event and the body is another's.
    #[error("the body is not of the event that the `x-github-event` header names")]
    OtherEvent,
    /// The event cannot be used without this field.
    #[error("`{name}` {fault}")]
    Field {
        /// Which, with dots.
        name: String,
        /// What is wrong with it.
        fault: Fault,
    },
}

/// What is wrong with a field of a body.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// Absent or null.
    #[error("is missing")]
    Missing,
    /// Not of the type that GitHub documents.
    #[error("cannot be read")]
    Unreadable,
}

impl Refused {
    /// The HTTP status to answer.
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

/// Lets a delivery in: `body` is the raw bytes as they were sent (decoded first where a proxy put them in base64), and
/// `now` is when they came.
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
        // What is not understood is not believed either: an event may name one owner and another's installation.
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
        && let Some(check) = payload.asked_check(action.as_deref())
    {
        return Ok(check);
    }
    if event == "deployment_protection_rule" && action.as_deref() == Some("requested") {
        return Ok(DeliveryKind::Protection(Box::new(payload.protection()?)));
    }
    let Some(what) = action.as_deref().and_then(|action| PullRequestEvent::of(event, action)) else {
        return Ok(DeliveryKind::Ignored { event: event.to_owned(), action: action.filter(|action| is_word(action)) });
    };
    let (reference, observation) = (payload.reference()?, what.observation(payload, now)?);
    Ok(DeliveryKind::PullRequest { reference, what, observations: observation.into_iter().collect() })
}

/// Whether the body can be of the event that the header names. Only a review's payload has a `review`; those of a review
/// comment and of a thread have a `comment` or a `thread` in its place; only a pull request's own has a `number` beside.
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

/// Whether the text is a name as GitHub writes events and actions, fit for a log.
fn is_word(text: &str) -> bool {
    (1..=64).contains(&text.len()) && text.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'_'))
}

impl PullRequestEvent {
    fn of(event: &str, action: &str) -> Option<Self> {
        match (event, action) {
            ("pull_request_review", "submitted") => Some(Self::ReviewSubmitted),
            ("pull_request_review", "edited") => Some(Self::ReviewEdited),
            ("pull_request_review", "dismissed") => Some(Self::ReviewDismissed),
            ("pull_request", "synchronize") => Some(Self::Synchronized),
            ("pull_request", "closed") => Some(Self::Closed),
            ("pull_request", "reopened") => Some(Self::Reopened),
            ("pull_request", "edited") => Some(Self::Edited),
            ("pull_request", "labeled") => Some(Self::Labeled),
            ("pull_request", "unlabeled") => Some(Self::Unlabeled),
            ("pull_request", "review_request_removed") => Some(Self::ReviewUnasked),
            _ => None,
        }
    }

    /// What the API could not tell as well later. An edit never changes a review's commit or text.
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
            Self::Synchronized => {
                let head = match payload.field("after").optional()? {
                    Some(after) => after,
                    None => payload.field("pull_request").field("head").field("sha").required()?,
                };
                Ok(Some(Observation::HeadSeen { head, pusher: sender()?, at: now }))
            }
            Self::ReviewUnasked => {
                Ok(payload.requested()?.map(|reviewer| Observation::ReviewRequestRemoved { reviewer }))
            }
            Self::Edited if payload.field("changes").may_have("base") => Ok(Some(Observation::BaseChanged { at: now })),
            Self::ReviewEdited | Self::Closed | Self::Reopened | Self::Edited | Self::Labeled | Self::Unlabeled => {
                Ok(None)
            }
        }
    }
}
