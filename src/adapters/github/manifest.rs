//! The App's permissions and events, each with its reason, and the manifest that GitHub creates the App from.
//!
//! Source: <https://docs.github.com/en/apps/sharing-github-apps/registering-a-github-app-from-a-manifest>, and GitHub's
//! table of the calls that need a permission.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::{Value, json};

/// The level of a permission, from less to more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Level {
    Read,
    Write,
}

impl Level {
    /// Reads GitHub's word. `admin` includes `write`.
    #[must_use]
    pub fn new(word: &str) -> Option<Self> {
        match word {
            "read" => Some(Self::Read),
            "write" | "admin" => Some(Self::Write),
            _ => None,
        }
    }

    /// GitHub's word.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Write => "write",
        }
    }
}

/// What an installation uses besides approvals for AWS executions.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Uses {
    /// Whether the gate also answers GitHub's custom deployment protection rules.
    pub protection_rule: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Permission {
    pub name: &'static str,
    pub level: Level,
    /// The reason, to be read after the name.
    pub why: &'static str,
    /// Whether only the custom deployment protection rule needs it.
    pub for_protection_rule: bool,
}

const fn needed(name: &'static str, level: Level, why: &'static str) -> Permission {
    Permission { name, level, why, for_protection_rule: false }
}

/// All permissions, in the order of their explanation.
const PERMISSIONS: [Permission; 7] = [
    needed("metadata", Level::Read, "every App has it: lists the repositories"),
    needed(
        "pull_requests",
        Level::Write,
        "reads pull requests, files, commits and reviews; requests reviews and comments",
    ),
    needed("members", Level::Read, "reads the members of the teams that the policy names"),
    needed("checks", Level::Write, "publishes the decision as a check run on the pull request's head"),
    needed(
        "deployments",
        Level::Write,
        "publishes the deployment and its state on the pull request and the environment",
    ),
    needed("contents", Level::Read, "reads commits, and who pushed to a branch and when; reads no files"),
    Permission {
        for_protection_rule: true,
        ..needed("actions", Level::Read, "answers custom deployment protection rules of GitHub Actions")
    },
];

/// An event that the App subscribes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Subscription {
    pub name: &'static str,
    pub why: &'static str,
    /// Whether only the custom deployment protection rule needs it.
    pub for_protection_rule: bool,
}

const EVENTS: [Subscription; 4] = [
    Subscription {
        name: "pull_request",
        why: "a push, a label, a new base or the end of a pull request",
        for_protection_rule: false,
    },
    Subscription {
        name: "pull_request_review",
        why: "a review, bound to the commit that the reviewer saw",
        for_protection_rule: false,
    },
    Subscription { name: "check_run", why: "the check run's button to evaluate again", for_protection_rule: false },
    Subscription {
        name: "deployment_protection_rule",
        why: "a job of GitHub Actions waits for an environment",
        for_protection_rule: true,
    },
];

impl Uses {
    pub fn permissions(self) -> impl Iterator<Item = &'static Permission> {
        PERMISSIONS.iter().filter(move |permission| self.protection_rule || !permission.for_protection_rule)
    }

    pub fn events(self) -> impl Iterator<Item = &'static Subscription> {
        EVENTS.iter().filter(move |event| self.protection_rule || !event.for_protection_rule)
    }
}

/// An App to create.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewApp<'a> {
    /// At most [`LONGEST_NAME`] characters. GitHub asks for another one if it is taken.
    pub name: &'a str,
    /// The URL of its webhook. `None` if it is set later.
    pub webhook: Option<&'a str>,
    /// The URL to which GitHub sends the browser with the code.
    pub redirect: Option<&'a str>,
    pub uses: Uses,
}

/// The most characters of a name.
pub const LONGEST_NAME: usize = 34;

/// The link on the App's page.
const HOME: &str = "https://github.com/countersign/countersign";

impl NewApp<'_> {
    #[must_use]
    pub fn manifest(&self) -> Value {
        let permissions: BTreeMap<&str, Level> =
            self.uses.permissions().map(|permission| (permission.name, permission.level)).collect();
        let events: Vec<&str> = self.uses.events().map(|event| event.name).collect();
        let mut manifest = json!({
            "name": self.name,
            "url": HOME,
            "description": "Holds deployments until the people whom a policy names have approved them.",
            "public": false,
            "default_permissions": permissions,
            "default_events": events,
        });
        let mut set = |key: &str, value: Value| {
            if let Some(fields) = manifest.as_object_mut() {
                fields.insert(key.to_owned(), value);
            }
        };
        if let Some(url) = self.webhook {
            set("hook_attributes", json!({ "url": url, "active": true }));
        }
        if let Some(url) = self.redirect {
            set("redirect_url", json!(url));
        }
        manifest
    }
}

/// The web address of the GitHub with the API at `base_url`. `None` if `base_url` is no URL.
///
/// <https://docs.github.com/en/enterprise-server/rest/using-the-rest-api/getting-started-with-the-rest-api>, and for
/// data residency `https://api.NAME.ghe.com`.
#[must_use]
pub fn web_address(base_url: &str) -> Option<String> {
    let (scheme, rest) = base_url.trim_end_matches('/').split_once("://")?;
    let host = rest.split('/').next().filter(|host| !host.is_empty())?;
    let of_github = host == "api.github.com" || (host.starts_with("api.") && host.ends_with(".ghe.com"));
    let host = if of_github { host.trim_start_matches("api.") } else { host };
    Some(format!("{scheme}://{host}"))
}

/// The form that takes a manifest: in the settings of the account or of an organization.
#[must_use]
pub fn form_address(web: &str, organization: Option<&str>) -> String {
    match organization {
        Some(organization) => format!("{web}/organizations/{organization}/settings/apps/new"),
        None => format!("{web}/settings/apps/new"),
    }
}

#[cfg(test)]
mod tests {
    use super::{NewApp, Uses, form_address, web_address};
    use serde_json::json;

    fn manifest(protection_rule: bool) -> serde_json::Value {
        let uses = Uses { protection_rule };
        NewApp { name: "gate", webhook: Some("https://gate.example/webhook"), redirect: None, uses }.manifest()
    }

    #[test]
    fn the_app_requests_only_what_it_uses() {
        let plain = manifest(false);
        assert_eq!(plain["public"], false);
        assert_eq!(plain["default_events"], json!(["pull_request", "pull_request_review", "check_run"]));
        assert_eq!(
            plain["default_permissions"],
            json!({
                "checks": "write", "contents": "read", "deployments": "write", "members": "read", "metadata": "read",
                "pull_requests": "write",
            })
        );
    }

    #[test]
    fn the_protection_rule_adds_one_permission_and_one_event() {
        let (plain, more) = (manifest(false), manifest(true));
        assert_eq!(more["default_permissions"]["actions"], "read");
        let added = |key: &str| {
            let count = |value: &serde_json::Value| {
                let (items, fields) = (value[key].as_array(), value[key].as_object());
                items.map(Vec::len).or(fields.map(serde_json::Map::len)).unwrap()
            };
            count(&more) - count(&plain)
        };
        assert_eq!((added("default_permissions"), added("default_events")), (1, 1));
    }

    #[test]
    fn the_web_address_is_derived_from_the_api() {
        for (api, web) in [
            ("https://api.github.com", "https://github.com"),
            ("https://api.acme.ghe.com/", "https://acme.ghe.com"),
            ("https://github.acme.example/api/v3", "https://github.acme.example"),
            ("http://127.0.0.1:4010", "http://127.0.0.1:4010"),
        ] {
            assert_eq!(web_address(api).as_deref(), Some(web));
        }
        assert_eq!(web_address("nowhere"), None);
        assert_eq!(form_address("https://x", Some("acme")), "https://x/organizations/acme/settings/apps/new");
    }
}
