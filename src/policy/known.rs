//! Which names a policy knows: those that its selectors match, wherever in the policy they stand.

use std::collections::HashSet;
use std::fmt;

use serde::{Deserialize, Serialize};

use super::Policy;
use super::pattern::{Pattern, read_patterns_of_names};
use crate::ident::{EnvironmentName, ServiceName};

/// The most selectors that are kept. With more, every name counts as known, so that a pinned rule stays small.
const MOST_SELECTORS: usize = 200;

/// The selectors of a policy, each once.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct KnownNames {
    #[serde(deserialize_with = "read_patterns_of_names")]
    services: Vec<Pattern>,
    #[serde(deserialize_with = "read_patterns_of_names")]
    environments: Vec<Pattern>,
}

/// Where a rule's policy says which names it knows.
#[derive(Clone, Copy)]
pub(super) enum Known<'p> {
    By(&'p Policy),
    Pinned(&'p KnownNames),
}

impl fmt::Debug for Known<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.names().fmt(f)
    }
}

impl Known<'_> {
    pub(super) fn names(self) -> KnownNames {
        match self {
            Self::By(policy) => KnownNames::of(policy),
            Self::Pinned(names) => names.clone(),
        }
    }

    pub(super) fn knows(self, service: Option<&ServiceName>, environment: &EnvironmentName) -> bool {
        match self {
            Self::By(policy) => KnownNames::of(policy).knows(service, environment),
            Self::Pinned(names) => names.knows(service, environment),
        }
    }
}

impl KnownNames {
    fn of(policy: &Policy) -> Self {
        let own = policy.services().flat_map(|(_, service)| service.environments.iter());
        Self {
            services: distinct(policy.services().map(|(key, _)| key)),
            environments: distinct(policy.environments().chain(own).map(|(key, _)| key)),
        }
    }

    fn knows(&self, service: Option<&ServiceName>, environment: &EnvironmentName) -> bool {
        match service {
            Some(service) => self.services.iter().any(|key| key.matches(service.as_str())),
            None => self.environments.iter().any(|key| key.matches(environment.as_str())),
        }
    }
}

/// The selectors, each once. A bare `*` stands for too many.
fn distinct<'p>(keys: impl Iterator<Item = &'p Pattern>) -> Vec<Pattern> {
    let mut seen = HashSet::new();
    let mut kept = Vec::new();
    for key in keys {
        if seen.insert(key.key()) {
            kept.push(key.clone());
        }
        if kept.len() > MOST_SELECTORS {
            return Pattern::of_names("*").into_iter().collect();
        }
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::KnownNames;
    use crate::finding::{Source, SourceContent};
    use crate::policy::load;

    fn names(text: &str) -> KnownNames {
        let content = SourceContent::Bytes(format!("version: 1\n{text}").into_bytes());
        let policy = load(vec![Source { name: "a.yaml".to_owned(), content }]).policy.unwrap();
        let names = KnownNames::of(&policy);
        let read: KnownNames = serde_json::from_str(&serde_json::to_string(&names).unwrap()).unwrap();
        assert_eq!(read, names);
        read
    }

    fn knows(names: &KnownNames, service: Option<&str>, environment: &str) -> bool {
        names.knows(service.map(|name| name.parse().unwrap()).as_ref(), &environment.parse().unwrap())
    }

    #[test]
    fn a_policy_knows_the_names_that_its_selectors_match_in_any_case_also_once_they_are_stored() {
        let names = names(
            "environments: { Staging: { require: none } }\nservices:\n  Shop: { environments: { Prod: { require: none } } }\n  \
             \"pay-*\": { environments: { \"/qa[0-9]/\": { require: none }, prod: { require: none } } }\n",
        );
        for environment in ["staging", "PROD", "QA7"] {
            assert!(knows(&names, None, environment), "{environment}");
            assert!(!knows(&names, Some("billing"), environment));
        }
        assert!(!knows(&names, None, "qa") && !knows(&names, None, "elsewhere"));
        assert!(knows(&names, Some("PAY-eu"), "prod") && knows(&names, Some("shop"), "elsewhere"));
    }

    #[test]
    fn with_very_many_selectors_every_name_counts_as_known() {
        let many = |number: u32| {
            let services: String = (0..number).map(|n| format!("  s{n}: {{}}\n")).collect();
            names(&format!("environments: {{ prod: {{ require: none }} }}\nservices:\n{services}"))
        };
        assert!(!knows(&many(200), Some("billing"), "prod"));
        assert!(knows(&many(201), Some("billing"), "prod") && !knows(&many(201), None, "other"));
    }
}
