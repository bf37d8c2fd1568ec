//! `countersign decide`.

use std::io::{self, BufWriter, Write as _};
use std::path::{Path, PathBuf};

use serde_json::json;

use super::bundle::{PolicyArgs, load_policy};
use super::exit::Exit;
use super::facts::{MAX_FACTS_BYTES, open, parse_facts, read_facts, too_long, unreadable};
use super::failure::Failure;
use super::format::{Format, FormatArgs};
use super::lines::{Line, Lines};
use super::terminal;
use crate::approval::decide;
use crate::approval::decision::{Decision, Verdict};
use crate::approval::facts::Facts;
use crate::policy::Policy;
use crate::render;

#[derive(Debug, clap::Args)]
pub struct DecideArgs {
    /// The facts as JSON: a file, or `-` for stdin.
    #[arg(long, value_name = "FILE")]
    pub facts: PathBuf,
    /// Read one set of facts from each line, and print one decision on each line, as JSON.
    ///
    /// For a line with invalid facts, prints an error as JSON. The other lines are still decided, and at the end the
    /// command fails.
    #[arg(long)]
    pub lines: bool,
    /// Exit with 5 unless the verdict is `approved`. With `--lines`, every line must be approved, and there must be one.
    #[arg(long)]
    pub require_approved: bool,
    #[command(flatten)]
    pub output: FormatArgs,
    #[command(flatten)]
    pub policy: PolicyArgs,
}

pub(super) fn run(args: &DecideArgs) -> anyhow::Result<Exit> {
    let policy_path = args.policy.path.as_path();
    let policy = load_policy(policy_path)?;
    if args.lines {
        let tally = decide_lines(&policy, &args.facts)?;
        return Ok(tally.exit(args.require_approved));
    }
    let decision = decided(&policy, read_facts(&args.facts)?);
    match args.output.format {
        Format::Text => terminal::print(&render::decision::text(&decision, terminal::stdout_color()))?,
        Format::Json => terminal::print_json(&decision)?,
    }
    let not_approved = args.require_approved && decision.verdict != Verdict::Approved;
    Ok(if not_approved { Exit::NotApproved } else { Exit::Done })
}

fn decided(policy: &Policy, facts: Facts) -> Decision {
    decide(policy, &Facts { target: policy.spelled(&facts.target), ..facts })
}

/// How many lines have which result.
#[derive(Debug, Default)]
struct Tally {
    approved: u64,
    others: u64,
    errors: u64,
}

impl Tally {
    /// Fails closed: if approval is required, neither an error nor an empty input is an approval.
    fn exit(&self, require_approved: bool) -> Exit {
        let Self { approved, others, errors } = *self;
        if errors > 0 {
            terminal::eprint(&format!("error: {errors} of {} lines are not valid facts\n", approved + others + errors));
        }
        if require_approved && (approved == 0 || others > 0 || errors > 0) {
            if approved + others + errors == 0 {
                terminal::eprint("error: the input has no lines, so nothing is approved\n");
            }
            return Exit::NotApproved;
        }
        if errors > 0 { Exit::CouldNotRun } else { Exit::Done }
    }
}

/// Decides line by line. Skips blank lines, but counts them as lines.
fn decide_lines(policy: &Policy, path: &Path) -> anyhow::Result<Tally> {
    let mut lines = Lines::new(open(path)?, MAX_FACTS_BYTES);
    let mut out = BufWriter::with_capacity(64 << 10, io::stdout().lock());
    let mut tally = Tally::default();
    let (mut line, mut number) = (Vec::new(), 0_u64);
    loop {
        if !lines.has_another() {
            // The next line may take long, so the decisions so far are written first.
            out.flush()?;
        }
        let facts = match lines.next(&mut line).map_err(|error| unreadable(path, &error))? {
            Line::End => break,
            Line::Read if line.trim_ascii().is_empty() => {
                number += 1;
                continue;
            }
            Line::Read => parse_facts(&line),
            Line::TooLong => Err(too_long()),
        };
        number += 1;
        match facts.map(|facts| decided(policy, facts)) {
            Ok(decision) => {
                tally.count(&decision);
                serde_json::to_writer(&mut out, &decision)?;
            }
            Err(failure) => {
                tally.errors += 1;
                serde_json::to_writer(&mut out, &line_error(number, &failure))?;
            }
        }
        out.write_all(b"\n")?;
    }
    out.flush()?;
    Ok(tally)
}

impl Tally {
    fn count(&mut self, decision: &Decision) {
        match decision.verdict {
            Verdict::Approved => self.approved += 1,
            Verdict::Pending
            | Verdict::Blocked
            | Verdict::Wait
            | Verdict::Rejected
            | Verdict::Expired
            | Verdict::Superseded
            | Verdict::Denied => self.others += 1,
        }
    }
}

fn line_error(number: u64, failure: &Failure) -> serde_json::Value {
    json!({ "schema": 1, "line": number, "error": failure.json() })
}
