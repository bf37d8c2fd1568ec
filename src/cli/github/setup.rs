//! `countersign github setup`: an App of one's own, made in the browser, with its secrets put where they belong.

use std::path::PathBuf;
use std::process::{Command, Stdio};

use anyhow::Context as _;
use serde_json::json;
use tokio::net::TcpListener;

use super::door::wait_for_code;
use super::keep::Place;
use super::manifest::{AppArgs, asked};
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

/// The arguments of `github setup`.
#[derive(Debug, clap::Args)]
pub struct SetupArgs {
    /// The App.
    #[command(flatten)]
    pub app: AppArgs,
    /// The organisation that is to own the App [default: your own account].
    #[arg(long, value_name = "ORG")]
    pub organization: Option<crate::ident::Login>,
    /// The API's URL, as `https://host/api/v3` of a GitHub Enterprise Server.
    #[arg(long, value_name = "URL", default_value = GITHUB)]
    pub base_url: String,
    /// A shell command that takes the secrets as JSON on its input: `app_id`, `private_key`, `webhook_secret`.
    #[arg(long, value_name = "COMMAND")]
    pub store: Option<String>,
    /// A folder to write the secrets into, as files that you alone can read.
    #[arg(long, value_name = "DIR")]
    pub write_secrets: Option<PathBuf>,
    /// The port on this machine that GitHub sends the browser back to [default: any that is free].
    #[arg(long, value_name = "PORT", default_value_t = 0, hide_default_value = true)]
    pub port: u16,
    /// Print the address, and open no browser.
    #[arg(long)]
    pub no_browser: bool,
    #[command(flatten)]
    pub output: FormatArgs,
}

pub(super) fn run(args: &SetupArgs) -> anyhow::Result<Exit> {
    let wrong = |message: String| Failure::new("usage", message).exit(Exit::Usage);
    let web = web_address(&args.base_url)
        .ok_or_else(|| wrong(format!("the base URL `{}` is not a URL", args.base_url)).hint("write `https://…`"))?;
    args.app.wanted(None)?;
    let place = Place::new(args.store.as_deref(), args.write_secrets.as_deref())?;
    let app = runtime()?.block_on(create(args, &web))?;
    let kept = place.keep(&app)?;
    match args.output.format {
        Format::Json => terminal::print_json(&json!({
            "schema": 1,
            "app": { "id": app.id, "slug": app.slug, "url": app.html_url, "install_url": install_url(&app) },
            "webhook_secret": app.webhook_secret.is_some(),
        }))?,
        Format::Text => terminal::print(&text(args, &app, &kept))?,
    }
    Ok(Exit::Done)
}

/// Leads the browser through GitHub's form, and takes the App.
async fn create(args: &SetupArgs, web: &str) -> anyhow::Result<CreatedApp> {
    let listener = TcpListener::bind(("127.0.0.1", args.port)).await;
    let listener = listener.with_context(|| format!("the port {} cannot be listened on", args.port))?;
    let here = format!("http://{}", listener.local_addr()?);
    let redirect = format!("{here}/created");
    let state = random()?;
    let form = form_address(web, args.organization.as_ref().map(crate::ident::Login::as_str));
    let manifest = args.app.wanted(Some(&redirect))?.manifest();
    let page = page(&format!("{form}?state={state}"), &manifest, &asked(args.app.uses()));
    terminal::tell(&format!("open {here}/ in a browser on this machine\n"));
    if !args.no_browser && open(&here) {
        terminal::tell("(it should be opening by itself)\n");
    }
    terminal::tell("waiting for GitHub to send it back; Ctrl-C ends this, and nothing is kept\n");
    let code = wait_for_code(listener, page, state).await?;
    let app = convert(&args.base_url, &code).await;
    app.map_err(|error| {
        let hint = "look for the App in your settings on GitHub: delete it there if it was made, and begin again";
        Failure::new("app-not-taken", error.to_string()).hint(hint).into()
    })
}

/// 128 bits that nobody guesses.
fn random() -> anyhow::Result<String> {
    let mut bytes = [0_u8; 16];
    getrandom::fill(&mut bytes).context("the system gives no random bytes")?;
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}

/// Opens the browser; whether there was one to ask.
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

fn text(args: &SetupArgs, app: &CreatedApp, kept: &str) -> String {
    let mut text = format!("the App `{}` ({}) is there: {}\n", visible(&app.slug), app.id, visible(&app.html_url));
    text.push_str(&format!("its secrets: {kept}\n"));
    if app.webhook_secret.is_none() {
        text.push_str("it has no webhook yet: set its URL and a secret at its page\n");
    }
    text.push_str(&format!("\nnext\n  install it on what is deployed: {}\n", visible(&install_url(app))));
    let base = if args.base_url == GITHUB { String::new() } else { format!(" --base-url {}", args.base_url) };
    let key =
        args.write_secrets.as_ref().map_or_else(|| "FILE".to_owned(), |at| format!("{}/private-key.pem", at.display()));
    text.push_str(&format!("  countersign doctor{base} --app-id {} --private-key {key}\n", app.id));
    text
}
