//! `countersign diff`: its formats, its exit codes, and revisions of a git repository.

use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};

use crate::command_line::{Countersign, Ran};

const STRICT: &str = "version: 1
groups: { payments: { users: [pia, pat, \"renovate[bot]\"] } }
services: { checkout: { repository: acme/checkout, environments: { production: { require: 2 of payments } } } }
";

fn loose() -> String {
    STRICT.replace("2 of payments", "1 of payments")
}

/// A folder with files.
fn folder(files: &[(&str, &str)]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    write(folder.path(), files);
    folder
}

fn write(folder: &Path, files: &[(&str, &str)]) {
    for (name, text) in files {
        let path = folder.join(name);
        std::fs::create_dir_all(path.parent().expect("a parent")).expect("a folder");
        std::fs::write(path, text).expect("it is written");
    }
}

fn diff(words: &str, old: impl AsRef<Path>, new: impl AsRef<Path>) -> Ran {
    Countersign::new(format!("diff {words}").trim_end()).arg(old).arg(new).run()
}

#[test]
fn a_policy_does_not_differ_from_itself() {
    let ran = diff("--deny-loosening", "sound", "sound");
    assert_eq!((ran.code, ran.stdout.as_str()), (Some(0), "nothing changes: every target is decided as before\n"));
    let document = diff("--format json", "sound", "sound").json();
    let nothing = json!({ "schema": 1, "changes": [], "looser": 0, "stricter": 0, "mixed": 0, "different": 0 });
    assert_eq!(document, nothing);
}

#[test]
fn a_looser_policy_ends_with_six_if_that_is_denied() {
    let files = folder(&[("old.yaml", STRICT), ("new.yaml", &loose())]);
    let (old, new) = (files.path().join("old.yaml"), files.path().join("new.yaml"));
    assert_eq!(diff("", &old, &new).code, Some(0));
    assert_eq!(diff("--deny-loosening", &old, &new).code, Some(6));
    assert_eq!(diff("--deny-loosening", &new, &old).code, Some(0));
    let document = diff("--format json", &old, &new).json();
    assert_eq!(document["looser"], 1);
    let change = &document["changes"][0];
    assert_eq!((&change["service"], &change["environment"]), (&json!("checkout"), &json!("production")));
    let field = &change["fields"][0];
    assert_eq!((&field["field"], &field["change"]), (&json!("require"), &json!("looser")));
    assert_eq!((&field["old"]["count"], &field["new"]["count"]), (&json!(2), &json!(1)));
    assert_eq!(field["text"], "pat alone suffices now, and did not before");
}

#[test]
fn a_comment_begins_with_a_marker_and_mentions_nobody() {
    let bad =
        "version: 1\nservices: { \"<b>|*\": { repository: acme/a, environments: { p: { require: \"@dana\" } } } }\n";
    let files = folder(&[("old.yaml", STRICT), ("new.yaml", bad)]);
    let comment = diff("--format markdown", files.path().join("old.yaml"), files.path().join("new.yaml")).stdout;
    assert!(comment.starts_with("<!-- countersign-diff -->\n"), "{comment}");
    assert!(!comment.contains("@d") && !comment.contains("<b>|"), "{comment}");
    let (looser, stricter) = (comment.find("<b>looser</b>"), comment.find("<b>stricter</b>"));
    assert!(looser.is_some() && looser < stricter, "{comment}");
    assert!(
        comment.contains("<details open>\n<summary><b>looser</b>")
            && comment.contains("<details>\n<summary><b>stricter")
    );
}

#[test]
fn the_formats_of_other_commands_are_refused() {
    let ran = diff("--format html", "sound", "sound");
    assert_eq!((ran.code, ran.stdout.as_str()), (Some(2), ""));
}

#[test]
fn an_invalid_policy_on_either_side_ends_with_three_and_its_findings() {
    for (old, new) in [("sound", "lint/unknown-key/bad.yaml"), ("lint/unknown-key/bad.yaml", "sound")] {
        let ran = diff("--format json", old, new);
        assert_eq!(ran.code, Some(3));
        assert!(
            ran.stderr.contains("unknown-key") && ran.json()["findings"][0]["code"] == "unknown-key",
            "{}",
            ran.stderr
        );
    }
    let ran = diff("", "nowhere", "sound");
    assert_eq!(ran.code, Some(1));
    assert!(ran.stderr.contains("there is no policy at `nowhere`"), "{}", ran.stderr);
}

#[test]
fn ten_thousand_services_with_the_same_change_are_reported_in_one_line() {
    let bundle = |count: u32| {
        let mut text = STRICT.replace("services: {", "services: {\n").replace("} } }\n", "} },\n");
        for at in 0..10_000 {
            text.push_str(&format!(
                "  s{at}: {{ repository: acme/s, environments: {{ production: {{ require: {count} of payments }} }} }},\n"
            ));
        }
        text + "}\n"
    };
    let files = folder(&[("old.yaml", &bundle(2)), ("new.yaml", &bundle(1))]);
    let ran = diff("", files.path().join("old.yaml"), files.path().join("new.yaml"));
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    assert!(ran.stdout.starts_with("looser     s0:production and 9999 other services\n"), "{:.200}", ran.stdout);
    assert!(ran.stdout.ends_with("targets: 10000 looser, 0 mixed, 0 stricter, 0 different\n"));
}

// Revisions.

fn git(folder: &Path, arguments: &[&str]) {
    let mut command = Command::new("git");
    command.current_dir(folder).args(arguments).env("GIT_CONFIG_GLOBAL", "/dev/null").env("GIT_CONFIG_NOSYSTEM", "1");
    for (name, value) in [("NAME", "ana"), ("EMAIL", "ana@acme.example")] {
        command.env(format!("GIT_AUTHOR_{name}"), value).env(format!("GIT_COMMITTER_{name}"), value);
    }
    let output = command.output().expect("git runs");
    assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
}

/// A repository whose policy was strict in its first commit, tagged `v1`, and is loose since.
fn repository() -> tempfile::TempDir {
    let hidden = "this: is no policy";
    let files = folder(&[
        ("app/policies/shop/p.yaml", STRICT),
        ("app/policies/.hidden/x.yaml", hidden),
        ("app/policies/p.test.yaml", hidden),
        ("app/policies/notes.txt", hidden),
        ("app/src/main.rs", ""),
    ]);
    let path = files.path();
    git(path, &["init", "-q", "-b", "main"]);
    git(path, &["add", "-A"]);
    git(path, &["commit", "-q", "-m", "strict"]);
    git(path, &["tag", "v1"]);
    write(path, &[("app/policies/shop/p.yaml", &loose())]);
    git(path, &["commit", "-q", "-a", "-m", "loose"]);
    files
}

fn run_in(folder: &Path, words: &[&str]) -> Ran {
    let mut countersign = Countersign::new("diff");
    for word in words {
        countersign = countersign.arg(word);
    }
    let output = countersign.command().current_dir(folder).output().expect("it runs");
    let text = |bytes| String::from_utf8(bytes).expect("text");
    Ran { code: output.status.code(), stdout: text(output.stdout), stderr: text(output.stderr) }
}

fn counts(ran: &Ran) -> [Value; 2] {
    let document = ran.json();
    [document["looser"].clone(), document["stricter"].clone()]
}

#[test]
fn a_revision_means_the_same_path_at_that_commit() {
    let repository = repository();
    let top = repository.path();
    let json = ["--format", "json"];
    let ran = run_in(top, &[&["git:v1", "app/policies"], &json[..]].concat());
    assert_eq!(counts(&ran), [json!(1), json!(0)]);
    // From a folder within, by `--policy`, between two revisions, and of one file.
    let ran = run_in(&top.join("app/src"), &[&["../policies", "git:v1"], &json[..]].concat());
    assert_eq!(counts(&ran), [json!(0), json!(1)]);
    let ran = run_in(&top.join("app"), &[&["git:HEAD~1", "git:main"], &json[..]].concat());
    assert_eq!(counts(&ran), [json!(1), json!(0)]);
    let ran = run_in(&top.join("app/policies"), &[&["git:v1", "shop/p.yaml"], &json[..]].concat());
    assert_eq!(counts(&ran), [json!(1), json!(0)]);
    let ran = run_in(top, &["git:HEAD", "app/policies"]);
    assert_eq!(ran.stdout, "nothing changes: every target is decided as before\n");
}

#[test]
fn missing_revisions_are_reported_and_no_argument_becomes_an_option_of_git() {
    let repository = repository();
    let top = repository.path();
    let cases: [(&[&str], &str); 6] = [
        (&["git:nowhere", "app/policies"], "`nowhere` is not a revision of the repository"),
        (&["git:", "app/policies"], "`` is not a revision of the repository"),
        (&["git:--output=stolen", "app/policies"], "`--output=stolen` is not a revision of the repository"),
        (&["git:v1:app", "app/policies"], "`v1:app` is not a revision of the repository"),
        (&["git:v1", "git:main"], "there is no policy at `policies` in `v1`"),
        (&["git:v1", "app/policies/new"], "there is no policy at `app/policies/new` in `v1`"),
    ];
    for (words, said) in cases {
        let ran = run_in(top, words);
        assert_eq!((ran.code, ran.stdout.as_str()), (Some(1), ""), "{words:?}");
        assert!(ran.stderr.contains(said), "{words:?}: {}", ran.stderr);
    }
    assert!(!top.join("stolen").exists());
    let elsewhere = folder(&[("p.yaml", STRICT)]);
    let ran = run_in(elsewhere.path(), &["git:v1", "p.yaml"]);
    assert!(ran.code == Some(1) && ran.stderr.contains("`p.yaml` is not in a git repository"), "{}", ran.stderr);
}
