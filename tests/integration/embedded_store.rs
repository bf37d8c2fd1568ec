//! The contract of every store for the embedded store, and what only a file promises.

use std::path::Path;
use std::sync::Arc;

use countersign::adapters::embedded::store::EmbeddedStore;
use countersign::approval::decision::Verdict;
use countersign::approval::facts::Veto;
use countersign::ident::DeliveryId;
use countersign::ports::{DeliveryState, RequestStore, SettleClaim, Which, Write};
use countersign::request::observation::Observation;
use countersign::request::record::RecordKind;
use tempfile::TempDir;

use crate::specimen::*;
use crate::store_contract::{Store, assert_chain, store_contract};

mod in_memory {
    use super::*;

    async fn fresh() -> (Store, ()) {
        (Arc::new(EmbeddedStore::in_memory().expect("a store")), ())
    }

    store_contract!(fresh);
}

mod in_a_folder {
    use super::*;

    async fn fresh() -> (Store, TempDir) {
        let folder = tempfile::tempdir().expect("a folder");
        (Arc::new(EmbeddedStore::open(folder.path()).expect("a store")), folder)
    }

    store_contract!(fresh);
}

/// Writes one of everything.
async fn fill(store: &EmbeddedStore) -> SettleClaim {
    let write = opening(pending("one", 0), "secret-1");
    let request = write.request.clone();
    store.write(write).await.expect("opened");
    store.write(opening(pending("two", 5), "secret-2")).await.expect("opened");
    let delivery = DeliveryId::new("3f0c").expect("an id");
    store.begin_delivery(&delivery, at(1)).await.expect("begun");
    store.finish_delivery(&delivery, at(2)).await.expect("done");
    let observation =
        Observation::HeadSeen { head: revision('a'), before: None, pusher: Some(person(3, "dave")), at: at(1) };
    store.observe(&pull_request("acme/checkout#1"), observation).await.expect("kept");
    let veto = Veto { by: person(1, "pia"), at: at(3), pull_request: pull_request("acme/checkout#1") };
    store.remember_veto(&revision('a'), veto).await.expect("kept");
    let mut entry = entry(RecordKind::Claimed, 4);
    entry.decision = Some(decision(Verdict::Approved));
    SettleClaim::take(store, &request, entry).await.expect("a claim")
}

/// Whether the store holds what [`fill`] wrote.
async fn assert_filled(store: &EmbeddedStore, claim: &SettleClaim) {
    let id = &claim.request().id;
    assert_eq!(store.request(id).await, Ok(Some(claim.request().clone())));
    assert_eq!(store.token(id).await, Ok(Some(token("secret-1"))));
    assert_chain(claim.request(), &store.trail(id).await.expect("a trail"));
    assert_eq!(store.requests(Which::All).await.map(|all| all.len()), Ok(2));
    assert_eq!(store.open_for(&pull_request("Acme/checkout#1")).await.map(|open| open.len()), Ok(2));
    assert_eq!(store.of_execution(&execution("two"), at(0)).await.map(|runs| runs.len()), Ok(1));
    let due = store.due(at(3600)).await.expect("due");
    assert_eq!(due.first(), Some(claim.request()));
    let delivery = DeliveryId::new("3f0c").expect("an id");
    assert_eq!(store.begin_delivery(&delivery, at(9)).await, Ok(DeliveryState::Done));
    assert_eq!(store.observed(&pull_request("acme/checkout#1")).await.map(|observed| observed.heads.len()), Ok(1));
    assert_eq!(store.vetoes(&revision('a')).await.map(|vetoes| vetoes.len()), Ok(1));
}

#[tokio::test]
async fn everything_is_stored_when_the_store_is_opened_again() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("new/folder");
    let store = EmbeddedStore::open(&path).expect("a store");
    let claim = fill(&store).await;
    drop(store);
    let store = EmbeddedStore::open(&path).expect("the same store");
    assert_filled(&store, &claim).await;
    let over = SettleClaim::take_over(&store, claim.request(), at(64)).await;
    assert!(over.is_ok(), "{over:?}");
}

#[tokio::test]
async fn committed_writes_survive_a_killed_process() {
    let folder = tempfile::tempdir().expect("a folder");
    let store = EmbeddedStore::open(folder.path()).expect("a store");
    let claim = fill(&store).await;
    // The disk holds now what a killed process would leave.
    assert_filled(&torn_off(folder.path()).1, &claim).await;

    // During a write, the copy has either the write or nothing of it.
    let mut last = pending("busy", 0);
    store.write(opening(last.clone(), "secret")).await.expect("opened");
    last = store.request(&last.id).await.expect("an answer").expect("a request");
    for round in 0..20 {
        let write = Write::new(last.read(at(round)), entry(RecordKind::Read, round)).with_token(token("next"));
        let written = write.request.clone();
        let before = last.version;
        let writer = {
            let store = store.clone();
            tokio::spawn(async move { store.write(write).await })
        };
        let (_wreck, torn) = torn_off(folder.path());
        writer.await.expect("a writer").expect("written");
        let found = torn.request(&last.id).await.expect("an answer").expect("a request");
        assert!([before, before + 1].contains(&found.version), "{found:?}");
        assert_chain(&found, &torn.trail(&last.id).await.expect("a trail"));
        last = written;
    }
}

/// A copy of the store's file as it is now, opened.
fn torn_off(folder: &Path) -> (TempDir, EmbeddedStore) {
    let wreck = tempfile::tempdir().expect("a folder");
    std::fs::copy(folder.join("requests.redb"), wreck.path().join("requests.redb")).expect("a copy");
    let store = EmbeddedStore::open(wreck.path()).expect("what was torn off opens");
    (wreck, store)
}

#[test]
fn a_folder_that_is_open_already_is_refused() {
    let folder = tempfile::tempdir().expect("a folder");
    let _open = EmbeddedStore::open(folder.path()).expect("a store");
    assert!(EmbeddedStore::open(folder.path()).is_err());
}

#[test]
fn another_file_is_refused() {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::copy("Cargo.toml", folder.path().join("requests.redb")).expect("a file");
    let refused = EmbeddedStore::open(folder.path()).map(|_| ());
    assert!(refused.is_err_and(|error| error.detail.starts_with("the database failed: ")));
}
