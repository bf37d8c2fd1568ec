//! `countersign init`: writes a sound policy that passes its own tests, and replaces nothing.

use std::path::Path;

use serde_json::json;
use tempfile::TempDir;

use crate::command_line::{Countersign, Ran};

fn folder() -> TempDir {
    tempfile::tempdir().expect("a folder")
}

fn init(folder: &Path) -> Ran {
    Countersign::new("init").arg(folder).run()
}

fn read(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

#[test]
fn the_starter_has_no_findings_and_passes_its_tests() {
    let folder = folder();
    let policy = folder.path().join("deep/policies");
    let ran = init(&policy);
    assert_eq!((ran.code, ran.stderr.as_str()), (Some(0), ""));
    let checked = Countersign::new("check --deny note --format json --policy").arg(&policy).run();
    assert_eq!((checked.code, &checked.json()["findings"]), (Some(0), &json!([])), "{}", checked.stdout);
    let tested = Countersign::new("test --format json --policy").arg(&policy).run();
    assert_eq!((tested.code, &tested.json()["failed"]), (Some(0), &json!(0)), "{}", tested.stdout);
    assert!(tested.json()["passed"].as_u64() >= Some(5));
}

#[test]
fn the_starter_is_explicit_in_production() {
    let folder = folder();
    init(folder.path());
    for service in ["checkout", "internal-wiki"] {
        let explain = format!("explain {service} production --format json --policy");
        let document = Countersign::new(&explain).arg(folder.path()).run().json();
        assert_eq!(document["rule"]["explicit"]["value"], true, "{service}");
    }
}

#[test]
fn every_file_of_the_starter_names_its_schema_in_the_first_line() {
    let folder = folder();
    init(folder.path());
    use countersign::render::schema::{POLICY_ID, TEST_ID};
    for (name, id) in [("policy.yaml", POLICY_ID), ("policy.test.yaml", TEST_ID)] {
        let first = format!("# yaml-language-server: $schema={id}");
        assert_eq!(read(&folder.path().join(name)).lines().next(), Some(first.as_str()));
    }
}

#[test]
fn it_prints_what_it_wrote_and_the_next_commands() {
    let folder = folder();
    let policy = folder.path().join("p");
    let ran = init(&policy);
    let path = policy.display();
    assert!(ran.stdout.starts_with(&format!("wrote {path}/policy.yaml\nwrote {path}/policy.test.yaml\n")));
    for command in ["check", "test", "explain checkout production", "matrix"] {
        assert!(ran.stdout.contains(&format!("\n  countersign {command} --policy {path} ")), "{}", ran.stdout);
    }
    let odd = folder.path().join("it's here");
    assert!(init(&odd).stdout.contains(r"/it'\''s here'"), "a path with spaces is quoted");
}

#[test]
fn as_json_it_lists_the_files_and_the_next_commands() {
    let folder = folder();
    let policy = folder.path().join("p");
    let document = Countersign::new("init --format json").arg(&policy).run().json();
    let file = |name: &str| policy.join(name).display().to_string();
    assert_eq!(document["schema"], 1);
    assert_eq!(document["files"], json!([file("policy.yaml"), file("policy.test.yaml")]));
    assert_eq!(document["next"][0], format!("countersign check --policy {}", policy.display()));
}

#[test]
fn an_existing_file_is_named_and_nothing_is_written() {
    for (existing, not_written) in [("policy.yaml", "policy.test.yaml"), ("policy.test.yaml", "policy.yaml")] {
        let folder = folder();
        let path = folder.path().join(existing);
        std::fs::write(&path, "mine").expect("it is written");
        let ran = init(folder.path());
        assert_eq!((ran.code, ran.stdout.as_str()), (Some(1), ""));
        assert!(ran.stderr.contains(&format!("`{}` already exists", path.display())), "{}", ran.stderr);
        assert_eq!(read(&path), "mine");
        assert!(!folder.path().join(not_written).exists());
    }
}

#[test]
fn nothing_is_added_to_an_existing_policy() {
    let folder = folder();
    std::fs::write(folder.path().join("ours.yml"), "version: 1").expect("it is written");
    let ran = Countersign::new("init --format json").arg(folder.path()).run();
    assert_eq!(ran.code, Some(1));
    assert_eq!(ran.json()["error"]["code"], "already-there");
    assert!(ran.stderr.contains("ours.yml` already belongs to a policy"), "{}", ran.stderr);
    assert!(!folder.path().join("policy.yaml").exists());
}

#[test]
fn a_file_where_the_folder_should_be_is_refused() {
    let folder = folder();
    let path = folder.path().join("policies");
    std::fs::write(&path, "mine").expect("it is written");
    let ran = init(&path);
    assert_eq!(ran.code, Some(1));
    assert!(ran.stderr.contains("is not a folder"), "{}", ran.stderr);
    assert_eq!(read(&path), "mine");
}

#[test]
fn commands_that_read_no_policy_refuse_the_option() {
    for command in ["init new", "schema", "demo", "github manifest"] {
        let behind = Countersign::new(&format!("{command} --policy sound")).run();
        assert_eq!((behind.code, behind.stdout.as_str()), (Some(2), ""), "{command}");
        assert!(
            behind.stderr.starts_with("error: unexpected argument '--policy' found"),
            "{command}: {}",
            behind.stderr
        );
        let before = Countersign::new(&format!("--policy sound {command}")).run();
        assert_eq!((before.code, before.stdout.as_str()), (Some(2), ""), "{command}");
        assert!(before.stderr.contains("this command reads no policy"), "{command}: {}", before.stderr);
    }
}

#[test]
fn the_policy_may_be_named_before_the_command_or_behind_it() {
    let behind = Countersign::new("matrix --policy sound").run();
    let before = Countersign::new("--policy sound matrix").run();
    assert_eq!(behind.code, Some(0), "{}", behind.stderr);
    assert_eq!((before.code, before.stdout), (behind.code, behind.stdout));
}
