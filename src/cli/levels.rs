//! `--deny`, `--warn` and `--allow`: the level of each finding.

use clap::Args;

use super::exit::Exit;
use super::failure::Failure;
use crate::finding::{Code, Findings, Level, Levels, Severity, closest};

#[derive(Debug, Clone, Args)]
pub struct LevelArgs {
    /// Fail with exit code 3 on findings of this severity or worse. With a code: treat its findings as errors
    /// [severities: error, warning, note; default: error].
    #[arg(long, value_name = "SEVERITY|CODE", value_delimiter = ',', value_parser = denied)]
    pub deny: Vec<Denied>,
    /// Make findings with these codes warnings.
    #[arg(long, value_name = "CODE", value_delimiter = ',', value_parser = lint)]
    pub warn: Vec<Code>,
    /// Ignore findings with these codes.
    #[arg(long, value_name = "CODE", value_delimiter = ',', value_parser = lint)]
    pub allow: Vec<Code>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Denied {
    /// Every finding of this severity or worse.
    From(Severity),
    /// Every finding with this code.
    Lint(Code),
}

const SEVERITIES: [(&str, Severity); 3] =
    [("error", Severity::Error), ("warning", Severity::Warning), ("note", Severity::Note)];

fn denied(text: &str) -> Result<Denied, String> {
    match SEVERITIES.iter().find(|(name, _)| *name == text) {
        Some((_, severity)) => Ok(Denied::From(*severity)),
        None => code(text, SEVERITIES.iter().map(|(name, _)| *name)).map(Denied::Lint),
    }
}

fn lint(text: &str) -> Result<Code, String> {
    code(text, std::iter::empty())
}

/// Parses a code whose level can be set. The hint suggests codes, and the other `words` that are allowed here.
fn code(text: &str, words: impl Iterator<Item = &'static str>) -> Result<Code, String> {
    match Code::from_text(text) {
        // Check here that its level can be set, so that clap reports the argument.
        Some(code) => Levels::default().set(code, Level::Deny).map(|_| code).map_err(|error| error.to_string()),
        None => {
            let lints = Code::ALL.iter().filter(|code| code.lint().is_some()).map(|code| code.as_str());
            let hint = closest(text, words.chain(lints)).map_or_else(
                || "`docs/findings.md` lists the codes".to_owned(),
                |near| format!("did you mean `{near}`?"),
            );
            Err(format!("there is no finding with that code: {hint}"))
        }
    }
}

impl LevelArgs {
    /// Errors if a code has two different levels.
    pub(super) fn levels(&self) -> anyhow::Result<Levels> {
        let denied = self.deny.iter().filter_map(|denied| match denied {
            Denied::Lint(code) => Some((*code, Level::Deny)),
            Denied::From(_) => None,
        });
        let warned = self.warn.iter().map(|code| (*code, Level::Warn));
        let allowed = self.allow.iter().map(|code| (*code, Level::Allow));
        let mut levels = Levels::default();
        for (code, level) in denied.chain(warned).chain(allowed) {
            if let Some(before) = levels.set(code, level)?.filter(|before| *before != level) {
                let message =
                    format!("`{}` is given to both `{}` and `{}`", code.as_str(), option(before), option(level));
                return Err(Failure::new("usage", message).hint("keep one of the two").exit(Exit::Usage).into());
            }
        }
        Ok(levels)
    }

    pub(super) fn deny(&self, findings: &Findings) -> bool {
        let severities = self.deny.iter().filter_map(|denied| match denied {
            Denied::From(severity) => Some(*severity),
            Denied::Lint(_) => None,
        });
        let least = severities.min().unwrap_or(Severity::Error);
        findings.iter().any(|finding| finding.severity() >= least)
    }
}

const fn option(level: Level) -> &'static str {
    match level {
        Level::Deny => "--deny",
        Level::Warn => "--warn",
        Level::Allow => "--allow",
    }
}
