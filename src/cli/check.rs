//! `countersign check`.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use serde_json::Value;

use super::Exit;
use super::args::{Format, Global};
use super::bundle::read_bundle;
use super::terminal;
use crate::finding::{Findings, Severity};
use crate::policy::{Loaded, Policy, load};
use crate::render;

/// The arguments of `check`.
#[derive(Debug, clap::Args)]
pub struct CheckArgs {
    /// The bundles to check, one after the other [default: the one that `--policy` names].
    #[arg(value_name = "PATH")]
    pub paths: Vec<PathBuf>,
    /// The least severity that is denied: with such a finding the command ends with 3.
    #[arg(long, value_enum, default_value_t = Deny::Error)]
    pub deny: Deny,
}

/// Which findings are denied.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Deny {
    /// Errors.
    Error,
    /// Errors and warnings.
    Warning,
    /// Every finding.
    Note,
}

impl Deny {
    const fn least(self) -> Severity {
        match self {
            Self::Error => Severity::Error,
            Self::Warning => Severity::Warning,
            Self::Note => Severity::Note,
        }
    }
}

pub(super) fn run(args: &CheckArgs, global: &Global) -> anyhow::Result<Exit> {
    let paths = if args.paths.is_empty() { std::slice::from_ref(&global.policy) } else { args.paths.as_slice() };
    let mut exit = Exit::Done;
    for path in paths {
        let loaded = load(read_bundle(path)?);
        match (global.format, paths) {
            (Format::Text, [_]) => terminal::print(&text(&loaded))?,
            (Format::Text, _) => terminal::print(&format!("{}\n{}", render::visible(&heading(path)), text(&loaded)))?,
            (Format::Json, [_]) => terminal::print_json(&json(&loaded, path))?,
            // Several documents: one a line.
            (Format::Json, _) => terminal::print(&format!("{}\n", json(&loaded, path)))?,
        }
        if denied(&loaded.findings, args.deny) {
            exit = Exit::PolicyInvalid;
        }
    }
    Ok(exit)
}

fn heading(path: &Path) -> String {
    format!("== {}", path.display())
}

fn denied(findings: &Findings, deny: Deny) -> bool {
    findings.iter().any(|finding| finding.severity() >= deny.least())
}

fn text(loaded: &Loaded) -> String {
    let mut text = render::finding::text(&loaded.findings, &loaded.sources, terminal::stdout_color());
    match &loaded.policy {
        Some(policy) => {
            let plural = |number: usize, one: &str| format!("{number} {one}{}", if number == 1 { "" } else { "s" });
            let services = plural(policy.services().count(), "service");
            let environments = plural(environments(policy), "environment");
            text.push_str(&format!("policy is sound: {services}, {environments}, digest {}", policy.digest()));
            if !loaded.findings.is_empty() {
                text.push_str(&format!("; {}", render::finding::counted(&loaded.findings)));
            }
        }
        None => text.push_str(&render::finding::counted(&loaded.findings)),
    }
    text.push('\n');
    text
}

fn json(loaded: &Loaded, path: &Path) -> Value {
    let digest = loaded.policy.as_ref().map(Policy::digest);
    let mut json = render::finding::json(&loaded.findings, &loaded.sources, digest);
    if let Some(document) = json.as_object_mut() {
        document.insert("path".to_owned(), path.display().to_string().into());
    }
    json
}

/// How many environments are written anywhere, each name once.
fn environments(policy: &Policy) -> usize {
    let common = policy.environments().map(|(key, _)| key.as_str());
    let own = policy.services().flat_map(|(_, service)| service.environments.iter().map(|(key, _)| key.as_str()));
    common.chain(own).collect::<BTreeSet<_>>().len()
}
