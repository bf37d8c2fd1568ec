//! `countersign explain`.

use std::path::PathBuf;

use serde_json::{Value, json};

use super::Exit;
use super::args::{Format, Global};
use super::bundle::load_policy;
use super::facts::read_facts;
use super::failure::Failure;
use super::terminal;
use crate::approval::decide;
use crate::approval::decision::Decision;
use crate::ident::{EnvironmentName, ServiceName, Target};
use crate::policy::{NoRule, Policy};
use crate::render;

/// The arguments of `explain`.
#[derive(Debug, clap::Args)]
pub struct ExplainArgs {
    /// The service.
    #[arg(value_name = "SERVICE")]
    pub service: ServiceName,
    /// The environment.
    #[arg(value_name = "ENVIRONMENT")]
    pub environment: EnvironmentName,
    /// Facts to decide on as well: a file, or `-` for stdin.
    #[arg(long, value_name = "FILE")]
    pub facts: Option<PathBuf>,
}

pub(super) fn run(args: &ExplainArgs, global: &Global) -> anyhow::Result<Exit> {
    let policy = load_policy(global)?;
    let target = Target { service: args.service.clone(), environment: args.environment.clone() };
    let decision = match &args.facts {
        Some(path) => {
            let facts = read_facts(path)?;
            if facts.target != target {
                let message = format!("the facts are about {}, and {target} is to be explained", facts.target);
                return Err(Failure::new("other-target", message).hint("name the target of the facts").into());
            }
            Some(decide(&policy, &facts))
        }
        None => None,
    };
    match global.format {
        Format::Text => terminal::print(&text(&policy, &target, decision.as_ref()))?,
        Format::Json => terminal::print_json(&document(&policy, &target, decision.as_ref()))?,
    }
    Ok(Exit::Done)
}

fn text(policy: &Policy, target: &Target, decision: Option<&Decision>) -> String {
    let mut text = match policy.rule(target) {
        Ok(rule) => render::rule::text(policy, target, &rule),
        Err(why) => render::rule::text_without(target, why),
    };
    if let Some(decision) = decision {
        text.push_str("\ndecision: ");
        text.push_str(&render::decision::text(decision, terminal::stdout_color()));
    }
    text
}

fn document(policy: &Policy, target: &Target, decision: Option<&Decision>) -> Value {
    let mut document = match policy.rule(target) {
        Ok(rule) => json!({
            "service_selector": rule.service_selector,
            "environment_selector": rule.environment_selector,
            "source": rule.source,
            "rule": render::rule::json(policy, target, &rule),
            "needed": render::rule::needed(target, &rule),
        }),
        Err(why) => {
            let service_selector = match why {
                NoRule::Service => None,
                NoRule::Environment { service_selector } => Some(service_selector),
            };
            json!({
                "service_selector": service_selector,
                "rule": null,
                "reason": { "code": "no-rule", "text": why.in_words(target) },
            })
        }
    };
    if let Some(keys) = document.as_object_mut() {
        keys.insert("schema".to_owned(), 1.into());
        keys.insert("target".to_owned(), json!(target));
        if let Some(decision) = decision {
            keys.insert("decision".to_owned(), json!(decision));
        }
    }
    document
}
