//! Policy files: the top-level keys, and the sections that hold no rules.

use serde_json::{Value, json};

use super::build::{
    Keys, Node, any_of, defined, document, keys, map_of, matching, one_or_list, one_or_some, only, text,
};
use super::{calendar, form, requirement, rule};

pub(super) fn schema(id: &str) -> Value {
    let mut definitions = form::shared();
    definitions.extend(form::of_policies());
    definitions.extend(requirement::definitions());
    definitions.extend(calendar::definitions());
    definitions.extend(rule::definitions());
    definitions.extend([("group", group()), ("channel", channel()), ("service", service()), ("file", file())]);
    // An empty file has no keys, and is allowed.
    let root = any_of([defined("file"), only(Value::Null)]);
    let about = "A file of a countersign policy: who must approve a deployment. `countersign check` finds what a schema cannot.";
    document(id, "countersign policy", root.says(about), definitions)
}

fn file() -> Node {
    keys()
        .key("version", only(1), "The version of the policy language. Write it in exactly one file of the bundle.")
        .key("groups", map_of(defined("name").but(&["all", "none"]), defined("group")), "Named sets of approvers.")
        .key("channels", map_of(defined("name"), defined("channel")), "Where notifications go: addresses under a name.")
        .key("calendars", calendar::calendars(), "Named sets of time, for `freeze`, `window` and `within`.")
        .key("defaults", defaults(), "Values that every rule and service starts from.")
        .key(
            "environments",
            map_of(defined("selector"), defined("rule")),
            "Rules for every service. The rules of a service replace them field by field.",
        )
        .key(
            "services",
            map_of(defined("selector"), defined("service")),
            "Where services live, who is notified about them, and their own rules. A service that no key matches is denied.",
        )
        .key(
            "floor",
            map_of(defined("selector"), defined("floor")),
            "Limits that no rule of these environments may fall below. Every entry that matches holds.",
        )
        .node()
}

fn group() -> Node {
    keys()
        .key("users", one_or_some(defined("login")), "GitHub logins, without `@`.")
        .key("teams", one_or_some(defined("team")), "GitHub teams with their child teams, as `org/slug` without `@`.")
        .one_of(&["users", "teams"])
        .node()
        .says("A named set of approvers.")
        .examples([json!({ "teams": ["acme/payments"] }), json!({ "users": ["dana", "lee"] })])
}

fn channel() -> Node {
    let email = matching(r"^[^@\s]+@\S+$").examples(["oncall@acme.example"]);
    let https = matching(r"^https://\S+$").examples(["https://events.acme.example/deployments"]);
    keys()
        .key("email", one_or_some(email), "E-mail addresses.")
        .key("https", one_or_some(https), "The gate posts notifications to these URLs.")
        .node()
        .says("Where notifications go: addresses under a name.")
}

/// `repository` and `branches`, which a service and `defaults` share.
fn home(keys: Keys) -> Keys {
    keys.key(
        "repository",
        one_or_some(defined("repository")),
        "The pull request must be in one of these repositories. Required if a rule of the service needs approvals.",
    )
    .key(
        "branches",
        one_or_some(defined("pattern")).examples([["main", "release/*"]]),
        "The pull request's base branch must match one of these. Default: the repository's default branch. Protect these branches on GitHub.",
    )
}

fn defaults() -> Node {
    // `none` in `defaults` would release every misspelt name without approval.
    home(rule::rule_fields(defined("requirement"))).node()
}

fn service() -> Node {
    home(keys())
        .key(
            "notify",
            one_or_list(defined("name")),
            "Channels that are notified of every event of the service, in addition to those of the rule.",
        )
        .key("description", text(), "Approvers see this text.")
        .key(
            "environments",
            map_of(defined("selector"), defined("rule")),
            "The service's own rules. They replace the rules of the top-level `environments` field by field.",
        )
        .node()
        .says("A service. It holds no rule fields itself: write those under its `environments`.")
}
