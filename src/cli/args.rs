//! What can be written on the command line.

use std::path::PathBuf;

use clap::{Parser, Subcommand};

use super::{bundle_command, check, decide, demo, dev, diff, doctor, explain, github, init, matrix, pin, schema, test};

/// A GitOps engine for deployment approvals.
#[derive(Debug, Parser)]
#[command(name = "countersign", version, about, propagate_version = true, max_term_width = 100)]
pub struct Cli {
    /// The policy: a file, or a folder that is read recursively.
    #[arg(long, global = true, value_name = "PATH", default_value = "policies")]
    pub policy: PathBuf,
    #[command(subcommand)]
    pub command: Command,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Load a policy and report everything that is wrong with it.
    Check(check::CheckArgs),
    /// Show the rule of a target, and where each part of it comes from.
    Explain(explain::ExplainArgs),
    /// Decide on given facts.
    Decide(decide::DecideArgs),
    /// Run the policy's tests.
    Test(test::TestArgs),
    /// Compare two policies by what they mean, target by target.
    Diff(diff::DiffArgs),
    /// Show who must approve what: every service in every environment.
    Matrix(matrix::MatrixArgs),
    /// Check the policy, and write what is deployed of it: a Lambda layer, and what Terraform has to know.
    Bundle(bundle_command::BundleArgs),
    /// Write a policy to start from, with tests.
    Init(init::InitArgs),
    /// Print the JSON Schema of policy files, for editors.
    Schema(schema::SchemaArgs),
    /// Run the whole gate on this machine, with a GitHub stand-in and no account.
    Dev(dev::DevArgs),
    /// Play a story through the local gate, and tell it. The policy is the example that is built in.
    Demo(demo::DemoArgs),
    /// Connect an installation to GitHub.
    Github(github::GithubArgs),
    /// Look over what is set up at GitHub: the App, its webhook, and the teams and accounts of the policy.
    Doctor(doctor::DoctorArgs),
    /// Write the numeric ids of the policy's accounts into its files.
    Pin(pin::PinArgs),
}
