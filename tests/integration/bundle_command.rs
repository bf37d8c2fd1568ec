//! `countersign bundle`: deploys the checked policy, with the same bytes every time.

use std::collections::BTreeMap;
use std::io::{Cursor, Read as _};
use std::path::Path;

use countersign::ident::sha256_hex;
use countersign::policy::read_prepared;
use serde_json::{Value, json};

use crate::command_line::{Countersign, Ran};

const POLICIES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/policies");

fn bundle(policy: &Path, folder: &Path, format: &str) -> Ran {
    Countersign::new(&format!("bundle --format {format} --policy")).arg(policy).arg("-o").arg(folder).run()
}

fn read(path: &Path) -> Vec<u8> {
    std::fs::read(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn manifest(folder: &Path) -> Value {
    serde_json::from_slice(&read(&folder.join("policy.json"))).expect("policy.json is JSON")
}

/// The text of each file in the layer, sorted by name.
fn entries(folder: &Path) -> BTreeMap<String, String> {
    let mut archive = zip::ZipArchive::new(Cursor::new(read(&folder.join("policy.zip")))).expect("a zip");
    let entries = archive.len();
    let read_entry = |index| {
        let mut entry = archive.by_index(index).expect("an entry");
        let name = entry.name().expect("a name in UTF-8").into_owned();
        assert_eq!(entry.unix_mode().map(|mode| mode & 0o777), Some(0o644), "{name}");
        let mut text = String::new();
        entry.read_to_string(&mut text).expect("text");
        (name, text)
    };
    (0..entries).map(read_entry).collect()
}

#[test]
fn the_same_policy_gives_the_same_bytes_wherever_and_whenever_it_is_bundled() {
    let [one, two] = [(); 2].map(|()| tempfile::tempdir().expect("a folder"));
    for folder in [&one, &two] {
        let ran = bundle(Path::new(POLICIES), folder.path(), "text");
        assert_eq!((ran.code, ran.stderr.as_str()), (Some(0), ""));
    }
    for name in ["policy.zip", "policy.json"] {
        assert_eq!(read(&one.path().join(name)), read(&two.path().join(name)), "{name}");
    }
}

#[test]
fn the_layer_reads_back_as_the_policy_whose_digest_is_in_the_manifest() {
    let folder = tempfile::tempdir().expect("a folder");
    bundle(Path::new(POLICIES), folder.path(), "text");
    let policy = read_prepared(&entries(folder.path())["countersign/policy.json"]).expect("it is a policy");
    let manifest = manifest(folder.path());
    assert_eq!(manifest["digest"], policy.digest().as_str());
    assert_eq!(manifest["schema"], 1);
    assert_eq!(manifest["services"], policy.services().count());
    assert_eq!(manifest["layer_sha256"], sha256_hex(&read(&folder.path().join("policy.zip"))));
}

#[test]
fn the_layer_holds_the_sources_unchanged_and_no_tests() {
    let folder = tempfile::tempdir().expect("a folder");
    bundle(Path::new(POLICIES), folder.path(), "text");
    let mut entries = entries(folder.path());
    entries.remove("countersign/policy.json");
    let sources = ["checkout.yaml", "internal.yaml", "organisation.yaml"];
    let expected = sources.map(|name| {
        let text = std::fs::read_to_string(Path::new(POLICIES).join(name)).expect("a source");
        (format!("countersign/sources/{name}"), text)
    });
    assert_eq!(entries, BTreeMap::from(expected));
}

#[test]
fn the_manifest_has_each_channel_with_its_addresses() {
    let folder = tempfile::tempdir().expect("a folder");
    let policy = folder.path().join("p.yaml");
    let text = "version: 1\ngroups: { a: { users: [ana, abe] } }\nchannels: { oncall: { email: [a@b.example], \
                https: [\"https://hooks.example/x\"] }, quiet: {} }\nservices: { web: { repository: o/r, environments: \
                { production: { require: 1 of a, timeout: 1h, notify: [oncall, quiet] } } } }\n";
    std::fs::write(&policy, text).expect("it is written");
    let ran = bundle(&policy, &folder.path().join("out"), "text");
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    assert_eq!(
        manifest(&folder.path().join("out"))["channels"],
        json!({
            "oncall": { "email": ["a@b.example"], "https": ["https://hooks.example/x"] },
            "quiet": { "email": [], "https": [] },
        })
    );
}

#[test]
fn an_invalid_policy_is_not_bundled_and_nothing_is_written() {
    let folder = tempfile::tempdir().expect("a folder");
    let policy = folder.path().join("p.yaml");
    std::fs::write(&policy, "version: 1\nservices: { web: { timeuot: 4h } }\n").expect("it is written");
    let output = folder.path().join("out");
    let ran = bundle(&policy, &output, "json");
    assert_eq!(ran.code, Some(3));
    assert!(ran.stderr.contains("unknown-key"), "{}", ran.stderr);
    assert_eq!(ran.json()["error"]["code"], "policy-invalid");
    assert!(!output.exists());
}

#[test]
fn the_json_output_lists_the_written_files() {
    let folder = tempfile::tempdir().expect("a folder");
    let ran = bundle(Path::new(POLICIES), folder.path(), "json");
    let manifest = manifest(folder.path());
    let file = |name: &str| folder.path().join(name).display().to_string();
    assert_eq!(
        ran.json(),
        json!({
            "schema": 1,
            "policy_digest": manifest["digest"],
            "layer_sha256": manifest["layer_sha256"],
            "files": [file("policy.zip"), file("policy.json")],
            "findings": [],
        })
    );
}

#[test]
fn a_folder_that_cannot_be_written_to_is_named() {
    let folder = tempfile::tempdir().expect("a folder");
    let taken = folder.path().join("taken");
    std::fs::write(&taken, "a file").expect("it is written");
    let ran = bundle(Path::new(POLICIES), &taken, "json");
    assert_eq!((ran.code, &ran.json()["error"]["code"]), (Some(1), &json!("bundle-unwritable")));
    assert!(ran.stderr.contains(&taken.display().to_string()), "{}", ran.stderr);
}

#[test]
fn the_fixtures_of_the_terraform_tests_are_what_bundle_writes() {
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("terraform/tests/fixtures");
    for fixture in ["channels", "quiet"] {
        let (fixture, folder) = (fixtures.join(fixture), tempfile::tempdir().expect("a folder"));
        let ran = bundle(&fixture.join("policy.yaml"), folder.path(), "text");
        assert_eq!(ran.code, Some(0), "{}", ran.stderr);
        for name in ["policy.zip", "policy.json"] {
            let bundled = read(&folder.path().join(name));
            if std::env::var_os("COUNTERSIGN_UPDATE_DOCS").is_some() {
                std::fs::write(fixture.join(name), &bundled).expect("it is written");
            }
            let there = std::fs::read(fixture.join(name)).unwrap_or_default();
            assert!(there == bundled, "{}/{name}: COUNTERSIGN_UPDATE_DOCS=1 writes it", fixture.display());
        }
    }
}
