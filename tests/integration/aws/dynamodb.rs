//! The contract of every store for the store on DynamoDB. It needs a DynamoDB at `COUNTERSIGN_TEST_DYNAMODB`.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use aws_sdk_dynamodb::types::{
    AttributeDefinition, AttributeValue, BillingMode, GlobalSecondaryIndex, KeySchemaElement, KeyType, Projection,
    ProjectionType, ScalarAttributeType,
};
use countersign::adapters::aws::dynamodb::DynamoDbStore;
use countersign::adapters::embedded::clock::MovableClock;
use countersign::approval::facts::{ChangedFile, Facts, Veto};
use countersign::ident::DeliveryId;
use countersign::ports::{RequestStore as _, Write};
use countersign::request::observation::Observation;
use countersign::request::record::{Entry, RecordKind};
use jiff::SignedDuration;

use super::cloud::connection;
use crate::specimen::*;
use crate::store_contract::{Store, assert_chain, store_contract};

const RETENTION: SignedDuration = SignedDuration::from_hours(24 * 30);

/// The address of a DynamoDB, or of a simulator of it.
fn address() -> String {
    std::env::var("COUNTERSIGN_TEST_DYNAMODB").expect("COUNTERSIGN_TEST_DYNAMODB is the address of a DynamoDB")
}

fn key(name: &str, kind: KeyType) -> KeySchemaElement {
    KeySchemaElement::builder().attribute_name(name).key_type(kind).build().expect("a key")
}

/// A table as the Terraform module makes it, and the client that made it.
async fn table() -> (DynamoDbStore, aws_sdk_dynamodb::Client, String) {
    static MADE: AtomicUsize = AtomicUsize::new(0);
    let name = format!("store-{}-{}", std::process::id(), MADE.fetch_add(1, Ordering::Relaxed));
    let connection = connection(&address());
    let client = connection.dynamodb();
    let keys = |of: &str| Some(vec![key(&format!("{of}pk"), KeyType::Hash), key(&format!("{of}sk"), KeyType::Range)]);
    let index = GlobalSecondaryIndex::builder()
        .index_name("due")
        .set_key_schema(keys("due_"))
        .projection(Projection::builder().projection_type(ProjectionType::KeysOnly).build());
    let attribute = |name| {
        let text = AttributeDefinition::builder().attribute_name(name).attribute_type(ScalarAttributeType::S);
        text.build().expect("an attribute")
    };
    let made = client
        .create_table()
        .table_name(&name)
        .billing_mode(BillingMode::PayPerRequest)
        .set_key_schema(keys(""))
        .set_attribute_definitions(Some(["pk", "sk", "due_pk", "due_sk"].map(attribute).to_vec()))
        .global_secondary_indexes(index.build().expect("an index"));
    made.send().await.expect("a table");
    let clock = Arc::new(MovableClock::fixed(at(0)));
    (DynamoDbStore::new(connection, &name, RETENTION, clock), client, name)
}

async fn fresh() -> (Store, ()) {
    (Arc::new(table().await.0), ())
}

store_contract!([ignore = "needs the AWS peer: scripts/test-aws"] fresh);

/// Every item of the table.
async fn items(
    client: &aws_sdk_dynamodb::Client,
    name: &str,
) -> Vec<std::collections::HashMap<String, AttributeValue>> {
    client.scan().table_name(name).send().await.expect("items").items.unwrap_or_default()
}

/// Facts that one item does not hold.
fn bulky(files: usize) -> Facts {
    let mut facts: Facts = serde_json::from_value(serde_json::json!({
        "schema": 1, "now": at(0), "target": target(), "revision": "a1",
        "pull_request": {
            "repository": "acme/checkout", "default_branch": "main", "number": 1, "state": "open", "head": "a1",
            "base": "main", "author": { "id": 3, "login": "dave" }
        }
    }))
    .expect("facts");
    let file =
        |n| ChangedFile { path: format!("src/ein/langer/pfad/äöü/{n:06}/{}", "x".repeat(200)), previous_path: None };
    if let Some(pull_request) = &mut facts.pull_request {
        pull_request.files = (0..files).map(file).collect();
    }
    facts
}

#[tokio::test]
#[ignore = "needs the AWS peer: scripts/test-aws"]
async fn a_record_longer_than_an_item_is_read_back_whole_and_in_order() {
    let (store, client, name) = table().await;
    let write = opening(pending("one", 0), "secret");
    let mut request = write.request.clone();
    store.write(write).await.expect("opened");
    for seconds in 1..=3 {
        let facts = (seconds == 2).then(|| bulky(3_000));
        let entry = Entry { kind: RecordKind::Read, at: at(seconds), decision: None, facts };
        let write = Write::new(request.read(at(seconds)), entry);
        request = write.request.clone();
        store.write(write).await.expect("written");
    }
    let trail = store.trail(&request.id).await.expect("a trail");
    assert_eq!(trail.len(), 4);
    assert_chain(&request, &trail);
    let parts = items(&client, &name).await;
    let parts = parts.iter().filter(|item| item["sk"].as_s().is_ok_and(|sk| sk.contains("#PART#"))).count();
    assert!(parts >= 2, "{parts} further items");
}

#[tokio::test]
#[ignore = "needs the AWS peer: scripts/test-aws"]
async fn a_request_longer_than_an_item_is_read_back_whole_by_every_query() {
    let (store, _, _) = table().await;
    let mut request = pending("one", 0);
    request.subject.input =
        serde_json::from_value(serde_json::json!({ "notes": "ü".repeat(400_000) })).expect("an input");
    let write = opening(request, "secret");
    let first = write.request.clone();
    store.write(write).await.expect("opened");
    let write = Write::new(first.read(at(1)), entry(RecordKind::Read, 1));
    let request = write.request.clone();
    store.write(write).await.expect("written");
    assert_eq!(store.request(&request.id).await, Ok(Some(request.clone())));
    assert_eq!(store.of_execution(&request.execution, request.started_at).await, Ok(vec![request.clone()]));
    assert_eq!(store.due(at(100_000)).await, Ok(vec![request.clone()]));
    assert_eq!(store.open_for(&pull_request("acme/checkout#1")).await, Ok(vec![request]));
}

#[tokio::test]
#[ignore = "needs the AWS peer: scripts/test-aws"]
async fn every_item_expires_at_its_time() {
    let (store, client, name) = table().await;
    store.write(opening(pending("one", 0), "secret")).await.expect("opened");
    let delivery = DeliveryId::new("3f0c").expect("an id");
    store.begin_delivery(&delivery, at(1)).await.expect("begun");
    store.finish_delivery(&delivery, at(2)).await.expect("done");
    let observation =
        Observation::HeadSeen { head: revision('a'), before: None, pusher: Some(person(3, "dave")), at: at(1) };
    store.observe(&pull_request("acme/checkout#1"), observation).await.expect("kept");
    let veto = Veto { by: person(1, "pia"), at: at(3), pull_request: pull_request("acme/checkout#1") };
    store.remember_veto(&revision('a'), veto).await.expect("kept");
    let second = |by: SignedDuration| at(0).checked_add(by).expect("an instant").as_second().to_string();
    let longest = SignedDuration::from_hours(366 * 24);
    for item in items(&client, &name).await {
        let pk = item["pk"].as_s().expect("a key");
        let expires_at = item["expires_at"].as_n().expect("an end");
        let expected = match pk.split('#').next() {
            Some("DELIVERY") => second(RETENTION),
            Some("TOKEN") => second(SignedDuration::from_hours(1 + 7 * 24)),
            _ => second(RETENTION + longest),
        };
        assert_eq!(*expires_at, expected, "{pk}");
    }
}

#[tokio::test]
#[ignore = "needs the AWS peer: scripts/test-aws"]
async fn a_token_is_in_its_own_item_and_in_no_other() {
    let (store, client, name) = table().await;
    store.write(opening(pending("one", 0), "hush-hush")).await.expect("opened");
    let with_it: Vec<_> =
        items(&client, &name).await.into_iter().filter(|item| format!("{item:?}").contains("hush-hush")).collect();
    assert_eq!(with_it.len(), 1);
    assert!(with_it[0]["pk"].as_s().is_ok_and(|pk| pk.starts_with("TOKEN#")));
}
