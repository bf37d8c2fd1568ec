//! `countersign doctor`: checks the App, its webhook, and the policy's teams and accounts.

mod app;
mod names;
mod webhook;

use serde::Serialize;
use serde_json::json;

use super::bundle::{PolicyArgs, load_policy, read_bundle};
use super::exit::Exit;
use super::format::{Format, FormatArgs};
use super::github::connect::ConnectArgs;
use super::lookup::{Lookup, refused};
use super::pin::named;
use super::runtime::runtime;
use super::terminal;
use crate::adapters::github::client::GithubClient;
use crate::adapters::github::manifest::Uses;
use crate::policy::Policy;
use crate::render::visible;

#[derive(Debug, clap::Args)]
pub struct DoctorArgs {
    #[command(flatten)]
    pub connect: ConnectArgs,
    /// Also check what custom deployment protection rules of GitHub Actions need.
    #[arg(long)]
    pub protection_rule: bool,
    /// Check the last delivery, without sending one again.
    #[arg(long)]
    pub passive: bool,
    /// How many seconds to wait for the delivery that is sent again.
    #[arg(long, value_name = "SECONDS", default_value_t = 20)]
    pub wait: u64,
    #[command(flatten)]
    pub output: FormatArgs,
    #[command(flatten)]
    pub policy: PolicyArgs,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
enum Outcome {
    Ok,
    /// It works but deserves attention, or it could not be checked.
    Warning,
    Failed,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
struct Check {
    /// `app`, `permission`, `event`, `installation`, `webhook`, `team` or `account`.
    check: &'static str,
    outcome: Outcome,
    text: String,
    hint: Option<String>,
}

impl Check {
    fn ok(check: &'static str, text: impl Into<String>) -> Self {
        Self { check, outcome: Outcome::Ok, text: text.into(), hint: None }
    }

    fn warning(check: &'static str, text: impl Into<String>, hint: impl Into<String>) -> Self {
        Self { check, outcome: Outcome::Warning, text: text.into(), hint: Some(hint.into()) }
    }

    fn failed(check: &'static str, text: impl Into<String>, hint: impl Into<String>) -> Self {
        Self { check, outcome: Outcome::Failed, text: text.into(), hint: Some(hint.into()) }
    }
}

pub(super) fn run(args: &DoctorArgs) -> anyhow::Result<Exit> {
    let policy_path = args.policy.path.as_path();
    let policy = load_policy(policy_path)?;
    let mentioned = named(read_bundle(policy_path)?, policy_path)?;
    let checks = runtime()?.block_on(async {
        let client = args.connect.client()?;
        examine(args, client, &policy, &mentioned).await
    })?;
    report(args.output.format, &checks)?;
    let failed = checks.iter().any(|check| check.outcome == Outcome::Failed);
    Ok(if failed { Exit::CouldNotRun } else { Exit::Done })
}

async fn examine(
    args: &DoctorArgs,
    client: GithubClient,
    policy: &Policy,
    mentioned: &crate::policy::Mentioned,
) -> anyhow::Result<Vec<Check>> {
    let uses = Uses { protection_rule: args.protection_rule };
    let mut checks = Vec::new();
    if args.connect.as_app() {
        match client.app().await {
            Ok(facts) => checks.extend(app::app(&facts, uses)),
            // Every other check needs the App.
            Err(error) => {
                checks.push(app::refused(&error));
                return Ok(checks);
            }
        }
    } else {
        let hint = "give `--app-id ID --private-key FILE` to check the App, its installations and its webhook as well";
        checks.push(Check::warning("app", "the App is not checked, since a personal token is used", hint));
    }
    let lookup = match Lookup::new(client.clone(), args.connect.as_app()).await {
        Ok(lookup) => lookup,
        Err(error) => {
            let hint = "install the App on the repositories that you deploy, on its page on GitHub";
            checks.push(Check::failed("installation", error.to_string(), hint));
            return Ok(checks);
        }
    };
    if let Some(installations) = &lookup.installations {
        checks.extend(app::installations(installations, uses));
        checks.extend(app::repositories(&client, policy, installations).await.map_err(|error| refused(&error))?);
        checks.extend(webhook::webhook(&client, (!args.passive).then_some(args.wait)).await);
    }
    checks.extend(names::teams(&lookup, mentioned).await?);
    checks.extend(names::accounts(&lookup, mentioned).await?);
    Ok(checks)
}

fn count(checks: &[Check], outcome: Outcome) -> usize {
    checks.iter().filter(|check| check.outcome == outcome).count()
}

fn report(format: Format, checks: &[Check]) -> anyhow::Result<()> {
    let [ok, warnings, failed] = [Outcome::Ok, Outcome::Warning, Outcome::Failed].map(|outcome| count(checks, outcome));
    match format {
        Format::Json => terminal::print_json(&json!({
            "schema": 1, "checks": checks, "ok": ok, "warnings": warnings, "failed": failed,
        }))?,
        Format::Text => {
            let mut text: String = checks.iter().map(line).collect();
            let plural = |count: usize| if count == 1 { "" } else { "s" };
            text.push_str(&format!("\n{ok} ok, {warnings} warning{}, {failed} failed\n", plural(warnings)));
            terminal::print(&text)?;
        }
    }
    Ok(())
}

fn line(check: &Check) -> String {
    let word = match check.outcome {
        Outcome::Ok => "ok",
        Outcome::Warning => "warning",
        Outcome::Failed => "failed",
    };
    let mut line = format!("{word:7}  {}\n", visible(&check.text));
    if let Some(hint) = &check.hint {
        line.push_str(&format!("         {}\n", visible(hint)));
    }
    line
}
