//! What the first line of an approving review says about targets.

use crate::finding::closest;
use crate::ident::{EnvironmentName, ServiceName, Target};

/// The first line of a review's text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Command {
    /// No command: a plain approval.
    Plain,
    /// `/approve TARGET, TARGET…`, or an override, which reads as an approval of its target too.
    Approve(Vec<NamedTarget>),
    /// It begins with a command, or what was meant as one, and does not parse.
    Broken(BrokenCommand),
}

/// A target as a review names it: `production`, for every service, or `checkout:production`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct NamedTarget {
    service: Option<ServiceName>,
    environment: EnvironmentName,
}

/// Why a first line that begins with a command does not parse.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum BrokenCommand {
    /// Nothing behind the command.
    #[error("the command names no target")]
    NoTarget,
    /// Something that is no target.
    #[error("what follows the command is not a list of targets")]
    BadTarget,
    /// An override that gives no reason.
    #[error("an override needs a reason behind its target")]
    NoReason,
    /// A word that is almost a command.
    #[error("the command is misspelt: it is `/approve` or `/override`")]
    Misspelt,
}

impl NamedTarget {
    fn new(text: &str) -> Option<Self> {
        let (service, environment) = match text.split_once(':') {
            Some((service, environment)) => (Some(ServiceName::new(service).ok()?), environment),
            None => (None, text),
        };
        Some(Self { service, environment: EnvironmentName::new(environment).ok()? })
    }

    /// Whether the target is meant.
    #[must_use]
    pub(super) fn names(&self, target: &Target) -> bool {
        self.environment == target.environment && self.service.as_ref().is_none_or(|service| *service == target.service)
    }
}

impl Command {
    /// Reads the first line of a review's text.
    ///
    /// Case is not regarded, and a word that is almost a command counts as a broken one: a slip must not turn an
    /// approval of one target into one of all.
    #[must_use]
    pub(super) fn read(body: &str) -> Self {
        let line = body.lines().next().unwrap_or_default().trim();
        let Some(rest) = line.strip_prefix('/') else { return Self::Plain };
        let end = rest.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(rest.len());
        let (word, rest) = rest.split_at(end);
        let apart = rest.is_empty() || rest.starts_with(char::is_whitespace);
        match (word.to_ascii_lowercase().as_str(), apart) {
            ("approve", true) => Self::read_approve(rest.trim()),
            ("override", true) => Self::read_override(rest.trim()),
            ("approve" | "override", false) => Self::Broken(BrokenCommand::BadTarget),
            (word, _) if word.len() > 3 && closest(word, ["approve", "override"]).is_some() => {
                Self::Broken(BrokenCommand::Misspelt)
            }
            _ => Self::Plain,
        }
    }

    fn read_approve(rest: &str) -> Self {
        if rest.is_empty() {
            return Self::Broken(BrokenCommand::NoTarget);
        }
        let targets: Option<Vec<NamedTarget>> = rest.split(',').map(|target| NamedTarget::new(target.trim())).collect();
        targets.map_or(Self::Broken(BrokenCommand::BadTarget), Self::Approve)
    }

    fn read_override(rest: &str) -> Self {
        if rest.is_empty() {
            return Self::Broken(BrokenCommand::NoTarget);
        }
        let Some((target, reason)) = rest.split_once(char::is_whitespace) else {
            return Self::Broken(BrokenCommand::NoReason);
        };
        if reason.trim().is_empty() {
            return Self::Broken(BrokenCommand::NoReason);
        }
        NamedTarget::new(target).map_or(Self::Broken(BrokenCommand::BadTarget), |target| Self::Approve(vec![target]))
    }
}

#[cfg(test)]
mod tests {
    use super::{BrokenCommand, Command};
    use crate::ident::{EnvironmentName, ServiceName, Target};

    fn names(body: &str) -> Option<bool> {
        let target = Target {
            service: ServiceName::new("checkout").unwrap(),
            environment: EnvironmentName::new("production").unwrap(),
        };
        match Command::read(body) {
            Command::Approve(targets) => Some(targets.iter().any(|named| named.names(&target))),
            Command::Plain | Command::Broken(_) => None,
        }
    }

    #[test]
    fn a_first_line_names_an_environment_or_a_service_in_one() {
        assert_eq!(names("/approve production"), Some(true));
        assert_eq!(names("/approve checkout:production\nlooks good"), Some(true));
        assert_eq!(names("  /Approve staging, checkout:production "), Some(true));
        assert_eq!(names("/approve billing:production"), Some(false));
        assert_eq!(names("/override production the site is down"), Some(true));
    }

    #[test]
    fn a_first_line_without_a_command_is_plain() {
        for body in ["", "looks good", "LGTM\n/approve production", "/lgtm", "/ approve", "/etc is touched"] {
            assert_eq!(Command::read(body), Command::Plain, "{body}");
        }
    }

    #[test]
    fn a_command_that_does_not_parse_is_broken_and_never_plain() {
        for (body, broken) in [
            ("/approve", BrokenCommand::NoTarget),
            ("/approve production please", BrokenCommand::BadTarget),
            ("/approve production,", BrokenCommand::BadTarget),
            ("/approve:production", BrokenCommand::BadTarget),
            ("/approve a:b:c", BrokenCommand::BadTarget),
            ("/override production", BrokenCommand::NoReason),
            ("/aprove production", BrokenCommand::Misspelt),
            ("/approved production", BrokenCommand::Misspelt),
        ] {
            assert_eq!(Command::read(body), Command::Broken(broken), "{body}");
        }
    }
}
