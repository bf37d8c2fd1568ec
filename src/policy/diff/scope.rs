//! Compares the fields of the service entry: `repository`, `branches`, `notify` and `description`.

use super::change::{Direction, Effects, FieldChange, Part};
use crate::policy::pattern::{Pattern, glob_matches};
use crate::policy::rule::Rule;
use crate::policy::service::RepositoryPattern;

/// If nobody must approve, the gate reads no pull request, and `repository` and `branches` have no effect.
pub(super) fn compare(old: &Rule<'_>, new: &Rule<'_>, needs_approval: bool) -> Vec<FieldChange> {
    let mut changes = Vec::new();
    let without_effect = |part, differs: bool| {
        differs.then(|| FieldChange::new(part, Direction::Different, "has no effect, because nobody must approve"))
    };
    if needs_approval {
        changes.extend(repositories(old.repository, new.repository));
        changes.extend(branches(old.branches, new.branches));
    } else {
        changes.extend(without_effect(Part::Repository, old.repository != new.repository));
        changes.extend(without_effect(Part::Branches, old.branches != new.branches));
    }
    if old.service_notify != new.service_notify {
        let text = "other channels are notified of the events of the service";
        changes.push(FieldChange::new(Part::ServiceNotify, Direction::Different, text));
    }
    if old.description != new.description {
        changes.push(FieldChange::new(Part::Description, Direction::Different, "approvers see another text"));
    }
    changes
}

fn repositories(old: &[RepositoryPattern], new: &[RepositoryPattern]) -> Option<FieldChange> {
    let texts = |patterns: &[RepositoryPattern]| -> Vec<String> {
        patterns.iter().map(|pattern| pattern.as_str().to_ascii_lowercase()).collect()
    };
    let (old, new) = (texts(old), texts(new));
    let mut effects = Effects::default();
    let beyond = |of: &[String], others: &[String]| -> Vec<String> {
        let covered = |text: &String| others.iter().any(|other| glob_covers(other, text));
        of.iter().filter(|text| !covered(text)).map(|text| format!("`{text}`")).collect()
    };
    for text in beyond(&new, &old) {
        effects.looser.push(format!("a pull request of {text} may be deployed"));
    }
    for text in beyond(&old, &new) {
        effects.stricter.push(format!("a pull request of {text} may no longer be deployed"));
    }
    (old != new).then(|| effects.change(Part::Repository, "the same repositories, written in another way"))
}

fn branches(old: Option<&[Pattern]>, new: Option<&[Pattern]>) -> Option<FieldChange> {
    if old == new {
        return None;
    }
    let mut effects = Effects::default();
    for text in beyond(new, old) {
        effects.looser.push(format!("a pull request into {text} may be deployed"));
    }
    for text in beyond(old, new) {
        effects.stricter.push(format!("a pull request into {text} may no longer be deployed"));
    }
    Some(effects.change(Part::Branches, "the same branches, written in another way"))
}

/// The branches of one side that the other side may not allow. `None` means the default branch, whatever it is called.
fn beyond(of: Option<&[Pattern]>, others: Option<&[Pattern]>) -> Vec<String> {
    match (of, others) {
        (None, None) => Vec::new(),
        (None, Some(others)) if others.iter().any(Pattern::is_star) => Vec::new(),
        (None, Some(_)) => vec!["the default branch, whatever it is called,".to_owned()],
        (Some(of), others) => {
            let covered =
                |pattern: &Pattern| others.is_some_and(|others| others.iter().any(|other| covers(other, pattern)));
            of.iter().filter(|pattern| !covered(pattern)).map(|pattern| format!("`{pattern}`")).collect()
        }
    }
}

/// Whether a pattern certainly matches everything that the other matches.
fn covers(pattern: &Pattern, other: &Pattern) -> bool {
    if pattern == other || pattern.is_star() || (other.is_exact() && pattern.matches(other.as_str())) {
        return true;
    }
    match (pattern.as_glob(), other.as_glob()) {
        (Some(pattern), Some(other)) => glob_covers(pattern, other),
        (Some(_) | None, Some(_) | None) => false,
    }
}

/// Whether a glob certainly matches everything that the other matches.
///
/// The other glob is matched as text. A `*` that matches its wildcards also matches everything that they stand for. A
/// `?` would take a wildcard for one character, so with wildcards there must be no `?`.
fn glob_covers(glob: &str, other: &str) -> bool {
    let is_wild = other.contains(['*', '?']);
    glob == other || (!(is_wild && glob.contains('?')) && glob_matches(glob.as_bytes(), other.as_bytes(), u8::eq))
}

#[cfg(test)]
mod tests {
    use super::covers;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_pattern_that_covers_another_matches_everything_that_it_matches(
            (pattern, other, text) in ("[ab*?]{1,5}", "[ab*?]{1,5}", "[ab]{0,6}"),
        ) {
            let (pattern, other): (super::Pattern, super::Pattern) = (pattern.parse().unwrap(), other.parse().unwrap());
            prop_assert!(!covers(&pattern, &other) || !other.matches(&text) || pattern.matches(&text));
        }
    }

    #[test]
    fn a_wider_glob_covers_a_narrower_one() {
        let covered = |pattern: &str, other: &str| covers(&pattern.parse().unwrap(), &other.parse().unwrap());
        assert!(covered("release/*", "release/1.*"));
        assert!(covered("*", "/v[0-9]+/"));
        assert!(covered("/v[0-9]+/", "v12"));
        assert!(!covered("release/1.*", "release/*"));
        assert!(!covered("a?", "a*"));
    }
}
