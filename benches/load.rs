//! What loading a policy, and reading a prepared one, costs with 10, 1,000 and 10,000 rules. How to run it, and the
//! figures: `docs/performance.md`.
//!
//! It needs the core alone: `cargo bench --bench load --no-default-features`.

#![expect(clippy::unwrap_used, reason = "a benchmark that cannot set itself up has nothing to measure")]

mod bundle;

use countersign::policy::{load, read_prepared};
use divan::{Bencher, black_box};

const RULES: [usize; 3] = [10, 1_000, 10_000];

fn main() {
    divan::main();
}

/// From text to policy, with every check and the digest.
#[divan::bench(args = RULES)]
fn load_policy(bencher: Bencher<'_, '_>, rules: usize) {
    assert!(load(bundle::sources(rules)).policy.is_some());
    bencher.with_inputs(|| bundle::sources(rules)).bench_local_values(|sources| load(black_box(sources)));
}

/// From the form that is deployed to policy: no YAML is read, and every check and the digest are made all the same.
#[divan::bench(args = RULES)]
fn read_a_prepared_policy(bencher: Bencher<'_, '_>, rules: usize) {
    let prepared = load(bundle::sources(rules)).prepared().unwrap();
    assert!(read_prepared(&prepared).is_ok());
    bencher.bench_local(|| read_prepared(black_box(&prepared)));
}
