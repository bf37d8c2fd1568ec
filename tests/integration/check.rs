//! `countersign check` on policies that are broken in every way we know of.
#![expect(clippy::disallowed_methods, reason = "the tests make the bundles that no repository should hold")]
#![expect(clippy::indexing_slicing, reason = "a key that is missing fails the test")]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use countersign::finding::{Source, SourceContent};
use countersign::policy::load;
use proptest::prelude::*;
use serde_json::Value;

use crate::command_line::{Countersign, assert_expected};

/// Each broken bundle with all that is found in it: the code, and where.
const BROKEN: &[(&str, &[&str])] = &[
    ("all-of-teams.yaml", &["unusable-ref all-of-teams.yaml:9:30"]),
    ("at-in-users.yaml", &["invalid-approver at-in-users.yaml:3:18"]),
    ("bad-address.yaml", &["invalid-value bad-address.yaml:3:21", "invalid-value bad-address.yaml:3:38"]),
    ("bad-duration.yaml", &["invalid-duration bad-duration.yaml:9:54"]),
    ("bad-repository.yaml", &["invalid-value bad-repository.yaml:3:27"]),
    ("bare-group-name.yaml", &["invalid-requirement bare-group-name.yaml:9:30"]),
    ("bare-group.yaml", &["empty-list bare-group.yaml:3:3"]),
    ("billion-laughs.yaml", &["yaml-limit billion-laughs.yaml:7:15"]),
    ("calendar-backwards.yaml", &["invalid-calendar calendar-backwards.yaml:5:45"]),
    ("calendar-bare-end.yaml", &["invalid-calendar calendar-bare-end.yaml:5:39"]),
    ("calendar-empty-span.yaml", &["invalid-calendar calendar-empty-span.yaml:5:39"]),
    ("calendar-spelt-out-day.yaml", &["invalid-calendar calendar-spelt-out-day.yaml:5:23"]),
    ("calendar-unknown-zone.yaml", &["invalid-calendar calendar-unknown-zone.yaml:4:15"]),
    ("calendar-without-spans.yaml", &["empty-list calendar-without-spans.yaml:3:3"]),
    ("calendar-without-zone.yaml", &["missing-key calendar-without-zone.yaml:3:3"]),
    ("count-too-high.yaml", &["count-too-high count-too-high.yaml:9:30"]),
    ("deep-block.yaml", &["yaml-limit deep-block.yaml:34:33"]),
    ("deep-flow.yaml", &["yaml-limit deep-flow.yaml:2:41"]),
    ("duplicate-key.yaml", &["duplicate-key duplicate-key.yaml:11:9"]),
    ("duplicate-name", &["duplicate-name b.yaml:2:3"]),
    ("duration-without-unit.yaml", &["invalid-duration duration-without-unit.yaml:9:54"]),
    ("empty-group.yaml", &["empty-list empty-group.yaml:3:22"]),
    ("escape-sequence.yaml", &["unknown-key escape-sequence.yaml:2:1"]),
    ("github-actions.yaml", &["unusable-ref github-actions.yaml:3:19"]),
    ("invalid-regex.yaml", &["invalid-pattern invalid-regex.yaml:3:3"]),
    ("later/escalate.yaml", &["not-supported-yet escalate.yaml:5:5"]),
    ("later/floor.yaml", &["not-supported-yet floor.yaml:2:1"]),
    ("later/freeze.yaml", &["not-supported-yet freeze.yaml:5:5"]),
    ("later/mode.yaml", &["not-supported-yet mode.yaml:5:5"]),
    ("later/override.yaml", &["not-supported-yet override.yaml:5:5"]),
    ("later/remind.yaml", &["not-supported-yet remind.yaml:5:5"]),
    ("later/wait.yaml", &["not-supported-yet wait.yaml:5:5"]),
    ("later/when-group.yaml", &["not-supported-yet when-group.yaml:6:7"]),
    ("later/when.yaml", &["not-supported-yet when.yaml:4:41"]),
    ("later/window.yaml", &["not-supported-yet window.yaml:5:5"]),
    ("list-at-the-top.yaml", &["version -", "wrong-type list-at-the-top.yaml:1:1"]),
    ("misspelt-word.yaml", &["invalid-value misspelt-word.yaml:9:55"]),
    ("none-for-star.yaml", &["none-for-all none-for-star.yaml:3:19"]),
    ("none-in-defaults.yaml", &["none-for-all none-in-defaults.yaml:4:3"]),
    ("none-in-star-service.yaml", &["none-for-all none-in-star-service.yaml:5:27"]),
    ("not-utf8.yaml", &["not-utf8 not-utf8.yaml:3:20"]),
    ("nul.yaml", &["yaml-syntax nul.yaml:3:5"]),
    ("pattern-order", &["pattern-order b.yaml:2:3"]),
    ("quadratic-aliases.yaml", &["yaml-limit quadratic-aliases.yaml:103:5"]),
    ("repository-missing.yaml", &["repository-missing repository-missing.yaml:6:3"]),
    ("requirement-missing.yaml", &["requirement-missing requirement-missing.yaml:9:7"]),
    ("rule-field-on-service.yaml", &["unknown-key rule-field-on-service.yaml:5:5"]),
    ("self-alias.yaml", &["yaml-syntax self-alias.yaml:2:19"]),
    ("tab.yaml", &["yaml-syntax tab.yaml:3:2"]),
    ("text-for-boolean.yaml", &["wrong-type text-for-boolean.yaml:9:55"]),
    ("timeout-too-long.yaml", &["invalid-duration timeout-too-long.yaml:9:54"]),
    ("too-complex.yaml", &["too-complex too-complex.yaml:11:11"]),
    ("too-deep.yaml", &["too-complex too-deep.yaml:10:18"]),
    ("two-documents.yaml", &["yaml-syntax two-documents.yaml:3:1"]),
    ("umlaut-before.yaml", &["unknown-key umlaut-before.yaml:4:34"]),
    ("unclosed-quote.yaml", &["yaml-syntax unclosed-quote.yaml:3:18"]),
    ("unknown-alias.yaml", &["yaml-syntax unknown-alias.yaml:2:9"]),
    ("unknown-channel.yaml", &["unknown-name unknown-channel.yaml:5:44"]),
    ("unknown-group.yaml", &["unknown-name unknown-group.yaml:9:30"]),
    ("unknown-key.yaml", &["unknown-key unknown-key.yaml:11:9"]),
    ("unknown-tag.yaml", &["yaml-syntax unknown-tag.yaml:2:17"]),
    ("version-2.yaml", &["version version-2.yaml:1:10"]),
    ("version-missing.yaml", &["version -"]),
    ("version-twice", &["version b.yaml:2:1"]),
    ("yaml-syntax.yaml", &["yaml-syntax yaml-syntax.yaml:4:10"]),
    ("zero.yaml", &["invalid-requirement zero.yaml:9:30"]),
];

/// Those of them whose text is kept beside them, so that the look of messages is reviewed with every change of it.
const SHOWN: [&str; 9] = [
    "all-of-teams.yaml",
    "bad-duration.yaml",
    "calendar-unknown-zone.yaml",
    "deep-flow.yaml",
    "duplicate-name",
    "escape-sequence.yaml",
    "none-for-star.yaml",
    "unknown-key.yaml",
    "version-missing.yaml",
];

fn places(document: &Value) -> Vec<String> {
    let place = |finding: &Value| {
        let code = finding["code"].as_str().unwrap_or_default();
        match finding["file"].as_str() {
            Some(file) => format!("{code} {file}:{}:{}", finding["line"], finding["column"]),
            None => format!("{code} -"),
        }
    };
    document["findings"].as_array().expect("findings are a list").iter().map(place).collect()
}

#[test]
fn every_broken_policy_is_refused_with_its_code_its_place_and_a_hint() {
    for (path, expected) in BROKEN {
        let ran = Countersign::new("check --format json").within("broken").arg(path).run();
        assert_eq!(ran.code, Some(3), "{path}: {}", ran.stderr);
        let document = ran.json();
        assert_eq!(places(&document), *expected, "{path}");
        assert_eq!(document["schema"], 1);
        assert_eq!(document["errors"], expected.len(), "{path}");
        assert_eq!(document["policy_digest"], Value::Null, "{path}");
        for finding in document["findings"].as_array().expect("findings are a list") {
            assert!(finding["hint"].as_str().is_some_and(|hint| !hint.is_empty()), "{path}: {finding}");
            assert_eq!(finding["severity"], "error", "{path}");
        }
    }
}

#[test]
fn every_broken_policy_is_told_in_text_with_the_place_underlined() {
    for (path, expected) in BROKEN {
        let ran = Countersign::new("check").within("broken").arg(path).run();
        assert_eq!(ran.code, Some(3), "{path}: {}", ran.stderr);
        for finding in *expected {
            let (code, place) = finding.split_once(' ').expect("a code and a place");
            assert!(ran.stdout.contains(&format!("error[{code}]: ")), "{path}: {}", ran.stdout);
            assert!(place == "-" || ran.stdout.contains(&format!(" {place}\n")), "{path}: {}", ran.stdout);
        }
        let ends = if expected.len() == 1 { "1 error, 0 warnings\n" } else { "2 errors, 0 warnings\n" };
        assert!(ran.stdout.ends_with(ends), "{path}: {}", ran.stdout);
    }
}

#[test]
fn the_look_of_messages_is_as_committed() {
    for path in SHOWN {
        let ran = Countersign::new("check").within("broken").arg(path).run();
        assert_expected(&format!("broken/{path}.expected"), &ran.stdout);
    }
}

#[test]
fn no_broken_policy_is_left_out_of_the_list() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/broken");
    let mut there = BTreeSet::new();
    for folder in ["", "later/"] {
        for entry in fs::read_dir(root.join(folder)).expect("the folder is there") {
            there.insert(format!("{folder}{}", entry.expect("an entry").file_name().to_string_lossy()));
        }
    }
    there.retain(|name| name != "later" && !name.ends_with(".expected"));
    let listed: BTreeSet<String> = BROKEN.iter().map(|(path, _)| (*path).to_owned()).collect();
    assert_eq!(there, listed);
}

fn check(path: &Path) -> Value {
    let ran = Countersign::new("check --format json").arg(path).run();
    assert_eq!(ran.code, Some(3), "{}", ran.stderr);
    assert!(!Countersign::new("check").arg(path).run().stdout.is_empty());
    ran.json()
}

#[test]
fn a_file_of_100_megabytes_is_not_read() {
    let folder = tempfile::tempdir().expect("a folder");
    fs::File::create(folder.path().join("a.yaml")).and_then(|file| file.set_len(100 << 20)).expect("a sparse file");
    assert_eq!(places(&check(folder.path())), ["too-large a.yaml:1:1"]);
}

#[test]
fn an_empty_folder_and_one_with_tests_only_are_no_policy() {
    let folder = tempfile::tempdir().expect("a folder");
    assert_eq!(places(&check(folder.path())), ["empty-bundle -"]);
    fs::write(folder.path().join("a.test.yaml"), "cases: []").expect("a file");
    assert_eq!(places(&check(folder.path())), ["empty-bundle -"]);
}

#[test]
fn a_very_long_line_is_shown_in_part() {
    let folder = tempfile::tempdir().expect("a folder");
    let users: String = (0..20_000).map(|n| format!("a{n:05}, ")).collect();
    let text = format!("version: 1\ngroups: {{ sre: {{ users: [{users}\"@ana\"] }} }}\n");
    fs::write(folder.path().join("a.yaml"), text).expect("a file");
    assert_eq!(places(&check(folder.path())), ["invalid-approver a.yaml:2:160026"]);
    let ran = Countersign::new("check").arg(folder.path()).run();
    assert!(ran.stdout.contains("a.yaml:2:160026\n"), "{}", ran.stdout);
    assert!(ran.stdout.contains("^^^^^^"), "{}", ran.stdout);
    assert!(ran.stdout.lines().all(|line| line.chars().count() < 200), "{}", ran.stdout);
}

#[test]
fn more_problems_than_anyone_reads_are_not_all_told() {
    let folder = tempfile::tempdir().expect("a folder");
    let text: String = (0..5_000).map(|number| format!("key-{number}: 1\n")).collect();
    fs::write(folder.path().join("a.yaml"), text).expect("a file");
    let document = check(folder.path());
    assert_eq!(document["errors"], 1001);
    assert_eq!(document["findings"][0]["code"], "too-many-findings");
}

#[test]
fn deeper_and_wider_bombs_than_a_repository_should_hold_are_refused() {
    let folder = tempfile::tempdir().expect("a folder");
    let most = 4 << 20;
    let bombs = [
        "[".repeat(most - 100),
        "{a: ".repeat(most / 4 - 100),
        "- ".repeat(most / 2 - 100),
        "? ".repeat(most / 2 - 100),
        format!("a: &a [{}]\nb: [{}]", "x,".repeat(20_000), "*a,".repeat(100_000)),
        format!("a: {}", "&x ".repeat(1_000_000)),
        format!("x: [{}]", "a,".repeat(most / 2 - 100)),
        format!("x: {{{}}}", "a: {},".repeat(most / 6 - 100)),
        format!("\"{}\": 1", "\\e".repeat(most / 2 - 100)),
        "&a a: &a b\n".repeat(200_000),
        "%YAML 1.2\n".repeat(300_000),
        "#".repeat(most - 1),
    ];
    for (number, bomb) in bombs.iter().enumerate() {
        let path = folder.path().join("bomb.yaml");
        fs::write(&path, bomb).expect("a file");
        let ran = Countersign::new("check --format json").arg(&path).run();
        assert_eq!(ran.code, Some(3), "bomb {number}: {}", ran.stderr);
        assert!(!ran.json()["findings"][0]["hint"].is_null(), "bomb {number}");
    }
}

#[cfg(target_os = "linux")]
#[test]
fn the_bound_on_memory_is_one_that_can_be_broken() {
    let folder = tempfile::tempdir().expect("a folder");
    fs::write(folder.path().join("a.yaml"), format!("x: [{}]", "a,".repeat((2 << 20) - 100))).expect("a file");
    let ran = Countersign::new("check").arg(folder.path()).memory_kib(48_000).run();
    assert!(ran.code.is_none() && ran.stderr.contains("memory allocation"), "{ran:?}");
}

#[cfg(unix)]
#[test]
fn a_pipe_in_the_folder_is_refused_and_not_waited_for() {
    let folder = tempfile::tempdir().expect("a folder");
    let made = std::process::Command::new("mkfifo").arg(folder.path().join("a.yaml")).status();
    assert!(made.expect("mkfifo runs").success());
    assert_eq!(places(&check(folder.path())), ["unreadable-file a.yaml:1:1"]);
}

#[test]
fn a_path_with_nothing_there_ends_with_1() {
    let ran = Countersign::new("check broken/nowhere --format json").run();
    assert_eq!(ran.code, Some(1));
    assert_eq!(ran.json()["error"]["code"], "policy-missing");
    assert!(ran.stderr.starts_with("error: there is no policy at `broken/nowhere`\nhint: "), "{}", ran.stderr);
    let ran = Countersign::new("check").within("broken").run();
    assert_eq!((ran.code, ran.stdout.as_str()), (Some(1), ""), "the default is `policies`");
}

#[test]
fn a_sound_policy_is_said_to_be_sound() {
    let ran = Countersign::new("check sound").run();
    assert_eq!(ran.code, Some(0), "{}", ran.stdout);
    assert!(ran.stdout.starts_with("policy is sound: 2 services, 2 environments, digest sha256:"), "{}", ran.stdout);
    let document = Countersign::new("check sound --format json --deny note").run().json();
    assert_eq!((&document["errors"], &document["warnings"]), (&Value::from(0), &Value::from(0)));
    assert!(document["policy_digest"].as_str().is_some_and(|digest| digest.starts_with("sha256:")));
}

#[test]
fn several_bundles_are_reported_one_after_another() {
    let ran = Countersign::new("check sound broken/zero.yaml").run();
    assert_eq!(ran.code, Some(3));
    let (sound, broken) = ran.stdout.split_once("== broken/zero.yaml\n").expect("a heading");
    assert!(sound.starts_with("== sound\npolicy is sound") && broken.contains("invalid-requirement"));
    let lines = Countersign::new("check broken/zero.yaml sound --format json").run().json_lines();
    assert_eq!(lines.iter().map(|line| line["errors"].clone()).collect::<Vec<_>>(), [1, 0]);
}

#[test]
fn arguments_that_do_not_parse_end_with_2_and_say_so_in_json_as_well() {
    let ran = Countersign::new("check --deny everything --format json").run();
    assert_eq!(ran.code, Some(2));
    assert_eq!(ran.json()["error"]["code"], "usage");
    assert_eq!(Countersign::new("--help").run().code, Some(0));
}

fn source(bytes: Vec<u8>) -> Vec<Source> {
    vec![Source { name: "a.yaml".to_owned(), content: SourceContent::Bytes(bytes) }]
}

/// The bytes of every policy under `tests/sound` and `tests/broken`.
fn corpus() -> Vec<Vec<u8>> {
    let mut folders: Vec<PathBuf> =
        ["sound", "broken"].iter().map(|name| Path::new(env!("CARGO_MANIFEST_DIR")).join("tests").join(name)).collect();
    let mut files = BTreeSet::new();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).expect("the folder is there") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "yaml") {
                files.insert(path);
            }
        }
    }
    let small = |bytes: &Vec<u8>| bytes.len() < 4096;
    files.iter().map(|path| fs::read(path).expect("a file")).filter(small).collect()
}

/// Loads and renders; a policy or an error must come of it, and never both.
fn load_and_show(bytes: Vec<u8>) -> Result<(), TestCaseError> {
    let loaded = load(source(bytes));
    prop_assert_eq!(loaded.policy.is_none(), loaded.findings.has_errors());
    let text = countersign::render::finding::text(&loaded.findings, &loaded.sources, false);
    prop_assert!(text.chars().all(|c| c == '\n' || !c.is_control()), "{:?}", text);
    let json = countersign::render::finding::json(&loaded.findings, &loaded.sources, None);
    prop_assert_eq!(json["findings"].as_array().map(Vec::len), Some(loaded.findings.len()));
    Ok(())
}

proptest! {
    #[test]
    fn loading_arbitrary_bytes_gives_a_policy_or_an_error(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        load_and_show(bytes)?;
    }

    #[test]
    fn loading_text_made_of_what_yaml_is_made_of_gives_a_policy_or_an_error(
        text in "([ \\n\\t:,\\-?&*!|>'\"%@`{}\\[\\]#a\\\\é\u{85}\u{feff}]|require|version|services|<<|none|~| of ){0,60}"
    ) {
        load_and_show(text.into_bytes())?;
    }

    #[test]
    fn loading_a_policy_with_a_stretch_replaced_gives_a_policy_or_an_error(
        (bytes, at, length, with) in proptest::sample::select(corpus()).prop_flat_map(|bytes| {
            let most = bytes.len();
            (Just(bytes), 0..=most, 0_usize..12, proptest::collection::vec(any::<u8>(), 0..6))
        })
    ) {
        let mut bytes = bytes;
        let end = (at + length).min(bytes.len());
        bytes.splice(at..end, with);
        load_and_show(bytes)?;
    }
}
