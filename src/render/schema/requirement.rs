//! Requirements and conditions.

use super::build::{Node, any_of, defined, keys, map_of, matching, number_to, one_or_some, only, some_of, some_text};

pub(super) fn definitions() -> Vec<(&'static str, Node)> {
    vec![
        ("requirement", requirement()),
        ("leaf", leaf()),
        ("all_of", combination("all_of", "Every part must be met.")),
        (
            "any_of",
            combination(
                "any_of",
                "One part must be met. The gate asks for the one that lacks the fewest people, of those that can still be met.",
            ),
        ),
        (
            "in_order",
            combination(
                "in_order",
                "Every part must be met. The gate asks for one after the other. An approval given early still counts.",
            ),
        ),
        ("require", require()),
        ("condition", condition()),
    ]
}

/// The value of `require`, the only place where `none` is allowed.
fn require() -> Node {
    let nobody = only("none").says("Nobody must approve. The gate needs no pull request and reads no review.");
    any_of([nobody, defined("requirement")])
}

fn requirement() -> Node {
    let forms = ["short_requirement", "leaf", "all_of", "any_of", "in_order"];
    any_of(forms.map(defined))
        .says("Who must approve: a number of people out of a set, or a combination of requirements.")
}

fn leaf() -> Node {
    keys()
        .must("count", number_to(1, 1000), "How many different people must approve.")
        .must("of", approvers(), "Who may approve: all of these groups, `@login` and `@org/team` together.")
        .key("when", defined("condition"), WHEN)
        .key(
            "name",
            some_text().examples(["payments leads"]),
            "What messages call this part, in place of `2 of payments`.",
        )
        .node()
}

const WHEN: &str = "If this condition does not hold, this part is left out. If the gate cannot know whether it holds, the stricter side applies.";

fn combination(key: &'static str, description: &str) -> Node {
    keys().must(key, some_of(defined("requirement")), description).key("when", defined("condition"), WHEN).node()
}

pub(super) fn approvers() -> Node {
    one_or_some(defined("approver"))
}

fn condition() -> Node {
    let patterns = || one_or_some(defined("pattern"));
    let paths = || one_or_some(defined("path"));
    let pointer = matching("^(/([^/~]|~[01])*)+$").says("A JSON pointer into the execution's input.");
    keys()
        .key(
            "paths",
            paths().examples([["infra/iam/", "*.tf"]]),
            "Holds if a changed file matches, by its old or its new name.",
        )
        .key(
            "only_paths",
            paths().examples([["docs/", "*.md"]]),
            "Holds if there is a changed file and every changed file matches.",
        )
        .key(
            "labels",
            one_or_some(some_text()),
            "Holds if the pull request has one of these labels. Case does not matter.",
        )
        .key("branch", patterns().examples([["main", "release/*"]]), "Holds if the base branch matches.")
        .key(
            "authors",
            approvers(),
            "Holds if one of these opened the pull request, committed to it or pushed to its branch.",
        )
        .key(
            "only_authors",
            approvers().examples([["@renovate[bot]"]]),
            "Holds if everyone who opened the pull request, committed to it or pushed to its branch is one of these.",
        )
        .key("requester", patterns(), "Holds if `requestedBy` of the execution matches. The caller chooses it.")
        .key("version", patterns(), "Holds if the deployed version matches. The caller chooses it.")
        .key(
            "lines",
            matching(r"^\s*(>=|<=|>|<|=)\s*[0-9]+\s*$").examples([">500", "<=20"]),
            "Compares the added and deleted lines of the pull request together.",
        )
        .key(
            "input",
            map_of(pointer, patterns()),
            "Holds if every pointer's value in the execution's input, as text, matches. The caller chooses it.",
        )
        .key("within", one_or_some(defined("name")), "Holds while one of these calendars is open.")
        .key("not", defined("condition"), "Holds if this condition does not.")
        .key("any", some_of(defined("condition")), "Holds if one of these conditions holds.")
        .node()
        .says("All keys of a condition must hold. If a key has a list, one entry is enough.")
}
