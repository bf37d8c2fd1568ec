//! `countersign pin`: writes the numeric id behind every login of the policy into its files.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

use serde_json::json;

use super::bundle::{PolicyArgs, read_bundle, usable};
use super::exit::Exit;
use super::failure::Failure;
use super::format::{Format, FormatArgs};
use super::github::connect::ConnectArgs;
use super::lookup::{Found, Lookup};
use super::runtime::runtime;
use super::terminal;
use crate::finding::{Source, SourceContent, SourceId, SourceMap};
use crate::ident::{Login, UserId};
use crate::policy::{Mention, Mentioned, Named, Pin, UserRef, mentions, pinned};

#[derive(Debug, clap::Args)]
pub struct PinArgs {
    #[command(flatten)]
    pub connect: ConnectArgs,
    /// Write nothing, and exit with 1 if a login is not pinned or its account has another login now.
    #[arg(long)]
    pub check: bool,
    #[command(flatten)]
    pub output: FormatArgs,
    #[command(flatten)]
    pub policy: PolicyArgs,
}

/// What GitHub knows of the accounts that the policy names.
#[derive(Debug, Default)]
struct Answers {
    /// Logins without an id in the policy, with the id to write.
    pins: Vec<Pin>,
    /// Logins without an account, with the first place that names them.
    missing: Vec<(Login, String)>,
    renamed: Vec<Renamed>,
}

/// A pinned account whose login has changed.
#[derive(Debug)]
struct Renamed {
    id: UserId,
    /// The login in the policy.
    written: Login,
    /// `None` if the account was deleted.
    now: Option<Login>,
    place: String,
}

/// A file with its new text.
struct Rewritten {
    path: PathBuf,
    text: String,
}

pub(super) fn run(args: &PinArgs) -> anyhow::Result<Exit> {
    let policy_path = args.policy.path.as_path();
    let read = || read_bundle(policy_path);
    let Mentioned { sources, mentions } = named(read()?, policy_path)?;
    let answers = runtime()?.block_on(look_up(args, &sources, &mentions))?;
    if let Some((login, place)) = answers.missing.first().filter(|_| !args.check) {
        let more = match answers.missing.len() {
            1 => String::new(),
            count => format!(", and {} more logins have no account", count.saturating_sub(1)),
        };
        let message = format!("no account is called `{login}` ({place}){more}; nothing was written");
        return Err(Failure::new("no-such-account", message).hint("`countersign doctor` lists every one").into());
    }
    let files = if args.check { Vec::new() } else { rewrite(policy_path, &sources, &mentions, &answers.pins)? };
    for Rewritten { path, text } in &files {
        replace(path, text)
            .map_err(|error| Failure::new("cannot-write", format!("cannot write `{}`: {error}", path.display())))?;
    }
    let places = places(&sources, &mentions);
    report(args.output.format, args.check, (&answers, &places), &files)?;
    let unpinned = !answers.pins.is_empty() || !answers.missing.is_empty() || !answers.renamed.is_empty();
    Ok(if args.check && unpinned { Exit::CouldNotRun } else { Exit::Done })
}

/// Everyone whom the policy names. Errors if it is invalid.
pub(super) fn named(bundle: Vec<Source>, path: &Path) -> anyhow::Result<Mentioned> {
    mentions(bundle).map_err(|loaded| match usable(*loaded, &path.display().to_string()) {
        Err(error) => error,
        Ok(_) => Failure::new("policy-invalid", "the policy cannot be used").into(),
    })
}

/// `file:line` of a mention.
pub(super) fn place(sources: &SourceMap, mention: &Mention) -> String {
    format!("{}:{}", sources.name(mention.span.source), mention.span.line)
}

/// Every account that the policy names, with the first place that names it.
pub(super) fn accounts<'m>(sources: &SourceMap, mentions: &'m [Mention]) -> Vec<(&'m UserRef, String)> {
    let mut seen = BTreeMap::new();
    for mention in mentions {
        if let Named::Account { user, .. } = &mention.named {
            let key = (user.login.as_str().to_ascii_lowercase(), user.id);
            seen.entry(key).or_insert_with(|| (user, place(sources, mention)));
        }
    }
    seen.into_values().collect()
}

async fn look_up(args: &PinArgs, sources: &SourceMap, mentions: &[Mention]) -> anyhow::Result<Answers> {
    let accounts = accounts(sources, mentions);
    if accounts.is_empty() {
        return Ok(Answers::default());
    }
    let lookup = Lookup::new(args.connect.client()?, args.connect.as_app()).await?;
    let mut answers = Answers::default();
    for (user, place, found) in lookup.accounts(accounts).await? {
        match (user.id, found) {
            (None, Found::Account(account)) => answers.pins.push(Pin { login: user.login, id: account.id }),
            (None, Found::Nobody) => answers.missing.push((user.login, place)),
            (Some(_), Found::Account(account)) if account.login == user.login => {}
            (Some(id), found) => {
                let now = match found {
                    Found::Account(account) => Some(account.login),
                    Found::Nobody => None,
                };
                answers.renamed.push(Renamed { id, written: user.login, now, place });
            }
        }
    }
    Ok(answers)
}

/// The changed files, with ids. Errors unless the new policy names the same accounts, each with its id.
fn rewrite(policy: &Path, sources: &SourceMap, mentions: &[Mention], pins: &[Pin]) -> anyhow::Result<Vec<Rewritten>> {
    let mut ids: Vec<SourceId> = mentions.iter().map(|mention| mention.span.source).collect();
    ids.dedup();
    let refused = |place: String| {
        let message = format!("cannot pin the login at {place} in place; nothing was written");
        Failure::new("cannot-pin", message).hint("write `#` and the id after the login by hand")
    };
    let (mut files, mut bundle) = (Vec::new(), Vec::new());
    for id in ids {
        let (name, text) = (sources.name(id), sources.text(id));
        let of_file = mentions.iter().filter(|mention| mention.span.source == id);
        let written = pinned(sources, text, of_file, pins).map_err(|mention| refused(place(sources, &mention)))?;
        bundle.push((name, written.clone()));
        if written != text {
            let path = if policy.is_dir() { policy.join(name) } else { policy.to_owned() };
            files.push(Rewritten { path, text: written });
        }
    }
    let whole = read_bundle(policy)?.into_iter().map(|source| {
        let written = bundle.iter().find(|(name, _)| *name == source.name).map(|(_, text)| text.clone().into_bytes());
        Source { content: written.map_or(source.content, SourceContent::Bytes), name: source.name }
    });
    let after = named(whole.collect(), policy)?;
    let is_open = |mention: &&Mention| matches!(&mention.named, Named::Account { user, .. } if user.id.is_none());
    if let Some(left) = after.mentions.iter().find(is_open) {
        return Err(refused(place(&after.sources, left)).into());
    }
    if after.mentions.len() != mentions.len() {
        return Err(Failure::new(
            "cannot-pin",
            "the policy with ids would name other accounts than before; nothing was written",
        )
        .into());
    }
    Ok(files)
}

/// Replaces a file atomically: a concurrent reader sees the old text or the new one.
fn replace(path: &Path, text: &str) -> io::Result<()> {
    use io::Write as _;
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mut file = tempfile::NamedTempFile::new_in(folder)?;
    file.write_all(text.as_bytes())?;
    file.as_file().set_permissions(path.metadata()?.permissions())?;
    file.persist(path)?;
    Ok(())
}

type Places = BTreeMap<String, Vec<String>>;

/// The places of each login without an id, by the login in lower case.
fn places(sources: &SourceMap, mentions: &[Mention]) -> Places {
    let mut places = Places::new();
    for mention in mentions {
        if let Named::Account { user: UserRef { login, id: None }, .. } = &mention.named {
            places.entry(login.as_str().to_ascii_lowercase()).or_default().push(place(sources, mention));
        }
    }
    places
}

fn report(
    format: Format,
    check: bool,
    (answers, places): (&Answers, &Places),
    files: &[Rewritten],
) -> anyhow::Result<()> {
    let of = |login: &Login| places_of(places, login);
    match format {
        Format::Json => {
            let pins =
                answers.pins.iter().map(|pin| json!({ "login": pin.login, "id": pin.id, "places": of(&pin.login) }));
            let renamed = answers.renamed.iter().map(
                |Renamed { id, written, now, place }| json!({ "id": id, "login": written, "now": now, "place": place }),
            );
            let missing = answers.missing.iter().map(|(login, _)| json!({ "login": login, "places": of(login) }));
            terminal::print_json(&json!({
                "schema": 1,
                "written": !check,
                "pins": pins.collect::<Vec<_>>(),
                "missing": missing.collect::<Vec<_>>(),
                "renamed": renamed.collect::<Vec<_>>(),
                "files": files.iter().map(|file| file.path.display().to_string()).collect::<Vec<_>>(),
            }))?;
        }
        Format::Text => terminal::print(&text(check, (answers, places), files))?,
    }
    Ok(())
}

fn places_of<'p>(places: &'p Places, login: &Login) -> &'p [String] {
    places.get(&login.as_str().to_ascii_lowercase()).map(Vec::as_slice).unwrap_or_default()
}

fn text(check: bool, (answers, places): (&Answers, &Places), files: &[Rewritten]) -> String {
    let of = |login: &Login| places_of(places, login).join(", ");
    let mut lines = Vec::new();
    for Pin { login, id } in &answers.pins {
        let done = if check { "is not pinned; its id is" } else { "is now pinned to" };
        lines.push(format!("`{login}` {done} {id} ({})", of(login)));
    }
    for (login, _) in &answers.missing {
        lines.push(format!("`{login}` has no account ({})", of(login)));
    }
    for Renamed { id, written, now, place } in &answers.renamed {
        let now = now
            .as_ref()
            .map_or_else(|| "was deleted".to_owned(), |now| format!("is called `{now}` now; the id still decides"));
        lines.push(format!("`{written}#{id}` {now} ({place})"));
    }
    if lines.is_empty() {
        lines.push("every login has its id".to_owned());
    }
    lines.extend(files.iter().map(|file| format!("wrote {}", file.path.display())));
    lines.push(String::new());
    lines.join("\n")
}
