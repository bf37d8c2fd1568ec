//! This engine in two forms: the verdict with its reasons as data, and the whole decision with every reason in words.

use std::fmt::Write as _;

use countersign::approval::decision::Verdict;
use countersign::approval::facts::Facts;
use countersign::approval::{decide, verdict};
use countersign::finding::{Source, SourceContent};
use countersign::policy::{Policy, load};
use serde_json::{Value, json};

use crate::engine::Engine;
use crate::task::{HEAD, Key, OF_LISTED, OF_TEAM, Query, State, Task};

/// The verdict, with its reasons as data.
pub struct Judged(Loaded);

pub struct Decided(Loaded);

struct Loaded {
    policy: Policy,
    facts: Vec<Facts>,
}

impl Judged {
    pub fn new(task: &Task) -> Self {
        Self(Loaded::new(task))
    }
}

impl Decided {
    pub fn new(task: &Task) -> Self {
        Self(Loaded::new(task))
    }
}

impl Engine for Judged {
    fn approved(&mut self, query: usize) -> bool {
        verdict(&self.0.policy, &self.0.facts[query]) == Verdict::Approved
    }
}

impl Engine for Decided {
    fn approved(&mut self, query: usize) -> bool {
        decide(&self.0.policy, &self.0.facts[query]).verdict == Verdict::Approved
    }
}

impl Loaded {
    fn new(task: &Task) -> Self {
        let loaded = load(sources(task));
        assert!(loaded.findings.is_empty(), "{:?}", loaded.findings.iter().next());
        let facts = task.queries.iter().map(|query| facts(task, query)).collect();
        Self { policy: loaded.policy.unwrap(), facts }
    }
}

/// A file may have at most 4 MiB. All patterns are in one file, so that their order is defined.
fn sources(task: &Task) -> Vec<Source> {
    let mut head = "version: 1\n\
                    channels: { oncall: { email: [oncall@acme.example] } }\n\
                    defaults: { repository: \"acme/*\", notify: [oncall] }\n\
                    groups:\n"
        .to_owned();
    for (at, body) in task.numbered() {
        writeln!(head, "  team{at}: {{ teams: [acme/team{at}] }}").unwrap();
        writeln!(head, "  listed{at}: {{ users: [{}] }}", body.listed.join(", ")).unwrap();
    }
    let (mut files, mut patterns, mut exact) = (vec![head], String::new(), Vec::new());
    for rule in &task.rules {
        let (key, lines) = match &rule.key {
            Key::Exact(name) => (name.clone(), None),
            Key::Glob(prefix) => (format!("\"{prefix}*\""), Some(&mut patterns)),
            Key::Regex(text, _) => (format!("/{text}/"), Some(&mut patterns)),
        };
        let require = format!("{{ all_of: [{OF_TEAM} of team{0}, {OF_LISTED} of listed{0}] }}", rule.body);
        let line = format!("  {key}: {{ environments: {{ production: {{ require: {require} }} }} }}\n");
        match lines {
            Some(patterns) => patterns.push_str(&line),
            None => exact.push(line),
        }
    }
    files.extend(exact.chunks(10_000).map(|lines| format!("services:\n{}", lines.concat())));
    files.push(format!("services:\n{patterns}"));
    let named = |(at, text): (usize, String)| Source {
        name: format!("{at:03}.yaml"),
        content: SourceContent::Bytes(text.into_bytes()),
    };
    files.into_iter().enumerate().map(named).collect()
}

fn facts(task: &Task, query: &Query) -> Facts {
    // A person's GitHub id, derived from the name.
    let id = |login: &str| login.bytes().fold(7_u64, |id, byte| id * 31 % 1_000_003 + u64::from(byte));
    let person = |login: &String| json!({ "id": id(login), "login": login, "type": "User" });
    let teams =
        task.numbered().map(|(at, body)| (format!("acme/team{at}"), body.team.iter().map(person).collect::<Value>()));
    let reviews = query.reviews.iter().enumerate().map(|(at, review)| {
        let mut given = json!({ "id": 9000 + at, "user": person(&review.login), "state": review.state.name(),
                "bound_by": "delivery", "revision": review.revision,
                "submitted_at": format!("2026-11-18T09:{at:02}:00Z"), "body": "" });
        // Without it the review might have requested changes, and would hold the request.
        if review.state == State::Dismissed {
            given["was"] = json!("approved");
        }
        given
    });
    let author = person(&query.author);
    serde_json::from_value(json!({
        "schema": 1, "now": "2026-11-18T10:00:00Z", "requested_at": "2026-11-18T08:00:00Z", "revision": HEAD,
        "target": { "service": query.service, "environment": query.environment },
        "pull_request": {
            "repository": "acme/checkout", "default_branch": "main", "number": 42, "state": "open", "head": HEAD,
            "head_first_seen": "2026-11-18T07:00:00Z", "base": "main", "author": author, "files_complete": true,
            "commits": [{ "sha": HEAD, "author": author, "committer": author, "verified": true }], "commits_complete": true,
            "pushers": [author], "pushers_complete": true
        },
        "teams": teams.collect::<serde_json::Map<_, _>>(),
        "reviews": reviews.collect::<Value>()
    }))
    .unwrap()
}
