//! Rule bodies: the fields, with what holds where one is left out.

use serde::Serialize;
use serde_json::json;

use super::build::{Keys, Node, any_of, defined, flag, keys, list, map_of, one_or_list, only, words};
use super::requirement::approvers;
use crate::policy::{DEFAULT_EXCLUDE, Duration, Event, Exclusion, OnChangesRequested};

/// Rule bodies and what they are made of.
pub(super) fn definitions() -> Vec<(&'static str, Node)> {
    vec![
        (
            "rule",
            rule_fields(defined("require")).node().says("A rule body. A field replaces that of the layer below whole."),
        ),
        ("channels_told", one_or_list(defined("name"))),
        ("notify", notify()),
        ("exclude", exclude()),
        ("freeze", freeze()),
        ("escalation", escalation()),
        ("override", override_()),
        ("floor", floor()),
    ]
}

/// Every field of a rule body, with what may be required.
pub(super) fn rule_fields(require: Node) -> Keys {
    let fields = keys()
        .key("require", require, "What must hold. Every rule needs it, from one of its layers. `none`: nobody is asked.")
        .key(
            "timeout",
            defined("duration").default(Duration::DEFAULT_TIMEOUT.to_string()),
            "From when people are asked to the deadline, at which the request expires: never an approval. From `1m` to `90d`.",
        )
        .key(
            "explicit",
            flag().default(false),
            "An approval counts only if its first line names the target: `/approve checkout:production`.",
        )
        .key("exclude", defined("exclude").default(json!(DEFAULT_EXCLUDE)), EXCLUDE)
        .key("distinct", flag().default(true), "One person counts for at most one part of the requirement.")
        .key("on_changes_requested", on_changes_requested(), "What changes requested by someone with a say do.")
        .key("veto", one_or_list(defined("approver")), "Who has that say besides everyone who can be asked.")
        .key("max_age", defined("duration"), "An approval that is older no longer counts.")
        .key(
            "notify",
            defined("notify"),
            "Which channels are told: a list is told of every event, a mapping of those that it names.",
        );
    time_fields(fields)
}

/// Those about time, emergencies and trying out.
fn time_fields(fields: Keys) -> Keys {
    fields
        .key(
            "remind",
            one_or_list(defined("duration")).examples([["1h", "2h"]]),
            "After each of these times, those still needed are told again. Inside the timeout.",
        )
        .key("escalate", one_or_list(defined("escalation")), "What happens where nobody has answered for so long.")
        .key("freeze", one_or_list(defined("freeze")), "Calendars while inside which nothing is released.")
        .key("window", one_or_list(defined("name")), "Calendars: only while inside one of them something is released.")
        .key("wait", defined("duration"), "Once approved, wait this long, then verify again and release.")
        .key("override", defined("override"), "Who may set the rule aside in an emergency.")
        .key(
            "mode",
            any_of([
                only("enforce").says("A refusal stops the deployment."),
                only("audit").says("Decide, notify and record, but let the execution pass at once."),
            ])
            .default("enforce"),
            "Whether a refusal stops the deployment.",
        )
}

const EXCLUDE: &str = "Whose approvals never count. `[]`: nobody is excluded.";

/// Values of a closed vocabulary, as they stand in YAML, each with what it means.
fn meanings<T: Serialize, const N: usize>(values: [(T, &str); N]) -> Node {
    any_of(values.map(|(value, meaning)| only(json!(value)).says(meaning)))
}

fn exclude() -> Node {
    list(meanings([
        (Exclusion::Author, "Who opened the pull request."),
        (Exclusion::Committers, "Git authors and committers of its commits."),
        (Exclusion::Pushers, "Who pushed to its branch."),
        (Exclusion::Requester, "Who requested the deployment: `requestedBy`."),
    ]))
}

fn on_changes_requested() -> Node {
    meanings([
        (OnChangesRequested::Reject, "They end the request."),
        (OnChangesRequested::Block, "They hold the request until they are withdrawn."),
        (OnChangesRequested::Ignore, "They do nothing."),
    ])
    .default(json!(OnChangesRequested::Reject))
}

fn notify() -> Node {
    let told = |event: Event| match event {
        Event::Requested => "People are asked.",
        Event::Reminded => "Those still needed are asked again.",
        Event::Escalated => "Others are told, and may stand in.",
        Event::Blocked => "Someone with a say has requested changes.",
        Event::Approved => "Released by the people asked.",
        Event::Rejected => "Ended by changes requested.",
        Event::Expired => "Ended by the deadline.",
        Event::Superseded => "Ended by a new commit, another base, or closing.",
        Event::Denied => "Ended for want of a rule or a fitting target.",
        Event::Overridden => "Released past the rule.",
        Event::Canceled => "Ended by other means.",
    };
    let events = Event::ALL.into_iter();
    let by_event = events.fold(keys(), |keys, event| keys.key(event.as_str(), defined("channels_told"), told(event)));
    any_of([defined("channels_told"), by_event.node()])
}

fn freeze() -> Node {
    let effect =
        any_of([only("deny").says("Every request is denied."), only("wait").says("Requests wait until it ends.")]);
    let in_full = keys()
        .must("calendar", defined("name"), "The calendar.")
        .key("effect", effect.default("deny"), "What happens while inside it.")
        .key(
            "except",
            defined("condition"),
            "Where this holds the freeze does not. Where it is not known, the freeze holds.",
        )
        .node();
    any_of([defined("name"), in_full])
}

fn escalation() -> Node {
    keys()
        .must("after", defined("duration"), "How long after people were asked. Inside the timeout.")
        .key("notify", defined("channels_told"), "Which channels are told.")
        .key(
            "stand_in",
            map_of(defined("name"), approvers()).examples([json!({ "payments": ["sre"] })]),
            "By group, who counts from then on wherever the group is asked for. Not where all of it must approve.",
        )
        .one_of(&["notify", "stand_in"])
        .node()
}

fn override_() -> Node {
    keys()
        .must("by", defined("requirement"), "Who it takes, without conditions: `/override checkout:production reason`.")
        .key("for", defined("duration").default("4h"), "How long after its submission such a review counts.")
        .key("notify", defined("channels_told"), "Which channels are told besides those of the rule.")
        .node()
}

fn floor() -> Node {
    keys()
        .key(
            "approvals",
            super::build::number(1),
            "The fewest people who could satisfy `require` are at least so many.",
        )
        .key("max_timeout", defined("duration"), "`timeout` is no longer.")
        .key("exclude", defined("exclude"), "The rule excludes these.")
        .key("explicit", only(true), "The rule is `explicit`.")
        .key("override", only(false), "The rule has no `override`.")
        .node()
        .says("What no rule of these environments may fall below.")
}

/// The events, as words.
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
