//! `countersign pin`: the numeric id behind every login of the policy, written into its files.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

use serde_json::json;

use super::bundle::{read_bundle, usable};
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

/// The arguments of `pin`.
#[derive(Debug, clap::Args)]
pub struct PinArgs {
    /// How GitHub is reached.
    #[command(flatten)]
    pub connect: ConnectArgs,
    /// Write nothing, and end with 1 where a login has no id or is no longer that account's.
    #[arg(long)]
    pub check: bool,
    #[command(flatten)]
    pub output: FormatArgs,
}

/// What GitHub says of the accounts that the policy names.
#[derive(Debug, Default)]
struct Answers {
    /// Those without an id, and theirs.
    pins: Vec<Pin>,
    /// Logins that no account has, with their first place.
    missing: Vec<(Login, String)>,
    /// Those with an id that is called otherwise now, or is gone: id, as written, now, place.
    renamed: Vec<(UserId, Login, Option<Login>, String)>,
}

/// A file that is to be written anew.
struct Rewritten {
    path: PathBuf,
    text: String,
}

pub(super) fn run(args: &PinArgs, policy_path: &Path) -> anyhow::Result<Exit> {
    let read = || read_bundle(policy_path);
    let Mentioned { sources, mentions } = named(read()?, policy_path)?;
    let answers = runtime()?.block_on(ask(args, &sources, &mentions))?;
    if let Some((login, place)) = answers.missing.first().filter(|_| !args.check) {
        let more = match answers.missing.len() {
            1 => String::new(),
            count => format!(", nor have {} more logins", count.saturating_sub(1)),
        };
        let message = format!("no account is called `{login}` ({place}){more}: nothing was written");
        return Err(Failure::new("no-such-account", message).hint("`countersign doctor` lists them all").into());
    }
    let files = if args.check { Vec::new() } else { rewrite(policy_path, &sources, &mentions, &answers.pins)? };
    for Rewritten { path, text } in &files {
        replace(path, text).map_err(|error| {
            Failure::new("cannot-write", format!("`{}` cannot be written: {error}", path.display()))
        })?;
    }
    let places = places(&sources, &mentions);
    report(args.output.format, args.check, (&answers, &places), &files)?;
    let wanting = !answers.pins.is_empty() || !answers.missing.is_empty() || !answers.renamed.is_empty();
    Ok(if args.check && wanting { Exit::CouldNotRun } else { Exit::Done })
}

/// Whom the bundle names, if it is a policy.
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

/// Every account that is named, and its first place.
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

async fn ask(args: &PinArgs, sources: &SourceMap, mentions: &[Mention]) -> anyhow::Result<Answers> {
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
            (Some(id), Found::Account(account)) => answers.renamed.push((id, user.login, Some(account.login), place)),
            (Some(id), Found::Nobody) => answers.renamed.push((id, user.login, None, place)),
        }
    }
    Ok(answers)
}

/// The files with ids in them. What comes out must name the same accounts, each with its id.
fn rewrite(policy: &Path, sources: &SourceMap, mentions: &[Mention], pins: &[Pin]) -> anyhow::Result<Vec<Rewritten>> {
    let mut ids: Vec<SourceId> = mentions.iter().map(|mention| mention.span.source).collect();
    ids.dedup();
    let refused = |place: String| {
        let message = format!("the login at {place} cannot be pinned in place: nothing was written");
        Failure::new("cannot-pin", message).hint("write `#` and the id behind it by hand")
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
        return Err(
            Failure::new("cannot-pin", "the policy with ids names others than before: nothing was written").into()
        );
    }
    Ok(files)
}

/// Puts the text in the file's place at once: whoever reads it meanwhile reads the one or the other.
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

/// Where each login stands without an id, by the login in lower case.
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
            let renamed = answers
                .renamed
                .iter()
                .map(|(id, written, now, place)| json!({ "id": id, "login": written, "now": now, "place": place }));
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
        let done = if check { "has no id yet: it is" } else { "is now pinned to" };
        lines.push(format!("`{login}` {done} {id} ({})", of(login)));
    }
    for (login, _) in &answers.missing {
        lines.push(format!("`{login}` is no account ({})", of(login)));
    }
    for (id, written, now, place) in &answers.renamed {
        let now = now.as_ref().map_or_else(|| "and is gone".to_owned(), |now| format!("and is `{now}` now"));
        lines.push(format!("`{written}#{id}` decides by its id, {now} ({place})"));
    }
    if lines.is_empty() {
        lines.push("every login has its id".to_owned());
    }
    lines.extend(files.iter().map(|file| format!("wrote {}", file.path.display())));
    lines.push(String::new());
    lines.join("\n")
}
