//! `countersign demo`: the story, played by a local gate of its own, under the example policy that is built in.

use std::sync::Arc;

use anyhow::Context as _;
use serde_json::json;

use super::exit::Exit;
use super::format::{Format, FormatArgs};
use super::terminal;
use crate::dev::client::Client;
use crate::dev::story::{Line, LineKind, Story};
use crate::dev::{LocalGate, Options};
use crate::finding::{Source, SourceContent};
use crate::policy::{Policy, load};

/// The arguments of `demo`.
#[derive(Debug, clap::Args)]
pub struct DemoArgs {
    #[command(flatten)]
    pub output: FormatArgs,
}

/// The example organisation's policy, as it stands in `policies/`.
const POLICY: [(&str, &str); 3] = [
    ("checkout.yaml", include_str!("../../policies/checkout.yaml")),
    ("internal.yaml", include_str!("../../policies/internal.yaml")),
    ("organisation.yaml", include_str!("../../policies/organisation.yaml")),
];

pub(super) fn run(args: &DemoArgs) -> anyhow::Result<Exit> {
    let folder = tempfile::tempdir().context("a folder for the demo cannot be made")?;
    let loopback = ([127, 0, 0, 1], 0).into();
    let options = Options {
        data: folder.path().to_owned(),
        listen: loopback,
        github: loopback,
        standing_at: Some("2026-11-18T09:00:00Z".parse().context("the story's beginning")?),
    };
    let lines = super::runtime::runtime()?.block_on(play(&options, args.output.format))?;
    if args.output.format == Format::Json {
        terminal::print_json(&json!({ "schema": 1, "lines": lines }))?;
    }
    Ok(Exit::Done)
}

async fn play(options: &Options, format: Format) -> anyhow::Result<Vec<Line>> {
    let gate = Arc::new(LocalGate::open(options, policy()?)?);
    let running = Arc::clone(&gate).start(options).await?;
    let mut lines = Vec::new();
    let mut told = Ok(());
    let mut tell = |line: &Line| {
        // A reader that has gone away ends the telling, not the story.
        if format == Format::Text && told.is_ok() {
            told = terminal::print(&format!("{}\n", shown(line)));
        }
        lines.push(line.clone());
    };
    let mut story = Story {
        gate: Client::new(running.gate),
        github: Client::new(running.github),
        deliveries: &gate.github,
        tell: &mut tell,
    };
    let played = story.play().await;
    running.stop().await;
    played?;
    told?;
    Ok(lines)
}

fn policy() -> anyhow::Result<Policy> {
    let source = |(name, text): (&str, &str)| Source {
        name: name.to_owned(),
        content: SourceContent::Bytes(text.as_bytes().to_vec()),
    };
    load(POLICY.map(source).to_vec()).policy.context("the example policy is not sound")
}

fn shown(line: &Line) -> String {
    match line.kind {
        LineKind::Scene => format!("\n{}\n", line.text),
        LineKind::Act => format!("  {}", line.text),
        LineKind::Gate => format!("    {}  {}", line.at.as_deref().unwrap_or("     "), line.text),
        LineKind::Detail => format!("           {}", line.text),
    }
}
