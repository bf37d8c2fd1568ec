//! `countersign matrix`.

use std::collections::HashSet;

use super::bundle::{PolicyArgs, load_policy};
use super::exit::Exit;
use super::failure::Failure;
use super::terminal;
use crate::finding::closest;
use crate::ident::is_name;
use crate::policy::{Pattern, Policy, key_of_names};
use crate::render::matrix::Matrix;

/// The most targets that a terminal or a browser can usefully show.
const MOST_ROWS: usize = 500_000;

#[derive(Debug, clap::Args)]
pub struct MatrixArgs {
    /// Show only this environment: a name, or a key of the policy. May be given several times.
    #[arg(long = "environment", value_name = "ENVIRONMENT")]
    pub environments: Vec<String>,
    /// Show only this service: a name, or a key of the policy. May be given several times.
    #[arg(long = "service", value_name = "SERVICE")]
    pub services: Vec<String>,
    /// The output format.
    #[arg(long, value_enum, value_name = "FORMAT", default_value_t = MatrixFormat::Text)]
    pub format: MatrixFormat,
    #[command(flatten)]
    pub policy: PolicyArgs,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum MatrixFormat {
    /// For people.
    Text,
    /// For programs.
    Json,
    /// A table for a comment on a pull request.
    Markdown,
    /// A web page.
    Html,
}

pub(super) fn run(args: &MatrixArgs) -> anyhow::Result<Exit> {
    let policy_path = args.policy.path.as_path();
    let policy = load_policy(policy_path)?;
    let services = chosen(&args.services, policy.services().map(|(key, _)| key), "service")?;
    let environments = chosen(&args.environments, environments(&policy), "environment")?;
    if services.len().saturating_mul(environments.len()) > MOST_ROWS {
        let message =
            format!("{} services in {} environments are too many to show", services.len(), environments.len());
        return Err(Failure::new("too-many-targets", message)
            .hint("choose some: `--environment NAME`, `--service NAME`")
            .into());
    }
    let matrix = Matrix::new(&policy, services, environments);
    match args.format {
        MatrixFormat::Text => terminal::print(&matrix.text())?,
        MatrixFormat::Json => terminal::print_json(&matrix)?,
        MatrixFormat::Markdown => terminal::print(&matrix.markdown())?,
        MatrixFormat::Html => terminal::print(&matrix.html())?,
    }
    Ok(Exit::Done)
}

/// Every environment of the policy, in the order in which it is first written.
fn environments(policy: &Policy) -> impl Iterator<Item = &Pattern> {
    let common = policy.environments().map(|(key, _)| key);
    common.chain(policy.services().flat_map(|(_, service)| service.environments.iter().map(|(key, _)| key)))
}

/// The requested keys, or all keys of the policy if none are requested. Without duplicates.
fn chosen<'p>(
    requested: &'p [String],
    written: impl Iterator<Item = &'p Pattern>,
    what: &str,
) -> Result<Vec<&'p str>, Failure> {
    let mut seen = HashSet::new();
    let written: Vec<&str> = written.filter(|key| seen.insert(key.key())).map(Pattern::as_str).collect();
    if requested.is_empty() {
        return Ok(written);
    }
    if let Some(other) = requested.iter().find(|text| !is_name(text) && !seen.contains(&key_of_names(text))) {
        let message = format!("`{other}` is neither the name of a {what} nor a key of the policy");
        let hint = closest(other, written.iter().copied()).map_or_else(
            || "write a name, or a pattern exactly as in the policy".to_owned(),
            |near| format!("did you mean `{near}`?"),
        );
        return Err(Failure::new("unknown-key", message).hint(hint));
    }
    let mut once = HashSet::new();
    Ok(requested.iter().map(String::as_str).filter(|text| once.insert(key_of_names(text))).collect())
}
