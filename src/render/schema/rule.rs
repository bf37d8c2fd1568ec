//! Rule bodies: their fields with the defaults, and what the fields are made of.

use serde::Serialize;
use serde_json::json;

use super::build::{Keys, Node, any_of, defined, flag, keys, list, map_of, one_or_list, only, words};
use super::requirement::approvers;
use crate::policy::{DEFAULT_EXCLUDE, Duration, Event, Exclusion, OnChangesRequested};

pub(super) fn definitions() -> Vec<(&'static str, Node)> {
    vec![
        (
            "rule",
            rule_fields(defined("require"))
                .node()
                .says("The fields of a rule. A field replaces the whole field of the layer below."),
        ),
        ("notified_channels", one_or_list(defined("name"))),
        ("notify", notify()),
        ("exclude", exclude()),
        ("freeze", freeze()),
        ("escalation", escalation()),
        ("override", override_()),
        ("floor", floor()),
    ]
}

/// Every field of a rule body. `require` is what the field of that name may be.
pub(super) fn rule_fields(require: Node) -> Keys {
    let fields = keys()
        .key("require", require, "Who must approve. Required, in the rule or a layer below it. `none`: nobody must approve.")
        .key(
            "timeout",
            defined("duration").default(Duration::DEFAULT_TIMEOUT.to_string()),
            "How long people have to approve, from when the gate opens the request. Then the request expires, which is never an approval. From `1m` to `90d`.",
        )
        .key(
            "explicit",
            flag().default(false),
            "An approval counts only if it names the target on a line of its own: `/approve checkout:production`.",
        )
        .key("exclude", defined("exclude").default(json!(DEFAULT_EXCLUDE)), EXCLUDE)
        .key("distinct", flag().default(true), "One person counts for at most one part of the requirement.")
        .key("on_changes_requested", on_changes_requested(), "What happens when a review requests changes.")
        .key("veto", one_or_list(defined("approver")), "People who may request changes, in addition to those eligible for `require`.")
        .key("max_age", defined("duration"), "An approval older than this no longer counts.")
        .key(
            "notify",
            defined("notify"),
            "Which channels are notified. A channel or a list is notified of every event. With a map, each event goes only to the channels that it names.",
        );
    time_fields(fields)
}

/// The fields about time, emergencies and trial runs.
fn time_fields(fields: Keys) -> Keys {
    fields
        .key(
            "remind",
            one_or_list(defined("duration")).examples([["1h", "2h"]]),
            "When to send the notification `reminded`, counted from when the gate opens the request. Each must be shorter than `timeout`.",
        )
        .key("escalate", one_or_list(defined("escalation")), "Whom to notify, and who else may approve, if approvals are still missing after some time.")
        .key("freeze", one_or_list(defined("freeze")), "Nothing is released while one of these freezes is on.")
        .key("window", one_or_list(defined("name")), "The gate releases only while one of these calendars is open.")
        .key("wait", defined("duration"), "How long the gate waits after approval. It then decides again, and releases. At most `90d`.")
        .key("override", defined("override"), "Who may set the rule aside in an emergency.")
        .key(
            "mode",
            any_of([
                only("enforce").says("A refusal stops the deployment."),
                only("audit").says("The gate decides, notifies and records, but lets the execution pass at once."),
            ])
            .default("enforce"),
            "Whether a refusal stops the deployment.",
        )
}

const EXCLUDE: &str = "Approvals by these people never count. `[]` excludes nobody.";

/// Values of a closed vocabulary, as written in YAML, each with its meaning.
fn meanings<T: Serialize, const N: usize>(values: [(T, &str); N]) -> Node {
    any_of(values.map(|(value, meaning)| only(json!(value)).says(meaning)))
}

fn exclude() -> Node {
    list(meanings([
        (Exclusion::Author, "The person who opened the pull request."),
        (Exclusion::Committers, "The git authors and committers of all its commits."),
        (Exclusion::Pushers, "Everyone who pushed to its branch."),
        (Exclusion::Requester, "The person in `requestedBy` of the execution, which must then be given."),
    ]))
}

fn on_changes_requested() -> Node {
    meanings([
        (OnChangesRequested::Reject, "The request ends. A review on an earlier commit only holds it."),
        (OnChangesRequested::Block, "The request is held, whatever commit the review is on."),
        (OnChangesRequested::Ignore, "Nothing."),
    ])
    .default(json!(OnChangesRequested::Reject))
}

fn notify() -> Node {
    let when = |event: Event| match event {
        Event::Requested => "The gate opens the request.",
        Event::Reminded => "A time under `remind` has come.",
        Event::Escalated => "An escalation has come.",
        Event::Blocked => "A review that requests changes holds the request.",
        Event::Approved => "The request is approved.",
        Event::Rejected => "A review that requests changes ends the request.",
        Event::Expired => "The deadline comes.",
        Event::Superseded => "The head or the base changes, or the pull request is closed unmerged.",
        Event::Denied => {
            "The request is denied: the pull request does not fit the rule, for example, or a freeze is on."
        }
        Event::Overridden => "An override approves the request. This event replaces `approved`.",
        Event::Canceled => "The execution ends by other means.",
    };
    let events = Event::ALL.into_iter();
    let by_event =
        events.fold(keys(), |keys, event| keys.key(event.as_str(), defined("notified_channels"), when(event)));
    any_of([defined("notified_channels"), by_event.node()])
}

fn freeze() -> Node {
    let effect = any_of([
        only("deny").says("The execution fails."),
        only("wait").says("The execution waits until the calendar closes."),
    ]);
    let in_full = keys()
        .must("calendar", defined("name"), "The freeze is on while this calendar is open.")
        .key("effect", effect.default("deny"), "What happens to an execution while the freeze is on.")
        .key(
            "except",
            defined("condition"),
            "While this condition holds, the freeze is off. If the gate cannot know whether it holds, the freeze stays on.",
        )
        .node();
    any_of([defined("name"), in_full])
}

fn escalation() -> Node {
    keys()
        .must("after", defined("duration"), "When the escalation comes, counted from when the gate opens the request. Shorter than `timeout`.")
        .key("notify", defined("notified_channels"), "Channels that are notified of the escalation, in addition to those of the rule.")
        .key(
            "stand_in",
            map_of(defined("name"), approvers()).examples([json!({ "payments": ["sre"] })]),
            "By group, the approvers who from then on also count wherever the requirement names the group, except under `all of`.",
        )
        .one_of(&["notify", "stand_in"])
        .node()
}

fn override_() -> Node {
    keys()
        .must(
            "by",
            defined("requirement"),
            "Who must give the override, without `when`: `/override checkout:production reason`.",
        )
        .key(
            "for",
            defined("duration").default("4h"),
            "How long the review counts after it was submitted. At most `90d`.",
        )
        .key(
            "notify",
            defined("notified_channels"),
            "Channels that are notified of the override, in addition to those of the rule.",
        )
        .node()
}

fn floor() -> Node {
    keys()
        .key("approvals", super::build::number(1), "`require` needs at least this many people.")
        .key("max_timeout", defined("duration"), "`timeout` is at most this.")
        .key("exclude", defined("exclude"), "`exclude` contains at least these.")
        .key("explicit", only(true), "The rule has `explicit: true`.")
        .key("override", only(false), "The rule has no `override`.")
        .key("pinned", only(true), "Every user that the rule lists has a numeric id, as in `dana#583231`.")
        .node()
        .says("Limits that no rule of these environments may fall below.")
}

pub(super) fn events() -> Node {
    words(Event::ALL.iter().map(|event| event.as_str()))
}

#[cfg(test)]
mod tests {
    use super::{DEFAULT_EXCLUDE, json};

    #[test]
    fn the_default_exclusion_is_written_as_in_yaml() {
        assert_eq!(json!(DEFAULT_EXCLUDE), json!(["author", "committers"]));
    }
}
