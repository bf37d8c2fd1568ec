//! Which reviews stand: what each review does to the earlier ones of the same person.

use jiff::Timestamp;

use super::facts::{DismissedFrom, Review, ReviewState};
use super::review::Weighed;
use crate::ident::UserId;

/// What a review is to the other reviews of the same person.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Part {
    /// It is passed over.
    None,
    /// Not dismissed.
    Approval {
        /// Whether it was given on the head.
        bound: bool,
        /// Whether its text overrides the rule.
        overrides: bool,
    },
    /// It requests changes, or did before it was dismissed.
    Objection,
    /// It approved before it was dismissed.
    Withdrawal {
        /// Whether it lifted earlier requests for changes before it was dismissed.
        lifts: bool,
    },
}

impl Part {
    /// Whether it replaces, withdraws or lifts an earlier review of the same person.
    const fn ends(self, earlier: Self) -> bool {
        match (self, earlier) {
            (Self::None, _) | (_, Self::None) => false,
            (Self::Objection, _) | (Self::Approval { .. }, Self::Objection) => true,
            (Self::Approval { bound, .. }, Self::Approval { overrides, .. }) => bound && !overrides,
            (Self::Approval { bound, .. }, Self::Withdrawal { .. }) => bound,
            (Self::Withdrawal { .. }, Self::Approval { .. } | Self::Withdrawal { .. }) => true,
            (Self::Withdrawal { lifts }, Self::Objection) => lifts,
        }
    }
}

/// A 64-bit filter of user ids. A clear bit proves that the user has not been seen.
#[derive(Default)]
pub(super) struct SeenUsers(u64);

impl SeenUsers {
    /// Adds a user. Returns whether they may have been seen before.
    #[inline]
    pub(super) const fn add(&mut self, user: UserId) -> bool {
        let bit = 1 << (user.0 % 64);
        let seen = self.0 & bit != 0;
        self.0 |= bit;
        seen
    }
}

/// Marks the reviews that a later one of the same person ends. They are in the order in which they were given.
///
/// An override stands beside a later approval of the same person. Only the later one counts toward the requirement then.
pub(super) fn supersede(weighed: &mut [Weighed<'_>]) {
    let mut seen = SeenUsers::default();
    for at in (0..weighed.len()).rev() {
        let Some((earlier, later)) = weighed.get_mut(at..).and_then(<[_]>::split_first_mut) else { return };
        let Some(person) = earlier.person().filter(|person| seen.add(*person)) else { continue };
        let later = || later.iter().filter(|later| later.person() == Some(person));
        if later().any(|later| later.part.ends(earlier.part)) {
            earlier.supersede();
        } else if later().any(Weighed::is_standing_approval) {
            earlier.stand_aside();
        }
    }
}

pub(super) fn is_withdrawn_approval(review: &Review) -> bool {
    review.state == ReviewState::Dismissed && review.was == Some(DismissedFrom::Approved)
}

/// Whether a review requests changes, or did before a dismissal that may not count.
pub(super) fn may_be_objection(review: &Review) -> bool {
    match review.state {
        ReviewState::ChangesRequested => true,
        ReviewState::Dismissed => !is_withdrawn_approval(review),
        ReviewState::Approved | ReviewState::Commented | ReviewState::Pending => false,
    }
}

/// The time by which reviews are ordered. One without a time helps least: an approval comes first, an objection last.
pub(super) fn place_in_order(review: &Review) -> Timestamp {
    review.submitted_at.unwrap_or(match review.state {
        ReviewState::Approved | ReviewState::Commented | ReviewState::Pending => Timestamp::MIN,
        ReviewState::ChangesRequested | ReviewState::Dismissed => Timestamp::MAX,
    })
}
