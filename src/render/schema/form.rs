//! The forms of single values: names, patterns, durations, approvers. What no regular expression can say is left to
//! `check`, and nothing that `check` takes is refused here.

use super::build::{Node, matching, matching_both, some_text};

/// A name, without its anchors.
const NAME: &str = "[A-Za-z0-9][A-Za-z0-9._/-]{0,127}";
/// An account or a team, behind the `@`.
const ACCOUNT: &str = r"@[A-Za-z0-9_-]{1,100}(\[bot\])?(#[0-9]+)?";
const TEAM: &str = "@[A-Za-z0-9_.-]+/[A-Za-z0-9_.-]+";

/// The definitions that both documents share.
pub(super) fn shared() -> Vec<(&'static str, Node)> {
    vec![("name", name()), ("duration", duration())]
}

/// The definitions that only policies have.
pub(super) fn of_policies() -> Vec<(&'static str, Node)> {
    vec![
        ("login", login()),
        ("team", team()),
        ("selector", selector()),
        ("pattern", pattern()),
        ("approver", approver()),
        ("short_requirement", short_requirement()),
        ("repository", repository()),
        ("path", path()),
    ]
}

fn name() -> Node {
    matching(&format!("^{NAME}$"))
        .says("A name: a letter or digit, then letters, digits, `.`, `_`, `/` or `-`, at most 128 characters.")
}

fn selector() -> Node {
    matching(&format!("^({NAME}|/.+/|.*[*?].*)$")).says(
        "An exact name, or a pattern: a glob (`*` any run of characters, `?` one) or a regular expression between slashes. \
         The exact name wins, else the first pattern that matches; a bare `*` is tried last.",
    )
}

fn pattern() -> Node {
    some_text()
        .says("An exact text, a glob (`*`, `?`), or a regular expression between slashes. It matches the whole text.")
}

fn duration() -> Node {
    // At least one part, and one digit that is not zero.
    matching_both("^([0-9]+w)?([0-9]+d)?([0-9]+h)?([0-9]+m)?([0-9]+s)?$", "[1-9]")
        .says("Whole numbers with the units `w d h m s`, largest first.")
        .examples(["90m", "1h30m", "2d"])
}

fn login() -> Node {
    matching(r"^[A-Za-z0-9_-]{1,100}(\[bot\])?(#[0-9]+)?$")
        .but(&["github-actions[bot]"])
        .says("A GitHub login without `@`. `login#583231` pins the numeric id, and `name[bot]` is a bot.")
        .examples(["dana", "dana#583231"])
}

fn team() -> Node {
    matching(r"^[^\s/@][^\s/]*/[^\s/]+$").says("A GitHub team as `org/slug`, without `@`.").examples(["acme/payments"])
}

fn approver() -> Node {
    matching(&format!(r"^\s*({NAME}|{ACCOUNT}|{TEAM})\s*$"))
        .says("A group by its name, a GitHub account as `@login`, or a GitHub team as `@org/slug`.")
        .examples(["payments", "@dana", "@acme/sre"])
}

fn short_requirement() -> Node {
    let one = format!("\"*({NAME}|{ACCOUNT}|{TEAM})\"*");
    let count = "0*([1-9][0-9]{0,2}|1000)";
    let several = format!(r"{count}\s* of \s*{one}(\s*,\s*{one})*");
    matching(&format!(r"^\s*({several}|all\s* of \s*\x22*{NAME}\x22*|{ACCOUNT}|{TEAM})\s*$"))
        .says(
            "`2 of payments`: two different people of the group. `1 of payments, \"@acme/sre\"`: of all of these together. \
             `\"@dana\"`: this person. `\"@acme/sre\"`: one of the team. `all of security`: every listed user of the group.",
        )
        .examples(["2 of payments", "1 of payments, \"@acme/sre\"", "@dana", "all of security"])
}

fn repository() -> Node {
    matching("^[A-Za-z0-9_.-]+/[A-Za-z0-9_.*?-]+$")
        .says("A GitHub repository as `owner/name`, with `*` and `?` allowed in the name.")
        .examples(["acme/checkout", "acme/internal-*"])
}

fn path() -> Node {
    matching("^[^!]").says(
        "As in `.gitignore`: from the root where it holds a `/` other than at its end, else at any depth; `*` and `?` stop at \
         `/`, `**` does not; one that matches a folder matches everything in it. No `!`.",
    )
}
