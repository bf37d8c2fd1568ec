//! What a case may expect: the form of a decision, every part of which may be left out.

use serde::Serialize;
use serde_json::Value;

use super::build::{Node, any_of, defined, flag, keys, list, map_of, number, some_text, text, words};
use super::rule::events;
use crate::approval::decision::{Applies, Mode, ReasonCode, ReviewReason, ReviewVerdict, Verdict};
use crate::approval::facts::ReviewState;

/// A decision and what it is made of.
pub(super) fn definitions() -> Vec<(&'static str, Node)> {
    vec![("decision", decision()), ("part", part()), ("review_outcome", review_outcome())]
}

/// A word as it stands in JSON.
pub(super) fn word(value: impl Serialize) -> String {
    serde_json::to_value(value).ok().as_ref().and_then(Value::as_str).unwrap_or_default().to_owned()
}

/// One of these, or `null`.
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

fn said() -> Node {
    text().or_null()
}

fn count() -> Node {
    number(0).or_null()
}

fn yes_or_no() -> Node {
    flag().or_null()
}

fn logins() -> Node {
    list(text()).or_null()
}

fn decision() -> Node {
    let notify = keys()
        .key("event", events().or_null(), "Of what they are told.")
        .key("channels", list(text()).or_null(), "Who is told, in the order of names.")
        .node();
    let overridden = keys().key("by", logins(), "Who.").key("reason", said(), "Why.").node();
    let reviews = any_of([defined("review_outcome"), one_of(ReviewReason::ALL)]);
    with_place(
        keys()
            .key("verdict", verdicts(), "What comes of it.")
            .key("summary", said(), "The decision in a line.")
            .key("counts", logins(), "Whose approvals count: all of them, in any order.")
            .key(
                "reviews",
                map_of(some_text(), reviews).or_null(),
                "By login or by id of the review: the reason, or more.",
            )
            .key("unmet", list(unmet()).or_null(), "Every leaf that lacks, in order: as many as there are.")
            .key("reasons", list(reason()).or_null(), "Why, in order: as many as there are.")
            .key("requirement", defined("part").or_null(), "The requirement, part by part.")
            .key("override", overridden.or_null(), "By whom the rule was set aside.")
            .key("notify", notify.or_null(), "Who is told.")
            .key("mode", one_of([Mode::Enforce, Mode::Audit]), "Whether a refusal stops the deployment."),
    )
    .node()
    .with_some_key()
}

/// What the decision is about, and when.
fn with_place(keys_so_far: super::build::Keys) -> super::build::Keys {
    let target = keys().key("service", said(), "The service.").key("environment", said(), "The environment.").node();
    let rule = keys()
        .key("service_selector", said(), "The key of the service entry.")
        .key("environment_selector", said(), "The key of the environment.")
        .key("source", said(), "`file:line` of that key.")
        .node();
    let next =
        keys().key("kind", said().examples(["approval_ages", "expire"]), "What it is.").key("at", at(), "When.").node();
    keys_so_far
        .key("schema", count(), "The version of this form.")
        .key("engine", said(), "The version of the engine.")
        .key("target", target.or_null(), "What is deployed, and where to.")
        .key("rule", rule.or_null(), "The rule that was asked.")
        .key("policy_digest", said(), "The hash of the policy.")
        .key("pull_request", said(), "`owner/name#number`.")
        .key("revision", said(), "The commit that is deployed.")
        .key("head", said(), "The head of the pull request.")
        .key("requested_at", at(), "When people were asked.")
        .key("deadline", at(), "When the request expires.")
        .key("timeout_seconds", count(), "The timeout, in seconds.")
        .key("until", at(), "When to decide again.")
        .key("evaluated_at", at(), "When it was decided.")
        .key("next_action", next.or_null(), "What is due next without anyone acting.")
}

fn part() -> Node {
    keys()
        .key("kind", words(["quorum", "all_of", "any_of", "in_order"]).or_null(), "What it is.")
        .key("name", said(), "What it is called.")
        .key("need", count(), "How many people it takes.")
        .key("have", count(), "How many count toward it.")
        .key("met", yes_or_no(), "Whether it is met.")
        .key("applies", one_of([Applies::Yes, Applies::No, Applies::Unknown]), "Whether it applies.")
        .key("source", said(), "`file:line` of it.")
        .key("approved_by", logins(), "Whose approvals count toward it, in order.")
        .key("can_approve", logins(), "Who else could approve, in order.")
        .key("parts", list(defined("part").or_null()).or_null(), "Its parts, in order: as many as there are.")
        .node()
}

fn unmet() -> Node {
    keys()
        .key("name", said(), "What it is called.")
        .key("need", count(), "How many people it takes.")
        .key("have", count(), "How many count toward it.")
        .key("can_approve", logins(), "Who could approve, in order.")
        .key("asked", yes_or_no(), "False for later steps of an `in_order`.")
        .key("unsatisfiable", yes_or_no(), "Whether not enough people could ever meet it.")
        .node()
        .or_null()
}

fn reason() -> Node {
    keys()
        .key("code", one_of(ReasonCode::ALL), "Its code.")
        .key("text", said(), "The same in words.")
        .key("source", said(), "`file:line` of what it rests on.")
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
        .key("user", said(), "Whose it is.")
        .key("state", one_of(states), "What it says.")
        .key("verdict", one_of(verdicts), "What it does.")
        .key("reason", one_of(ReviewReason::ALL), "Why.")
        .key("text", said(), "The same in words.")
        .node()
}
