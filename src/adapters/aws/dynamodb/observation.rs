//! Deliveries, observations from them, vetoes (requests for changes to a commit), and the turns at reading a pull request.
//!
//! Each observation is an item of its own. Its condition implements [`Observed::add`], so that concurrent writes lose
//! nothing, and the number of observations is not limited by the size of an item.

use aws_sdk_dynamodb::operation::update_item::builders::UpdateItemFluentBuilder;
use aws_sdk_dynamodb::types::{AttributeValue, ReturnValue};
use jiff::Timestamp;

use super::table::{Condition, Table};
use super::value::{
    BODY, EXPIRES_AT, Item, decode, encode, failed, incomplete, keyed, number, sortable, text, text_of,
};
use super::{DynamoDbStore, pull_key};
use crate::approval::facts::Veto;
use crate::ident::{DeliveryId, PullRequestRef, Revision};
use crate::ports::{DeliveryState, StoreError};
use crate::request::observation::{Observation, Observed};
use crate::request::turns::Turns;

const DELIVERY: &str = "DELIVERY";
/// The prefix of the second keys of observations.
const OBSERVATION: &str = "OBSERVATION#";
const VETO: &str = "VETO#";
const READING: &str = "READING";
/// When it happened, as a text that sorts by time.
const AT: &str = "at";

/// Sets a time of a delivery if it is not set, and when the item may be deleted.
fn mark_delivery(store: &DynamoDbStore, id: &DeliveryId, time: &str, now: Timestamp) -> UpdateItemFluentBuilder {
    let table = &store.table;
    table
        .client()
        .update_item()
        .table_name(&*table.name)
        .set_key(Some(keyed(&format!("{DELIVERY}#{id}"), DELIVERY)))
        .update_expression("SET #time = if_not_exists(#time, :now), #expires = :expires")
        .expression_attribute_names("#time", time)
        .expression_attribute_names("#expires", EXPIRES_AT)
        .expression_attribute_values(":now", text(sortable(now)))
        .expression_attribute_values(":expires", number(store.kept_from_now()))
}

pub(super) async fn begin_delivery(
    store: &DynamoDbStore,
    id: &DeliveryId,
    now: Timestamp,
) -> Result<DeliveryState, StoreError> {
    let call = mark_delivery(store, id, "begun_at", now).return_values(ReturnValue::AllNew);
    let answer = call.send().await.map_err(|error| failed(&error))?;
    let done = answer.attributes.is_some_and(|item| item.contains_key("done_at"));
    Ok(if done { DeliveryState::Done } else { DeliveryState::Recorded })
}

pub(super) async fn finish_delivery(store: &DynamoDbStore, id: &DeliveryId, now: Timestamp) -> Result<(), StoreError> {
    mark_delivery(store, id, "done_at", now).send().await.map_err(|error| failed(&error))?;
    Ok(())
}

/// Nothing is stored, or something earlier.
fn later_than_stored(at: Timestamp) -> Condition {
    Condition {
        expression: "attribute_not_exists(pk) OR #at < :at".to_owned(),
        names: vec![("#at", AT)],
        values: vec![(":at", text(sortable(at)))],
    }
}

/// The second key of an observation, and the condition to replace a stored one: never, or if it is later.
fn place(observation: &Observation) -> (String, Condition, Option<Timestamp>) {
    let first = |sk: String| (sk, Condition::new_item(), None);
    let latest = |sk: String, at: Timestamp| (sk, later_than_stored(at), Some(at));
    match observation {
        Observation::ReviewGiven { review } => first(format!("{OBSERVATION}REVIEW#{}", review.id)),
        Observation::ReviewDismissed { review, .. } => first(format!("{OBSERVATION}DISMISSED#{review}")),
        Observation::ReviewRequestRemoved { reviewer } => first(format!("{OBSERVATION}UNASKED#{reviewer}")),
        Observation::Opened { at, .. } => latest(format!("{OBSERVATION}OPENED"), *at),
        Observation::HeadSeen { head, before, pusher, at } => {
            let pusher = pusher.as_ref().map(|person| person.id.to_string()).unwrap_or_default();
            let before = before.as_ref().map(Revision::as_str).unwrap_or_default();
            latest(format!("{OBSERVATION}HEAD#{head}#{before}#{pusher}"), *at)
        }
        Observation::BaseChanged { at } => latest(format!("{OBSERVATION}BASE"), *at),
    }
}

fn item(store: &DynamoDbStore, pk: &str, sk: &str, json: String) -> Item {
    let mut item = keyed(pk, sk);
    item.insert(BODY.to_owned(), text(json));
    // A request that is opened at the end of the retention may use it for as long as an execution lives.
    item.insert(EXPIRES_AT.to_owned(), number(store.kept_from(store.clock.now())));
    item
}

fn at_attribute(at: Timestamp) -> (String, AttributeValue) {
    (AT.to_owned(), text(sortable(at)))
}

pub(super) async fn observe(
    store: &DynamoDbStore,
    at: &PullRequestRef,
    observation: Observation,
) -> Result<(), StoreError> {
    let (sk, condition, seen) = place(&observation);
    let mut item = item(store, &pull_key(at), &sk, encode("observation", &observation)?);
    item.extend(seen.map(at_attribute));
    // If the stored one stays, that is no failure.
    store.table.put(item, Some(condition)).await.map(|_| ())
}

pub(super) async fn observed(table: &Table, at: &PullRequestRef) -> Result<Observed, StoreError> {
    let mut observed = Observed::default();
    for item in table.query(&pull_key(at), OBSERVATION).await? {
        let what = format!("observation of `{at}`");
        observed.add(decode(&what, text_of(&item, BODY).ok_or_else(|| incomplete(&what))?)?);
    }
    Ok(observed)
}

fn veto_key(revision: &Revision) -> String {
    format!("{VETO}{revision}")
}

/// A person has one veto on a pull request, with the latest time: only a later approval lifts it.
pub(super) async fn remember_veto(store: &DynamoDbStore, revision: &Revision, veto: Veto) -> Result<(), StoreError> {
    let sk = format!("{VETO}{}#{}", veto.by.id, pull_key(&veto.pull_request));
    let mut item = item(store, &veto_key(revision), &sk, encode("veto", &veto)?);
    item.extend([at_attribute(veto.at)]);
    store.table.put(item, Some(later_than_stored(veto.at))).await.map(|_| ())
}

pub(super) async fn vetoes(table: &Table, revision: &Revision) -> Result<Vec<Veto>, StoreError> {
    let mut vetoes: Vec<Veto> = Vec::new();
    for item in table.query(&veto_key(revision), VETO).await? {
        let what = format!("veto of {revision}");
        vetoes.push(decode(&what, text_of(&item, BODY).ok_or_else(|| incomplete(&what))?)?);
    }
    vetoes.sort_by_key(|veto| (veto.at, veto.by.id));
    Ok(vetoes)
}

pub(super) async fn turns(table: &Table, at: &PullRequestRef) -> Result<Turns, StoreError> {
    let what = format!("turns at reading `{at}`");
    match table.get(&pull_key(at), READING).await? {
        Some(item) => decode(&what, text_of(&item, BODY).ok_or_else(|| incomplete(&what))?),
        None => Ok(Turns::default()),
    }
}

pub(super) async fn save_turns(store: &DynamoDbStore, at: &PullRequestRef, turns: &Turns) -> Result<bool, StoreError> {
    let item = item(store, &pull_key(at), READING, encode("turns at reading", turns)?);
    store.table.put_version(item, turns.version).await
}
