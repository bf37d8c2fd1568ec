//! Fixed work whose instructions `benches/callgrind/compare` counts. `docs/performance.md` explains the counts.
//!
//! Only code inside `counted` is counted. The work must not change with the other benchmarks, so that recorded counts
//! stay comparable.

#![expect(clippy::unwrap_used, reason = "without its setup the work cannot be counted")]
#![expect(clippy::panic, reason = "an unknown name of work must fail")]
#![expect(clippy::print_stdout, reason = "`--list` prints the names of the work")]

use std::fmt::Write as _;
use std::hint::black_box;

use countersign::approval::decision::Verdict;
use countersign::approval::facts::Facts;
use countersign::approval::{decide, verdict};
use countersign::finding::{Source, SourceContent};
use countersign::policy::{Loaded, Policy, load};

const RULES: usize = 1_000;
const DECISIONS: usize = 1_000;
/// Each name has a line in `recorded.txt`.
const WORK: [&str; 3] = ["load-1000-rules", "decide-1000-times", "judge-1000-times"];

fn main() {
    match std::env::args().nth(1).as_deref() {
        // Called by `cargo bench`: runs everything once without counting.
        Some("--bench") | None => {
            for name in WORK {
                run(name);
            }
        }
        Some("--list") => println!("{}", WORK.join("\n")),
        Some(name) => run(name),
    }
}

fn run(name: &str) {
    let facts: Facts = serde_json::from_str(include_str!("facts.json")).unwrap();
    match name {
        "load-1000-rules" => {
            let sources = sources();
            let loaded = counted(|| load(sources));
            assert!(loaded.policy.is_some());
        }
        "decide-1000-times" => {
            let policy = policy();
            counted(|| {
                for _ in 0..DECISIONS {
                    black_box(decide(black_box(&policy), black_box(&facts)));
                }
            });
        }
        "judge-1000-times" => {
            let policy = policy();
            assert_eq!(verdict(&policy, &facts), Verdict::Approved);
            counted(|| {
                for _ in 0..DECISIONS {
                    black_box(verdict(black_box(&policy), black_box(&facts)));
                }
            });
        }
        other => panic!("there is no work called `{other}`, only {}", WORK.join(", ")),
    }
}

/// Callgrind collects inside this function. It finds the function by name, so it must not be inlined.
#[inline(never)]
fn counted<T>(work: impl FnOnce() -> T) -> T {
    black_box(work())
}

fn policy() -> Policy {
    let Loaded { policy, findings, .. } = load(sources());
    assert!(findings.is_empty(), "{:?}", findings.iter().next());
    policy.unwrap()
}

/// One rule for each service. Every tenth service is a glob, and ten are regular expressions.
fn sources() -> Vec<Source> {
    let mut text = "version: 1\n\
                    groups:\n  payments: { teams: [acme/payments] }\n  security: { users: [dana, lee] }\n\
                    channels:\n  oncall: { email: [oncall@acme.example] }\n\
                    defaults: { repository: \"acme/*\", timeout: 8h, notify: [oncall] }\n\
                    services:\n"
        .to_owned();
    for at in 0..RULES {
        let key = match at {
            at if at % 100 == 50 => format!("/re-{at}-(eu|us)/"),
            at if at % 10 == 9 => format!("\"group-{at}-*\""),
            at => format!("service-{at}"),
        };
        let rule = "{ all_of: [2 of payments, 1 of security] }";
        writeln!(text, "  {key}: {{ environments: {{ production: {{ require: {rule}, timeout: 4h }} }} }}").unwrap();
    }
    vec![Source { name: "policy.yaml".to_owned(), content: SourceContent::Bytes(text.into_bytes()) }]
}
