//! Deliveries, observations from them, vetoes (requests for changes), and the turns at reading a pull request.

use jiff::Timestamp;
use redb::{Database, ReadableDatabase as _, ReadableTable as _, TableDefinition, WriteTransaction};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::value::{decode, encode, failed, item_bytes};
use crate::approval::facts::Veto;
use crate::ident::{DeliveryId, Revision};
use crate::ports::size::check_item;
use crate::ports::{DeliveryState, StoreError};
use crate::request::observation::{Observation, Observed};
use crate::request::turns::Turns;

/// Deliveries by id.
const DELIVERIES: TableDefinition<'_, &str, &[u8]> = TableDefinition::new("deliveries");
/// Observations by the pull request's name in lower case.
const OBSERVED: TableDefinition<'_, &str, &[u8]> = TableDefinition::new("observed");
/// Vetoes by revision.
const VETOES: TableDefinition<'_, &str, &[u8]> = TableDefinition::new("vetoes");

/// Turns at reading a pull request, by its name in lower case.
const TURNS: TableDefinition<'_, &str, &[u8]> = TableDefinition::new("turns");

pub(super) fn make_tables(transaction: &WriteTransaction) -> Result<(), StoreError> {
    transaction.open_table(DELIVERIES).map_err(failed)?;
    transaction.open_table(OBSERVED).map_err(failed)?;
    transaction.open_table(VETOES).map_err(failed)?;
    transaction.open_table(TURNS).map_err(failed)?;
    Ok(())
}

/// The times are for a later retention.
#[derive(Serialize, Deserialize)]
struct Delivery {
    begun_at: Timestamp,
    done_at: Option<Timestamp>,
}

/// Reads a value, changes it, and writes it back, in one transaction.
fn change<T, A>(
    database: &Database,
    table: TableDefinition<'_, &str, &[u8]>,
    key: &str,
    change: impl FnOnce(Option<T>) -> (T, A),
) -> Result<A, StoreError>
where
    T: Serialize + DeserializeOwned,
{
    let transaction = database.begin_write().map_err(failed)?;
    let answer = {
        let mut table = transaction.open_table(table).map_err(failed)?;
        let stored = table.get(key).map_err(failed)?.map(|bytes| decode(key, bytes.value())).transpose()?;
        let (value, answer) = change(stored);
        table.insert(key, encode(key, &value)?.as_slice()).map_err(failed)?;
        answer
    };
    transaction.commit().map_err(failed)?;
    Ok(answer)
}

fn read<T: DeserializeOwned>(
    database: &Database,
    table: TableDefinition<'_, &str, &[u8]>,
    key: &str,
) -> Result<Option<T>, StoreError> {
    let transaction = database.begin_read().map_err(failed)?;
    let table = transaction.open_table(table).map_err(failed)?;
    let bytes = table.get(key).map_err(failed)?;
    bytes.map(|bytes| decode(key, bytes.value())).transpose()
}

pub(super) fn begin_delivery(
    database: &Database,
    id: &DeliveryId,
    now: Timestamp,
) -> Result<DeliveryState, StoreError> {
    change(database, DELIVERIES, id.as_str(), |stored: Option<Delivery>| {
        let delivery = stored.unwrap_or(Delivery { begun_at: now, done_at: None });
        let state = if delivery.done_at.is_some() { DeliveryState::Done } else { DeliveryState::Recorded };
        (delivery, state)
    })
}

pub(super) fn finish_delivery(database: &Database, id: &DeliveryId, now: Timestamp) -> Result<(), StoreError> {
    change(database, DELIVERIES, id.as_str(), |stored: Option<Delivery>| {
        let delivery = stored.unwrap_or(Delivery { begun_at: now, done_at: None });
        (Delivery { done_at: delivery.done_at.or(Some(now)), ..delivery }, ())
    })
}

pub(super) fn observe(database: &Database, pull: &str, observation: Observation) -> Result<(), StoreError> {
    // On DynamoDB each observation is an item.
    check_item("observation", item_bytes(&encode(pull, &observation)?))?;
    change(database, OBSERVED, pull, |stored: Option<Observed>| {
        let mut observed = stored.unwrap_or_default();
        observed.add(observation);
        (observed, ())
    })
}

pub(super) fn observed(database: &Database, pull: &str) -> Result<Observed, StoreError> {
    Ok(read(database, OBSERVED, pull)?.unwrap_or_default())
}

/// Adds a veto. A person has one veto on a pull request, with the latest time: only a later approval lifts it.
pub(super) fn remember_veto(database: &Database, revision: &Revision, veto: Veto) -> Result<(), StoreError> {
    change(database, VETOES, revision.as_str(), |stored: Option<Vec<Veto>>| {
        let mut vetoes = stored.unwrap_or_default();
        let same = |known: &&mut Veto| known.by.id == veto.by.id && known.pull_request == veto.pull_request;
        match vetoes.iter_mut().find(same) {
            Some(known) if known.at >= veto.at => {}
            Some(known) => *known = veto,
            None => vetoes.push(veto),
        }
        vetoes.sort_by_key(|veto| (veto.at, veto.by.id));
        (vetoes, ())
    })
}

pub(super) fn vetoes(database: &Database, revision: &Revision) -> Result<Vec<Veto>, StoreError> {
    Ok(read(database, VETOES, revision.as_str())?.unwrap_or_default())
}

pub(super) fn turns(database: &Database, pull: &str) -> Result<Turns, StoreError> {
    Ok(read(database, TURNS, pull)?.unwrap_or_default())
}

/// Writes them if the stored version is the one before.
pub(super) fn save_turns(database: &Database, pull: &str, turns: Turns) -> Result<bool, StoreError> {
    change(database, TURNS, pull, |stored: Option<Turns>| {
        let stored = stored.unwrap_or_default();
        if stored.version.checked_add(1) == Some(turns.version) { (turns, true) } else { (stored, false) }
    })
}
