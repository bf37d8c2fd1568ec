//! How a use case fails, and the stable name that the state machine catches it by.

use jiff::Timestamp;

use super::input::InvalidInput;
use crate::approval::decision::Decision;
use crate::ports::{ClaimError, CodeHostError, StoreError, WriteError};
use crate::render::answer;
use crate::request::{End, Subject};

/// Why a use case failed.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// The execution's input cannot be used. Nothing was stored, and no channel was notified.
    #[error(transparent)]
    InvalidInput(#[from] InvalidInput),
    /// The request ended otherwise than approved.
    #[error("the request ended as {}", end.as_str())]
    Ended {
        end: End,
        /// `None` if the execution ended before anything was decided.
        decision: Option<Box<Decision>>,
    },
    /// The execution's request was stored for something else.
    #[error(
        "the execution already has a request for {stored}, and cannot have one for {wanted}: start another execution"
    )]
    OtherSubject { stored: Box<Subject>, wanted: Box<Subject> },
    /// The policy cannot be used, or is not the one that was installed. Nothing can be decided until that is corrected.
    #[error("{detail}")]
    PolicyInvalid { detail: String },
    /// A dependency gave no answer. Nothing was decided; trying again is safe.
    #[error("{detail}")]
    Unavailable { detail: String },
    /// The code host's limit on calls is reached. Nothing was decided; trying again before then is of no use.
    #[error("{detail}")]
    Limited { detail: String, until: Timestamp },
}

impl Failure {
    /// Every name that [`Self::name`] can return.
    pub const NAMES: [&'static str; 8] = [
        "Countersign.InvalidInput",
        "Countersign.Rejected",
        "Countersign.Expired",
        "Countersign.Superseded",
        "Countersign.Denied",
        "Countersign.Canceled",
        "Countersign.PolicyInvalid",
        "Countersign.Unavailable",
    ];

    /// The stable name. `Approved` has no name, since an approval is not a failure.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::InvalidInput(_) => "Countersign.InvalidInput",
            Self::Ended { end, .. } => end_name(*end),
            Self::OtherSubject { .. } => end_name(End::Superseded),
            Self::PolicyInvalid { .. } => "Countersign.PolicyInvalid",
            Self::Unavailable { .. } | Self::Limited { .. } => "Countersign.Unavailable",
        }
    }

    /// The cause that an execution fails with: the decision as JSON, if there is one. At most [`answer::LONGEST_CAUSE`]
    /// characters.
    #[must_use]
    pub fn cause(&self) -> String {
        match self {
            Self::Ended { decision: Some(decision), .. } => answer::cause(decision),
            Self::Ended { decision: None, .. }
            | Self::InvalidInput(_)
            | Self::OtherSubject { .. }
            | Self::PolicyInvalid { .. }
            | Self::Unavailable { .. }
            | Self::Limited { .. } => answer::plain_cause(self.name(), &self.to_string()),
        }
    }

    /// What happened, for people.
    pub(super) fn summary(&self) -> String {
        match self {
            Self::Ended { decision: Some(decision), .. } => decision.summary.clone(),
            Self::Ended { decision: None, .. }
            | Self::InvalidInput(_)
            | Self::OtherSubject { .. }
            | Self::PolicyInvalid { .. }
            | Self::Unavailable { .. }
            | Self::Limited { .. } => self.to_string(),
        }
    }

    /// A stored request is a step's own only if its subject is the same.
    ///
    /// # Errors
    /// [`Failure::OtherSubject`].
    pub(super) fn unless_same(stored: &Subject, wanted: &Subject) -> Result<(), Self> {
        if stored.is_same(wanted) {
            return Ok(());
        }
        Err(Self::OtherSubject { stored: Box::new(stored.clone()), wanted: Box::new(wanted.clone()) })
    }

    pub(super) fn unavailable(detail: impl Into<String>) -> Self {
        Self::Unavailable { detail: detail.into() }
    }
}

/// The error name of an end. An approved request that gets here has lost its execution.
pub(super) const fn end_name(end: End) -> &'static str {
    match end {
        End::Rejected => "Countersign.Rejected",
        End::Expired => "Countersign.Expired",
        End::Superseded => "Countersign.Superseded",
        End::Denied => "Countersign.Denied",
        End::Approved | End::Canceled => "Countersign.Canceled",
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        Self::unavailable(error.to_string())
    }
}

impl From<WriteError> for Failure {
    fn from(error: WriteError) -> Self {
        Self::unavailable(error.to_string())
    }
}

impl From<ClaimError> for Failure {
    fn from(error: ClaimError) -> Self {
        Self::unavailable(error.to_string())
    }
}

impl From<CodeHostError> for Failure {
    fn from(error: CodeHostError) -> Self {
        let detail = error.to_string();
        match error {
            CodeHostError::Limited { until, .. } => Self::Limited { detail, until },
            CodeHostError::NotFound { .. } | CodeHostError::Unavailable { .. } => Self::Unavailable { detail },
        }
    }
}
