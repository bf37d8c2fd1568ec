//! A fuse in every port: at one call, before or after its effect, the process stops for good.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use async_trait::async_trait;
use countersign::adapters::embedded::simulator::GithubSimulator;
use countersign::adapters::embedded::store::EmbeddedStore;
use countersign::approval::facts::{Person, Veto};
use countersign::ident::{
    ChannelName, DeliveryId, ExecutionArn, Login, PullRequestRef, RepositoryName, RequestId, Revision, TaskToken,
};
use countersign::ports::{
    Answer, CallbackError, CodeHost, CodeHostError, DeliveryState, ExecutionCallback, FoundPullRequest, Message, Needs,
    Notifier, NotifyError, PublishContext, Publisher, PublisherError, Reading, RequestStore, SettleClaim, Spot,
    StoreError, Which, Write, WriteError,
};
use countersign::request::observation::{Observation, Observed};
use countersign::request::published::{Check, Deployment, DeploymentStatus, Published, Reviewer};
use countersign::request::record::Record;
use countersign::request::turns::Turns;
use countersign::request::{ApprovalRequest, CallbackOutcome, ExecutionRef};
use jiff::Timestamp;
use tokio::sync::Notify;

use super::{Broker, Channel};

/// On which side of a call's effect the process stops.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Side {
    Before,
    After,
}

/// Counts the calls of all ports, and blows at one of them.
pub(crate) struct Fuse {
    calls: AtomicUsize,
    at: Option<(usize, Side)>,
    blown: Notify,
}

impl Fuse {
    /// One that blows at the call, counted from 0.
    pub(crate) fn at(call: usize, side: Side) -> Arc<Self> {
        Arc::new(Self { calls: AtomicUsize::new(0), at: Some((call, side)), blown: Notify::new() })
    }

    /// One that only counts.
    pub(crate) fn never() -> Arc<Self> {
        Arc::new(Self { calls: AtomicUsize::new(0), at: None, blown: Notify::new() })
    }

    pub(crate) fn calls(&self) -> usize {
        self.calls.load(Ordering::SeqCst)
    }

    /// Runs the work until it is done, or drops it where the fuse blows.
    pub(crate) async fn run<T>(&self, work: impl Future<Output = T>) -> Option<T> {
        tokio::select! {
            biased;
            () = self.blown.notified() => None,
            done = work => Some(done),
        }
    }

    async fn around<T>(&self, call: impl Future<Output = T>) -> T {
        let nth = self.calls.fetch_add(1, Ordering::SeqCst);
        if self.at == Some((nth, Side::Before)) {
            self.stop().await;
        }
        let answer = call.await;
        if self.at == Some((nth, Side::After)) {
            self.stop().await;
        }
        answer
    }

    async fn stop(&self) {
        self.blown.notify_one();
        std::future::pending::<()>().await;
    }
}

/// A port with the fuse in it.
pub(crate) struct Fused<P> {
    port: P,
    fuse: Arc<Fuse>,
}

impl<P> Fused<P> {
    pub(crate) fn new(port: P, fuse: &Arc<Fuse>) -> Self {
        Self { port, fuse: Arc::clone(fuse) }
    }
}

#[async_trait]
impl ExecutionCallback for Fused<Arc<Broker>> {
    async fn resume(&self, claim: &SettleClaim, answer: &Answer) -> Result<CallbackOutcome, CallbackError> {
        self.fuse.around(self.port.resume(claim, answer)).await
    }

    async fn is_running(&self, execution: &ExecutionRef) -> Result<bool, CallbackError> {
        self.fuse.around(self.port.is_running(execution)).await
    }
}

#[async_trait]
impl Notifier for Fused<Arc<Channel>> {
    async fn notify(&self, channel: &ChannelName, message: &Message) -> Result<(), NotifyError> {
        self.fuse.around(self.port.notify(channel, message)).await
    }
}

#[async_trait]
impl CodeHost for Fused<GithubSimulator> {
    async fn read(&self, at: &PullRequestRef, needs: &Needs) -> Result<Reading, CodeHostError> {
        self.fuse.around(self.port.read(at, needs)).await
    }

    async fn pull_requests_of(
        &self,
        repository: &RepositoryName,
        revision: &Revision,
    ) -> Result<Vec<FoundPullRequest>, CodeHostError> {
        self.fuse.around(self.port.pull_requests_of(repository, revision)).await
    }

    async fn account(&self, login: &Login, repository: &RepositoryName) -> Result<Option<Person>, CodeHostError> {
        self.fuse.around(self.port.account(login, repository)).await
    }
}

#[async_trait]
impl RequestStore for Fused<EmbeddedStore> {
    async fn write(&self, write: Write) -> Result<(), WriteError> {
        self.fuse.around(self.port.write(write)).await
    }

    async fn request(&self, id: &RequestId) -> Result<Option<ApprovalRequest>, StoreError> {
        self.fuse.around(self.port.request(id)).await
    }

    async fn token(&self, id: &RequestId) -> Result<Option<TaskToken>, StoreError> {
        self.fuse.around(self.port.token(id)).await
    }

    async fn requests(&self, which: Which) -> Result<Vec<ApprovalRequest>, StoreError> {
        self.fuse.around(self.port.requests(which)).await
    }

    async fn open_for(&self, pull_request: &PullRequestRef) -> Result<Vec<ApprovalRequest>, StoreError> {
        self.fuse.around(self.port.open_for(pull_request)).await
    }

    async fn of_execution(
        &self,
        execution: &ExecutionArn,
        started_at: Timestamp,
    ) -> Result<Vec<ApprovalRequest>, StoreError> {
        self.fuse.around(self.port.of_execution(execution, started_at)).await
    }

    async fn due(&self, by: Timestamp) -> Result<Vec<ApprovalRequest>, StoreError> {
        self.fuse.around(self.port.due(by)).await
    }

    async fn trail(&self, id: &RequestId) -> Result<Vec<Record>, StoreError> {
        self.fuse.around(self.port.trail(id)).await
    }

    async fn begin_delivery(&self, id: &DeliveryId, now: Timestamp) -> Result<DeliveryState, StoreError> {
        self.fuse.around(self.port.begin_delivery(id, now)).await
    }

    async fn finish_delivery(&self, id: &DeliveryId, now: Timestamp) -> Result<(), StoreError> {
        self.fuse.around(self.port.finish_delivery(id, now)).await
    }

    async fn observe(&self, at: &PullRequestRef, observation: Observation) -> Result<(), StoreError> {
        self.fuse.around(self.port.observe(at, observation)).await
    }

    async fn observed(&self, at: &PullRequestRef) -> Result<Observed, StoreError> {
        self.fuse.around(self.port.observed(at)).await
    }

    async fn remember_veto(&self, revision: &Revision, veto: Veto) -> Result<(), StoreError> {
        self.fuse.around(self.port.remember_veto(revision, veto)).await
    }

    async fn vetoes(&self, revision: &Revision) -> Result<Vec<Veto>, StoreError> {
        self.fuse.around(self.port.vetoes(revision)).await
    }

    async fn published(&self, at: &PullRequestRef) -> Result<Published, StoreError> {
        self.fuse.around(self.port.published(at)).await
    }

    async fn turns(&self, at: &PullRequestRef) -> Result<Turns, StoreError> {
        self.fuse.around(self.port.turns(at)).await
    }

    async fn save_turns(&self, at: &PullRequestRef, turns: &Turns) -> Result<bool, StoreError> {
        self.fuse.around(self.port.save_turns(at, turns)).await
    }

    async fn save_published(&self, at: &PullRequestRef, published: &Published) -> Result<bool, StoreError> {
        self.fuse.around(self.port.save_published(at, published)).await
    }

    async fn publish_on(&self, at: &PullRequestRef, head: &Revision) -> Result<(), StoreError> {
        self.fuse.around(self.port.publish_on(at, head)).await
    }

    async fn published_on(&self, of: &RepositoryName, head: &Revision) -> Result<Vec<PullRequestRef>, StoreError> {
        self.fuse.around(self.port.published_on(of, head)).await
    }

    async fn publications_due(&self, by: Timestamp) -> Result<Vec<PullRequestRef>, StoreError> {
        self.fuse.around(self.port.publications_due(by)).await
    }
}

#[async_trait]
impl Publisher for Fused<GithubSimulator> {
    async fn context(&self, at: &PullRequestRef) -> Result<PublishContext, PublisherError> {
        self.fuse.around(self.port.context(at)).await
    }

    async fn put_check(&self, at: &RepositoryName, check: &Check, spot: Spot) -> Result<u64, PublisherError> {
        self.fuse.around(self.port.put_check(at, check, spot)).await
    }

    async fn put_comment(&self, at: &PullRequestRef, text: &str, spot: Spot) -> Result<u64, PublisherError> {
        self.fuse.around(self.port.put_comment(at, text, spot)).await
    }

    async fn request_reviews(&self, at: &PullRequestRef, reviewers: &[Reviewer]) -> Result<(), PublisherError> {
        self.fuse.around(self.port.request_reviews(at, reviewers)).await
    }

    async fn put_deployment(&self, at: &RepositoryName, made: &Deployment, spot: Spot) -> Result<u64, PublisherError> {
        self.fuse.around(self.port.put_deployment(at, made, spot)).await
    }

    async fn set_deployment(&self, at: &RepositoryName, id: u64, to: &DeploymentStatus) -> Result<(), PublisherError> {
        self.fuse.around(self.port.set_deployment(at, id, to)).await
    }
}
