//! How often a slow test repeats itself: few rounds by default, all of them with `COUNTERSIGN_TESTS=full`, as in CI.
//!
//! Every property is checked either way. A full run only looks at more cases of it.

/// The number of rounds: `quick`, or `full` with `COUNTERSIGN_TESTS=full`.
pub(crate) fn rounds(quick: usize, full: usize) -> usize {
    if is_full() { full } else { quick }
}

/// Whether every case is looked at.
pub(crate) fn is_full() -> bool {
    match std::env::var("COUNTERSIGN_TESTS").as_deref() {
        Ok("full") => true,
        Ok("quick" | "") | Err(std::env::VarError::NotPresent) => false,
        other => panic!("COUNTERSIGN_TESTS is {other:?}; allowed values: `quick`, `full`"),
    }
}

#[test]
fn ci_runs_every_round() {
    let script = crate::docs::read(".ci/run");
    let at = |wanted| script.lines().position(|line| line == wanted);
    let (set, run) = (at("export COUNTERSIGN_TESTS=full"), at("cargo test"));
    assert!(set.is_some() && set < run, "`.ci/run` sets COUNTERSIGN_TESTS before it runs the suite");
}
