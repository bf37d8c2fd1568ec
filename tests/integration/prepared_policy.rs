//! A prepared policy reads back as the same policy, with the same places.

use std::path::{Path, PathBuf};

use countersign::finding::{Source, SourceContent};
use countersign::policy::{Loaded, Policy, PreparedError, diff, load, read_prepared};
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::{Value, json};

use crate::decision_laws::made_up::rule;

fn loaded(files: &[(&str, &str)]) -> Loaded {
    let source = |(name, text): &(&str, &str)| Source {
        name: (*name).to_owned(),
        content: SourceContent::Bytes(text.as_bytes().to_vec()),
    };
    load(files.iter().map(source).collect())
}

/// Everything in a policy with its places, in a fixed order.
fn described(policy: &Policy) -> String {
    let mut text = format!(
        "{:?}\n{:#?}\n{:#?}\n{:#?}\n{:#?}\n",
        policy.digest(),
        policy.groups(),
        policy.calendars(),
        policy.channels(),
        policy.floors()
    );
    text += &format!("{:#?}\n{:#?}\n", policy.default_body(), policy.environments().collect::<Vec<_>>());
    for (key, service) in policy.services() {
        let own: Vec<_> = service.environments.iter().collect();
        text += &format!("{key} {:?} {:?} {:?}\n", service.source, service.repository, service.branches);
        text += &format!("{:?} {:?} {own:#?}\n", service.notify, service.description);
        for (environment, rule) in policy.written_rules((key, service)) {
            text += &format!("{environment} {rule:#?}\n");
        }
    }
    text
}

#[track_caller]
fn reads_back(loaded: &Loaded) {
    let findings: Vec<&str> = loaded.findings.iter().map(|finding| &*finding.message).collect();
    let policy = loaded.policy.as_ref().unwrap_or_else(|| panic!("{findings:?}"));
    let prepared = loaded.prepared().expect("it can be written");
    let again = read_prepared(&prepared).unwrap_or_else(|error| panic!("{error}: {prepared}"));
    assert_eq!(policy.digest(), again.digest());
    assert!(diff(policy, &again).changes.is_empty());
    assert!(diff(&again, policy).changes.is_empty());
    assert_eq!(described(policy), described(&again));
}

const NAMES: &str = r#"{
  "version": 1,
  "groups": {
    "a": { "users": ["pia", "pat", "dana"] }, "b": { "users": ["sam", "lee"] }, "c": { "teams": ["acme/c"] },
    "d": { "users": ["pia", "sam#3"], "teams": ["acme/d"] }, "bots": { "users": ["zoe", "helper[bot]"] }
  },
  "channels": { "desk": { "email": ["desk@acme.example"] }, "hook": { "https": ["https://acme.example/in"] } },
  "calendars": {
    "morning": { "timezone": "UTC", "dates": [{ "from": "2026-11-18 09:00", "to": "2026-11-18 12:00" }] },
    "hourly": { "timezone": "Europe/Berlin", "weekly": [
      { "days": ["wed", "thu"], "from": "10:00", "to": "10:40" }, { "days": ["wed"], "from": "12:00", "to": "13:15" }
    ] },
    "over": { "timezone": "UTC", "dates": [{ "from": "2026-01-01 00:00", "to": "2026-01-02 00:00" }] }
  }
}"#;

/// Two files with services and environments by name and by pattern, and floors that no rule is below.
fn bundle() -> impl Strategy<Value = [String; 2]> {
    let keys = || select(vec!["shop", "world", "pay-*", "*-eu", "/v[0-9]+/", "*", "\u{e9}*", "a.b_c", "x-?"]);
    let environments = || select(vec!["production", "staging", "prod-*", "*", "/p.+/"]);
    let level = || prop::collection::btree_map(environments(), rule(), 1..4);
    let service = (level(), any::<bool>(), any::<bool>()).prop_map(|(environments, notified, branches)| {
        let mut service = json!({ "repository": ["acme/world", "acme/w-*"], "environments": environments });
        if notified {
            service["notify"] = json!(["desk"]);
            service["description"] = json!("a \"shop\"\n\u{1f6d2} \\ of ours");
        }
        if branches {
            service["branches"] = json!(["main", "release/*"]);
        }
        service
    });
    let services = prop::collection::btree_map(keys(), service, 1..6);
    (services, level(), any::<bool>()).prop_map(|(services, environments, pretty)| {
        let rules = json!({
            "defaults": { "notify": { "requested": ["hook"] }, "branches": "main", "wait": "5m" },
            "environments": environments,
            "services": services,
            "floor": { "production": { "max_timeout": "72h" }, "prod-*": { "max_timeout": "90h" } },
        });
        let text = |value: &Value| if pretty { format!("{value:#}") } else { value.to_string() };
        [NAMES.to_owned(), text(&rules)]
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn a_bundle_reads_back_as_the_same_policy([names, rules] in bundle()) {
        let loaded = loaded(&[("a/names.yaml", &names), ("b.yml", &rules)]);
        let findings: Vec<&str> = loaded.findings.iter().map(|finding| &*finding.message).collect();
        prop_assert!(loaded.policy.is_some(), "{:?}\n{}", findings, rules);
        reads_back(&loaded);
    }
}

/// Collects every policy file in a folder.
fn policies(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        let is_policy = path.extension().is_some_and(|end| end == "yaml" || end == "yml");
        if path.is_dir() {
            policies(&path, found);
        } else if is_policy {
            found.push(path);
        }
    }
}

#[test]
fn every_policy_of_this_project_reads_back_as_the_same_policy() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut files = Vec::new();
    for folder in ["docs", "tests", "src/cli/starter", "fuzz/policies"] {
        policies(&root.join(folder), &mut files);
    }
    let mut seen = 0;
    for file in files {
        let Ok(text) = std::fs::read_to_string(&file) else { continue };
        let loaded = loaded(&[("p.yaml", &text)]);
        if loaded.policy.is_some() {
            reads_back(&loaded);
            seen += 1;
        } else {
            assert_eq!(loaded.prepared(), None, "{}", file.display());
        }
    }
    let folder = root.join("policies");
    let mut files = Vec::new();
    policies(&folder, &mut files);
    files.sort();
    let texts: Vec<(String, String)> = files
        .iter()
        .filter(|file| !file.to_string_lossy().contains(".test."))
        .map(|file| (file.display().to_string(), std::fs::read_to_string(file).expect("a text")))
        .collect();
    reads_back(&loaded(&texts.iter().map(|(name, text)| (&**name, &**text)).collect::<Vec<_>>()));
    assert!(seen > 60, "{seen}");
}

const WITH_ALIASES: &str = "
version: 1
# A comment, and an empty file beside it.
groups: { sre: { users: &them [ana, \"bob#7\"] }, rest: { users: *them } }
defaults: &start { timeout: 8h, repository: acme/shop }
environments:
  production: &strict
    require: 1 of sre
    wait: 5m
services:
  shop: { environments: { eu: { <<: *strict, wait: 1h } } }
";

#[test]
fn aliases_and_empty_files_do_not_change_the_places() {
    let loaded = loaded(&[("0.yaml", "# nothing\n"), ("1.yaml", WITH_ALIASES), ("2.yaml", "")]);
    reads_back(&loaded);
    assert_eq!(loaded.prepared(), loaded.prepared());
}

const SMALL: &str = "version: 1\ngroups: { sre: { users: [ana, bob] } }\n\
                     services: { shop: { repository: acme/shop, environments: { production: { require: 2 of sre } } } }\n";

fn refused(change: impl Fn(&mut Value)) -> PreparedError {
    let prepared = loaded(&[("p.yaml", SMALL)]).prepared().expect("a policy");
    let mut document: Value = serde_json::from_str(&prepared).expect("JSON");
    change(&mut document);
    read_prepared(&document.to_string()).expect_err("it is refused")
}

fn replaced(from: &str, to: &str) -> PreparedError {
    refused(|document| {
        let text = document.to_string();
        assert!(text.contains(from), "{text}");
        *document = serde_json::from_str(&text.replace(from, to)).expect("JSON");
    })
}

#[test]
fn a_changed_file_is_refused_by_its_digest() {
    for (from, to) in [("2 of sre", "1 of sre"), ("\"bob\"", "\"eve\""), ("\"shop\"", "\"*\"")] {
        let error = replaced(from, to);
        assert!(matches!(error, PreparedError::Digest { .. }), "{error}");
        let text = error.to_string();
        let digests = text.matches("sha256:").count();
        assert!(text.starts_with("the prepared policy states the digest sha256:") && digests == 2, "{text}");
    }
    let error = refused(|document| document["policy_digest"] = json!(format!("sha256:{}", "0".repeat(64))));
    assert!(matches!(error, PreparedError::Digest { .. }), "{error}");
}

#[test]
fn a_policy_that_a_check_refuses_is_refused_with_its_finding() {
    let error = replaced("2 of sre", "3 of sre");
    assert!(matches!(error, PreparedError::Unsound(_)), "{error}");
    assert!(error.to_string().starts_with("the prepared policy is not valid: "), "{error}");
}

#[test]
fn a_duplicate_key_is_refused_as_in_yaml() {
    let prepared = loaded(&[("p.yaml", SMALL)]).prepared().expect("a policy");
    let twice = prepared.replacen("\"services\":", "\"groups\":[1,1,0,1,1,1,0,1,null],\"services\":", 1);
    let error = read_prepared(&twice).expect_err("it is refused").to_string();
    assert!(error.starts_with("the prepared policy cannot be read: a key appears twice in one mapping"), "{error}");
}

#[test]
fn another_schema_is_refused_first() {
    let error = refused(|document| document["schema"] = json!(2));
    assert_eq!(error.to_string(), "the prepared policy has schema 2, but this engine reads schema 1");
    let error = refused(|document| *document = json!({ "schema": 7, "rules": [] }));
    assert!(matches!(error, PreparedError::Schema(7)), "{error}");
}

#[test]
fn another_form_is_refused() {
    let forms: [fn(&mut Value); 6] = [
        |document| *document = json!({}),
        |document| *document = json!([]),
        |document| document["more"] = json!(1),
        |document| document["files"][0]["tree"] = json!([1, 1, 0, 1]),
        |document| document["files"][0]["tree"] = json!([1, 1, 0, 1, null, null]),
        |document| document["files"][0]["tree"][4] = json!(u64::MAX),
    ];
    for change in forms {
        let error = refused(change);
        assert!(matches!(error, PreparedError::Form(_)), "{error}");
    }
    let nested = format!("{{\"schema\":1,\"files\":{}", "[".repeat(100_000));
    assert!(matches!(read_prepared(&nested), Err(PreparedError::Form(_))));
}
