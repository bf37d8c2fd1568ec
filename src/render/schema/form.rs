//! The forms of single values: names, patterns, durations, approvers. A form accepts everything that `check` accepts,
//! and leaves to `check` what a regular expression cannot say.

use super::build::{Node, matching, matching_both, some_text};

/// Without anchors.
const NAME: &str = "[A-Za-z0-9][A-Za-z0-9._/-]{0,127}";
/// An account with its `@`.
const ACCOUNT: &str = r"@[A-Za-z0-9_-]{1,100}(\[bot\])?(#[0-9]+)?";
const TEAM: &str = "@[A-Za-z0-9_.-]+/[A-Za-z0-9_.-]+";

/// The definitions that the schemas of policies and of tests share.
pub(super) fn shared() -> Vec<(&'static str, Node)> {
    vec![("name", name()), ("duration", duration())]
}

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
        "An exact name, or a pattern: a glob (`*` any characters, `?` one) or a regular expression between slashes. \
         The exact name wins, otherwise the first pattern that matches. A bare `*` is tried last.",
    )
}

fn pattern() -> Node {
    some_text()
        .says("An exact text, a glob (`*`, `?`), or a regular expression between slashes. It matches the whole text.")
}

fn duration() -> Node {
    // The second pattern asks for at least one digit that is not zero.
    matching_both("^([0-9]+w)?([0-9]+d)?([0-9]+h)?([0-9]+m)?([0-9]+s)?$", "[1-9]")
        .says("Whole numbers with the units `w d h m s`, largest first.")
        .examples(["90m", "1h30m", "2d"])
}

fn login() -> Node {
    matching(r"^[A-Za-z0-9_-]{1,100}(\[bot\])?(#[0-9]+)?$")
        .but(&["github-actions[bot]"])
        .says("A GitHub login without `@`. `login#583231` means the account with this numeric id, `name[bot]` a bot.")
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
            "`2 of payments`: two different people of the group. `1 of payments, \"@acme/sre\"`: one person out of all of \
             these together. `\"@dana\"`: this person. `\"@acme/sre\"`: one member of this team. `all of security`: every \
             user of the group.",
        )
        .examples(["2 of payments", "1 of payments, \"@acme/sre\"", "@dana", "all of security"])
}

fn repository() -> Node {
    matching("^[A-Za-z0-9_.-]+/[A-Za-z0-9_.*?-]+$")
        .says("A GitHub repository as `owner/name`. The name may contain `*` and `?`.")
        .examples(["acme/checkout", "acme/internal-*"])
}

fn path() -> Node {
    matching("^[^!]").says(
        "A path pattern as in `.gitignore`. With a `/` other than at its end it matches from the root, otherwise at any \
         depth. `*` and `?` never match a `/`, `**` does. A folder matches everything in it. `!` is not allowed.",
    )
}
