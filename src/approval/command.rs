//! The command in the first line of an approving review.

use crate::finding::closest;
use crate::ident::{EnvironmentName, ServiceName, Target};

/// The first line of a review's text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Command {
    /// No command: a plain approval.
    Plain,
    /// `/approve TARGET, TARGET…`.
    Approve(Vec<NamedTarget>),
    /// `/override TARGET reason…`, which reads as an approval of its target too.
    Override(NamedTarget, String),
    /// It begins with a command, or something close to one, but does not parse.
    Broken(BrokenCommand),
}

/// A target as a review names it: `production`, for every service, or `checkout:production`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct NamedTarget {
    service: Option<ServiceName>,
    environment: EnvironmentName,
}

/// Why a command does not parse.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum BrokenCommand {
    #[error("the command names no target")]
    NoTarget,
    #[error("what follows the command is not a list of targets")]
    BadTarget,
    #[error("an override needs a reason after its target")]
    NoReason,
    #[error("the command is misspelt: it is `/approve` or `/override`")]
    Misspelt,
}

const COMMANDS: [&str; 2] = ["approve", "override"];

/// Invisible characters other than white space. Pasted texts contain them.
const INVISIBLE: [char; 5] = ['\u{200b}', '\u{200c}', '\u{200d}', '\u{2060}', '\u{feff}'];

impl NamedTarget {
    fn new(text: &str) -> Option<Self> {
        let (service, environment) = match text.split_once(':') {
            Some((service, environment)) => (Some(ServiceName::new(service).ok()?), environment),
            None => (None, text),
        };
        Some(Self { service, environment: EnvironmentName::new(environment).ok()? })
    }

    #[must_use]
    pub(super) fn names(&self, target: &Target) -> bool {
        self.environment == target.environment && self.service.as_ref().is_none_or(|service| *service == target.service)
    }
}

impl Command {
    /// Reads the first line of a review's text that is not blank. Ignores case.
    ///
    /// A line that is almost a command (misspelt, quoted or in backticks) is broken, not plain: a slip must not turn an
    /// approval of one target into an approval of all.
    #[must_use]
    pub(super) fn read(body: &str) -> Self {
        let blank = |c: char| c.is_whitespace() || INVISIBLE.contains(&c);
        let line = body.lines().map(|line| line.trim_matches(blank)).find(|line| !line.is_empty()).unwrap_or_default();
        let Some(rest) = line.strip_prefix('/') else {
            let undecorated = line.trim_start_matches(|c: char| !c.is_alphanumeric() && c != '/');
            return if undecorated.starts_with('/') { Self::misspelt(undecorated) } else { Self::Plain };
        };
        let end = rest.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(rest.len());
        let (word, rest) = rest.split_at(end);
        let apart = rest.is_empty() || rest.starts_with(char::is_whitespace);
        match (word.to_ascii_lowercase().as_str(), apart) {
            ("approve", true) => Self::read_approve(rest.trim()),
            ("override", true) => Self::read_override(rest.trim()),
            ("approve" | "override", false) => Self::Broken(BrokenCommand::BadTarget),
            _ => Self::misspelt(line),
        }
    }

    /// A line that begins with a slash but is no command: broken if close to a command, otherwise plain.
    fn misspelt(line: &str) -> Self {
        let word: String = line
            .trim_start_matches(|c: char| !c.is_alphanumeric())
            .chars()
            .take_while(|c| c.is_alphanumeric())
            .flat_map(char::to_lowercase)
            .collect();
        let begins = |command: &str| word.len() > 1 && (command.starts_with(&word) || word.starts_with(command));
        let meant = COMMANDS.into_iter().any(begins) || (word.len() > 3 && closest(&word, COMMANDS).is_some());
        if meant { Self::Broken(BrokenCommand::Misspelt) } else { Self::Plain }
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
        let reason = reason.trim();
        if reason.is_empty() {
            return Self::Broken(BrokenCommand::NoReason);
        }
        NamedTarget::new(target)
            .map_or(Self::Broken(BrokenCommand::BadTarget), |target| Self::Override(target, reason.to_owned()))
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
            Command::Override(named, _) => Some(named.names(&target)),
            Command::Plain | Command::Broken(_) => None,
        }
    }

    #[test]
    fn a_first_line_names_an_environment_or_a_service_in_one() {
        assert_eq!(names("/approve production"), Some(true));
        assert_eq!(names("/approve checkout:production\nlooks good"), Some(true));
        assert_eq!(names("  /Approve staging, checkout:production "), Some(true));
        assert_eq!(names("\n\u{200b}/approve production"), Some(true));
        assert_eq!(names("/approve billing:production"), Some(false));
        assert_eq!(names("/override production the site is down"), Some(true));
    }

    #[test]
    fn an_override_names_one_target_and_gives_a_reason() {
        for (body, reason) in [
            ("/override production the site is down", "the site is down"),
            ("/Override checkout:production  down\nmore", "down"),
        ] {
            assert!(matches!(Command::read(body), Command::Override(_, given) if given == reason), "{body}");
        }
    }

    #[test]
    fn a_first_line_without_a_command_is_plain() {
        for body in
            ["", "looks good", "LGTM\n/approve production", "/lgtm", "/etc is touched", "> see /approve", "- ok"]
        {
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
            ("/apporve production", BrokenCommand::Misspelt),
            ("/appr production", BrokenCommand::Misspelt),
            ("/ approve production", BrokenCommand::Misspelt),
            ("//approve production", BrokenCommand::Misspelt),
            ("`/approve production`", BrokenCommand::Misspelt),
            ("> /approve production", BrokenCommand::Misspelt),
            ("\\/approve production", BrokenCommand::Misspelt),
        ] {
            assert_eq!(Command::read(body), Command::Broken(broken), "{body}");
        }
    }
}
