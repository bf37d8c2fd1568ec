//! What a case may expect: the form of a decision, with every key optional.

use serde::Serialize;
use serde_json::Value;

use super::build::{Node, any_of, defined, flag, keys, list, map_of, number, some_text, text, words};
use super::rule::events;
use crate::approval::decision::{Applies, Mode, ReasonCode, ReviewReason, ReviewVerdict, Verdict};
use crate::approval::facts::ReviewState;

pub(super) fn definitions() -> Vec<(&'static str, Node)> {
    vec![("decision", decision()), ("part", part()), ("review_outcome", review_outcome())]
}

/// The word in JSON.
pub(super) fn word(value: impl Serialize) -> String {
    serde_json::to_value(value).ok().as_ref().and_then(Value::as_str).unwrap_or_default().to_owned()
}

/// One of these words, or `null`.
fn one_of<T: Serialize>(values: impl IntoIterator<Item = T>) -> Node {
    let each: Vec<String> = values.into_iter().map(word).collect();
    words(each.iter().map(String::as_str)).or_null()
}

fn verdicts() -> Node {
    use Verdict::{Approved, Blocked, Denied, Expired, Pending, Rejected, Superseded, Wait};
    one_of([Approved, Pending, Blocked, Wait, Rejected, Expired, Superseded, Denied])
}

fn at() -> Node {
    defined("instant").or_null()
}

fn optional_text() -> Node {
    text().or_null()
}

fn count() -> Node {
    number(0).or_null()
}

fn optional_flag() -> Node {
    flag().or_null()
}

fn logins() -> Node {
    list(text()).or_null()
}

fn decision() -> Node {
    let notify = keys()
        .key("event", events().or_null(), "The event.")
        .key("channels", list(text()).or_null(), "The channels that are notified, in the order of names.")
        .node();
    let overridden = keys()
        .key("by", logins(), "Who gave the override.")
        .key("reason", optional_text(), "The reason that they gave.")
        .node();
    let reviews = any_of([defined("review_outcome"), one_of(ReviewReason::ALL)]);
    with_place(
        keys()
            .key("verdict", verdicts(), "The verdict.")
            .key("summary", optional_text(), "The decision in a line.")
            .key("counts", logins(), "The people whose approvals count: all of them, in any order.")
            .key(
                "reviews",
                map_of(some_text(), reviews).or_null(),
                "By login or review id: the reason, or more of the outcome.",
            )
            .key("unmet", list(unmet()).or_null(), "Every part that is not met, all of them, in order.")
            .key("reasons", list(reason()).or_null(), "The reasons, all of them, in order.")
            .key("requirement", defined("part").or_null(), "The requirement, part by part.")
            .key("override", overridden.or_null(), "The override that set the rule aside.")
            .key("notify", notify.or_null(), "Which channels are notified.")
            .key("mode", one_of([Mode::Enforce, Mode::Audit]), "Whether a refusal stops the deployment."),
    )
    .node()
    .with_some_key()
}

fn with_place(keys_so_far: super::build::Keys) -> super::build::Keys {
    let target = keys()
        .key("service", optional_text(), "The service.")
        .key("environment", optional_text(), "The environment.")
        .node();
    let rule = keys()
        .key("service_selector", optional_text(), "The key of the service entry.")
        .key("environment_selector", optional_text(), "The key of the environment.")
        .key("source", optional_text(), "`file:line` of that key.")
        .node();
    let next = keys()
        .key("kind", optional_text().examples(["approval_ages", "expire"]), "What happens.")
        .key("at", at(), "When.")
        .node();
    keys_so_far
        .key("schema", count(), "The version of this format.")
        .key("engine", optional_text(), "The version of the engine.")
        .key("target", target.or_null(), "The service and the environment.")
        .key("rule", rule.or_null(), "The rule that applies.")
        .key("policy_digest", optional_text(), "The hash of the policy.")
        .key("pull_request", optional_text(), "`owner/name#number`.")
        .key("revision", optional_text(), "The commit that is deployed.")
        .key("head", optional_text(), "The head of the pull request.")
        .key("requested_at", at(), "When the gate opened the request.")
        .key("deadline", at(), "When the request expires.")
        .key("timeout_seconds", count(), "The timeout, in seconds.")
        .key("until", at(), "When to decide again.")
        .key("evaluated_at", at(), "When the decision was made.")
        .key("next_action", next.or_null(), "What happens next if nobody acts.")
}

fn part() -> Node {
    keys()
        .key("kind", words(["quorum", "all_of", "any_of", "in_order"]).or_null(), "The kind of part.")
        .key("name", optional_text(), "Its name.")
        .key("need", count(), "How many people must approve.")
        .key("have", count(), "How many people count toward it.")
        .key("met", optional_flag(), "Whether it is met.")
        .key("applies", one_of([Applies::Yes, Applies::No, Applies::Unknown]), "Whether it applies.")
        .key("source", optional_text(), "`file:line` of it.")
        .key("approved_by", logins(), "The people whose approvals count toward it, in order.")
        .key("can_approve", logins(), "The people who could also approve, in order.")
        .key("parts", list(defined("part").or_null()).or_null(), "Its parts, all of them, in order.")
        .node()
}

fn unmet() -> Node {
    keys()
        .key("name", optional_text(), "Its name.")
        .key("need", count(), "How many people must approve.")
        .key("have", count(), "How many people count toward it.")
        .key("can_approve", logins(), "The people who could approve, in order.")
        .key("asked", optional_flag(), "False for later parts of `in_order`.")
        .key("unsatisfiable", optional_flag(), "Whether it can never be met, because too few people could approve.")
        .node()
        .or_null()
}

fn reason() -> Node {
    keys()
        .key("code", one_of(ReasonCode::ALL), "Its code.")
        .key("text", optional_text(), "The same in words.")
        .key("source", optional_text(), "`file:line` of the part of the policy that it refers to.")
        .node()
        .or_null()
}

fn review_outcome() -> Node {
    let verdicts = [ReviewVerdict::Counts, ReviewVerdict::Ignored, ReviewVerdict::Rejects, ReviewVerdict::Blocks];
    let states = [
        ReviewState::Approved,
        ReviewState::ChangesRequested,
        ReviewState::Commented,
        ReviewState::Dismissed,
        ReviewState::Pending,
    ];
    keys()
        .key("id", count(), "Its id.")
        .key("user", optional_text(), "The reviewer.")
        .key("state", one_of(states), "The state of the review.")
        .key("verdict", one_of(verdicts), "The effect of the review.")
        .key("reason", one_of(ReviewReason::ALL), "The reason for the effect.")
        .key("text", optional_text(), "The same in words.")
        .node()
}
