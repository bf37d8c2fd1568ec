//! `countersign check`.

use std::collections::BTreeSet;
use std::path::{Component, Path, PathBuf};

use jiff::Timestamp;
use serde_json::Value;

use super::bundle::{PolicyArgs, read_bundle};
use super::exit::Exit;
use super::failure::Failure;
use super::levels::LevelArgs;
use super::terminal;
use crate::policy::{Linted, Policy, lint};
use crate::render;
use crate::render::sarif::Log;

#[derive(Debug, clap::Args)]
pub struct CheckArgs {
    /// The policies to check, one after the other [default: the policy that `--policy` names].
    #[arg(value_name = "PATH")]
    pub paths: Vec<PathBuf>,
    /// The instant to check calendars for, e.g. 2027-01-01T00:00:00Z: which of them are over, and whether the following
    /// year leaves time to release [default: now].
    #[arg(long, value_name = "TIME")]
    pub at: Option<Timestamp>,
    #[command(flatten)]
    pub levels: LevelArgs,
    /// The output format.
    #[arg(long, value_enum, value_name = "FORMAT", default_value_t = CheckFormat::Text)]
    pub format: CheckFormat,
    #[command(flatten)]
    pub policy: PolicyArgs,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum CheckFormat {
    /// For people.
    Text,
    /// For programs. With several paths, one JSON document per line.
    Json,
    /// For code scanning: SARIF 2.1.0.
    Sarif,
    /// For a GitHub workflow: annotates the line of each finding.
    Github,
}

pub(super) fn run(args: &CheckArgs) -> anyhow::Result<Exit> {
    let policy_path = args.policy.path.as_path();
    let levels = args.levels.levels()?;
    let paths =
        if args.paths.is_empty() { vec![policy_path] } else { args.paths.iter().map(PathBuf::as_path).collect() };
    let at = args.at.unwrap_or_else(clock);
    let mut exit = Exit::Done;
    let mut log = Log::default();
    for path in paths.iter().copied() {
        let bundle = match read_bundle(path) {
            Ok(bundle) => bundle,
            // A single policy fails in the same way as with every other command.
            Err(error) if paths.len() == 1 && matches!(args.format, CheckFormat::Text | CheckFormat::Json) => {
                return Err(error);
            }
            Err(error) => {
                report_missing(path, &Failure::of(error), args.format, &mut log)?;
                exit = Exit::CouldNotRun;
                continue;
            }
        };
        let linted = lint(bundle, &levels, at);
        match (args.format, paths.as_slice()) {
            (CheckFormat::Text, [_]) => terminal::print(&text(&linted))?,
            (CheckFormat::Text, _) => terminal::print(&format!("{}{}", heading(path), text(&linted)))?,
            (CheckFormat::Json, [_]) => terminal::print_json(&json(&linted, path))?,
            (CheckFormat::Json, _) => terminal::print(&format!("{}\n", json(&linted, path)))?,
            (CheckFormat::Sarif, _) => log.add(&linted.findings, &linted.waived, &linted.sources, &root(path)),
            (CheckFormat::Github, _) => {
                terminal::print(&render::github::commands(&linted.findings, &linted.sources, &root(path)))?;
            }
        }
        // An unreadable policy is worse than an invalid one, since nothing is known of it.
        if exit == Exit::Done && args.levels.deny(&linted.findings) {
            exit = Exit::PolicyInvalid;
        }
    }
    if args.format == CheckFormat::Sarif {
        terminal::print_json(&log.into_json())?;
    }
    Ok(exit)
}

#[expect(clippy::disallowed_methods, reason = "this is the edge at which `check` and `bundle` read the clock")]
pub(super) fn clock() -> Timestamp {
    Timestamp::now()
}

/// Reports that one of several paths has no policy, in its place among the others.
fn report_missing(path: &Path, failure: &Failure, format: CheckFormat, log: &mut Log) -> anyhow::Result<()> {
    match format {
        CheckFormat::Text => terminal::print(&heading(path))?,
        CheckFormat::Json => terminal::print(&format!("{}\n", with_path(failure.document(), path)))?,
        CheckFormat::Sarif => log.fail(&failure.to_string()),
        CheckFormat::Github => {}
    }
    failure.report();
    Ok(())
}

fn heading(path: &Path) -> String {
    format!("== {}\n", render::visible(&path.display().to_string()))
}

/// The prefix that makes a file's name relative to the working directory.
fn root(path: &Path) -> String {
    let folder = if path.is_dir() { path } else { path.parent().unwrap_or(Path::new("")) };
    let parts = folder.components().filter(|part| *part != Component::CurDir);
    let joined = parts.collect::<PathBuf>().display().to_string();
    if joined.is_empty() || joined.ends_with('/') { joined } else { format!("{joined}/") }
}

fn text(linted: &Linted) -> String {
    let Linted { policy, findings, waived, sources } = linted;
    let mut text = render::finding::text(findings, sources, terminal::stdout_color());
    let mut counted = render::finding::counted(findings);
    if !waived.is_empty() {
        counted.push_str(&format!(", {} waived", waived.len()));
    }
    match policy {
        Some(policy) if !findings.has_errors() => {
            let plural = |number: usize, one: &str| format!("{number} {one}{}", if number == 1 { "" } else { "s" });
            let services = plural(policy.services().count(), "service");
            let environments = plural(environments(policy), "environment");
            text.push_str(&format!("policy is sound: {services}, {environments}, digest {}", policy.digest()));
            if !findings.is_empty() || !waived.is_empty() {
                text.push_str(&format!("; {counted}"));
            }
        }
        Some(_) | None => text.push_str(&counted),
    }
    text.push('\n');
    text
}

fn json(linted: &Linted, path: &Path) -> Value {
    let digest = linted.policy.as_ref().map(Policy::digest);
    let mut json = render::finding::json(&linted.findings, &linted.sources, digest);
    if let Some(document) = json.as_object_mut() {
        document.insert("waived".to_owned(), render::finding::waived(&linted.waived, &linted.sources));
    }
    with_path(json, path)
}

fn with_path(mut json: Value, path: &Path) -> Value {
    if let Some(document) = json.as_object_mut() {
        document.insert("path".to_owned(), path.display().to_string().into());
    }
    json
}

/// The number of distinct environments in the policy.
fn environments(policy: &Policy) -> usize {
    let common = policy.environments().map(|(key, _)| key.as_str());
    let own = policy.services().flat_map(|(_, service)| service.environments.iter().map(|(key, _)| key.as_str()));
    common.chain(own).collect::<BTreeSet<_>>().len()
}
