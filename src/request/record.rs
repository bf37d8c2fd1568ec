//! The audit trail: one record for each event of a request, with the hash of the record before it.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{ApprovalRequest, Trail};
use crate::approval::decision::Decision;
use crate::approval::facts::Facts;
use crate::ident::{RequestId, sha256_hex};

/// The version of the record's JSON that this engine writes.
pub const RECORD_SCHEMA: u32 = 1;

/// One event of a request.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Record {
    /// Always [`RECORD_SCHEMA`].
    pub schema: u32,
    pub request_id: RequestId,
    /// The place in the trail, from 1.
    pub sequence: u64,
    pub at: Timestamp,
    pub kind: RecordKind,
    pub decision: Option<Decision>,
    /// The facts that the decision was made on.
    pub facts: Option<Facts>,
    /// The hash of the record before. Empty for the first.
    pub previous: String,
    /// SHA-256, in hex, over this record's JSON with this field empty.
    pub hash: String,
}

/// What happened to a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RecordKind {
    /// Stored as approved: the requirement was met, or there was none.
    Passed,
    /// Stored, and passed in audit mode whatever was decided, without a wait.
    Audited,
    /// Stored as pending.
    Opened,
    /// The waiting step was retried, and stored another token.
    Retoken,
    /// Channels were notified.
    Notified,
    /// The facts were read, and the request goes on waiting.
    Read,
    /// A decision was claimed, and will be sent.
    Claimed,
    /// A lapsed claim was taken over.
    TakenOver,
    /// A claim was given back: its token was over, and the waiting step is being run again.
    GivenBack,
    /// The execution was answered, or found to be over.
    Closed,
    /// The execution ended without an answer.
    ExecutionEnded,
    /// At release: still approved, and released.
    Released,
    /// At release: still approved, but the release has to wait.
    Held,
    /// Refused, at release or at the first evaluation.
    Withheld,
}

/// A record without its place in the trail.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    pub kind: RecordKind,
    pub at: Timestamp,
    pub decision: Option<Decision>,
    pub facts: Option<Facts>,
}

impl Record {
    /// Makes the next record of the request's trail, and updates the end of the trail in `request`.
    #[must_use]
    pub fn append(request: &mut ApprovalRequest, entry: Entry) -> Self {
        let mut record = Self {
            schema: RECORD_SCHEMA,
            request_id: request.id.clone(),
            sequence: request.trail.length + 1,
            at: entry.at,
            kind: entry.kind,
            decision: entry.decision,
            facts: entry.facts,
            previous: request.trail.hash.clone(),
            hash: String::new(),
        };
        record.hash = record.digest();
        request.trail = Trail { length: record.sequence, hash: record.hash.clone() };
        record
    }

    /// Whether the record is unchanged, and follows the record with this hash.
    #[must_use]
    pub fn follows(&self, previous: &str) -> bool {
        self.previous == previous && Self { hash: String::new(), ..self.clone() }.digest() == self.hash
    }

    /// The hash of the record as it is. Serialising it cannot fail: all keys are strings.
    fn digest(&self) -> String {
        sha256_hex(&serde_json::to_vec(self).unwrap_or_default())
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{at, decided, pending};
    use super::*;
    use crate::approval::decision::Verdict;

    fn entry(kind: RecordKind) -> Entry {
        Entry { kind, at: at(1), decision: Some(decided(Verdict::Pending)), facts: None }
    }

    fn two() -> (ApprovalRequest, Record, Record) {
        let mut request = pending();
        let first = Record::append(&mut request, entry(RecordKind::Opened));
        let second = Record::append(&mut request, entry(RecordKind::Read));
        (request, first, second)
    }

    #[test]
    fn records_are_numbered_from_one_and_the_request_points_at_the_last() {
        let (request, first, second) = two();
        assert_eq!((first.sequence, second.sequence), (1, 2));
        assert_eq!(request.trail, Trail { length: 2, hash: second.hash });
    }

    #[test]
    fn each_record_follows_the_one_before_and_the_first_follows_nothing() {
        let (_, first, second) = two();
        assert!(first.follows("") && second.follows(&first.hash));
        assert!(!second.follows("") && !first.follows(&second.hash));
    }

    #[test]
    fn a_record_that_was_changed_follows_nothing() {
        let (_, first, second) = two();
        let changed = [
            Record { at: at(2), ..second.clone() },
            Record { kind: RecordKind::Released, ..second.clone() },
            Record { sequence: 3, ..second.clone() },
            Record { decision: Some(decided(Verdict::Approved)), ..second.clone() },
            Record { decision: None, ..second.clone() },
            Record { schema: 2, ..second.clone() },
            Record { hash: first.hash.clone(), ..second.clone() },
        ];
        assert!(changed.iter().all(|record| !record.follows(&first.hash)));
        assert!(!Record { previous: String::new(), ..second }.follows(""));
    }

    #[test]
    fn a_record_of_another_request_does_not_follow() {
        let (_, first, second) = two();
        let execution = crate::ident::ExecutionArn::new("arn:other").unwrap();
        let other = Record { request_id: RequestId::of(&execution, Timestamp::UNIX_EPOCH, 0), ..second };
        assert!(!other.follows(&first.hash));
    }

    #[test]
    fn a_record_keeps_its_hash_through_json() {
        let (_, first, second) = two();
        let read: Record = serde_json::from_slice(&serde_json::to_vec(&second).unwrap()).unwrap();
        assert!(read.follows(&first.hash));
    }
}
