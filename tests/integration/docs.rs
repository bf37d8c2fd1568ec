//! Compares the documentation with the code: its lists are complete, its outputs are what the commands print, and its links
//! lead somewhere.
//!
//! `COUNTERSIGN_UPDATE_DOCS=1 cargo test --test integration docs` writes the outputs anew.
#![expect(clippy::disallowed_methods, reason = "a test reads the files that it is about")]

use std::collections::{BTreeSet, HashMap};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use countersign::app::Failure;
use countersign::approval::decision::{ReasonCode, ReviewReason};
use countersign::finding::{Code, Levels, Source, SourceContent};
use countersign::policy::{Linted, MAX_BUNDLE_BYTES, MAX_FILE_BYTES, lint};
use regex::Regex;

pub(super) fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

pub(super) fn read(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// Every page, by its path from the root.
pub(super) fn pages() -> Vec<String> {
    fn collect(folder: &str, pages: &mut Vec<String>) {
        for entry in fs::read_dir(root().join(folder)).expect("the docs are there") {
            let entry = entry.expect("an entry");
            let path = format!("{folder}/{}", entry.file_name().into_string().expect("a name"));
            if entry.path().is_dir() {
                collect(&path, pages);
            } else if path.ends_with(".md") {
                pages.push(path);
            }
        }
    }
    let mut pages = vec!["README.md".to_owned(), "CONTRIBUTING.md".to_owned(), "CHANGELOG.md".to_owned()];
    pages.push("terraform/README.md".to_owned());
    collect("docs", &mut pages);
    pages.sort();
    pages
}

/// A fenced block: the text after the opening fence, and the lines, each with a line feed.
pub(super) struct Block {
    pub(super) kind: String,
    pub(super) text: String,
}

pub(super) fn blocks(page: &str) -> Vec<Block> {
    let mut blocks = Vec::new();
    let mut open: Option<Block> = None;
    for line in page.lines() {
        match (open.take(), line.strip_prefix("```")) {
            (None, Some(kind)) => open = Some(Block { kind: kind.to_owned(), text: String::new() }),
            (None, None) => {}
            (Some(block), Some("")) => blocks.push(block),
            (Some(mut block), _) => {
                block.text.push_str(line);
                block.text.push('\n');
                open = Some(block);
            }
        }
    }
    assert!(open.is_none(), "a block is left open");
    blocks
}

/// The text of each section of this level, by its heading.
pub(super) fn sections<'p>(page: &'p str, level: &str) -> Vec<(&'p str, &'p str)> {
    let marker = format!("\n{level} ");
    let mut sections = Vec::new();
    for part in page.split(marker.as_str()).skip(1) {
        let (heading, text) = part.split_once('\n').unwrap_or((part, ""));
        sections.push((heading, text));
    }
    sections
}

/// The texts in backticks in the first cells of the tables under a heading.
pub(super) fn first_cells(page: &str, heading: &str) -> Vec<String> {
    let sections = sections(page, "##");
    let (_, text) = sections.iter().find(|(found, _)| *found == heading).unwrap_or_else(|| panic!("no `{heading}`"));
    let rows = text.lines().filter_map(|line| line.strip_prefix("| `"));
    rows.filter_map(|row| row.split_once('`')).map(|(cell, _)| cell.to_owned()).collect()
}

// Lists.

#[test]
fn every_finding_has_a_heading_and_every_heading_a_finding() {
    let page = read("docs/findings.md");
    let listed: Vec<&str> = sections(&page, "##").iter().map(|(heading, _)| heading.trim_matches('`')).collect();
    let there: Vec<&str> = Code::ALL.iter().map(|code| code.as_str()).collect();
    assert_eq!(listed, there, "docs/findings.md has the codes of src/finding/code.rs, in that order");
}

#[test]
fn every_reason_code_is_documented_in_its_order() {
    let there: Vec<&str> = ReasonCode::ALL.iter().map(|code| code.as_str()).collect();
    assert_eq!(first_cells(&read("docs/decisions.md"), "Reason codes"), there);
}

#[test]
fn every_reason_of_a_review_is_documented_in_its_order() {
    let there: Vec<&str> = ReviewReason::ALL.iter().map(|reason| reason.as_str()).collect();
    assert_eq!(first_cells(&read("docs/decisions.md"), "Review reasons"), there);
}

#[test]
fn every_error_name_is_documented() {
    let page = read("docs/decisions.md");
    for name in Failure::NAMES {
        assert!(page.contains(&format!("`{name}`")), "docs/decisions.md does not mention {name}");
    }
}

#[test]
fn every_direct_dependency_is_documented_with_a_reason_and_nothing_else_is() {
    let page = read("docs/dependencies.md");
    let manifest = read("Cargo.toml");
    let of = |table: &str| -> BTreeSet<String> {
        let header = format!("[{table}]");
        let lines = manifest.lines().skip_while(|line| *line != header).skip(1);
        let own = lines.take_while(|line| !line.starts_with('['));
        own.filter(|line| !line.starts_with('#'))
            .filter_map(|line| line.split_once(" = "))
            .map(|(n, _)| n.to_owned())
            .collect()
    };
    let documented = |heading: &str| first_cells(&page, heading).into_iter().collect::<BTreeSet<_>>();
    assert!(of("dependencies").contains("serde_yaml"), "the manifest is read");
    assert_eq!(documented("What is built in"), of("dependencies"));
    assert_eq!(documented("What only tests and benchmarks use"), of("dev-dependencies"));
}

// Policies.

/// A snippet is one file, or several that `# file: name` begins.
pub(super) fn bundle(snippet: &str) -> Linted {
    let source = |name: &str, text: &str| Source {
        name: name.to_owned(),
        content: SourceContent::Bytes(text.as_bytes().to_vec()),
    };
    let files: Vec<Source> = snippet
        .split("# file: ")
        .filter(|file| !file.is_empty())
        .map(|file| match file.split_once('\n') {
            Some((name, text)) if name.ends_with(".yaml") => source(name, text),
            _ => source("policy.yaml", file),
        })
        .collect();
    let now = "2026-11-18T10:00:00Z".parse().expect("an instant");
    lint(files, &Levels::default(), now)
}

fn codes(linted: &Linted) -> Vec<&'static str> {
    linted.findings.iter().map(|finding| finding.code.as_str()).collect()
}

/// Without the note on logins without ids: examples read better without ids.
fn codes_but_unpinned(linted: &Linted) -> Vec<&'static str> {
    codes(linted).into_iter().filter(|code| *code != Code::UnpinnedLogin.as_str()).collect()
}

/// Only what refuses a policy: a short snippet about that may have other findings.
pub(super) fn refusals(linted: &Linted) -> Vec<&'static str> {
    let refuses = linted.findings.iter().filter(|finding| finding.code.lint().is_none());
    refuses.map(|finding| finding.code.as_str()).collect()
}

/// Findings about files as a whole. Their examples are described in words.
const DESCRIBED_IN_WORDS: [&str; 5] = ["empty-bundle", "unreadable-file", "too-large", "too-many-findings", "not-utf8"];

#[test]
fn every_bad_snippet_has_its_finding_alone_and_every_good_one_none() {
    for (heading, text) in sections(&read("docs/findings.md"), "##") {
        let code = heading.trim_matches('`');
        let kind = if DESCRIBED_IN_WORDS.contains(&code) { "text" } else { "yaml" };
        let snippets = blocks(text);
        let [bad, good] = snippets.as_slice() else { panic!("{code}: {} snippets", snippets.len()) };
        assert_eq!((bad.kind.as_str(), good.kind.as_str()), (kind, kind), "{code}");
        let is_lint = Code::from_text(code).is_some_and(|code| code.lint().is_some());
        let found = match Code::from_text(code) {
            Some(Code::UnpinnedLogin) => codes,
            _ if is_lint => codes_but_unpinned,
            _ => refusals,
        };
        if kind == "yaml" {
            assert_eq!(found(&bundle(&bad.text)), [code], "the bad snippet of {code}");
            assert_eq!(found(&bundle(&good.text)), [""; 0], "the good snippet of {code}");
        }
    }
}

#[test]
fn the_limits_are_documented_as_they_are() {
    let (file, bundle) = (MAX_FILE_BYTES >> 20, MAX_BUNDLE_BYTES >> 20);
    let limits = format!("more than {file} MiB, or the bundle more than {bundle} MiB");
    assert!(read("docs/findings.md").contains(&limits), "{limits}");
}

#[test]
fn every_policy_in_the_readme_loads_without_findings() {
    let page = read("README.md");
    let policies: Vec<Block> = blocks(&page).into_iter().filter(|block| block.kind == "yaml").collect();
    let of_fifteen_lines = policies.first().expect("the README shows a policy");
    assert_eq!(of_fifteen_lines.text.lines().count(), 15);
    for policy in policies {
        let loaded = bundle(&policy.text);
        assert_eq!(codes_but_unpinned(&loaded), [""; 0]);
        assert!(loaded.policy.is_some());
    }
}

#[test]
fn the_page_about_tests_shows_a_policy_and_tests_that_are_run() {
    let page = read("docs/policy/testing.md");
    let blocks_of = |kind: &str| blocks(&page).into_iter().filter(|block| block.kind == kind).collect::<Vec<_>>();
    let policies: Vec<String> = blocks_of("yaml").into_iter().map(|block| block.text).collect();
    assert_eq!(policies, [read("docs/policy/testing/checkout.yaml")]);
    let tests = blocks_of("yaml test");
    assert!(tests.len() > 2);
    assert!(tests.iter().all(|block| read("docs/policy/testing/checkout.test.yaml").contains(&block.text)));
    assert!(output(&["test", "--policy", "docs/policy/testing/checkout.yaml"]).ends_with(" passed, 0 failed\n"));
}

#[test]
fn the_test_command_of_the_readme_is_what_ci_runs() {
    let page = read("README.md");
    let (_, text) = sections(&page, "##").into_iter().find(|(heading, _)| *heading == "Test it").expect("a section");
    let command = blocks(text).into_iter().next().expect("a command").text;
    assert!(read(".ci/run").lines().any(|line| line == command.trim_end()), "{command}");
}

// Outputs.

/// The standard output of a command of ours, run in the root with an empty environment.
pub(super) fn output(arguments: &[&str]) -> String {
    let mut command = Command::new(env!("CARGO_BIN_EXE_countersign"));
    let output = command.args(arguments).current_dir(root()).env_clear().output().expect("the binary runs");
    assert!(!output.stdout.is_empty(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("the output is text")
}

/// The arguments of a command line that runs countersign, if it is one.
fn arguments(line: &str) -> Option<Vec<&str>> {
    match line.strip_prefix("$ ")? {
        // An alias in .cargo/config.toml: a smaller build of the same program.
        "cargo demo" => Some(vec!["demo"]),
        command => Some(command.strip_prefix("countersign ")?.split(' ').collect()),
    }
}

/// What `grep` prints of a text.
fn lines_with(text: &str, word: &str) -> String {
    text.lines().filter(|line| line.contains(word)).map(|line| format!("{line}\n")).collect()
}

/// The page with what its commands print now. `| grep WORD` after a command keeps the lines that matter.
fn regenerated(page: &str) -> String {
    let mut fresh = page.to_owned();
    for block in blocks(page).into_iter().filter(|block| block.kind == "console") {
        let command = block.text.lines().next().unwrap_or_default();
        let (ours, sought) = command.split_once(" | grep ").map_or((command, None), |(ours, word)| (ours, Some(word)));
        let arguments = arguments(ours).unwrap_or_else(|| panic!("not a command of ours: {command}"));
        let printed = sought.map_or_else(|| output(&arguments), |word| lines_with(&output(&arguments), word));
        assert!(!printed.is_empty(), "{command} prints nothing");
        let real = format!("{command}\n{printed}");
        fresh = fresh.replace(&format!("```console\n{}```\n", block.text), &format!("```console\n{real}```\n"));
    }
    fresh
}

#[test]
fn every_output_in_the_pages_is_the_real_one() {
    let update = std::env::var_os("COUNTERSIGN_UPDATE_DOCS").is_some();
    for path in pages() {
        let page = read(&path);
        let fresh = regenerated(&page);
        if update && fresh != page {
            fs::write(root().join(&path), &fresh).expect("the page is written");
            continue;
        }
        assert_eq!(page, fresh, "{path} has an output that is no longer printed");
    }
}

#[test]
fn the_demo_is_in_the_readme_and_prints_the_same_twice() {
    let printed = output(&["demo"]);
    assert!(printed.contains("Countersign.Expired"), "the story goes to its end");
    assert_eq!(printed, output(&["demo"]));
    let page = read("README.md");
    assert!(page.contains(&format!("```console\n$ cargo demo\n{printed}```\n")));
}

// Names and links.

/// All of `src` as one text.
fn source() -> String {
    fn collect(folder: &Path, text: &mut String) {
        for entry in fs::read_dir(folder).expect("the folder is there") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                collect(&path, text);
            } else {
                text.push_str(&fs::read_to_string(&path).expect("a text"));
            }
        }
    }
    let mut text = String::new();
    collect(&root().join("src"), &mut text);
    text
}

#[test]
fn every_file_and_function_that_the_architecture_names_exists() {
    let page = read("docs/architecture.md");
    let source = source();
    let code = Regex::new("`([^`\n]+)`").expect("the pattern is one");
    let mut seen = 0;
    for name in code.captures_iter(&page).filter_map(|found| found.get(1)).map(|found| found.as_str()) {
        if name.starts_with("src/") || name.starts_with("tests/") {
            assert!(root().join(name).exists(), "there is no {name}");
        } else if name.contains("::") || name.contains('_') {
            let last = name.rsplit("::").next().unwrap_or(name);
            let word = Regex::new(&format!(r"\b{}\b", regex::escape(last))).expect("the pattern is one");
            assert!(word.is_match(&source), "nothing in src is called {name}");
        } else {
            continue;
        }
        seen += 1;
    }
    assert!(seen > 50, "names are found");
}

/// The part of a link after `#` that leads to a heading.
pub(super) fn anchor(heading: &str) -> String {
    let kept = |c: &char| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_');
    heading.to_lowercase().chars().filter(kept).map(|c| if c == ' ' { '-' } else { c }).collect()
}

fn anchors(page: &str) -> BTreeSet<String> {
    let headings = page.lines().filter(|line| line.starts_with('#'));
    headings.map(|line| anchor(line.trim_start_matches('#').trim())).collect()
}

#[test]
fn every_relative_link_leads_somewhere() {
    let link = Regex::new(r"\]\(([^)\s]+)\)").expect("the pattern is one");
    let mut seen = 0;
    for path in pages() {
        let page = read(&path);
        let folder = Path::new(&path).parent().unwrap_or(Path::new("")).to_owned();
        let mut others: HashMap<PathBuf, BTreeSet<String>> = HashMap::new();
        for target in link.captures_iter(&page).filter_map(|found| found.get(1)).map(|found| found.as_str()) {
            if target.starts_with("https://") {
                continue;
            }
            seen += 1;
            let (file, part) = target.split_once('#').map_or((target, None), |(file, part)| (file, Some(part)));
            let file = root().join(if file.is_empty() { PathBuf::from(&path) } else { folder.join(file) });
            assert!(file.exists(), "{path} links to {target}, which is not there");
            if let Some(part) = part {
                let known = others.entry(file.clone()).or_insert_with(|| {
                    anchors(&fs::read_to_string(&file).unwrap_or_else(|error| panic!("{target}: {error}")))
                });
                assert!(known.contains(part), "{path} links to {target}, which has no such heading");
            }
        }
    }
    assert!(seen > 10, "links are found");
}
