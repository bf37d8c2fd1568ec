//! `countersign explain`.

use std::path::PathBuf;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::bundle::{PolicyArgs, load_policy};
use super::exit::Exit;
use super::facts::read_facts;
use super::failure::Failure;
use super::format::{Format, FormatArgs};
use super::terminal;
use crate::approval::decision::Decision;
use crate::approval::{Change, decide, timeline};
use crate::ident::{EnvironmentName, ServiceName, Target};
use crate::policy::{NoRule, Policy};
use crate::render;

#[derive(Debug, clap::Args)]
pub struct ExplainArgs {
    /// The service.
    #[arg(value_name = "SERVICE")]
    pub service: ServiceName,
    /// The environment.
    #[arg(value_name = "ENVIRONMENT")]
    pub environment: EnvironmentName,
    /// Also decide on these facts: a file, or `-` for stdin.
    #[arg(long, value_name = "FILE")]
    pub facts: Option<PathBuf>,
    /// The instant to explain for, e.g. 2026-12-24T18:00:00Z. Shows what changes next for a request that opens then. With
    /// `--facts`, decides at that instant.
    #[arg(long, value_name = "TIME")]
    pub at: Option<Timestamp>,
    #[command(flatten)]
    pub output: FormatArgs,
    #[command(flatten)]
    pub policy: PolicyArgs,
}

/// The starting instant, and the changes after it.
type Moments<'p> = (Timestamp, Vec<(Timestamp, Change<'p>)>);

pub(super) fn run(args: &ExplainArgs) -> anyhow::Result<Exit> {
    let policy_path = args.policy.path.as_path();
    let policy = load_policy(policy_path)?;
    let target = Target { service: args.service.clone(), environment: args.environment.clone() };
    let target = policy.spelled(&target);
    let decided = match &args.facts {
        Some(path) => {
            let mut facts = read_facts(path)?;
            facts.now = args.at.unwrap_or(facts.now);
            if facts.target != target {
                let message = format!("the facts are about {}, not about {target}", facts.target);
                return Err(Failure::new("other-target", message)
                    .hint("explain the target that the facts are about")
                    .into());
            }
            facts.target = target.clone();
            Some((decide(&policy, &facts), facts))
        }
        None => None,
    };
    let at = args.at.or_else(|| decided.as_ref().map(|(_, facts)| facts.now));
    let requested_at = |at| decided.as_ref().and_then(|(_, facts)| facts.requested_at).unwrap_or(at);
    let moments = match (at, policy.rule(&target)) {
        (Some(at), Ok(rule)) => Some((at, timeline(&rule, at, requested_at(at)))),
        (None, _) | (_, Err(_)) => None,
    };
    let decision = decided.as_ref().map(|(decision, _)| decision);
    match args.output.format {
        Format::Text => terminal::print(&text(&policy, &target, decision, moments.as_ref()))?,
        Format::Json => terminal::print_json(&document(&policy, &target, decision, moments.as_ref()))?,
    }
    Ok(Exit::Done)
}

fn text(policy: &Policy, target: &Target, decision: Option<&Decision>, moments: Option<&Moments<'_>>) -> String {
    let mut text = match policy.rule(target) {
        Ok(rule) => render::rule::text(policy, target, &rule),
        Err(no_rule) => render::rule::text_without(target, no_rule),
    };
    if let Some((at, moments)) = moments.filter(|(_, moments)| !moments.is_empty()) {
        text.push_str(&format!("\nnext, after {at}\n{}", render::timeline::text(moments)));
    }
    if let Some(decision) = decision {
        text.push_str("\ndecision: ");
        text.push_str(&render::decision::text(decision, terminal::stdout_color()));
    }
    text
}

fn document(policy: &Policy, target: &Target, decision: Option<&Decision>, moments: Option<&Moments<'_>>) -> Value {
    let mut document = match policy.rule(target) {
        Ok(rule) => json!({
            "service_selector": rule.service_selector,
            "environment_selector": rule.environment_selector,
            "source": rule.source,
            "rule": render::rule::json(policy, target, &rule),
            "needed": render::rule::needed(target, &rule),
        }),
        Err(no_rule) => {
            let service_selector = match no_rule {
                NoRule::Service => None,
                NoRule::Environment { service_selector } => Some(service_selector),
            };
            json!({
                "service_selector": service_selector,
                "rule": null,
                "reason": { "code": "no-rule", "text": no_rule.in_words(target) },
            })
        }
    };
    if let Some(keys) = document.as_object_mut() {
        keys.insert("schema".to_owned(), 1.into());
        keys.insert("target".to_owned(), json!(target));
        if let Some((_, moments)) = moments {
            keys.insert("moments".to_owned(), render::timeline::json(moments));
        }
        if let Some(decision) = decision {
            keys.insert("decision".to_owned(), json!(decision));
        }
    }
    document
}
