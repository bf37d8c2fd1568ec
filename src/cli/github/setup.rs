//! `countersign github setup`: creates a GitHub App in the browser, and stores its secrets.

use std::path::PathBuf;
use std::process::{Command, Stdio};

use anyhow::Context as _;
use serde_json::json;
use tokio::net::TcpListener;

use super::callback::wait_for_code;
use super::manifest::{AppArgs, requested};
use super::secrets::Place;
use crate::adapters::github::client::GITHUB;
use crate::adapters::github::conversion::{CreatedApp, convert};
use crate::adapters::github::manifest::{form_address, web_address};
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use crate::cli::format::{Format, FormatArgs};
use crate::cli::runtime::runtime;
use crate::cli::terminal;
use crate::render::app_form::page;
use crate::render::visible;

#[derive(Debug, clap::Args)]
pub struct SetupArgs {
    #[command(flatten)]
    pub app: AppArgs,
    /// The organisation that will own the App [default: your own account].
    #[arg(long, value_name = "ORG")]
    pub organization: Option<crate::ident::Login>,
    /// The URL of GitHub's API. For GitHub Enterprise Server, `https://HOST/api/v3`.
    #[arg(long, value_name = "URL", default_value = GITHUB)]
    pub base_url: String,
    /// A shell command that reads the secrets as JSON from stdin: `app_id`, `private_key`, `webhook_secret`.
    #[arg(long, value_name = "COMMAND")]
    pub store: Option<String>,
    /// A folder to write the secrets into, as files that only you can read.
    #[arg(long, value_name = "DIR")]
    pub write_secrets: Option<PathBuf>,
    /// The local port to which GitHub sends the browser back [default: any free port].
    #[arg(long, value_name = "PORT", default_value_t = 0, hide_default_value = true)]
    pub port: u16,
    /// Print the address without opening a browser.
    #[arg(long)]
    pub no_browser: bool,
    #[command(flatten)]
    pub output: FormatArgs,
}

pub(super) fn run(args: &SetupArgs) -> anyhow::Result<Exit> {
    let web = web_address(&args.base_url).ok_or_else(|| {
        let message = format!("the base URL `{}` is not a URL", args.base_url);
        Failure::new("usage", message).exit(Exit::Usage).hint("write `https://…`")
    })?;
    args.app.new_app(None)?;
    let place = Place::new(args.store.as_deref(), args.write_secrets.as_deref())?;
    let app = runtime()?.block_on(create(args, &web))?;
    let stored = place.store(&app)?;
    match args.output.format {
        Format::Json => terminal::print_json(&json!({
            "schema": 1,
            "app": { "id": app.id, "slug": app.slug, "url": app.html_url, "install_url": install_url(&app) },
            "webhook_secret": app.webhook_secret.is_some(),
        }))?,
        Format::Text => terminal::print(&text(args, &app, &stored))?,
    }
    Ok(Exit::Done)
}

/// Leads the browser through GitHub's form, and receives the App.
async fn create(args: &SetupArgs, web: &str) -> anyhow::Result<CreatedApp> {
    let listener = TcpListener::bind(("127.0.0.1", args.port)).await;
    let listener = listener.with_context(|| format!("cannot listen on port {}", args.port))?;
    let here = format!("http://{}", listener.local_addr()?);
    let redirect = format!("{here}/created");
    let state = random()?;
    let form = form_address(web, args.organization.as_ref().map(crate::ident::Login::as_str));
    let manifest = args.app.new_app(Some(&redirect))?.manifest();
    let page = page(&format!("{form}?state={state}"), &manifest, &requested(args.app.uses()));
    terminal::eprint(&format!("open {here}/ in a browser on this machine\n"));
    if !args.no_browser && open(&here) {
        terminal::eprint("(the browser should open by itself)\n");
    }
    terminal::eprint("waiting for GitHub to send the browser back; Ctrl-C cancels, and nothing is stored\n");
    let code = wait_for_code(listener, page, state).await?;
    let app = convert(&args.base_url, &code).await;
    app.map_err(|error| {
        let hint = "if the App exists in your settings on GitHub, delete it there; then start again";
        Failure::new("app-not-taken", error.to_string()).hint(hint).into()
    })
}

/// 128 random bits in hex.
fn random() -> anyhow::Result<String> {
    let mut bytes = [0_u8; 16];
    getrandom::fill(&mut bytes).context("the system has no random bytes")?;
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}

/// Opens the browser. Returns whether there is one.
fn open(url: &str) -> bool {
    let (program, before): (&str, &[&str]) = if cfg!(target_os = "macos") {
        ("open", &[])
    } else if cfg!(windows) {
        ("cmd", &["/C", "start", ""])
    } else if has_display() {
        ("xdg-open", &[])
    } else {
        return false;
    };
    let mut command = Command::new(program);
    command.args(before).arg(url).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command.spawn().is_ok()
}

#[expect(clippy::disallowed_methods, reason = "the command line is the edge at which the environment is read")]
fn has_display() -> bool {
    ["DISPLAY", "WAYLAND_DISPLAY"].iter().any(|variable| std::env::var_os(variable).is_some_and(|set| !set.is_empty()))
}

fn install_url(app: &CreatedApp) -> String {
    format!("{}/installations/new", app.html_url.trim_end_matches('/'))
}

fn text(args: &SetupArgs, app: &CreatedApp, stored: &str) -> String {
    let mut text = format!("created the App `{}` ({}): {}\n", visible(&app.slug), app.id, visible(&app.html_url));
    text.push_str(&format!("its secrets: {stored}\n"));
    if app.webhook_secret.is_none() {
        text.push_str("it has no webhook yet: set its URL and a secret on its page\n");
    }
    text.push_str(&format!(
        "\nnext\n  install it on the repositories that you deploy: {}\n",
        visible(&install_url(app))
    ));
    let base = if args.base_url == GITHUB { String::new() } else { format!(" --base-url {}", args.base_url) };
    let key =
        args.write_secrets.as_ref().map_or_else(|| "FILE".to_owned(), |at| format!("{}/private-key.pem", at.display()));
    text.push_str(&format!("  countersign doctor{base} --app-id {} --private-key {key}\n", app.id));
    text
}
