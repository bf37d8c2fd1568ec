//! How much a store takes at once. These are DynamoDB's limits. Every store has them, so that every test meets them:
//! <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Constraints.html>.

use super::StoreError;

/// The most bytes of an item: of the names and values of all its attributes.
const ITEM: usize = 400 * 1024;
/// The most bytes of the items of one transaction.
const TRANSACTION: usize = 4 * 1024 * 1024;
/// The most items of one transaction.
const ITEMS: usize = 100;
/// The most bytes of a value in one item, with room for its other attributes. A longer value needs several items.
pub const PART: usize = 350_000;
/// The most bytes of the decision that a request keeps, as JSON. Its record has the whole.
pub(super) const DECISION: usize = 400_000;
/// The most bytes of a request and its record together, as JSON. The rest of a transaction is for keys and other items.
pub(super) const VALUES: usize = 4_000_000;

/// The items that one transaction writes.
#[derive(Debug, Clone, Copy, Default)]
pub struct Transaction {
    items: usize,
    bytes: usize,
}

impl Transaction {
    /// Adds an item of so many bytes.
    ///
    /// # Errors
    /// The item is too long, or the transaction is.
    pub fn add(&mut self, what: &str, bytes: usize) -> Result<(), StoreError> {
        check_item(what, bytes)?;
        self.items += 1;
        self.bytes += bytes;
        if self.items > ITEMS || self.bytes > TRANSACTION {
            let detail = format!(
                "the {what} is too long to store: {} items of {} bytes in all, and at most {ITEMS} items of {TRANSACTION} \
                 bytes can be written at once",
                self.items, self.bytes
            );
            return Err(StoreError { detail });
        }
        Ok(())
    }
}

/// Errors if an item of so many bytes is too long.
pub fn check_item(what: &str, bytes: usize) -> Result<(), StoreError> {
    if bytes <= ITEM {
        return Ok(());
    }
    Err(StoreError {
        detail: format!("the {what} is too long to store: {bytes} bytes, and at most {ITEM} fit an item"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_item_and_a_transaction_have_the_limits_of_dynamodb() {
        assert!(check_item("value", 409_600).is_ok() && check_item("value", 409_601).is_err());
        let added = |items: usize, bytes: usize| {
            let mut transaction = Transaction::default();
            (0..items).try_for_each(|_| transaction.add("value", bytes))
        };
        assert!(added(100, 1).is_ok() && added(101, 1).is_err());
        assert!(added(16, 262_144).is_ok() && added(17, 262_144).is_err());
        assert!(added(1, 409_601).is_err());
        let error = added(11, 400_000).unwrap_err();
        assert!(error.detail.contains("the value is too long to store: 11 items of 4400000 bytes"), "{error}");
    }
}
