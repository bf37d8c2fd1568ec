//! `countersign github manifest`, and the options and texts that `setup` shares with it.

use serde_json::json;

use crate::adapters::github::manifest::{LONGEST_NAME, NewApp, Uses};
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use crate::cli::format::{Format, FormatArgs};
use crate::cli::terminal;
use crate::render::app_form::ManifestItem;

#[derive(Debug, Clone, clap::Args)]
pub struct AppArgs {
    /// The App's name, which no other App on GitHub may have.
    #[arg(long, value_name = "NAME", default_value = "countersign")]
    pub name: String,
    /// The URL of the gate's webhook, as `https://HOST/PATH` [default: none; set it on the App's page later].
    #[arg(long, value_name = "URL")]
    pub webhook_url: Option<String>,
    /// Also request what custom deployment protection rules of GitHub Actions need.
    #[arg(long)]
    pub protection_rule: bool,
}

#[derive(Debug, clap::Args)]
pub struct ManifestArgs {
    #[command(flatten)]
    pub app: AppArgs,
    #[command(flatten)]
    pub output: FormatArgs,
}

impl AppArgs {
    pub(super) const fn uses(&self) -> Uses {
        Uses { protection_rule: self.protection_rule }
    }

    /// Errors if GitHub would refuse the name or the URL.
    pub(super) fn new_app<'a>(&'a self, redirect: Option<&'a str>) -> Result<NewApp<'a>, Failure> {
        let usage = |message: String, hint: &str| Failure::new("usage", message).hint(hint).exit(Exit::Usage);
        let name = self.name.trim();
        if name.is_empty() || name.chars().count() > LONGEST_NAME {
            let message = format!("the App's name `{name}` is empty or longer than {LONGEST_NAME} characters");
            return Err(usage(message, "choose another name, e.g. `--name countersign-acme`"));
        }
        let webhook = self.webhook_url.as_deref();
        if let Some(url) = webhook.filter(|url| !url.starts_with("https://") || url.len() < 9) {
            let message = format!("`{url}` is not a URL for GitHub's deliveries");
            return Err(usage(message, "write `https://HOST/PATH`, which GitHub must be able to reach"));
        }
        Ok(NewApp { name, webhook, redirect, uses: self.uses() })
    }
}

/// The permissions and events that the App requests.
pub(super) fn requested(uses: Uses) -> Vec<ManifestItem<'static>> {
    let permissions = uses.permissions().map(|permission| ManifestItem {
        name: permission.name,
        level: Some(permission.level.as_str()),
        why: permission.why,
    });
    let events = uses.events().map(|event| ManifestItem { name: event.name, level: None, why: event.why });
    permissions.chain(events).collect()
}

pub(super) fn run(args: &ManifestArgs) -> anyhow::Result<Exit> {
    let manifest = args.app.new_app(None)?.manifest();
    let requested = requested(args.app.uses());
    match args.output.format {
        Format::Json => {
            let (permissions, events): (Vec<&ManifestItem<'_>>, Vec<&ManifestItem<'_>>) =
                requested.iter().partition(|item| item.level.is_some());
            let json = |item: &&ManifestItem<'_>| json!({ "name": item.name, "level": item.level, "why": item.why });
            terminal::print_json(&json!({
                "schema": 1,
                "manifest": manifest,
                "permissions": permissions.iter().map(json).collect::<Vec<_>>(),
                "events": events.iter().map(json).collect::<Vec<_>>(),
            }))?;
        }
        Format::Text => terminal::print(&text(&requested, &serde_json::to_string_pretty(&manifest)?))?,
    }
    Ok(Exit::Done)
}

fn text(requested: &[ManifestItem<'_>], manifest: &str) -> String {
    let wide = requested.iter().map(|item| item.name.len()).max().unwrap_or(0);
    let mut text = String::new();
    for ManifestItem { name, level, why } in requested {
        text.push_str(&format!("{:5}  {name:wide$}  {why}\n", level.unwrap_or("event")));
    }
    text.push('\n');
    text.push_str(manifest);
    text.push('\n');
    text
}
