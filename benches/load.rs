//! The cost of loading a policy, and of reading a prepared one, with 10, 1,000 and 10,000 rules. `docs/performance.md`
//! has the figures.
//!
//! It needs only the core: `cargo bench --bench load --no-default-features`.

#![expect(clippy::unwrap_used, reason = "without its setup a benchmark cannot measure")]

mod bundle;

use countersign::policy::{load, read_prepared};
use divan::{Bencher, black_box};

const RULES: [usize; 3] = [10, 1_000, 10_000];

fn main() {
    divan::main();
}

/// From text to policy, with all checks and the digest.
#[divan::bench(args = RULES)]
fn load_policy(bencher: Bencher<'_, '_>, rules: usize) {
    assert!(load(bundle::sources(rules)).policy.is_some());
    bencher.with_inputs(|| bundle::sources(rules)).bench_local_values(|sources| load(black_box(sources)));
}

/// From the deployed form to policy: reads no YAML, but makes every check and the digest.
#[divan::bench(args = RULES)]
fn read_a_prepared_policy(bencher: Bencher<'_, '_>, rules: usize) {
    let prepared = load(bundle::sources(rules)).prepared().unwrap();
    assert!(read_prepared(&prepared).is_ok());
    bencher.bench_local(|| read_prepared(black_box(&prepared)));
}
