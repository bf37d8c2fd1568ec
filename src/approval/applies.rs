//! Three-valued logic, after Kleene. Knows nothing of what is asked.

use super::decision::Applies;

impl Applies {
    /// The opposite; of what is not known nothing is.
    #[must_use]
    pub(super) const fn not(self) -> Self {
        match self {
            Self::Yes => Self::No,
            Self::No => Self::Yes,
            Self::Unknown => Self::Unknown,
        }
    }

    /// Both: one no suffices against.
    #[must_use]
    pub(super) const fn and(self, other: Self) -> Self {
        match (self, other) {
            (Self::No, _) | (_, Self::No) => Self::No,
            (Self::Unknown, _) | (_, Self::Unknown) => Self::Unknown,
            (Self::Yes, Self::Yes) => Self::Yes,
        }
    }

    /// One of the two: one yes suffices.
    #[must_use]
    pub(super) const fn or(self, other: Self) -> Self {
        self.not().and(other.not()).not()
    }

    /// Every one. What comes behind a no is not asked.
    pub(super) fn all(answers: impl IntoIterator<Item = Self>) -> Self {
        let mut all = Self::Yes;
        for answer in answers {
            all = all.and(answer);
            if all == Self::No {
                break;
            }
        }
        all
    }

    /// One of them. What comes behind a yes is not asked.
    pub(super) fn any(answers: impl IntoIterator<Item = Self>) -> Self {
        Self::all(answers.into_iter().map(Self::not)).not()
    }
}

impl From<bool> for Applies {
    fn from(known: bool) -> Self {
        if known { Self::Yes } else { Self::No }
    }
}
