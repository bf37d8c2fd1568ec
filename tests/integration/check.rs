//! `countersign check` on bundles that no repository should hold, and its arguments. Examples of each finding are in
//! `tests/lint`.
#![expect(clippy::disallowed_methods, reason = "the tests make the bundles that no repository should hold")]
#![expect(clippy::indexing_slicing, reason = "a key that is missing fails the test")]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use countersign::finding::{Source, SourceContent};
use countersign::policy::load;
use proptest::prelude::*;
use serde_json::Value;

use crate::command_line::{Countersign, Ran};

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
fn a_very_long_line_is_printed_in_part() {
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
fn too_many_problems_are_reported_in_part() {
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
fn the_memory_limit_of_the_tests_can_be_exceeded() {
    let folder = tempfile::tempdir().expect("a folder");
    fs::write(folder.path().join("a.yaml"), format!("x: [{}]", "a,".repeat((2 << 20) - 100))).expect("a file");
    let within = |kib| Countersign::new("check").arg(folder.path()).memory_kib(kib).run();
    // The program itself counts as well, so the limit is searched for above its size.
    let starved = |ran: &Ran| ran.code.is_none() && ran.stderr.contains("memory allocation");
    let checked = |ran: &Ran| ran.code == Some(3) && !ran.stdout.contains("out of memory");
    let first = (24_000..).step_by(4_000).map(within).find(|ran| starved(ran) || checked(ran)).expect("an end");
    assert!(starved(&first), "{first:?}");
}

#[cfg(unix)]
#[test]
fn a_pipe_in_the_folder_is_refused_without_waiting() {
    let folder = tempfile::tempdir().expect("a folder");
    let made = std::process::Command::new("mkfifo").arg(folder.path().join("a.yaml")).status();
    assert!(made.expect("mkfifo runs").success());
    assert_eq!(places(&check(folder.path())), ["unreadable-file a.yaml:1:1"]);
}

#[test]
fn a_path_with_nothing_there_ends_with_1() {
    let ran = Countersign::new("check lint/nowhere --format json").run();
    assert_eq!(ran.code, Some(1));
    assert_eq!(ran.json()["error"]["code"], "policy-missing");
    assert!(ran.stderr.starts_with("error: there is no policy at `lint/nowhere`\nhint: "), "{}", ran.stderr);
    let ran = Countersign::new("check").within("lint").run();
    assert_eq!((ran.code, ran.stdout.as_str()), (Some(1), ""), "the default is `policies`");
}

#[test]
fn a_sound_policy_is_reported_as_sound() {
    let ran = Countersign::new("check sound --allow unpinned-login").run();
    assert_eq!(ran.code, Some(0), "{}", ran.stdout);
    assert!(ran.stdout.starts_with("policy is sound: 2 services, 2 environments, digest sha256:"), "{}", ran.stdout);
    let document = Countersign::new("check sound --format json --deny note").run().json();
    assert_eq!((&document["errors"], &document["warnings"]), (&Value::from(0), &Value::from(0)));
    assert!(document["policy_digest"].as_str().is_some_and(|digest| digest.starts_with("sha256:")));
}

#[test]
fn several_bundles_are_reported_one_after_another() {
    let ran = Countersign::new("check --allow unpinned-login sound lint/invalid-requirement/bad.yaml").run();
    assert_eq!(ran.code, Some(3));
    let (sound, broken) = ran.stdout.split_once("== lint/invalid-requirement/bad.yaml\n").expect("a heading");
    assert!(sound.starts_with("== sound\npolicy is sound") && broken.contains("invalid-requirement"));
    let lines = Countersign::new("check lint/invalid-requirement/bad.yaml sound --format json").run().json_lines();
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

/// The bytes of every policy under `tests/sound` and `tests/lint`.
fn corpus() -> Vec<Vec<u8>> {
    let mut folders: Vec<PathBuf> =
        ["sound", "lint"].iter().map(|name| Path::new(env!("CARGO_MANIFEST_DIR")).join("tests").join(name)).collect();
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

/// Loads and renders. The result must be a policy or an error, and never both.
fn load_and_render(bytes: Vec<u8>) -> Result<(), TestCaseError> {
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
        load_and_render(bytes)?;
    }

    #[test]
    fn loading_text_of_yaml_characters_gives_a_policy_or_an_error(
        text in "([ \\n\\t:,\\-?&*!|>'\"%@`{}\\[\\]#a\\\\é\u{85}\u{feff}]|require|version|services|<<|none|~| of ){0,60}"
    ) {
        load_and_render(text.into_bytes())?;
    }

    #[test]
    fn loading_a_policy_with_some_bytes_replaced_gives_a_policy_or_an_error(
        (bytes, at, length, with) in proptest::sample::select(corpus()).prop_flat_map(|bytes| {
            let most = bytes.len();
            (Just(bytes), 0..=most, 0_usize..12, proptest::collection::vec(any::<u8>(), 0..6))
        })
    ) {
        let mut bytes = bytes;
        let end = (at + length).min(bytes.len());
        bytes.splice(at..end, with);
        load_and_render(bytes)?;
    }
}
