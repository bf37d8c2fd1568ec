//! A gate over a store and a GitHub that outlive it, with a broker and a channel that record what they get.

pub(crate) mod fuse;

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use countersign::adapters::embedded::clock::MovableClock;
use countersign::adapters::embedded::simulator::change::{
    Change, NewAccount, NewCommit, NewPullRequest, NewRepository, NewReview, Push, ReviewEvent,
};
use countersign::adapters::embedded::simulator::world::{AccountType, FileChange, Switches};
use countersign::adapters::embedded::simulator::{GithubSimulator, Refusal};
use countersign::adapters::embedded::store::EmbeddedStore;
use countersign::app::{self, App, DeliveredObservations, ExecutionRef, Failure, Pinned, Recorded};
use countersign::approval::decision::Event;
use countersign::ident::{ChannelName, DeliveryId, Login, RepositoryName, RequestId};
use countersign::ports::{
    Answer, CallbackError, CodeHost as _, ExecutionCallback, Message, Needs, Notifier, NotifyError, RequestStore as _,
    SettleClaim,
};
use countersign::request::observation::Observation;
use countersign::request::{ApprovalRequest, CallbackOutcome, End};
use jiff::SignedDuration;
use serde_json::{Value, json};

use self::fuse::{Fuse, Fused};
use crate::specimen::{at, execution, policy, pull_request, revision, token};
use crate::store_contract::assert_chain;

/// One-shot tokens: the first answer to the live token is accepted.
#[derive(Default)]
pub(crate) struct Broker {
    live: Mutex<Option<String>>,
    taken: Mutex<Vec<End>>,
    stopped: AtomicBool,
}

impl Broker {
    /// The waiting step runs with this token from now on. No other token is valid.
    pub(crate) fn wait_with(&self, token: &str) {
        *self.live.lock().unwrap_or_else(PoisonError::into_inner) = Some(token.to_owned());
    }

    pub(crate) fn waits(&self) -> bool {
        self.live.lock().unwrap_or_else(PoisonError::into_inner).is_some()
    }

    /// The execution was stopped by hand.
    pub(crate) fn stop(&self) {
        self.stopped.store(true, Ordering::Relaxed);
    }

    pub(crate) fn taken(&self) -> Vec<End> {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

#[async_trait]
impl ExecutionCallback for Broker {
    async fn resume(&self, claim: &SettleClaim, answer: &Answer) -> Result<CallbackOutcome, CallbackError> {
        let mut live = self.live.lock().unwrap_or_else(PoisonError::into_inner);
        if live.as_deref() != Some(claim.token().expose()) {
            return Ok(CallbackOutcome::TokenOver);
        }
        *live = None;
        let end = match answer {
            Answer::Success { .. } => End::Approved,
            Answer::Failure { error, .. } if error == "Countersign.Rejected" => End::Rejected,
            Answer::Failure { error, .. } if error == "Countersign.Expired" => End::Expired,
            Answer::Failure { error, .. } => panic!("an end that no test has: {error}"),
        };
        self.taken.lock().unwrap_or_else(PoisonError::into_inner).push(end);
        Ok(CallbackOutcome::Taken)
    }

    async fn is_running(&self, _: &ExecutionRef) -> Result<bool, CallbackError> {
        Ok(!self.stopped.load(Ordering::Relaxed))
    }
}

/// A channel that records its notifications.
#[derive(Default)]
pub(crate) struct Channel(Mutex<Vec<Event>>);

impl Channel {
    pub(crate) fn notified(&self) -> Vec<Event> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

#[async_trait]
impl Notifier for Channel {
    async fn notify(&self, _: &ChannelName, message: &Message) -> Result<(), NotifyError> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(message.event);
        Ok(())
    }
}

/// Everything that exists whether or not a gate runs.
pub(crate) struct GateWorld {
    pub(crate) store: EmbeddedStore,
    pub(crate) host: GithubSimulator,
    pub(crate) clock: Arc<MovableClock>,
    pub(crate) broker: Arc<Broker>,
    pub(crate) channel: Arc<Channel>,
    pub(crate) environment: &'static str,
}

pub(crate) fn login(text: &str) -> Login {
    Login::new(text).expect("a login")
}

fn populate(change: &mut Change<'_>) -> Result<(), Refusal> {
    for (id, name) in [(1, "pia"), (2, "pat"), (3, "dave")] {
        let id = Some(countersign::ident::UserId(id));
        change.create_account(&NewAccount { login: login(name), id, kind: AccountType::User })?;
    }
    let name = RepositoryName::new("acme/checkout").expect("a repository");
    change.create_repository(&NewRepository {
        name: name.clone(),
        default_branch: None,
        switches: Switches::default(),
    })?;
    let file = FileChange { path: "src/lib.rs".into(), previous_path: None, additions: 3, deletions: 1 };
    let commit = NewCommit { sha: Some(revision('a')), files: vec![file], verified: true, ..NewCommit::default() };
    let push = Push { by: login("dave"), commits: vec![commit], force: false, rebind_reviews: false };
    change.push(&name, "feature", &push)?;
    let new = NewPullRequest {
        title: "Retry payments".into(),
        head: "feature".into(),
        base: "main".into(),
        ..NewPullRequest::default()
    };
    change.open(&login("dave"), &name, &new)?;
    Ok(())
}

impl GateWorld {
    /// acme/checkout#1 is by dave and is deployed to the environment. pia and pat may approve.
    pub(crate) fn new(environment: &'static str) -> Self {
        let clock = Arc::new(MovableClock::fixed(at(0)));
        let host = GithubSimulator::in_memory(clock.clone()).expect("a simulator");
        host.change(populate).expect("an organisation");
        let store = EmbeddedStore::in_memory().expect("a store");
        Self { store, host, clock, broker: Arc::default(), channel: Arc::default(), environment }
    }

    /// A gate that dies at the fuse's call.
    pub(crate) fn gate(&self, fuse: &Arc<Fuse>) -> App {
        App {
            policy: policy(),
            store: Arc::new(Fused::new(self.store.clone(), fuse)),
            callback: Arc::new(Fused::new(Arc::clone(&self.broker), fuse)),
            code_host: Arc::new(Fused::new(self.host.clone(), fuse)),
            notifier: Arc::new(Fused::new(Arc::clone(&self.channel), fuse)),
            redelivery: None,
            publisher: Some(Arc::new(Fused::new(self.host.clone(), fuse))),
            clock: self.clock.clone(),
        }
    }

    pub(crate) fn execution() -> ExecutionRef {
        ExecutionRef { arn: execution("one"), started_at: at(0), redrive: 0 }
    }

    fn input(&self) -> Value {
        json!({ "service": "checkout", "environment": self.environment, "pullRequest": "acme/checkout#1" })
    }

    pub(crate) async fn evaluate(&self, gate: &App) -> Result<(), Failure> {
        app::evaluate(gate, &Self::execution(), &self.input(), None).await.map(|_| ())
    }

    /// The waiting step runs, with this token.
    pub(crate) async fn open(&self, gate: &App, secret: &str) -> Result<RequestId, Failure> {
        self.broker.wait_with(secret);
        let pinned = Pinned {
            pull_request: Some(pull_request("acme/checkout#1")),
            revision: Some(revision('a')),
            requester: None,
        };
        let (gate, wait) = (gate.reading_once(), app::Wait { token: token(secret), retry: 0 });
        let opened = app::open_request(&gate, &Self::execution(), &self.input(), pinned, wait).await?;
        app::publish_opened(&gate, &Self::execution()).await;
        Ok(opened)
    }

    /// Gives a review on GitHub.
    pub(crate) fn review(&self, by: &str, event: ReviewEvent) {
        // In the second of the push nobody knows which came first.
        self.clock.advance(SignedDuration::from_secs(1));
        let review = NewReview { event: Some(event), body: Some("so".into()), commit_id: None };
        let given = self.host.change(|change| change.review(&login(by), &pull_request("acme/checkout#1"), &review));
        given.expect("a review");
    }

    /// GitHub delivers all reviews.
    pub(crate) async fn deliver(&self, gate: &App, delivery: &str) -> Result<Recorded, Failure> {
        let at = pull_request("acme/checkout#1");
        let reviews = self.host.read(&at, &Needs::everything()).await.expect("reviews").reviews;
        let delivered = DeliveredObservations {
            delivery: DeliveryId::new(delivery).expect("a delivery id"),
            pull_request: at,
            observations: reviews.into_iter().map(|review| Observation::ReviewGiven { review }).collect(),
        };
        app::record_delivery(gate, delivered).await
    }

    pub(crate) fn minutes_pass(&self, minutes: i64) {
        self.clock.advance(SignedDuration::from_mins(minutes));
    }

    /// The stored request, whose trail is checked.
    pub(crate) async fn request(&self) -> ApprovalRequest {
        let id = Self::execution().request_id();
        let request = self.store.request(&id).await.expect("an answer").expect("a request");
        assert_chain(&request, &self.store.trail(&id).await.expect("a trail"));
        request
    }
}
