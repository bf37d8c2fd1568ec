//! Holds the floors: reads all of `src` and fails on a path that points up, on a name that a floor must not know, on files
//! that are too long. Whatever would hide a path (another name for the crate, a glob of it, a file from elsewhere) is reported
//! as well.
#![expect(clippy::disallowed_methods, reason = "a test reads the files that it is about")]

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use crate::rust_paths::{Scanner, module};
use crate::rust_tokens::{tokens, without_tests};

/// Every room, with the other rooms that it may name.
const FLOORS: [(&str, &[&str]); 14] = [
    ("ident", &[]),
    ("finding", &[]),
    ("policy", &["finding", "ident"]),
    ("approval", &["policy", "finding", "ident"]),
    ("request", &["approval", "policy", "finding", "ident"]),
    ("render", &["request", "approval", "policy", "finding", "ident"]),
    ("ports", &["request", "approval", "policy", "finding", "ident"]),
    ("adapters", &["ports", "request", "approval", "policy", "finding", "ident"]),
    ("app", &["render", "ports", "request", "approval", "policy", "finding", "ident"]),
    ("webhook", &["app", "adapters", "ports"]),
    ("dev", &["webhook", "app", "adapters", "render", "ports", "request", "approval", "policy", "finding", "ident"]),
    ("lambda", &["webhook", "app", "adapters", "render", "ports", "request", "approval", "policy", "finding", "ident"]),
    ("bin", &["lambda"]),
    ("cli", &["dev", "app", "adapters", "render", "ports", "request", "approval", "policy", "finding", "ident"]),
];
/// Synchronous, total and silent: no files, network, clock, randomness, logging.
const SILENT: [&str; 5] = ["ident", "finding", "policy", "approval", "request"];
/// Words that a silent room may not have.
const NOT_SILENT: [&str; 8] = ["async", "await", "tokio", "tracing", "rand", "getrandom", "println", "eprintln"];
/// Modules of the standard library that a silent room may not name.
const NOT_SILENT_STD: [&str; 7] = ["env", "fs", "net", "os", "process", "thread", "time"];
/// Crates of the outside, which ports and use cases may not name.
const OUTSIDE: [&str; 7] = ["axum", "http", "hyper", "hyper_util", "lambda_runtime", "octocrab", "redb"];
/// The only folder that names the YAML crate.
const YAML: &str = "src/policy/yaml/";
/// Most lines of a file, without its tests.
const FULL: usize = 500;
/// The adapters, none of which names another.
const ADAPTERS: [&str; 3] = ["aws", "embedded", "github"];

/// Everything in a file that its floor does not allow, as `file:line: what`.
fn problems(path: &str, code: &str) -> Vec<String> {
    let tokens = tokens(code);
    let file = module(path);
    let room = file.first().map_or("lib", String::as_str).to_owned();
    let named = Scanner::new(&tokens, file.clone(), BTreeSet::new()).scan();
    let mut problems = Vec::new();
    let mut report = |line: usize, what: String| problems.push(format!("{path}:{line}: {what}"));
    for named in &named {
        if let Some(what) = points_up(&room, &file, &named.path) {
            report(named.line, what);
        }
    }
    for (n, token) in tokens.iter().enumerate() {
        let next = |k: usize| tokens.get(n + k).map_or("", |token| token.text.as_str());
        if let Some(what) = forbidden(path, &room, &token.text, next(1)) {
            report(token.line, what);
        }
        let attribute = token.text == "#" && (next(1) == "[" || (next(1) == "!" && next(2) == "["));
        let name = if next(1) == "!" { next(3) } else { next(2) };
        if attribute && matches!(name, "allow" | "path") {
            report(
                token.line,
                format!("`#[{name}]`: an exception is `#[expect(…, reason = \"…\")]`, a file has its place"),
            );
        }
    }
    for (n, text) in code.lines().enumerate() {
        for mark in ["TODO", "FIXME", "XXX"].iter().filter(|mark| text.contains(**mark)) {
            report(n + 1, format!("`{mark}`: say it in an issue"));
        }
    }
    problems.sort();
    problems.dedup();
    problems
}

/// What is wrong with a path, named in this room.
fn points_up(room: &str, file: &[String], named: &[String]) -> Option<String> {
    let first = named.first().map_or("", String::as_str);
    let whole = named.join("::");
    if matches!(first, "std" | "core") {
        let second = named.get(1).map_or("", String::as_str);
        let silent = SILENT.contains(&room) && (NOT_SILENT_STD.contains(&second) || second == "*");
        return silent.then(|| format!("`{room}` is silent, and names `{whole}`"));
    }
    match room {
        // The root only says what there is.
        "lib" => return None,
        "main" => return (first != "cli").then(|| format!("`main` names `{whole}`, and may name `cli` only")),
        _ => {}
    }
    let Some((_, below)) = FLOORS.iter().find(|(floor, _)| *floor == room) else {
        return Some(format!("`{room}` stands on no floor: add it to FLOORS"));
    };
    if first.is_empty() || first == "*" {
        return Some(format!("`{room}` names the whole crate: name what is meant, by its room"));
    }
    if first == room {
        let adapter = |path: &[String]| ADAPTERS.into_iter().find(|name| path.get(1).is_some_and(|part| part == name));
        let (from, to) = (adapter(file), adapter(named));
        let across = room == "adapters" && from.is_some() && to.is_some() && from != to;
        return across.then(|| format!("`{}` names `{whole}`: no adapter names another", file.join("::")));
    }
    // The simulator knows GitHub, and nothing of approvals.
    let in_simulator = file.iter().take(3).eq(["adapters", "embedded", "simulator"]);
    if in_simulator && matches!(first, "approval" | "request") {
        return Some(format!("`adapters::embedded::simulator` names `{whole}`"));
    }
    if FLOORS.iter().all(|(floor, _)| *floor != first) {
        return Some(format!("`{whole}` is in no room"));
    }
    (!below.contains(&first)).then(|| format!("`{room}` names `{whole}`, which is not below it"))
}

/// What is wrong with a word, in this file.
fn forbidden(path: &str, room: &str, word: &str, next: &str) -> Option<String> {
    let outside = OUTSIDE.contains(&word) && next == "::";
    match word {
        "serde_yaml" | "serde_saphyr" if !path.starts_with(YAML) => Some(format!("only {YAML} names the YAML crate")),
        _ if SILENT.contains(&room) && NOT_SILENT.contains(&word) => {
            Some(format!("`{room}` is silent, and has `{word}`"))
        }
        "now" if SILENT.contains(&room) && next == "(" => {
            Some(format!("`{room}` reads no clock: `now` is an argument"))
        }
        _ if matches!(room, "ports" | "app") && (outside || word.starts_with("aws_")) => {
            Some(format!("`{room}` speaks the domain's words, and names `{word}`"))
        }
        "todo" | "unimplemented" if next == "!" => Some(format!("`{word}!`: what is not built is refused by name")),
        "include" if next == "!" => Some("`include!` brings code from elsewhere".to_owned()),
        "extern" if next == "crate" => Some("`extern crate` gives a crate another name".to_owned()),
        _ => None,
    }
}

/// How many lines have code or comments on them, without the tests at the end.
fn length(code: &str) -> usize {
    let all = tokens(code);
    let kept = without_tests(&all);
    if kept.len() == all.len() { code.lines().count() } else { kept.last().map_or(0, |token| token.line) }
}

/// Every source file, by its path from the root, with its text.
pub(crate) fn sources() -> Vec<(String, String)> {
    fn collect(folder: &Path, root: &Path, found: &mut Vec<(String, String)>) {
        for entry in fs::read_dir(folder).expect("the folder is there") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                collect(&path, root, found);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let name = path.strip_prefix(root).expect("below the root").to_str().expect("a name").to_owned();
                found.push((name, fs::read_to_string(&path).expect("a text")));
            }
        }
    }
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut found = Vec::new();
    collect(&root.join("src"), root, &mut found);
    found.sort();
    assert!(found.len() > 50, "the sources are found");
    found
}

#[test]
fn nothing_points_up_a_floor_and_no_room_knows_what_it_must_not() {
    let all: Vec<String> = sources().iter().flat_map(|(path, code)| problems(path, code)).collect();
    assert!(all.is_empty(), "{}", all.join("\n"));
}

#[test]
fn every_room_stands_on_a_floor_and_every_floor_has_a_room() {
    let mut rooms: Vec<String> = sources().iter().filter_map(|(path, _)| module(path).into_iter().next()).collect();
    rooms.dedup();
    rooms.retain(|room| room != "main");
    let mut floors: Vec<&str> = FLOORS.iter().map(|(room, _)| *room).collect();
    floors.sort_unstable();
    assert_eq!(rooms, floors);
}

#[test]
fn no_file_has_outgrown_its_room() {
    let long: Vec<String> = sources()
        .iter()
        .filter(|(path, _)| !path.contains("/tests/"))
        .map(|(path, code)| (path, length(code)))
        .filter(|(_, length)| *length > FULL)
        .map(|(path, length)| format!("{path} has {length} lines without its tests"))
        .collect();
    assert!(long.is_empty(), "{}", long.join("\n"));
}

// The scanner itself.

fn caught(path: &str, code: &str) -> bool {
    !problems(path, code).is_empty()
}

#[test]
fn a_path_that_points_up_is_caught_however_it_is_written() {
    for code in [
        "use crate::app::evaluate;",
        "use crate::{ident::Login, app::{self, settle}};",
        "pub use crate::ports::Clock;",
        "pub(crate) use crate::ports::Clock as Time;",
        "fn f() -> crate::cli::Exit { todo() }",
        "fn f() { crate\n  :: app :: settle(); }",
        "use super::super::ports::Clock;",
        "use super::super::{ident, ports::Clock};",
        "mod inner { use super::super::super::app::App; }",
        "mod inner { mod deep { } } use self::super::super::render::visible;",
        "macro_rules! m { () => { $crate::render::visible() } }",
        "type T = Box<dyn crate::ports::Clock>;",
        "use countersign::adapters::embedded;",
        "use crate::*;",
        "use crate as all;",
        "use super::super::*;",
        "use crate::Something;",
        "#[path = \"../app/mod.rs\"] mod app;",
        "extern crate self as all;",
        "include!(\"../app/mod.rs\");",
    ] {
        assert!(caught("src/approval/decide.rs", code), "{code}");
    }
    assert!(caught("src/adapters/github/delivery.rs", "use crate::app::record_delivery;"));
    for (file, code) in [
        ("github/delivery.rs", "use crate::adapters::embedded::broker::Broker;"),
        ("embedded/broker/mod.rs", "use crate::adapters::github::signature::WebhookSecret;"),
        ("aws/sns.rs", "use super::super::github::client::GithubClient;"),
    ] {
        assert!(caught(&format!("src/adapters/{file}"), code), "{code}");
    }
    assert!(caught("src/approval/decide.rs", "use crate::request::State;"));
    assert!(caught("src/adapters/embedded/simulator/pull.rs", "use crate::approval::facts::ReviewState;"));
    assert!(caught("src/adapters/embedded/simulator/rest/mod.rs", "use crate::{ident::Login, request::published};"));
    assert!(!caught("src/adapters/embedded/simulator/pull.rs", "use crate::{ident::Login, ports::Clock};"));
    assert!(!caught("src/adapters/embedded/code_host.rs", "use crate::approval::facts::ReviewState;"));
    assert!(caught("src/request/mod.rs", "use crate::render::visible;"));
    assert!(caught("src/render/mod.rs", "use crate::ports::Clock;"));
    assert!(caught("src/webhook.rs", "use crate::dev::LocalGate;"));
    assert!(caught("src/app/settle.rs", "use crate::adapters::embedded::store::EmbeddedStore;"));
    assert!(caught("src/dev/mod.rs", "use crate::cli::Exit;"));
    assert!(caught("src/main.rs", "use countersign::app::App;"));
    assert!(caught("src/finding/mod.rs", "use crate::policy::Policy;"));
    assert!(caught("src/ports.rs", "use super::app::App;"));
    assert!(caught("src/attic.rs", "use crate::ident::Login;"), "a room without a floor");
}

#[test]
fn a_path_that_points_down_passes() {
    for code in [
        "use crate::policy::Rule; use crate::{finding::Code, ident::{Login, UserId}};",
        "use super::decision::Decision; use super::super::policy::Rule; use super::super::approval::facts::Facts;",
        "pub(super) fn f() {} pub(crate) struct S; pub(in crate::approval) fn g(self) -> Self { self.a }",
        "#[cfg(test)] mod tests { use super::*; use super::super::decide; }",
        "use std::collections::BTreeMap; fn f() { std::mem::take(&mut x); }",
        "fn f(now: Timestamp) { let tokens = rules::strategy; }",
    ] {
        assert_eq!(problems("src/approval/decide.rs", code), [""; 0], "{code}");
    }
    assert!(!caught("src/main.rs", "fn main() { countersign::cli::main().into() }"));
    assert!(!caught("src/dev/mod.rs", "use crate::{adapters::embedded::broker::Broker, app::App}; async fn f() {}"));
}

#[test]
fn comments_and_texts_are_no_code() {
    for code in [
        "// use crate::app::App;",
        "/* use crate::app::App; /* nested */ use crate::cli::Exit; */",
        "//! `crate::app::evaluate` gathers; see [`crate::app`]. It is async.",
        "const A: &str = \"use crate::app::App; // \\\" tokio\";",
        "const A: &str = r#\"crate::app::App \" tokio::spawn\"#;",
        "const A: &[u8] = br\"crate::app\"; const B: char = '\"'; const C: char = '\\''; fn f<'a>(a: &'a str) {}",
    ] {
        assert_eq!(problems("src/approval/decide.rs", code), [""; 0], "{code}");
    }
    assert!(caught("src/approval/decide.rs", "const A: char = '\"'; use crate::app::App; const B: char = '\"';"));
    assert!(caught("src/approval/decide.rs", "fn f<'a>() {} use crate::app::App; fn g<'a>() {}"));
    assert!(caught("src/approval/decide.rs", "/* a */ use crate::app::App; /* b */"));
}

#[test]
fn a_silent_room_that_speaks_is_caught() {
    for code in [
        "async fn f() {}",
        "use std::fs;",
        "use std::{collections::BTreeMap, time::Instant};",
        "fn f() { std::env::var(\"HOME\"); }",
        "fn f() { tracing::info!(\"x\"); }",
        "use tokio::sync::Mutex;",
        "fn f() { getrandom::fill(&mut b); }",
        "fn f() { jiff::Timestamp::now() }",
    ] {
        assert!(caught("src/policy/load.rs", code), "{code}");
    }
    assert!(!caught("src/dev/mod.rs", "use std::fs; async fn f() {}"));
    assert!(!caught("src/policy/load.rs", "const ENGINE: &str = env!(\"CARGO_PKG_VERSION\");"));
}

#[test]
fn the_yaml_crate_and_the_outside_are_named_in_their_places_only() {
    assert!(caught("src/policy/load.rs", "use serde_yaml::Value;"));
    assert!(caught("src/policy/yaml_like.rs", "use serde_yaml::Value;"));
    assert!(!caught("src/policy/yaml/mod.rs", "use serde_yaml::Spanned;"));
    for code in
        ["use axum::Router;", "use http::StatusCode;", "fn f(e: aws_sdk_sfn::Error) {}", "use octocrab::Octocrab;"]
    {
        assert!(caught("src/ports.rs", code), "{code}");
        assert!(caught("src/app/settle.rs", code), "{code}");
    }
    assert!(!caught("src/app/settle.rs", "fn f(http: u16) {}"));
}

#[test]
fn what_is_left_undone_is_caught() {
    for code in
        ["// TODO: later", "/* FIXME */", "fn f() { todo!() }", "#[allow(dead_code)] fn f() {}", "#![allow(unused)]"]
    {
        assert!(caught("src/dev/mod.rs", code), "{code}");
    }
    assert!(!caught("src/dev/mod.rs", "#[expect(dead_code, reason = \"shown in the docs\")] fn f() {}"));
}

#[test]
fn a_files_length_is_that_without_its_tests() {
    assert_eq!(length("fn a() {}\n\n#[cfg(test)]\nmod tests {\n    fn b() {\n    }\n}\n"), 1);
    assert_eq!(length("fn a() {}\n// the end\n"), 2);
}
