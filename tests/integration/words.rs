//! Holds the words: what the glossary in CONTRIBUTING.md has replaced does not come back, and sentences stay short.
#![expect(clippy::disallowed_methods, reason = "a test reads the files that it is about")]

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use crate::docs::{pages, read, root};
use crate::rust_tokens::tokens;

/// Names that no Rust code has any more, each with what to write. Comments and texts may have the word.
const NAMES: [(&str, &str); 15] = [
    ("Asked", "the name of what is requested, such as `RequestedTarget`"),
    ("AskedFormat", "the formats that the command declares"),
    ("Force", "`Supersedes`"),
    ("GithubStandIn", "`GithubSimulator`"),
    ("Scales", "`ReviewContext`"),
    ("Shown", "a name with `publish`"),
    ("Speaker", "`ReasonText`"),
    ("Why", "`Cause`"),
    ("codehost", "`simulator`"),
    ("fitted", "`truncate`"),
    ("ledger", "`progress`"),
    ("packed", "`node_json`"),
    ("showing", "`publish`"),
    ("shown", "`publish`, or what the text is"),
    ("town", "`simulator`"),
];

/// Files that have another name now.
const FILES: [(&str, &str); 10] = [
    ("asked", "what the file holds"),
    ("by_hand", "`install_without_terraform`"),
    ("codehost", "`simulator`"),
    ("fitted", "`truncate`"),
    ("ledger", "`progress`"),
    ("packed", "`node_json`"),
    ("plain", "`fast_reader`"),
    ("showing", "`publish`"),
    ("shown", "`publish` or `published`"),
    ("told", "`notify` or `observation`"),
];

const NOTIFY: &str = "\"notify\", \"observe\", \"report\" or \"show\"";
const OPENED: &str = "\"the request was opened\", \"no request was opened\" or \"waits for nobody\"";

/// Phrases that no text, comment or test name has any more, in lower case, each with what to write.
const PHRASES: [(&str, &str); 31] = [
    ("none where", "\"`None` if …\""),
    ("yes, where", "\"also if …\""),
    ("tell", NOTIFY),
    ("tells", NOTIFY),
    ("told", NOTIFY),
    ("telling", NOTIFY),
    ("announce", NOTIFY),
    ("announces", NOTIFY),
    ("announced", NOTIFY),
    ("a say", "\"may request changes\""),
    ("is laid to", "\"is assigned to\""),
    ("are laid to", "\"are assigned to\""),
    ("is asked for", "\"is requested\", or \"is an approver\""),
    ("are asked for", "\"are requested\", or \"are approvers\""),
    ("people were asked", OPENED),
    ("people are asked", OPENED),
    ("nobody is asked", OPENED),
    ("nobody was asked", OPENED),
    ("ask people", OPENED),
    ("asks people", OPENED),
    ("asked people", OPENED),
    ("ask nobody", OPENED),
    ("asks nobody", OPENED),
    ("asked nobody", OPENED),
    ("named target for", "\"where notifications go\": a target is a service in an environment"),
    ("named targets for", "\"where notifications go\": a target is a service in an environment"),
    ("github stand-in", "\"GitHub simulator\""),
    ("stand-in for github", "\"GitHub simulator\""),
    ("stand-in of github", "\"GitHub simulator\""),
    ("the stand-in", "\"the simulator\""),
    ("the stand-in's", "\"the simulator's\""),
];

/// Folders with texts of ours. What others wrote, and what programs made, is not among them.
const FOLDERS: [&str; 12] = [
    ".ci",
    ".github",
    "action",
    "benches",
    "docs",
    "fuzz",
    "policies",
    "schema",
    "scripts",
    "src",
    "terraform",
    "tests",
];
const SKIPPED_FOLDERS: [&str; 7] =
    ["target", "corpus", "artifacts", ".terraform", "node_modules", "__pycache__", "recorded"];
const EXTENSIONS: [&str; 14] =
    ["c", "expected", "hcl", "html", "json", "md", "mjs", "py", "rs", "sh", "tf", "tftpl", "yaml", "yml"];

/// A doc comment of so few words repeats the name below it if it begins with one of `REPEATING`.
const FEW_WORDS: usize = 3;
const REPEATING: [&str; 13] =
    ["A", "An", "Every", "It", "Its", "The", "This", "What", "When", "Where", "Which", "Who", "Whose"];

/// Most words of a sentence of the pages, on average.
const MEAN_WORDS: f64 = 11.5;
/// A sentence of more words has to be read twice.
const LONG_SENTENCE: usize = 30;
/// Most long sentences, in thousands of all.
const LONG_SENTENCES: usize = 15;

/// Every file with text of ours, by its path from the root.
fn files() -> Vec<String> {
    fn collect(folder: &str, found: &mut Vec<String>) {
        for entry in fs::read_dir(root().join(folder)).expect("the folder is there") {
            let entry = entry.expect("an entry");
            let name = entry.file_name().into_string().expect("a name");
            let path = format!("{folder}/{name}");
            let extension = Path::new(&name).extension().and_then(|extension| extension.to_str());
            if entry.path().is_dir() {
                if !SKIPPED_FOLDERS.contains(&name.as_str()) {
                    collect(&path, found);
                }
            } else if extension.is_none_or(|extension| EXTENSIONS.contains(&extension)) {
                found.push(path);
            }
        }
    }
    let mut found = pages();
    for folder in FOLDERS {
        collect(folder, &mut found);
    }
    found.push("Cargo.toml".to_owned());
    found.sort();
    found.dedup();
    found.retain(|path| path != "tests/integration/words.rs");
    found
}

/// Some examples of what `check` refuses are not UTF-8.
fn text_of(path: &str) -> String {
    String::from_utf8_lossy(&fs::read(root().join(path)).expect("the file is there")).into_owned()
}

/// Everything in a file that has another word now, as `file:line: what`.
fn gone(path: &str, text: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut report = |line: usize, what: &str, instead: &str| {
        found.push((line, format!("{path}:{line}: `{what}`: write {instead}")));
    };
    let stem = Path::new(path).file_stem().and_then(|stem| stem.to_str()).unwrap_or_default();
    if let Some((name, instead)) = FILES.iter().find(|(name, _)| *name == stem) {
        report(1, name, instead);
    }
    if path.ends_with(".rs") {
        for token in tokens(text) {
            if let Some((name, instead)) = NAMES.iter().find(|(name, _)| *name == token.text) {
                report(token.line, name, instead);
            }
        }
        for (line, comment) in doc_comments(text) {
            if says_nothing(path, text, &comment) {
                report(line, &comment, "what the name does not say, or nothing");
            }
        }
    }
    for (n, line) in text.lines().enumerate().filter(|(_, line)| !is_glossary(path, line)) {
        // Test names are sentences.
        let words = line.to_lowercase().replace('_', " ");
        // "Tells them apart" is about something else.
        let is_kept = |instead: &str| instead == NOTIFY && has_phrase(&words, "apart");
        let gone = PHRASES.iter().filter(|(phrase, instead)| has_phrase(&words, phrase) && !is_kept(instead));
        for (phrase, instead) in gone {
            report(n + 1, phrase, instead);
        }
        if line.trim_start().starts_with("//") && has_phrase(&words, "none:") {
            report(n + 1, "none:", "\"`None` if …\"");
        }
    }
    found.sort();
    found.into_iter().map(|(_, text)| text).collect()
}

/// Whether the phrase stands in a line, as whole words.
fn has_phrase(line: &str, phrase: &str) -> bool {
    let outside = |c: Option<char>| c.is_none_or(|c| !c.is_alphanumeric() && c != '-');
    let ends_open = !phrase.ends_with(char::is_alphanumeric);
    line.match_indices(phrase).any(|(at, _)| {
        let (before, rest) = line.split_at(at);
        let (_, behind) = rest.split_at(phrase.len());
        outside(before.chars().next_back()) && (ends_open || outside(behind.chars().next()))
    })
}

/// The glossary names the words that are gone.
fn is_glossary(path: &str, line: &str) -> bool {
    path == "CONTRIBUTING.md" && line.starts_with('|')
}

/// Each comment of `///` lines as one text, with the line of its beginning.
fn doc_comments(code: &str) -> Vec<(usize, String)> {
    let mut found: Vec<(usize, String)> = Vec::new();
    let mut open = false;
    for (n, line) in code.lines().enumerate() {
        let Some(text) = line.trim_start().strip_prefix("///") else {
            open = false;
            continue;
        };
        match found.last_mut().filter(|_| open) {
            Some((_, comment)) => *comment = format!("{comment} {}", text.trim()).trim().to_owned(),
            None => found.push((n + 1, text.trim().to_owned())),
        }
        open = true;
    }
    found
}

/// Whether a doc comment is too short to say what the name does not. Units, formats, numbers and names of code say
/// something. In a file that declares arguments the comments are what `--help` prints.
fn says_nothing(path: &str, code: &str, comment: &str) -> bool {
    let is_help = path.starts_with("src/cli/") && code.contains("clap");
    let words: Vec<&str> = comment.split_whitespace().collect();
    let short = words.len() == 1 || (words.len() <= FEW_WORDS && REPEATING.contains(&words[0]));
    let is_format = |word: &&str| word.starts_with("Markdown") || word.chars().filter(|c| c.is_uppercase()).count() > 1;
    let says_something = words.iter().any(is_format) || comment.contains(|c: char| c.is_ascii_digit() || c == '`');
    short && !is_help && !says_something
}

#[test]
fn words_that_the_glossary_replaced_are_gone() {
    let all: Vec<String> = files().iter().flat_map(|path| gone(path, &text_of(path))).collect();
    assert!(all.is_empty(), "{}\n{} in all", all.join("\n"), all.len());
}

/// How many words each sentence of a page has. Tables, code, headings and lists of names are no sentences.
fn sentences(page: &str) -> Vec<(usize, String)> {
    let (mut found, mut paragraph, mut is_code) = (Vec::new(), String::new(), false);
    for line in page.lines().chain([""]) {
        let text = line.trim();
        let is_item = text.starts_with("- ") || text.split_once(". ").is_some_and(|(n, _)| n.parse::<u8>().is_ok());
        let is_break = text.is_empty() || text.starts_with(['#', '|', '<']) || text.starts_with("```");
        if is_item || is_break {
            split(&paragraph, &mut found);
            paragraph.clear();
        }
        if text.starts_with("```") {
            is_code = !is_code;
        } else if !is_code && !is_break {
            paragraph.push_str(text.strip_prefix("- ").unwrap_or(text));
            paragraph.push(' ');
        }
    }
    found
}

/// Splits behind a full stop, a question mark or an exclamation mark with a space and no lower case behind it.
fn split(paragraph: &str, found: &mut Vec<(usize, String)>) {
    let (mut sentence, mut count) = (String::new(), 0);
    let words: Vec<&str> = without_code(paragraph);
    for (n, word) in words.iter().enumerate() {
        sentence.push_str(word);
        sentence.push(' ');
        count += usize::from(word.contains(char::is_alphanumeric));
        let next = words.get(n + 1).and_then(|word| word.chars().next());
        let stops = word.trim_end_matches([')', '"', '*', '_']).ends_with(['.', '?', '!']);
        if stops && next.is_none_or(|c| !c.is_lowercase()) || next.is_none() {
            if count > 0 {
                found.push((count, sentence.trim().to_owned()));
            }
            (sentence, count) = (String::new(), 0);
        }
    }
}

/// The words of a paragraph. Code in backticks counts as one, however many it has.
fn without_code(paragraph: &str) -> Vec<&str> {
    let (mut words, mut start, mut in_code) = (Vec::new(), 0, false);
    for (at, c) in paragraph.char_indices() {
        if c == '`' {
            in_code = !in_code;
        } else if c == ' ' && !in_code {
            words.extend(paragraph.get(start..at).filter(|word| !word.is_empty()));
            start = at + 1;
        }
    }
    words.extend(paragraph.get(start..).filter(|word| !word.is_empty()));
    words
}

#[test]
fn sentences_of_the_pages_stay_short() {
    let all: Vec<(usize, String)> = pages().iter().flat_map(|page| sentences(&read(page))).collect();
    assert!(all.len() > 1_000, "sentences are found");
    let words: usize = all.iter().map(|(words, _)| words).sum();
    let mean =
        f64::from(u32::try_from(words).expect("a number")) / f64::from(u32::try_from(all.len()).expect("a number"));
    let long: BTreeSet<&(usize, String)> = all.iter().filter(|(words, _)| *words > LONG_SENTENCE).collect();
    let list: Vec<String> = long.iter().rev().map(|(words, text)| format!("{words}: {text}")).collect();
    assert!(mean <= MEAN_WORDS, "{mean:.1} words a sentence, and {MEAN_WORDS} at most");
    assert!(
        long.len() * 1_000 <= all.len() * LONG_SENTENCES,
        "{} of {} sentences have more than {LONG_SENTENCE} words:\n{}",
        long.len(),
        all.len(),
        list.join("\n")
    );
}

#[test]
fn each_kind_of_word_is_found_where_it_stands() {
    for code in [
        "struct Told;",
        "use crate::approval::told;",
        "/// Which.\nfn f() {}",
        "/// Whose it is.\nfn f() {}",
        "/// The place, none where there is not any.\nfn f() {}",
        "// The place; none: nobody.",
        "fn every_error_is_told() {}",
        "const HELP: &str = \"the GitHub stand-in\";",
        "// Whether it is told.",
        "// A policy that tells nobody.",
        "// The deadline counts from when people were asked.",
        "const HELP: &str = \"a named target for notifications\";",
    ] {
        assert!(!gone("src/approval/decide.rs", code).is_empty(), "{code}");
    }
    assert_eq!(
        gone("docs/dev.md", "Nobody\nis told of it.\n"),
        ["docs/dev.md:2: `told`: write \"notify\", \"observe\", \"report\" or \"show\""]
    );
    assert!(!gone("src/approval/ledger.rs", "").is_empty());
}

#[test]
fn words_that_mean_something_else_are_kept() {
    for code in [
        "/// Told apart by the id.\nfn f() {}",
        "const A: &str = \"stand_in: [sre]\"; // `/_standin/people`, standin_pia, carries: objections",
        "/// In seconds.\nconst A: u64 = 1;\n/// PEM.\nstruct P;\n/// Oldest first.\nstruct Q;\n/// At most 60.\nconst B: u64 = 60;\n/// See `decide`.\nfn f() {}",
        "/// First a line\n/// and another.\nfn f() {}",
        "fn stand_in_unused() {} // A requirement may have no stand-ins.",
    ] {
        assert_eq!(gone("src/approval/decide.rs", code), [""; 0], "{code}");
    }
    assert_eq!(gone("CONTRIBUTING.md", "| cutting a text | truncate | told |"), [""; 0]);
    assert_eq!(gone("src/cli/args.rs", "use clap::Args;\n/// For people.\nText,"), [""; 0]);
}

#[test]
fn a_sentence_ends_at_its_stop_and_code_is_one_word() {
    let page = "# A heading\n\nOne two `three four. Five` six. Seven (e.g. this\none).\n\n- A list\n- of two\n\n```sh\nno\n```\n";
    let counts: Vec<usize> = sentences(page).into_iter().map(|(words, _)| words).collect();
    assert_eq!(counts, [4, 4, 2, 2]);
}
