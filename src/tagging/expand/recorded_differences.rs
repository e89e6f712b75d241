//! Differences between the modes, collected while templates are expanded.

use std::sync::{Arc, Mutex, PoisonError};

use crate::tagging::CompatDifference;

/// Differences to docker/metadata-action that expansions met since the last [`Self::take`].
#[derive(Debug, Clone, Default)]
pub(super) struct RecordedDifferences(Arc<Mutex<Vec<CompatDifference>>>);

impl RecordedDifferences {
    /// Records a difference, once.
    pub(super) fn add(&self, difference: CompatDifference) {
        let mut recorded = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if !recorded.contains(&difference) {
            recorded.push(difference);
        }
    }

    /// Returns the recorded differences and forgets them.
    pub(super) fn take(&self) -> Vec<CompatDifference> {
        std::mem::take(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}
