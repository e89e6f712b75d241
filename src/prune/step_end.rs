//! What became of one deletion.

use thiserror::Error;

use super::repository_content::printable;
use crate::image::Tag;
use crate::registry::RegistryError;
use crate::registry_api::{ApiDeletion, RegistryApiError};
use crate::transfer::StoreError;

/// Result of one deletion.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum StepEnd {
    /// It is deleted.
    Deleted,
    /// It was gone.
    Absent,
    /// These tags are not what the plan was made from: nothing is deleted.
    Changed(Vec<Tag>),
    /// The registry refuses.
    Refused {
        /// Its words.
        reason: String,
        /// Whether it knows no such request, for a tag or at all.
        is_unsupported: bool,
    },
}

/// Reason why a deletion could not be made, or is unknown.
#[derive(Debug, Error)]
pub(super) enum StepError {
    /// The store cannot tell.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The registry's own API cannot tell.
    #[error(transparent)]
    Api(RegistryApiError),
}

impl From<RegistryError> for StepError {
    fn from(error: RegistryError) -> Self {
        Self::Store(error.into())
    }
}

/// Returns the end of a step that the registry's own API was asked for.
pub(super) fn to_step_end(deletion: ApiDeletion) -> StepEnd {
    match deletion {
        ApiDeletion::Deleted => StepEnd::Deleted,
        ApiDeletion::Absent => StepEnd::Absent,
        ApiDeletion::Changed(tags) => StepEnd::Changed(tags),
        ApiDeletion::Refused(reason) => StepEnd::Refused {
            reason: printable(&reason),
            is_unsupported: false,
        },
    }
}
