//! Record of which repositories of a registry serve the referrers API.

use std::collections::HashMap;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, PoisonError};

use tokio::sync::Mutex;

/// Record of which repositories of a registry serve the referrers API. The first query finds out, and
/// the others wait for it.
#[derive(Default)]
pub(super) struct ReferrersSupport(std::sync::Mutex<HashMap<String, RepositorySupport>>);

#[derive(Clone, Default)]
pub(super) struct RepositorySupport {
    pub(super) api_support: Arc<Mutex<ApiSupport>>,
    /// Whether the registry has confirmed that it lists a manifest that was written.
    pub(super) confirmed_listing: Arc<AtomicBool>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum ApiSupport {
    /// Not queried yet.
    #[default]
    Unknown,
    /// No list while the repository may be empty: some registries serve a list once there is content.
    NotWhileEmpty,
    /// No list while the repository has only blobs.
    NotWithBlobsOnly,
    No,
    Yes,
}

impl ReferrersSupport {
    pub(super) fn for_repository(&self, path: &str) -> RepositorySupport {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.entry(path.to_owned()).or_default().clone()
    }
}
