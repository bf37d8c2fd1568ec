//! `countersign github manifest`, and what of it `setup` takes as well.

use serde_json::json;

use crate::adapters::github::manifest::{LONGEST_NAME, NewApp, Uses};
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use crate::cli::format::{Format, FormatArgs};
use crate::cli::terminal;
use crate::render::app_form::Asked;

/// The App that is wanted.
#[derive(Debug, Clone, clap::Args)]
pub struct AppArgs {
    /// The App's name, which must be free on all of GitHub.
    #[arg(long, value_name = "NAME", default_value = "countersign")]
    pub name: String,
    /// Where the gate's webhook answers, as `https://host/path` [default: none; set it at the App's page later].
    #[arg(long, value_name = "URL")]
    pub webhook_url: Option<String>,
    /// Ask also for what custom deployment protection rules of GitHub Actions need.
    #[arg(long)]
    pub protection_rule: bool,
}

/// The arguments of `github manifest`.
#[derive(Debug, clap::Args)]
pub struct ManifestArgs {
    /// The App.
    #[command(flatten)]
    pub app: AppArgs,
    #[command(flatten)]
    pub output: FormatArgs,
}

impl AppArgs {
    /// What it is used for.
    pub(super) const fn uses(&self) -> Uses {
        Uses { protection_rule: self.protection_rule }
    }

    /// The App, if GitHub would take it.
    ///
    /// # Errors
    /// Wrong usage: the name or the URL.
    pub(super) fn wanted<'a>(&'a self, redirect: Option<&'a str>) -> Result<NewApp<'a>, Failure> {
        let wrong = |message: String, hint: &str| Failure::new("usage", message).hint(hint).exit(Exit::Usage);
        let name = self.name.trim();
        if name.is_empty() || name.chars().count() > LONGEST_NAME {
            let message = format!("an App cannot be called `{name}`: GitHub takes up to {LONGEST_NAME} characters");
            return Err(wrong(message, "give it a shorter name: `--name countersign-acme`"));
        }
        let webhook = self.webhook_url.as_deref();
        if let Some(url) = webhook.filter(|url| !url.starts_with("https://") || url.len() < 9) {
            let message = format!("`{url}` is no place for GitHub's deliveries");
            return Err(wrong(message, "it must begin with https://, and be reachable from GitHub"));
        }
        Ok(NewApp { name, webhook, redirect, uses: self.uses() })
    }
}

/// What the App asks for, permissions first.
pub(super) fn asked(uses: Uses) -> Vec<Asked<'static>> {
    let permissions = uses.permissions().map(|permission| Asked {
        name: permission.name,
        level: Some(permission.level.as_str()),
        why: permission.why,
    });
    let events = uses.events().map(|event| Asked { name: event.name, level: None, why: event.why });
    permissions.chain(events).collect()
}

pub(super) fn run(args: &ManifestArgs) -> anyhow::Result<Exit> {
    let manifest = args.app.wanted(None)?.manifest();
    let asked = asked(args.app.uses());
    match args.output.format {
        Format::Json => {
            let (permissions, events): (Vec<&Asked<'_>>, Vec<&Asked<'_>>) =
                asked.iter().partition(|asked| asked.level.is_some());
            let why = |asked: &&Asked<'_>| json!({ "name": asked.name, "level": asked.level, "why": asked.why });
            terminal::print_json(&json!({
                "schema": 1,
                "manifest": manifest,
                "permissions": permissions.iter().map(why).collect::<Vec<_>>(),
                "events": events.iter().map(why).collect::<Vec<_>>(),
            }))?;
        }
        Format::Text => terminal::print(&text(&asked, &serde_json::to_string_pretty(&manifest)?))?,
    }
    Ok(Exit::Done)
}

fn text(asked: &[Asked<'_>], manifest: &str) -> String {
    let wide = asked.iter().map(|asked| asked.name.len()).max().unwrap_or(0);
    let mut text = String::new();
    for Asked { name, level, why } in asked {
        text.push_str(&format!("{:5}  {name:wide$}  {why}\n", level.unwrap_or("event")));
    }
    text.push('\n');
    text.push_str(manifest);
    text.push('\n');
    text
}
