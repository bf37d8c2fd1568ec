//! Requests, decisions and names to test with.

use std::sync::{Arc, LazyLock};

use countersign::approval::decide;
use countersign::approval::decision::{Decision, Verdict};
use countersign::approval::facts::{Facts, Person};
use countersign::finding::{Source, SourceContent};
use countersign::ident::{ExecutionArn, Login, PullRequestRef, RequestId, Revision, Target, TaskToken, UserId};
use countersign::policy::{Policy, load};
use countersign::ports::Write;
use countersign::request::record::{Entry, RecordKind};
use countersign::request::{ApprovalRequest, State, Subject, Trail};
use jiff::Timestamp;

const POLICY: &str = r#"
version: 1
groups: { payments: { users: [pia, pat] } }
channels: { desk: { email: [desk@acme.example] } }
services:
  checkout:
    repository: acme/checkout
    environments:
      production: { require: 1 of payments, timeout: 1h, notify: [desk] }
      vault: { require: 2 of payments, timeout: 1h, notify: [desk] }
      guarded:
        require: 1 of payments
        timeout: 1h
        notify: [desk]
        remind: [10m, 25m]
        escalate: [{ after: 30m, notify: [desk], stand_in: { payments: ["@dave"] } }]
"#;

pub(crate) fn policy() -> Arc<Policy> {
    static LOADED: LazyLock<Arc<Policy>> = LazyLock::new(|| {
        let content = SourceContent::Bytes(POLICY.into());
        let loaded = load(vec![Source { name: "policy.yaml".into(), content }]);
        Arc::new(loaded.policy.unwrap_or_else(|| panic!("{:?}", loaded.findings)))
    });
    Arc::clone(&LOADED)
}

/// An instant in seconds after the start that all tests share.
pub(crate) fn at(seconds: i64) -> Timestamp {
    Timestamp::from_second(1_800_000_000 + seconds).expect("a timestamp")
}

pub(crate) fn target() -> Target {
    serde_json::from_str(r#"{"service":"checkout","environment":"production"}"#).expect("a target")
}

pub(crate) fn execution(name: &str) -> ExecutionArn {
    ExecutionArn::new(&format!("arn:aws:states:eu-west-1:000000000000:execution:gate:{name}")).expect("an ARN")
}

pub(crate) fn pull_request(text: &str) -> PullRequestRef {
    PullRequestRef::new(text).expect("a pull request")
}

pub(crate) fn revision(digit: char) -> Revision {
    Revision::new(&digit.to_string().repeat(40)).expect("a revision")
}

pub(crate) fn token(text: &str) -> TaskToken {
    TaskToken::new(text).expect("a token")
}

pub(crate) fn person(id: u64, login: &str) -> Person {
    Person { id: UserId(id), login: Login::new(login).expect("a login"), kind: Default::default() }
}

/// A request of the execution's first run, opened at `opened` seconds after the shared start, with a timeout of an hour.
pub(crate) fn pending(name: &str, opened: i64) -> ApprovalRequest {
    run_of(name, 0, opened)
}

/// The same of a redrive.
pub(crate) fn run_of(name: &str, redrive: u32, opened: i64) -> ApprovalRequest {
    let (policy, target, execution) = (policy(), target(), execution(name));
    let rule = policy.rule(&target).map(|rule| rule.pin());
    let rule = rule.unwrap_or_else(|why| panic!("no rule: {why:?}"));
    ApprovalRequest {
        id: RequestId::of(&execution, at(0), redrive),
        version: 1,
        execution,
        started_at: at(0),
        redrive,
        subject: Subject {
            target,
            pull_request: Some(pull_request("acme/checkout#1")),
            revision: Some(revision('a')),
            version: None,
            requester: None,
            input: serde_json::Map::new(),
        },
        policy_digest: policy.digest().clone(),
        rule,
        opened_at: at(opened),
        requested_at: Some(at(opened)),
        approved_at: None,
        owed_from: None,
        deadline: Some(at(opened + 3600)),
        state: State::Pending,
        notified: std::collections::BTreeMap::new(),
        retry: 0,
        read_at: at(opened),
        trail: Trail::default(),
    }
}

pub(crate) fn decision(verdict: Verdict) -> Decision {
    static UNMET: LazyLock<Decision> = LazyLock::new(|| {
        let facts: Result<Facts, _> =
            serde_json::from_value(serde_json::json!({ "schema": 1, "now": at(0), "target": target() }));
        decide(&policy(), &facts.expect("facts"))
    });
    Decision { verdict, ..UNMET.clone() }
}

pub(crate) fn entry(kind: RecordKind, seconds: i64) -> Entry {
    Entry { kind, at: at(seconds), decision: None, facts: None }
}

/// The first write of a request, with its token.
pub(crate) fn opening(request: ApprovalRequest, secret: &str) -> Write {
    let at = entry(RecordKind::Opened, request.opened_at.duration_since(at(0)).as_secs());
    Write::new(request, at).with_token(token(secret))
}
