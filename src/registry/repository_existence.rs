//! Record of which repositories of a registry are new.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::OnceCell;

/// Record of which repositories of a registry are new.
#[derive(Default)]
pub(super) struct RepositoryExistence(Mutex<HashMap<String, RepositoryRecord>>);

#[derive(Default)]
pub(super) struct RepositoryRecord {
    is_new: Arc<OnceCell<bool>>,
    pub(super) has_manifest: bool,
}

impl RepositoryExistence {
    pub(super) fn with_record<T>(
        &self,
        path: &str,
        read: impl FnOnce(&mut RepositoryRecord) -> T,
    ) -> T {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        read(known.entry(path.to_owned()).or_default())
    }

    pub(super) fn is_new(&self, path: &str) -> Arc<OnceCell<bool>> {
        self.with_record(path, |known| known.is_new.clone())
    }
}

impl RepositoryRecord {
    pub(super) fn record_is_new(&mut self, is_new: bool) {
        // A repository with content is never new again.
        if self.is_new.set(is_new).is_err() && !is_new {
            self.is_new = Arc::new(OnceCell::new_with(Some(false)));
        }
    }
}
