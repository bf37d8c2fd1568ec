//! Requirements and conditions.

use super::build::{Node, any_of, defined, keys, map_of, matching, number_to, one_or_some, only, some_of, some_text};

/// What can be required, and when it applies.
pub(super) fn definitions() -> Vec<(&'static str, Node)> {
    vec![
        ("requirement", requirement()),
        ("leaf", leaf()),
        ("all_of", combination("all_of", "Every part must be met.")),
        ("any_of", combination("any_of", "One of the parts must be met.")),
        (
            "in_order",
            combination(
                "in_order",
                "Every part must be met, and they are asked one after the other. An approval given early counts all the same.",
            ),
        ),
        ("require", require()),
        ("condition", condition()),
    ]
}

/// The value of `require`: only there nobody may be asked.
fn require() -> Node {
    let nobody = only("none").says("Nobody is asked: no pull request is needed, and no review is read.");
    any_of([nobody, defined("requirement")])
}

fn requirement() -> Node {
    let forms = ["short_requirement", "leaf", "all_of", "any_of", "in_order"];
    any_of(forms.map(defined)).says("Who must approve: so many people out of some, or a combination of that.")
}

fn leaf() -> Node {
    keys()
        .must("count", number_to(1, 1000), "How many different people it takes.")
        .must("of", approvers(), "Out of whom: the union of groups, `@login` and `@org/team`.")
        .key("when", defined("condition"), WHEN)
        .key(
            "name",
            some_text().examples(["payments leads"]),
            "How it is called in every text, in place of `2 of payments`.",
        )
        .node()
}

const WHEN: &str =
    "Where this does not hold, the requirement is left out. Where it is not known, the stricter side applies.";

fn combination(key: &'static str, description: &str) -> Node {
    keys().must(key, some_of(defined("requirement")), description).key("when", defined("condition"), WHEN).node()
}

/// One approver, or several.
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
            "A changed file matches one of them, by its old or its new name.",
        )
        .key("only_paths", paths().examples([["docs/", "*.md"]]), "There is a changed file, and every one matches.")
        .key("labels", one_or_some(some_text()), "The pull request carries one of these labels. Compared without case.")
        .key("branch", patterns().examples([["main", "release/*"]]), "The base branch matches one of them.")
        .key("authors", approvers(), "Someone who opened the pull request, committed or pushed is one of these.")
        .key(
            "only_authors",
            approvers().examples([["@renovate[bot]"]]),
            "Everyone who opened the pull request, committed or pushed is one of these.",
        )
        .key("requester", patterns(), "`requestedBy` of the execution matches. It is the caller's word.")
        .key("version", patterns(), "The version that is deployed matches. It is the caller's word.")
        .key(
            "lines",
            matching(r"^\s*(>=|<=|>|<|=)\s*[0-9]+\s*$").examples([">500", "<=20"]),
            "Added and deleted lines together compare so.",
        )
        .key(
            "input",
            map_of(pointer, patterns()),
            "The value at a JSON pointer in the execution's input, as text, matches. It is the caller's word.",
        )
        .key("within", one_or_some(defined("name")), "Now is inside one of these calendars.")
        .key("not", defined("condition"), "This does not hold.")
        .key("any", some_of(defined("condition")), "One of these holds.")
        .node()
        .says("All keys must hold; a list within a key means any of it.")
}
