//! Policy files: what stands at the top, and the sections that are no rules.

use serde_json::{Value, json};

use super::build::{
    Keys, Node, any_of, defined, document, keys, map_of, matching, one_or_list, one_or_some, only, text,
};
use super::{calendar, form, requirement, rule};

/// The schema of one file of a policy.
pub(super) fn schema(id: &str) -> Value {
    let mut definitions = form::shared();
    definitions.extend(form::of_policies());
    definitions.extend(requirement::definitions());
    definitions.extend(calendar::definitions());
    definitions.extend(rule::definitions());
    definitions.extend([("group", group()), ("channel", channel()), ("service", service()), ("file", file())]);
    // An empty file holds no key, and does no harm.
    let root = any_of([defined("file"), only(Value::Null)]);
    let about =
        "A file of a countersign policy: who must approve a deployment. `countersign check` says what no schema can.";
    document(id, "countersign policy", root.says(about), definitions)
}

fn file() -> Node {
    keys()
        .key("version", only(1), "The version of the policy language. It stands in one file of the bundle.")
        .key("groups", map_of(defined("name").but(&["all", "none"]), defined("group")), "Named sets of approvers.")
        .key("channels", map_of(defined("name"), defined("channel")), "Named notification targets.")
        .key("calendars", calendar::calendars(), "Named sets of time, for `freeze`, `window` and `within`.")
        .key("defaults", defaults(), "What every rule starts from.")
        .key(
            "environments",
            map_of(defined("selector"), defined("rule")),
            "Rules by environment, for every service that has none of its own. They lie under the services' own.",
        )
        .key(
            "services",
            map_of(defined("selector"), defined("service")),
            "Where services live, who hears of them, and their own rules. A service that no key matches is denied.",
        )
        .key(
            "floor",
            map_of(defined("selector"), defined("floor")),
            "By environment, what no rule may fall below. Every entry that matches holds.",
        )
        .node()
}

fn group() -> Node {
    keys()
        .key("users", one_or_some(defined("login")), "GitHub accounts, one by one, without `@`.")
        .key("teams", one_or_some(defined("team")), "GitHub teams with their child teams, without `@`.")
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
        .key("https", one_or_some(https), "URLs that are posted to.")
        .node()
        .says("A named notification target.")
}

/// Where a service lives, and from which branches: also in `defaults`.
fn home(keys: Keys) -> Keys {
    keys.key(
        "repository",
        one_or_some(defined("repository")),
        "Where the service lives: a request must name a pull request of one of these. Needed wherever approvals are.",
    )
    .key(
        "branches",
        one_or_some(defined("pattern")).examples([["main", "release/*"]]),
        "Which base branches may be deployed. Left out: the repository's default branch. They must be protected on GitHub.",
    )
}

fn defaults() -> Node {
    // `none` for everything would open the door for every misspelt name.
    home(rule::rule_fields(defined("requirement"))).node()
}

fn service() -> Node {
    home(keys())
        .key(
            "notify",
            one_or_list(defined("name")),
            "Channels that are told of every event of the service, besides those of the rule.",
        )
        .key("description", text(), "Published to approvers.")
        .key(
            "environments",
            map_of(defined("selector"), defined("rule")),
            "The service's own rules, over those of the top level field by field.",
        )
        .node()
        .says("A service entry. It is no layer of a rule, and holds no rule field itself.")
}
