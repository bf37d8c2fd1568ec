//! `countersign bundle`: the policy as a Lambda layer, and a manifest for Terraform.
//!
//! The same policy always gives the same bytes, so that a Terraform plan shows real changes only. Therefore names are
//! sorted, times are fixed, and nothing is compressed: a compressor's output changes with its version.

use std::io::{self, Cursor, Write as _};
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use serde_json::{Map, Value, json};
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, DateTime, ZipWriter};

use super::bundle::{PolicyArgs, read_bundle, usable};
use super::check::clock;
use super::exit::Exit;
use super::failure::Failure;
use super::format::{Format, FormatArgs};
use super::terminal;
use crate::finding::{Levels, SourceMap};
use crate::ident::sha256_hex;
use crate::policy::{Linted, Loaded, Policy, lint};
use crate::render;

/// Path in the layer. The functions read it below the folder into which Lambda unpacks layers.
const PREPARED: &str = "countersign/policy.json";

/// The sources lie beside it, so that people can read the deployed policy.
const SOURCES: &str = "countersign/sources";

/// The version of `policy.json`.
const SCHEMA: u32 = 1;

#[derive(Debug, clap::Args)]
pub struct BundleArgs {
    /// The folder to write `policy.zip` and `policy.json` into. Created if it is missing.
    #[arg(short, long, value_name = "DIR", default_value = "bundle")]
    pub output: PathBuf,
    #[command(flatten)]
    pub format: FormatArgs,
    #[command(flatten)]
    pub policy: PolicyArgs,
}

pub(super) fn run(args: &BundleArgs) -> anyhow::Result<Exit> {
    let policy_path = args.policy.path.as_path();
    let linted = lint(read_bundle(policy_path)?, &Levels::default(), clock());
    let (Some(prepared), false) = (linted.prepared(), linted.findings.has_errors()) else {
        let Linted { findings, sources, .. } = linted;
        usable(Loaded { policy: None, findings, sources }, &policy_path.display().to_string())?;
        return Ok(Exit::PolicyInvalid);
    };
    let Linted { policy: Some(policy), findings, sources, .. } = &linted else { return Ok(Exit::PolicyInvalid) };
    terminal::eprint(&render::finding::text(findings, sources, terminal::stderr_color()));

    let layer = layer(&prepared, sources).context("cannot build the layer")?;
    let sum = sha256_hex(&layer);
    let [zip, json] = ["policy.zip", "policy.json"].map(|name| args.output.join(name));
    write_all(&args.output, &[(&zip, &layer), (&json, manifest(policy, &sum)?.as_bytes())])?;

    let files = [&zip, &json].map(|path| path.display().to_string());
    match args.format.format {
        Format::Json => {
            terminal::print_json(&json!({
                "schema": SCHEMA, "policy_digest": policy.digest(), "layer_sha256": sum, "files": files,
                "findings": render::finding::json(findings, sources, None).get("findings"),
            }))?;
        }
        Format::Text => {
            let text = format!("bundled the policy with digest {}: {}\n", policy.digest(), files.join(", "));
            terminal::print(&text)?;
        }
    }
    Ok(Exit::Done)
}

/// The layer as a zip file.
fn layer(prepared: &str, sources: &SourceMap) -> zip::result::ZipResult<Vec<u8>> {
    let mut files = vec![(PREPARED.to_owned(), prepared)];
    files.extend(sources.ids().map(|id| (format!("{SOURCES}/{}", sources.name(id)), sources.text(id))));
    files.sort_unstable();
    let options = SimpleFileOptions::default()
        .compression_method(CompressionMethod::Stored)
        .last_modified_time(DateTime::default())
        .unix_permissions(0o644);
    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, text) in files {
        writer.start_file(name, options)?;
        writer.write_all(text.as_bytes())?;
    }
    Ok(writer.finish()?.into_inner())
}

/// The manifest. From it Terraform creates the topics, and compares the layer with its checksum.
fn manifest(policy: &Policy, layer_sha256: &str) -> serde_json::Result<String> {
    let channels: Map<String, Value> = policy
        .channels()
        .iter()
        .map(|(name, channel)| (name.as_str().to_owned(), json!({ "email": channel.email, "https": channel.https })))
        .collect();
    let manifest = json!({
        "schema": SCHEMA,
        "engine": env!("CARGO_PKG_VERSION"),
        "digest": policy.digest(),
        "layer_sha256": layer_sha256,
        "services": policy.services().count(),
        "channels": channels,
    });
    let mut text = serde_json::to_string_pretty(&manifest)?;
    text.push('\n');
    Ok(text)
}

/// Writes the bundle's files. If it stops half-way, the checksum in the manifest no longer matches, and the plan fails.
#[expect(clippy::disallowed_methods, reason = "the command line is the edge at which files are written")]
fn write_all(folder: &Path, files: &[(&PathBuf, &[u8])]) -> Result<(), Failure> {
    let cannot_write = |path: &Path, error: &io::Error| {
        Failure::new("bundle-unwritable", format!("`{}` cannot be written: {error}", path.display()))
            .hint("name another folder: `countersign bundle -o DIR`")
    };
    std::fs::create_dir_all(folder).map_err(|error| cannot_write(folder, &error))?;
    for (path, bytes) in files {
        std::fs::write(path, bytes).map_err(|error| cannot_write(path, &error))?;
    }
    Ok(())
}
