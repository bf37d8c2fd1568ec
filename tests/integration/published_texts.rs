//! What is published of thirteen decisions, word for word, and how a text that is too long is truncated.
//!
//! `UPDATE_EXPECTED=1 cargo test --test integration published_texts` writes the texts anew.

use std::sync::{Arc, LazyLock};

use countersign::approval::decide;
use countersign::approval::decision::{Decision, Event, ReviewVerdict, Verdict};
use countersign::approval::facts::{Facts, Requester};
use countersign::finding::{Source, SourceContent};
use countersign::ident::{PullRequestRef, RequestId, Revision, Target, UserId};
use countersign::policy::{Policy, load};
use countersign::render::message;
use countersign::render::publish::{self, RequestStatus};
use countersign::request::published::{Check, CheckStatus, Conclusion, Stage};
use countersign::request::record::RecordKind;
use countersign::request::{ApprovalRequest, Callback, Closed, End, State, Subject, Trail};
use jiff::Timestamp;
use serde_json::{Value, json};

use crate::command_line::assert_expected;
use crate::specimen::execution;

const POLICY: &str = r#"
version: 1
groups:
  payments: { users: [dave, pia, pat, peter] }
  security: { teams: [acme/security] }
  sre: { users: [sam], teams: [other/sre] }
calendars:
  hours: { timezone: UTC, weekly: [{ days: [thu], from: "09:00", to: "17:00" }] }
services:
  checkout:
    repository: acme/checkout
    description: "takes money | ask @dave, or see https://wiki.example/checkout"
    environments:
      production:
        require: { all_of: [2 of payments, 1 of security] }
        timeout: 4h
        remind: [1h]
        override: { by: 1 of sre }
      canary: { require: 1 of payments, timeout: 4h }
      vault: { require: { in_order: [1 of payments, "@dana"] }, timeout: 4h, explicit: true }
      either:
        require:
          any_of:
            - 2 of sre
            - { all_of: [1 of payments, { count: 1, of: [security], when: { paths: ["*.sql"] } }] }
        timeout: 4h
        escalate: [{ after: 1h, stand_in: { payments: ["@org2/standby", "@zoe"] } }]
      slow: { require: 1 of payments, timeout: 4h, window: [hours] }
      strict: { require: 1 of payments, timeout: 4h, on_changes_requested: block }
      audited: { require: 1 of payments, timeout: 4h, mode: audit }
      stuck:
        require:
          all_of: ["@pia", { count: 1, of: ["@pia", "@dave"] }, { any_of: [1 of security, "@dave"] }]
        timeout: 4h
"#;

fn policy() -> Arc<Policy> {
    static LOADED: LazyLock<Arc<Policy>> = LazyLock::new(|| {
        let content = SourceContent::Bytes(POLICY.into());
        let loaded = load(vec![Source { name: "checkout.yaml".into(), content }]);
        Arc::new(loaded.policy.unwrap_or_else(|| panic!("{:?}", loaded.findings)))
    });
    Arc::clone(&LOADED)
}

fn instant(text: &str) -> Timestamp {
    format!("2026-11-18T{text}:00Z").parse().expect("an instant")
}

fn sha(digit: char) -> String {
    digit.to_string().repeat(40)
}

fn review(id: u64, by: &str, state: &str, at: &str, body: &str) -> Value {
    json!({
        "id": id, "user": { "id": id_of(by), "login": by }, "state": state, "revision": sha('a'), "bound_by": "delivery",
        "submitted_at": instant(at), "body": body,
    })
}

fn id_of(login: &str) -> u64 {
    login.bytes().fold(7, |id, byte| id * 31 % 1_000_003 + u64::from(byte))
}

/// One request at one moment.
struct Case {
    environment: &'static str,
    now: &'static str,
    asked: bool,
    head: char,
    reviews: Vec<Value>,
    files: Value,
}

impl Case {
    fn of(environment: &'static str, reviews: Vec<Value>) -> Self {
        Self { environment, now: "10:00", asked: true, head: 'a', reviews, files: json!([{ "path": "src/lib.rs" }]) }
    }

    fn target(&self) -> Target {
        serde_json::from_value(json!({ "service": "checkout", "environment": self.environment })).expect("a target")
    }

    fn decision(&self) -> Decision {
        let person = |login: &str| json!({ "id": id_of(login), "login": login });
        let facts = json!({
            "schema": 1, "now": instant(self.now), "target": self.target(), "version": "v2.3.1", "requester": "dave",
            "requested_at": self.asked.then(|| instant("08:00")), "revision": sha('a'),
            "pull_request": {
                "repository": "acme/checkout", "default_branch": "main", "number": 42, "state": "open", "merged": false,
                "head": sha(self.head), "head_first_seen": instant("07:00"), "base": "main", "author": person("dave"),
                "files": self.files, "files_complete": true, "pushers_complete": true, "commits_complete": true,
                "commits": [{ "sha": sha(self.head), "author": person("dave"), "committer": person("dave"), "verified": true }],
            },
            "teams": { "acme/security": [person("dana"), person("lee")], "other/sre": [person("sue")],
                       "org2/standby": [person("uma")] },
            "reviews": self.reviews,
        });
        let facts: Facts = serde_json::from_value(facts).expect("facts");
        decide(&policy(), &facts)
    }

    /// The request in the state that the decision leaves it in.
    fn request(&self, decision: &Decision) -> ApprovalRequest {
        let (policy, target, execution) = (policy(), self.target(), execution(self.environment));
        let rule = policy.rule(&target).map(|rule| rule.pin()).unwrap_or_else(|why| panic!("{why:?}"));
        let asked = self.asked.then(|| instant("08:00"));
        let closed = |end| {
            let decision = Some(Box::new(decision.clone()));
            State::Closed(Closed { end, callback: Callback::Sent, decision, closed_at: instant(self.now) })
        };
        ApprovalRequest {
            id: RequestId::of(&execution, instant("08:00"), 0),
            version: 1,
            execution,
            started_at: instant("08:00"),
            redrive: 0,
            subject: Subject {
                target,
                pull_request: Some(PullRequestRef::new("acme/checkout#42").expect("a pull request")),
                revision: Some(Revision::new(&sha('a')).expect("a revision")),
                version: Some("v2.3.1".into()),
                requester: Some(Requester { id: Some(UserId(4)), login: "dave".parse().expect("a login") }),
                input: serde_json::Map::new(),
            },
            policy_digest: policy.digest().clone(),
            rule,
            opened_at: instant("08:00"),
            requested_at: asked,
            approved_at: None,
            owed_from: None,
            deadline: asked.map(|_| instant("12:00")),
            state: End::of(decision.verdict).map_or(State::Pending, closed),
            notified: Default::default(),
            read_at: instant(self.now),
            retry: 0,
            trail: Trail::default(),
        }
    }
}

fn check_text(check: &Check) -> String {
    let Check { name, head, status, title, summary, text, can_reevaluate, .. } = check;
    format!(
        "name: {name}\nhead: {head}\nstatus: {}\ntitle: {title}\nre-evaluate: {can_reevaluate}\n\n\
         ----- summary\n\n{summary}\n----- text\n\n{text}",
        serde_json::to_string(status).expect("JSON")
    )
}

/// Everything that is published of the cases. The check is that of the first.
fn published(cases: &[(Case, Option<RecordKind>)], public: bool) -> String {
    let status = |(case, release): &(Case, Option<RecordKind>)| {
        let decision = case.decision();
        let request = case.request(&decision);
        let stage = Stage::of(&request, *release, Some(&decision));
        RequestStatus { request, decision: Some(decision), stage }
    };
    let statuses: Vec<RequestStatus> = cases.iter().map(status).collect();
    let status = &statuses[0];
    let reviewers: Vec<String> =
        publish::reviewers(status, &"acme/checkout".parse().expect("a name")).iter().map(ToString::to_string).collect();
    let deployment = publish::deployment(status).map(|deployment| {
        let status = publish::deployment_status(status, public);
        format!("{} ({}): {}", deployment.description, deployment.environment, json!(status))
    });
    format!(
        "{}\n----- comment\n\n{}\n----- asked for review\n\n{}\n\n----- deployment\n\n{}\n",
        check_text(&publish::check(status, &statuses, public).expect("a check")),
        publish::comment(&statuses, public),
        reviewers.join(", "),
        deployment.unwrap_or_else(|| "none".to_owned())
    )
}

fn one(case: Case) -> String {
    published(&[(case, None)], false)
}

/// An approval, a review that does not count for each of several reasons, and two who are missing.
fn waits() -> Case {
    Case::of(
        "production",
        vec![
            review(1, "pat", "commented", "08:10", "looks fine"),
            review(2, "dave", "approved", "08:20", ""),
            review(3, "pia", "changes_requested", "08:25", ""),
            review(4, "pia", "approved", "08:30", ""),
            review(5, "pat", "approved", "08:40", "/approve checkout:production | @pia\n"),
        ],
    )
}

#[test]
fn a_request_that_waits_says_who_is_missing_and_why_a_review_does_not_count() {
    assert_expected("published/waits.expected", &one(waits()));
}

#[test]
fn in_a_public_repository_only_reviewers_are_named() {
    let text = published(&[(waits(), None)], true);
    let (seen, _) = text.split_once("----- asked").expect("a text");
    assert!(!seen.contains("peter") && !seen.contains("lee"), "{seen}");
    assert_expected("published/waits-public.expected", &text);
    let vault = published(
        &[(Case::of("vault", vec![review(1, "pia", "approved", "08:30", "/approve production")]), None)],
        true,
    );
    let (seen, _) = vault.split_once("----- asked").expect("a text");
    assert!(!seen.contains("dana"), "{seen}");
    assert_expected("published/explicit-public.expected", &vault);
}

#[test]
fn changes_requested_that_block_a_request_are_published_as_such() {
    let reviews = vec![review(1, "pia", "approved", "08:30", ""), review(2, "pat", "changes_requested", "08:40", "no")];
    assert_expected("published/blocked.expected", &one(Case::of("strict", reviews)));
}

#[test]
fn an_approved_request_says_by_whom() {
    let reviews = vec![review(1, "pia", "approved", "08:30", "")];
    assert_expected("published/approved.expected", &one(Case::of("canary", reviews)));
}

#[test]
fn an_override_is_published_with_its_reason_as_text_and_nothing_else() {
    let body = "/override checkout:production fire! | <b>ask</b> @acme/all, see https://evil.example ![x](y) `z`";
    let case = Case::of("production", vec![review(1, "sam", "approved", "08:30", body)]);
    let text = published(&[(case, Some(RecordKind::Released))], false);
    // A title and a deployment's description are plain text on GitHub.
    let (_, markdown) = text.split_once("----- summary").expect("a summary");
    let (markdown, _) = markdown.split_once("----- deployment").expect("a deployment");
    for mark in ["<b>", "![", "| <", "@"] {
        assert!(!markdown.contains(mark), "{mark} in {markdown}");
    }
    assert!(!markdown.contains("://") && markdown.contains("<code>https&#58;//evil.example</code>"), "{markdown}");
    assert_expected("published/overridden.expected", &text);
}

#[test]
fn a_rejected_request_says_who_requested_changes() {
    let reviews = vec![review(1, "pia", "approved", "08:30", ""), review(2, "pat", "changes_requested", "08:40", "no")];
    assert_expected("published/rejected.expected", &one(Case::of("canary", reviews)));
}

#[test]
fn an_expired_request_is_timed_out_and_says_what_was_missing() {
    assert_expected("published/expired.expected", &one(Case { now: "12:00", ..waits() }));
}

#[test]
fn the_check_of_a_superseded_request_stands_on_the_head_that_was_requested() {
    let text = one(Case { head: 'b', ..waits() });
    assert!(text.contains(&format!("head: {}", sha('a'))));
    assert_expected("published/superseded.expected", &text);
}

#[test]
fn an_approved_request_that_must_wait_says_until_when() {
    let case = Case::of("slow", vec![review(1, "pia", "approved", "08:30", "")]);
    assert_expected("published/held.expected", &published(&[(case, Some(RecordKind::Held))], false));
}

#[test]
fn a_tree_shows_what_does_not_apply_who_stands_in_and_which_other_targets_an_approval_counts_for() {
    let case = Case::of("either", vec![]);
    let others = [Case::of("canary", vec![]), Case::of("vault", vec![]), Case { now: "12:00", ..waits() }];
    let mut cases = vec![(case, None)];
    cases.extend(others.into_iter().map(|case| (case, None)));
    assert_expected("published/several.expected", &published(&cases, false));
}

#[test]
fn what_can_never_be_met_is_published_at_once_and_only_the_rest_is_requested() {
    let case = Case::of("stuck", vec![]);
    let decision = case.decision();
    for event in [Event::Requested, Event::Reminded] {
        let text = message::text(&case.request(&decision), event.into(), Some(&decision));
        assert!(text.contains("\n`@pia` and `1 of @pia, @dave` can never be met together: too few people"), "{text}");
        assert_eq!(
            text.contains("Still needed for 1 of security: 1 more; dana, lee can approve."),
            event == Event::Reminded
        );
        assert!(!text.contains("Still needed for @pia"), "{text}");
    }
    assert_expected("published/stuck.expected", &one(case));
}

#[test]
fn the_check_of_an_audited_request_is_neutral() {
    let case = Case { asked: false, ..Case::of("audited", vec![]) };
    let decision = case.decision();
    let request = case.request(&decision);
    let closed = Closed {
        end: End::Canceled,
        callback: Callback::NotNeeded,
        decision: Some(Box::new(decision.clone())),
        closed_at: instant("10:00"),
    };
    let request = ApprovalRequest { state: State::Closed(closed), ..request };
    let stage = Stage::of(&request, None, Some(&decision));
    let status = RequestStatus { request, decision: Some(decision), stage };
    let check = publish::check(&status, &[], false).expect("a check");
    assert_eq!(check.status, CheckStatus::Completed(Conclusion::Neutral));
    assert_eq!(publish::deployment(&status), None);
    assert_expected("published/audited.expected", &check_text(&check));
}

#[test]
fn every_verdict_has_a_status_and_only_an_approval_succeeds() {
    let case = waits();
    let ends = [
        (Verdict::Approved, "{\"completed\":\"success\"}"),
        (Verdict::Pending, "\"in_progress\""),
        (Verdict::Blocked, "\"in_progress\""),
        (Verdict::Rejected, "{\"completed\":\"failure\"}"),
        (Verdict::Expired, "{\"completed\":\"timed_out\"}"),
        (Verdict::Superseded, "{\"completed\":\"cancelled\"}"),
        (Verdict::Denied, "{\"completed\":\"failure\"}"),
    ];
    for (verdict, expected) in ends {
        let decision = Decision { verdict, ..case.decision() };
        let request = case.request(&decision);
        let stage = Stage::of(&request, None, Some(&decision));
        let status = RequestStatus { request, decision: Some(decision), stage };
        let check = publish::check(&status, &[], false).expect("a check");
        assert_eq!(serde_json::to_string(&check.status).expect("JSON"), expected, "{verdict:?}");
    }
}

/// A check whose reviews are so many, with texts of many bytes.
fn long(reviews: usize) -> Check {
    let case = waits();
    let mut decision = case.decision();
    let replaced = decision.reviews.iter().find(|review| review.reason.as_str() == "superseded").cloned();
    let other = decision.reviews.iter().find(|review| review.reason.as_str() == "comment").cloned();
    let (replaced, other) = (replaced.expect("one replaced"), other.expect("a comment"));
    for n in 0..reviews {
        let mut review = if n % 2 == 0 { replaced.clone() } else { other.clone() };
        review.text = format!("{} 世界 {n}", if n % 2 == 0 { "replaced" } else { "passed" });
        decision.reviews.insert(1, review);
    }
    let request = case.request(&decision);
    let status = RequestStatus { request, decision: Some(decision), stage: Stage::Waiting };
    publish::check(&status, &[], false).expect("a check")
}

#[test]
fn a_text_that_is_too_long_loses_reviews_without_effect_and_says_how_many() {
    let whole = long(600);
    assert!(whole.text.len() <= 65_535 && !whole.text.contains("left out"), "{}", whole.text.len());
    let cut = long(1_400).text;
    assert!(cut.len() <= 65_535 && cut.len() > 65_000, "{}", cut.len());
    assert!(cut.contains("✅ counts") && cut.contains("### About") && cut.contains("⬜"));
    let left_out: usize = cut
        .lines()
        .find_map(|line| line.strip_prefix("| … | | | ")?.strip_suffix(" reviews without effect are left out |"))
        .and_then(|count| count.parse().ok())
        .expect("a note");
    let kept = |word: &str| cut.lines().filter(|line| line.contains(word) && line.starts_with("| p")).count();
    // Those that were replaced go first, the oldest first.
    assert!(left_out < 700 && kept("replaced 世界") > 0, "{left_out}");
    assert_eq!(kept("passed 世界"), 700);
    assert_eq!(kept("replaced 世界") + left_out, 700);
    let cut = long(4_000).text;
    assert!(cut.len() <= 65_535);
    assert_eq!(cut.matches("replaced 世界").count(), 0);
    assert!(cut.contains("passed 世界") && cut.contains("✅ counts"));
}

#[test]
fn a_comment_with_more_requests_than_it_holds_counts_the_rest() {
    let case = waits();
    let decision = case.decision();
    assert!(decision.reviews.iter().any(|review| review.verdict == ReviewVerdict::Counts));
    let request = case.request(&decision);
    let status = RequestStatus { request, decision: Some(decision), stage: Stage::Waiting };
    let text = publish::comment(&vec![status; 1_000], false);
    assert!(text.len() <= 65_536 && text.starts_with(publish::MARKER));
    assert!(text.lines().any(|line| line.starts_with("| … | ") && line.ends_with(" more wait | | |")), "{text}");
}
