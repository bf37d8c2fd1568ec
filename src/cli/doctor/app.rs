//! The App against its manifest, and its installations against the policy's repositories.

use std::collections::{BTreeMap, BTreeSet};

use super::Check;
use crate::adapters::github::admin::{AppFacts, InstallationFacts};
use crate::adapters::github::client::{CallError, GithubClient};
use crate::adapters::github::manifest::{Level, Uses};
use crate::ident::{Login, RepositoryName};
use crate::policy::{Policy, RepositoryPattern};

/// That GitHub does not take the App.
pub(super) fn refused(error: &CallError) -> Check {
    let hint = match error.status() {
        Some(401) => "is the key this App's, is it still listed at the App's page, and is this machine's clock right?",
        Some(_) => "is the id this App's, and `--base-url` the API of the GitHub that it belongs to?",
        None => "is `--base-url` the API of the GitHub that the App belongs to, and can this machine reach it?",
    };
    Check::failed("app", error.to_string(), hint)
}

/// What the App asks for, against what is used.
pub(super) fn app(facts: &AppFacts, uses: Uses) -> Vec<Check> {
    let mut checks = vec![Check::ok("app", format!("the App `{}` ({}) answers to its key", facts.slug, facts.id))];
    let change = "change it at the App's page on GitHub, and have every installation accept the change";
    checks.extend(permissions("the App", &facts.permissions, uses, change));
    checks.extend(events("the App", &facts.events, uses, change));
    let used: BTreeSet<&str> = uses.permissions().map(|permission| permission.name).collect();
    for (name, level) in facts.permissions.iter().filter(|(name, _)| !used.contains(name.as_str())) {
        let text = format!("the App may also `{name}: {level}`, which countersign does not use");
        checks.push(Check::warning("permission", text, "take it away at the App's page, if nothing else needs it"));
    }
    for permission in uses.permissions() {
        let given = facts.permissions.get(permission.name).and_then(|level| Level::new(level));
        if given.is_some_and(|given| given > permission.level) {
            let text = format!("the App may write `{}`, and reading is enough", permission.name);
            checks.push(Check::warning("permission", text, "lower it at the App's page, if nothing else needs it"));
        }
    }
    checks
}

/// One line where all permissions are there, else one for each that is not.
fn permissions(whose: &str, given: &BTreeMap<String, String>, uses: Uses, hint: &str) -> Vec<Check> {
    let lacks = |permission: &&crate::adapters::github::manifest::Permission| {
        let level = given.get(permission.name).and_then(|level| Level::new(level));
        level.is_none_or(|level| level < permission.level)
    };
    let missing: Vec<_> = uses.permissions().filter(lacks).collect();
    if missing.is_empty() {
        return vec![Check::ok("permission", format!("{whose} has every permission that is used"))];
    }
    let failed = |permission: &&crate::adapters::github::manifest::Permission| {
        let (name, level) = (permission.name, permission.level.as_str());
        Check::failed("permission", format!("{whose} lacks `{name}: {level}` ({})", permission.why), hint)
    };
    missing.iter().map(failed).collect()
}

fn events(whose: &str, given: &[String], uses: Uses, hint: &str) -> Vec<Check> {
    let missing: Vec<_> = uses.events().filter(|event| !given.iter().any(|given| given == event.name)).collect();
    if missing.is_empty() {
        return vec![Check::ok("event", format!("{whose} is told of every event that is used"))];
    }
    let failed = |event: &&crate::adapters::github::manifest::Subscription| {
        Check::failed("event", format!("{whose} is not told of `{}` ({})", event.name, event.why), hint)
    };
    missing.iter().map(failed).collect()
}

/// What each account has agreed to: it may lag behind what the App asks for.
pub(super) fn installations(installations: &[InstallationFacts], uses: Uses) -> Vec<Check> {
    let mut checks = Vec::new();
    for installation in installations {
        let login = &installation.account.login;
        let whose = format!("the installation for `{login}`");
        if installation.suspended_at.is_some() {
            let hint = "an owner of the account can lift that, under its installed Apps";
            checks.push(Check::failed("installation", format!("{whose} is suspended"), hint));
            continue;
        }
        let hint = format!("an owner of `{login}` must accept the App's new permissions, under its installed Apps");
        checks.extend(permissions(&whose, &installation.permissions, uses, &hint));
        checks.extend(events(&whose, &installation.events, uses, &hint));
    }
    checks
}

/// Whether the App is installed where the policy's services live.
pub(super) async fn repositories(
    client: &GithubClient,
    policy: &Policy,
    installations: &[InstallationFacts],
) -> Result<Vec<Check>, CallError> {
    let mut checks = Vec::new();
    for pattern in patterns(policy) {
        if let Ok(name) = RepositoryName::new(&pattern) {
            checks.push(match client.installation_of(&name).await? {
                Some(_) => Check::ok("installation", format!("the App is installed on `{name}`")),
                None => {
                    let text = format!("the App is not installed on `{name}`, or there is no such repository");
                    Check::failed("installation", text, "add the repository to the installation, or mend the policy")
                }
            });
            continue;
        }
        // A pattern names no repository, but an owner.
        let owner = pattern.split('/').next().unwrap_or_default();
        let login = Login::new(owner).ok();
        let there = installations.iter().any(|installation| Some(&installation.account.login) == login.as_ref());
        checks.push(if there {
            let text = format!("the App is installed for `{owner}`, where `{pattern}` looks for repositories");
            Check::ok("installation", text)
        } else {
            let text = format!("the App is not installed for `{owner}`, where `{pattern}` looks for repositories");
            Check::failed("installation", text, "install it there, at its page on GitHub")
        });
    }
    Ok(checks)
}

/// The repositories that the policy writes, each once.
fn patterns(policy: &Policy) -> BTreeSet<String> {
    let of_rules = policy.services().flat_map(|service| policy.written_rules(service).map(|(_, rule)| rule.repository));
    of_rules.flatten().map(RepositoryPattern::as_str).map(str::to_ascii_lowercase).collect()
}

#[cfg(test)]
mod tests {
    use super::super::Outcome;
    use super::{app, installations};
    use crate::adapters::github::admin::{AppFacts, InstallationFacts, Owner};
    use crate::adapters::github::manifest::Uses;
    use crate::approval::facts::AccountKind;
    use crate::ident::Login;

    fn facts(uses: Uses) -> AppFacts {
        let permissions = uses.permissions().map(|p| (p.name.to_owned(), p.level.as_str().to_owned())).collect();
        let events = uses.events().map(|event| event.name.to_owned()).collect();
        AppFacts { id: 1, slug: "countersign".into(), permissions, events }
    }

    fn outcomes(checks: &[super::Check]) -> Vec<(Outcome, &str)> {
        checks.iter().map(|check| (check.outcome, check.text.as_str())).collect()
    }

    #[test]
    fn an_app_made_from_the_manifest_is_as_it_must_be() {
        for protection_rule in [false, true] {
            let uses = Uses { protection_rule };
            assert!(app(&facts(uses), uses).iter().all(|check| check.outcome == Outcome::Ok));
        }
    }

    #[test]
    fn what_is_missing_fails_and_what_is_too_much_is_a_warning() {
        let mut facts = facts(Uses::default());
        facts.permissions.insert("checks".into(), "read".into());
        facts.permissions.remove("members");
        facts.permissions.insert("contents".into(), "write".into());
        facts.permissions.insert("issues".into(), "read".into());
        facts.events.retain(|event| event != "check_run");
        let checks = app(&facts, Uses::default());
        let expected = [
            (Outcome::Ok, "the App `countersign` (1) answers to its key"),
            (Outcome::Failed, "the App lacks `members: read` (reads the members of the teams that the policy names)"),
            (
                Outcome::Failed,
                "the App lacks `checks: write` (publishes the decision as a check run on the pull request's head)",
            ),
            (Outcome::Failed, "the App is not told of `check_run` (the check run's button to evaluate again)"),
            (Outcome::Warning, "the App may also `issues: read`, which countersign does not use"),
            (Outcome::Warning, "the App may write `contents`, and reading is enough"),
        ];
        assert_eq!(outcomes(&checks), expected);
        assert!(checks.iter().all(|check| (check.outcome == Outcome::Ok) == check.hint.is_none()));
    }

    #[test]
    fn an_installation_that_did_not_accept_new_permissions_fails_and_so_does_a_suspended_one() {
        let AppFacts { permissions, events, .. } = facts(Uses::default());
        let account = Owner { login: Login::new("acme").unwrap(), kind: AccountKind::Other };
        let whole = InstallationFacts { id: 7, account, permissions, events, suspended_at: None };
        assert!(
            installations(std::slice::from_ref(&whole), Uses::default())
                .iter()
                .all(|check| check.outcome == Outcome::Ok)
        );
        let checks = installations(std::slice::from_ref(&whole), Uses { protection_rule: true });
        assert!(checks.iter().all(|check| check.outcome == Outcome::Failed), "{checks:?}");
        let suspended = InstallationFacts { suspended_at: Some(jiff::Timestamp::UNIX_EPOCH), ..whole };
        let checks = installations(&[suspended], Uses::default());
        assert_eq!(outcomes(&checks), [(Outcome::Failed, "the installation for `acme` is suspended")]);
    }
}
