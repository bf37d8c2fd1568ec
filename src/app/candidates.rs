//! Finds the one pull request that a pipeline means if it names a revision only.

use super::input::InvalidInput;
use crate::ident::{PullRequestRef, Revision};
use crate::policy::Rule;
use crate::ports::FoundPullRequest;

/// The one pull request of the revision that fits the rule.
///
/// A pull request from a fork does not make the revision ambiguous: anybody can open one for a commit of somebody else.
///
/// # Errors
/// None is left, or several are. The error lists them.
pub(super) fn the_one(
    rule: &Rule<'_>,
    found: Vec<FoundPullRequest>,
    revision: &Revision,
) -> Result<PullRequestRef, InvalidInput> {
    let mut dropped = Vec::new();
    let (mut own, mut forks) = (Vec::new(), Vec::new());
    for one in found {
        match misfit(rule, &one) {
            Some(reason) => dropped.push(format!("{} {reason}", one.at)),
            None if one.from_fork => forks.push(one.at),
            None => own.push(one.at),
        }
    }
    let left = if own.is_empty() { forks } else { own };
    <[PullRequestRef; 1]>::try_from(left)
        .map(|[one]| one)
        .map_err(|left| InvalidInput::one(problem(revision, &left, &dropped)))
}

/// Why a pull request cannot be the one. `None` if it can.
fn misfit(rule: &Rule<'_>, one: &FoundPullRequest) -> Option<String> {
    if !rule.repository.iter().any(|pattern| pattern.matches(&one.at.repository)) {
        return Some("is in a repository that the rule does not allow".to_owned());
    }
    let fits = match rule.branches {
        Some(branches) => branches.iter().any(|branch| branch.matches(&one.base)),
        None => one.base == one.default_branch,
    };
    if !fits {
        return Some(format!("goes into `{}`, which the rule does not allow", one.base));
    }
    one.closed_unmerged.then(|| "was closed without a merge".to_owned())
}

fn problem(revision: &Revision, left: &[PullRequestRef], dropped: &[String]) -> String {
    match (left, dropped) {
        ([], []) => {
            return format!(
                "`revision`: no pull request has {revision} as its head or merge commit: give `pullRequest`"
            );
        }
        ([], _) => {
            return format!(
                "`revision`: no pull request that fits the rule has {revision} as its head or merge commit ({}): give \
                 `pullRequest`",
                dropped.join(", ")
            );
        }
        _ => {}
    }
    let names: Vec<String> = left.iter().map(ToString::to_string).collect();
    format!(
        "`revision`: several pull requests have {revision} as head or merge commit ({}): give `pullRequest`",
        names.join(", ")
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::finding::{Source, SourceContent};
    use crate::policy::{Policy, load};

    const POLICY: &str = r#"
version: 1
services:
  checkout:
    repository: acme/checkout
    environments:
      production: { require: 1 of @pia, timeout: 4h }
  branched:
    repository: acme/checkout
    branches: ["release/*"]
    environments:
      production: { require: 1 of @pia, timeout: 4h }
"#;

    fn policy() -> Policy {
        let source = Source { name: "policy.yaml".into(), content: SourceContent::Bytes(POLICY.into()) };
        let loaded = load(vec![source]);
        loaded.policy.unwrap_or_else(|| panic!("{:?}", loaded.findings))
    }

    fn found(number: u64, base: &str) -> FoundPullRequest {
        FoundPullRequest {
            at: PullRequestRef::new(&format!("acme/checkout#{number}")).unwrap(),
            base: base.to_owned(),
            default_branch: "main".to_owned(),
            from_fork: false,
            closed_unmerged: false,
        }
    }

    fn fork(number: u64) -> FoundPullRequest {
        FoundPullRequest { from_fork: true, ..found(number, "main") }
    }

    fn one_of(service: &str, found: Vec<FoundPullRequest>) -> Result<u64, String> {
        let policy = policy();
        let target = serde_json::from_value(serde_json::json!({ "service": service, "environment": "production" }));
        let rule = policy.rule(&target.unwrap()).unwrap();
        let one = the_one(&rule, found, &Revision::new(&"a".repeat(40)).unwrap());
        one.map(|at| at.number).map_err(|error| error.to_string())
    }

    #[test]
    fn a_pull_request_of_the_repository_itself_is_taken_and_those_from_forks_are_dropped() {
        assert_eq!(one_of("checkout", vec![fork(1), found(2, "main"), fork(3)]), Ok(2));
    }

    #[test]
    fn a_pull_request_from_a_fork_is_taken_if_it_is_the_only_one_that_fits() {
        let closed = FoundPullRequest { closed_unmerged: true, ..found(1, "main") };
        assert_eq!(one_of("checkout", vec![closed, fork(2), found(3, "other")]), Ok(2));
        assert!(one_of("checkout", vec![fork(2), fork(3)]).unwrap_err().contains("(acme/checkout#2, acme/checkout#3)"));
    }

    #[test]
    fn a_pull_request_into_another_branch_or_repository_than_the_rule_allows_is_dropped() {
        assert_eq!(one_of("checkout", vec![found(1, "release/1"), found(2, "main")]), Ok(2));
        assert_eq!(one_of("branched", vec![found(1, "release/1"), found(2, "main")]), Ok(1));
        let at = PullRequestRef::new("acme/other#1").unwrap();
        let elsewhere = FoundPullRequest { at, ..found(1, "main") };
        assert_eq!(one_of("checkout", vec![elsewhere, found(2, "main")]), Ok(2));
    }

    #[test]
    fn if_none_fits_the_error_lists_each_with_the_reason() {
        let closed = FoundPullRequest { closed_unmerged: true, ..found(1, "main") };
        let error = one_of("checkout", vec![closed, found(2, "release/1")]).unwrap_err();
        for part in
            ["acme/checkout#1 was closed without a merge", "acme/checkout#2 goes into `release/1`", "`pullRequest`"]
        {
            assert!(error.contains(part), "{error}");
        }
        assert!(one_of("checkout", Vec::new()).unwrap_err().contains("merge commit: give"));
    }

    #[test]
    fn several_that_fit_are_listed() {
        let error = one_of("checkout", vec![found(1, "main"), found(2, "main"), fork(3)]).unwrap_err();
        assert!(error.contains("several") && error.contains("(acme/checkout#1, acme/checkout#2)"), "{error}");
    }
}
