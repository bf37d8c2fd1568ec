//! Reads bytes as a bundle. A line that starts with `# file: ` starts another file, as in `docs/findings.md`.

use countersign::approval::decide;
use countersign::approval::facts::Facts;
use countersign::approval::timeline;
use countersign::finding::{Source, SourceContent};
use countersign::ident::{EnvironmentName, ServiceName, Target};
use countersign::policy::{Policy, diff, load};
use countersign::render;
use countersign::render::matrix::Matrix;
use serde_json::json;

const MARK: &[u8] = b"\n# file: ";
/// How many rules of a policy are checked in detail. Further rules would add nothing new.
const RULES: usize = 16;

/// Loads the bytes, and uses everything in the result.
pub fn check(bytes: &[u8]) {
    let loaded = load(sources(bytes));
    assert_eq!(loaded.policy.is_none(), loaded.findings.has_errors(), "a policy, or an error that says why not");
    let text = render::finding::text(&loaded.findings, &loaded.sources, false);
    assert_eq!(text.is_empty(), loaded.findings.is_empty());
    let digest = loaded.policy.as_ref().map(Policy::digest);
    let report = render::finding::json(&loaded.findings, &loaded.sources, digest);
    assert!(!report.to_string().contains("\"line\":0"), "lines are counted from 1");
    if let Some(policy) = &loaded.policy {
        used(policy);
        let again = load(sources(bytes)).policy.expect("what loads once loads twice");
        assert_eq!(policy.digest(), again.digest());
        assert_eq!(diff(policy, &again).changes.len(), 0, "nothing changes from a policy to itself");
    }
}

fn sources(bytes: &[u8]) -> Vec<Source> {
    let mut files = vec![Vec::new()];
    let mut rest = bytes;
    while let Some((first, after)) = rest.split_first() {
        if let Some(next) = rest.strip_prefix(MARK) {
            files.push(Vec::new());
            rest = next;
            continue;
        }
        if let Some(file) = files.last_mut() {
            file.push(*first);
        }
        rest = after;
    }
    // The rest of the comment becomes the file's name, because findings print names too.
    let named = files.into_iter().enumerate().map(|(number, bytes)| {
        let end = bytes.iter().position(|byte| *byte == b'\n').filter(|_| number > 0).unwrap_or(0);
        let (name, _) = bytes.split_at(end);
        let name = format!("{number:05}{}.yaml", String::from_utf8_lossy(name));
        Source { name, content: SourceContent::Bytes(bytes.get(end..).unwrap_or_default().to_vec()) }
    });
    named.collect()
}

fn used(policy: &Policy) {
    let mut keys = Vec::new();
    for service in policy.services() {
        for (environment, rule) in policy.written_rules(service).take(RULES) {
            keys.push((service.0.as_str(), environment.as_str()));
            let at = "2026-11-18T10:00:00Z".parse().expect("an instant");
            let events = timeline(&rule, at, at);
            assert!(events.is_sorted_by_key(|(when, _)| *when));
            let _ = render::timeline::text(&events);
            // A pattern can also be a valid name. Then nothing else has to match it.
            let names = (ServiceName::new(service.0.as_str()), EnvironmentName::new(environment.as_str()));
            if let (Ok(service), Ok(environment)) = names {
                decided(policy, Target { service, environment });
            }
        }
        if keys.len() > RULES {
            break;
        }
    }
    keys.truncate(RULES);
    let matrix = Matrix::new(
        policy,
        keys.iter().take(4).map(|(service, _)| *service).collect(),
        keys.iter().take(4).map(|(_, environment)| *environment).collect(),
    );
    let _ = (matrix.text(), matrix.markdown(), matrix.html());
}

fn decided(policy: &Policy, target: Target) {
    if let Ok(rule) = policy.rule(&target) {
        let _ = (render::rule::text(policy, &target, &rule), render::rule::json(policy, &target, &rule));
    }
    let facts = json!({
        "schema": 1, "now": "2026-11-18T10:00:00Z", "target": target, "requested_at": "2026-11-18T09:00:00Z",
        "revision": "a1",
        "pull_request": { "repository": "acme/checkout", "default_branch": "main", "number": 1, "state": "open",
            "head": "a1", "base": "main", "author": { "id": 4, "login": "dave" }, "files": [{ "path": "a/b" }] },
        "reviews": [{ "id": 1, "user": { "id": 1, "login": "pia" }, "state": "approved", "revision": "a1",
            "bound_by": "delivery", "submitted_at": "2026-11-18T09:30:00Z" }],
    });
    let facts: Facts = serde_json::from_value(facts).expect("facts");
    let decision = decide(policy, &facts);
    let _ = render::decision::text(&decision, false);
}
