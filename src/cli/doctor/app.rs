//! Compares the App with its manifest, and its installations with the policy's repositories.

use std::collections::{BTreeMap, BTreeSet};

use super::Check;
use crate::adapters::github::admin::{AppFacts, InstallationFacts};
use crate::adapters::github::client::{CallError, GithubClient};
use crate::adapters::github::manifest::{Level, Permission, Subscription, Uses};
use crate::ident::{Login, RepositoryName};
use crate::policy::{Policy, RepositoryPattern};

/// The check for an App that GitHub refuses.
pub(super) fn refused(error: &CallError) -> Check {
    let hint = match error.status() {
        Some(401) => {
            "check that the key belongs to this App and is still listed on its page, and that this clock is right"
        }
        Some(_) => "check the App's id, and that `--base-url` is the API of the GitHub that has the App",
        None => "check that `--base-url` is the API of the GitHub that has the App, and that this machine can reach it",
    };
    Check::failed("app", error.to_string(), hint)
}

/// Compares the App's permissions and events with those that countersign uses.
pub(super) fn app(facts: &AppFacts, uses: Uses) -> Vec<Check> {
    let mut checks = vec![Check::ok("app", format!("the App `{}` ({}) answers to its key", facts.slug, facts.id))];
    let change = "change it on the App's page on GitHub; then an owner of every installation must accept it";
    checks.extend(permissions("the App", &facts.permissions, uses, change));
    checks.extend(events("the App", &facts.events, uses, change));
    let used: BTreeSet<&str> = uses.permissions().map(|permission| permission.name).collect();
    for (name, level) in facts.permissions.iter().filter(|(name, _)| !used.contains(name.as_str())) {
        let text = format!("the App also has `{name}: {level}`, which countersign does not use");
        checks.push(Check::warning("permission", text, "remove it on the App's page, unless something else needs it"));
    }
    for permission in uses.permissions() {
        let given = facts.permissions.get(permission.name).and_then(|level| Level::new(level));
        if given.is_some_and(|given| given > permission.level) {
            let text = format!("the App may write `{}`, but needs to read it only", permission.name);
            checks.push(Check::warning(
                "permission",
                text,
                "lower it on the App's page, unless something else needs it",
            ));
        }
    }
    checks
}

/// One check if no permission is missing, otherwise one for each missing permission.
fn permissions(owner: &str, given: &BTreeMap<String, String>, uses: Uses, hint: &str) -> Vec<Check> {
    let lacks = |permission: &&Permission| {
        let level = given.get(permission.name).and_then(|level| Level::new(level));
        level.is_none_or(|level| level < permission.level)
    };
    let missing: Vec<_> = uses.permissions().filter(lacks).collect();
    if missing.is_empty() {
        return vec![Check::ok("permission", format!("{owner} has every permission that is used"))];
    }
    let failed = |permission: &&Permission| {
        let (name, level) = (permission.name, permission.level.as_str());
        Check::failed("permission", format!("{owner} lacks `{name}: {level}` ({})", permission.why), hint)
    };
    missing.iter().map(failed).collect()
}

fn events(owner: &str, given: &[String], uses: Uses, hint: &str) -> Vec<Check> {
    let missing: Vec<_> = uses.events().filter(|event| !given.iter().any(|given| given == event.name)).collect();
    if missing.is_empty() {
        return vec![Check::ok("event", format!("{owner} receives every event that is used"))];
    }
    let failed = |event: &&Subscription| {
        Check::failed("event", format!("{owner} does not receive `{}` ({})", event.name, event.why), hint)
    };
    missing.iter().map(failed).collect()
}

/// What each account has accepted. This may lag behind what the App requests.
pub(super) fn installations(installations: &[InstallationFacts], uses: Uses) -> Vec<Check> {
    let mut checks = Vec::new();
    for installation in installations {
        let login = &installation.account.login;
        let owner = format!("the installation for `{login}`");
        if installation.suspended_at.is_some() {
            let hint = "an owner of the account can lift this, under its installed Apps";
            checks.push(Check::failed("installation", format!("{owner} is suspended"), hint));
            continue;
        }
        let hint = format!("an owner of `{login}` must accept the App's new permissions, under its installed Apps");
        checks.extend(permissions(&owner, &installation.permissions, uses, &hint));
        checks.extend(events(&owner, &installation.events, uses, &hint));
    }
    checks
}

/// Whether the App is installed on the policy's repositories.
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
                    let text = format!("the App is not installed on `{name}`, or the repository does not exist");
                    Check::failed("installation", text, "add the repository to the installation, or correct the policy")
                }
            });
            continue;
        }
        // A pattern names an owner, but no single repository.
        let owner = pattern.split('/').next().unwrap_or_default();
        let login = Login::new(owner).ok();
        let there = installations.iter().any(|installation| Some(&installation.account.login) == login.as_ref());
        checks.push(if there {
            let text = format!("the App is installed for `{owner}`, where `{pattern}` looks for repositories");
            Check::ok("installation", text)
        } else {
            let text = format!("the App is not installed for `{owner}`, where `{pattern}` looks for repositories");
            Check::failed("installation", text, "install it there, on its page on GitHub")
        });
    }
    Ok(checks)
}

/// The repositories and patterns of the policy, without duplicates.
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
    fn an_app_made_from_the_manifest_passes_every_check() {
        for protection_rule in [false, true] {
            let uses = Uses { protection_rule };
            assert!(app(&facts(uses), uses).iter().all(|check| check.outcome == Outcome::Ok));
        }
    }

    #[test]
    fn a_missing_permission_fails_and_an_extra_one_is_a_warning() {
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
            (Outcome::Failed, "the App does not receive `check_run` (the check run's button to evaluate again)"),
            (Outcome::Warning, "the App also has `issues: read`, which countersign does not use"),
            (Outcome::Warning, "the App may write `contents`, but needs to read it only"),
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
