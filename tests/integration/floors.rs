//! Holds the floors: reads all of `src` and fails on a path that points up, on a name that a floor must not know, and on
//! files that have outgrown their room.
//!
//! Paths are found wherever they stand, not only behind `use`, and are resolved through `self` and `super`. Comments and
//! texts are no code. What would make a path unfindable (another name for the crate, a glob of it, a file from elsewhere)
//! is reported as well.
#![expect(clippy::disallowed_methods, reason = "a test reads the files that it is about")]

use std::fs;
use std::path::Path;

use crate::rust_tokens::{Token, tokens, without_tests};

/// Every room with the rooms that it may name besides itself.
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
/// Words that a silent room does not have.
const NOT_SILENT: [&str; 8] = ["async", "await", "tokio", "tracing", "rand", "getrandom", "println", "eprintln"];
/// What of the standard library a silent room does not name.
const NOT_SILENT_STD: [&str; 7] = ["env", "fs", "net", "os", "process", "thread", "time"];
/// Crates that speak of the outside: not for ports and use cases.
const OUTSIDE: [&str; 7] = ["axum", "http", "hyper", "hyper_util", "lambda_runtime", "octocrab", "redb"];
/// The only folder that names the YAML crate.
const YAML: &str = "src/policy/yaml/";
/// A file that is longer than this, without its tests, wants splitting.
const FULL: usize = 500;

/// A path that code names, from the crate's root or from another crate, and its line.
type Named = (Vec<String>, usize);

/// Finds paths that begin with a root word.
struct Scanner<'t> {
    tokens: &'t [Token],
    /// The module that the file is.
    file: Vec<String>,
    /// Modules that are open inside it, each with the depth of braces at which it was opened.
    open: Vec<(String, usize)>,
    found: Vec<Named>,
}

impl Scanner<'_> {
    fn text(&self, i: usize) -> &str {
        self.tokens.get(i).map_or("", |token| token.text.as_str())
    }

    fn line(&self, i: usize) -> usize {
        self.tokens.get(i).map_or(0, |token| token.line)
    }

    fn here(&self) -> Vec<String> {
        self.file.iter().cloned().chain(self.open.iter().map(|(name, _)| name.clone())).collect()
    }

    fn scan(mut self) -> Vec<Named> {
        let (mut depth, mut i) = (0_usize, 0);
        while i < self.tokens.len() {
            match self.text(i) {
                "{" => depth += 1,
                "}" => {
                    depth = depth.saturating_sub(1);
                    self.open.retain(|(_, opened)| *opened <= depth);
                }
                "mod" if self.text(i + 2) == "{" => {
                    let name = self.text(i + 1).to_owned();
                    self.open.push((name, depth + 1));
                }
                _ => {}
            }
            i = self.path_at(i).unwrap_or(i + 1);
        }
        self.found
    }

    /// Reads the path that begins here, if one does, and says where it ends.
    fn path_at(&mut self, i: usize) -> Option<usize> {
        let behind_colons = i > 0 && self.text(i - 1) == "::" && i > 1 && is_word(self.text(i - 2));
        if behind_colons {
            return None;
        }
        let mut base = match self.text(i) {
            "crate" | "countersign" => Vec::new(),
            "self" => self.here(),
            "super" => {
                let mut here = self.here();
                here.pop();
                here
            }
            "std" | "core" => vec![self.text(i).to_owned()],
            _ => return None,
        };
        // `pub(crate)`, `pub(super)`: how far something is seen, not what it names.
        let seen_by = i > 1 && self.text(i - 1) == "(" && self.text(i - 2) == "pub" && self.text(i + 1) == ")";
        let begins = self.text(i + 1) == "::" || self.text(i + 1) == "as" || (i > 0 && self.text(i - 1) == "use");
        if seen_by || !begins {
            return None;
        }
        let mut end = i + 1;
        while self.text(end) == "::" && self.text(end + 1) == "super" {
            base.pop();
            end += 2;
        }
        Some(self.tree(base, end))
    }

    /// Follows `::a::b`, `::{…}` and `::*` behind a path, and keeps each path that results.
    fn tree(&mut self, mut path: Vec<String>, mut i: usize) -> usize {
        while self.text(i) == "::" {
            match self.text(i + 1) {
                "{" => return self.group(&path, i + 2),
                "*" => {
                    path.push("*".to_owned());
                    i += 2;
                }
                word if is_word(word) => {
                    path.push(word.to_owned());
                    i += 2;
                }
                _ => break,
            }
        }
        self.found.push((path, self.line(i.saturating_sub(1))));
        i
    }

    /// The paths in `{…}`, from behind the brace to behind its end.
    fn group(&mut self, path: &[String], mut i: usize) -> usize {
        while i < self.tokens.len() {
            match self.text(i) {
                "}" => return i + 1,
                "self" => {
                    self.found.push((path.to_vec(), self.line(i)));
                    i += 1;
                }
                "{" => i = self.group(path, i + 1),
                word if is_word(word) || word == "*" => {
                    let below: Vec<String> = path.iter().cloned().chain([word.to_owned()]).collect();
                    i = self.tree(below, i + 1);
                    if self.text(i) == "as" {
                        i += 2;
                    }
                }
                _ => i += 1,
            }
        }
        i
    }
}

fn is_word(text: &str) -> bool {
    text.chars().next().is_some_and(|c| c.is_alphabetic() || c == '_')
}

/// The module that a file is: `src/policy/mod.rs` is `policy`, `src/policy/read.rs` is `policy::read`.
fn module(path: &str) -> Vec<String> {
    let inner = path.trim_start_matches("src/").trim_end_matches(".rs");
    let mut parts: Vec<String> = inner.split('/').map(str::to_owned).collect();
    if parts.last().is_some_and(|last| last == "mod" || last == "lib") {
        parts.pop();
    }
    parts
}

/// Everything that a file does which its floor does not allow, as `file:line: what`.
fn problems(path: &str, code: &str) -> Vec<String> {
    let tokens = tokens(code);
    let file = module(path);
    let room = file.first().map_or("lib", String::as_str).to_owned();
    let named = Scanner { tokens: &tokens, file: file.clone(), open: Vec::new(), found: Vec::new() }.scan();
    let mut problems = Vec::new();
    let mut report = |line: usize, what: String| problems.push(format!("{path}:{line}: {what}"));
    for (named, line) in &named {
        if let Some(what) = points_up(&room, &file, named) {
            report(*line, what);
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
        // The client of GitHub knows nothing of the simulator.
        let to_simulator =
            file.get(1).is_some_and(|part| part == "github") && named.get(1).is_some_and(|n| n == "embedded");
        return (room == "adapters" && to_simulator).then(|| format!("`adapters::github` names `{whole}`"));
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
fn sources() -> Vec<(String, String)> {
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

// That the scanner sees what it must.

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
    assert!(caught("src/adapters/github/delivery.rs", "use crate::adapters::embedded::broker::Broker;"));
    assert!(caught("src/adapters/embedded/simulator/pull.rs", "use crate::approval::facts::ReviewState;"));
    assert!(caught("src/adapters/embedded/simulator/rest/mod.rs", "use crate::{ident::Login, request::published};"));
    assert!(!caught("src/adapters/embedded/simulator/pull.rs", "use crate::{ident::Login, ports::Clock};"));
    assert!(!caught("src/adapters/embedded/code_host.rs", "use crate::approval::facts::ReviewState;"));
    assert!(caught("src/app/settle.rs", "use crate::adapters::embedded::store::EmbeddedStore;"));
    assert!(caught("src/dev/mod.rs", "use crate::cli::Exit;"));
    assert!(caught("src/main.rs", "use countersign::app::App;"));
    assert!(caught("src/finding/mod.rs", "use crate::policy::Policy;"));
    assert!(caught("src/ports.rs", "use super::app::App;"));
    assert!(caught("src/attic.rs", "use crate::ident::Login;"), "a room without a floor");
}

#[test]
fn a_path_that_points_down_is_let_pass() {
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
