//! Committed changes survive the process.

use super::*;
use crate::adapters::embedded::simulator::StorageError;

fn clock() -> Arc<MovableClock> {
    Arc::new(MovableClock::fixed("2026-11-18T10:00:00Z".parse().unwrap()))
}

#[test]
fn everything_is_there_after_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let host = GithubSimulator::open(&folder.path().join("new"), clock()).unwrap();
    host.change(populate).unwrap();
    host.change(|change| {
        change.set_hook("http://127.0.0.1:1/", "secret")?;
        let id = change.review(&login("pia"), &first(), &review_of(ReviewEvent::Approve))?;
        change.dismiss(&login("dave"), &first(), id, "no")?;
        change.label(&login("dave"), &first(), &["hotfix".into()])
    })
    .unwrap();
    let before = host.world();
    drop(host);
    let after = GithubSimulator::open(&folder.path().join("new"), clock()).unwrap().world();
    assert_eq!(after.settings, before.settings);
    assert_eq!(after.accounts, before.accounts);
    assert_eq!(after.teams, before.teams);
    assert_eq!(after.repositories, before.repositories);
    assert_eq!(after.pulls, before.pulls);
    assert_eq!(after.deliveries, before.deliveries);
    assert_eq!(after.deliveries.len(), 4);
}

#[test]
fn a_killed_process_loses_nothing_that_was_answered() {
    let (folder, wreck) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let host = GithubSimulator::open(folder.path(), clock()).unwrap();
    host.change(populate).unwrap();
    let id = host.change(|change| change.review(&login("pia"), &first(), &review_of(ReviewEvent::Approve))).unwrap();
    // The disk holds now what a killed process would leave behind.
    std::fs::copy(folder.path().join("simulator.redb"), wreck.path().join("simulator.redb")).unwrap();
    let after = GithubSimulator::open(wreck.path(), clock()).unwrap().world();
    assert!(after.pull(&first()).unwrap().review(id).is_some());
    assert_eq!(after.pulls, host.world().pulls);
}

#[test]
fn a_removed_record_stays_removed() {
    let folder = tempfile::tempdir().unwrap();
    let host = GithubSimulator::open(folder.path(), clock()).unwrap();
    host.change(populate).unwrap();
    host.change(|change| change.delete_account(&login("lee"))).unwrap();
    drop(host);
    let after = GithubSimulator::open(folder.path(), clock()).unwrap().world();
    assert!(after.account(&login("lee")).is_none());
}

#[test]
fn a_folder_that_is_open_already_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let _open = GithubSimulator::open(folder.path(), clock()).unwrap();
    assert!(matches!(GithubSimulator::open(folder.path(), clock()), Err(StorageError::Database(_))));
}
