//! Cancels the open upload sessions of a run that is interrupted, so that registries need not keep
//! them.

use std::collections::HashSet;
use std::sync::PoisonError;

use futures_util::future::join_all;

use super::registry_client::RegistryClient;
use super::registry_state::RegistryState;
use super::repository_access::RepositoryAccess;
use crate::image::Repository;

impl RegistryClient {
    /// Closes every upload session that is still open. To be called when nothing uses the client any
    /// more; whoever calls it decides how long that may take.
    pub async fn cancel_open_uploads(&self) {
        let hosts: Vec<_> = {
            let hosts = self.0.hosts.lock();
            let hosts = hosts.unwrap_or_else(PoisonError::into_inner);
            hosts.values().cloned().collect()
        };
        join_all(hosts.iter().map(|host| self.cancel_open_uploads_at(host))).await;
    }

    async fn cancel_open_uploads_at(&self, host: &RegistryState) {
        // Sessions that are being opened are known once the registry has answered.
        drop(host.session_opening.write().await);
        let repositories: HashSet<Repository> = {
            let open = host.uploads.lock().unwrap_or_else(PoisonError::into_inner);
            open.values().cloned().collect()
        };
        let close = |repository| async move {
            let remote = self.open_repository(repository, RepositoryAccess::PullPush, &[]);
            remote.cancel_uploads().await;
        };
        join_all(repositories.iter().map(close)).await;
    }
}
