//! `countersign demo`: plays a story through its own local gate, with the built-in example policy.

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

#[derive(Debug, clap::Args)]
pub struct DemoArgs {
    #[command(flatten)]
    pub output: FormatArgs,
}

/// The example organisation's policy, from `policies/`.
const POLICY: [(&str, &str); 3] = [
    ("checkout.yaml", include_str!("../../policies/checkout.yaml")),
    ("internal.yaml", include_str!("../../policies/internal.yaml")),
    ("organisation.yaml", include_str!("../../policies/organisation.yaml")),
];

pub(super) fn run(args: &DemoArgs) -> anyhow::Result<Exit> {
    let folder = tempfile::tempdir().context("cannot create a folder for the demo")?;
    let loopback = ([127, 0, 0, 1], 0).into();
    let options = Options {
        data: folder.path().to_owned(),
        listen: loopback,
        github: loopback,
        standing_at: Some("2026-11-18T09:00:00Z".parse().context("the start of the story is not a time")?),
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
    let mut printed = Ok(());
    let mut print = |line: &Line| {
        // If the reader has closed the pipe, the story continues without output.
        if format == Format::Text && printed.is_ok() {
            printed = terminal::print(&format!("{}\n", text(line)));
        }
        lines.push(line.clone());
    };
    let mut story = Story {
        gate: Client::new(running.gate),
        github: Client::new(running.github),
        deliveries: &gate.github,
        on_line: &mut print,
    };
    let played = story.play().await;
    running.stop().await;
    played?;
    printed?;
    Ok(lines)
}

fn policy() -> anyhow::Result<Policy> {
    let source = |(name, text): (&str, &str)| Source {
        name: name.to_owned(),
        content: SourceContent::Bytes(text.as_bytes().to_vec()),
    };
    load(POLICY.map(source).to_vec()).policy.context("the built-in example policy is invalid")
}

fn text(line: &Line) -> String {
    match line.kind {
        LineKind::Scene => format!("\n{}\n", line.text),
        LineKind::Act => format!("  {}", line.text),
        LineKind::Gate => format!("    {}  {}", line.at.as_deref().unwrap_or("     "), line.text),
        LineKind::Detail => format!("           {}", line.text),
    }
}
