//! Clients and state that all releases of a run share.

use super::github_deployment::accompany::GithubDeployment;
use crate::archive::Unpacking;
use crate::git::CommitAncestry;
use crate::notices::Notices;
use crate::policy::Service;
use crate::registry;
use crate::transfer::{BlobIndex, ProgressMeter};

/// Context of all releases of a run. Its clones share everything but the meter's image.
#[derive(Clone)]
pub struct ReleaseContext {
    /// Client of the registries.
    pub registry: registry::RegistryClient,
    /// Blobs that are known to exist, by repository.
    pub blob_index: BlobIndex,
    /// Meter of all transfers of the run.
    pub meter: ProgressMeter,
    /// Notices for the log.
    pub notices: Notices,
    /// Ancestry of commits; `None` without a checkout.
    pub ancestry: Option<CommitAncestry>,
    /// Directory that archives are unpacked to, and its byte limit.
    pub unpacking: Unpacking,
    /// Address of the Docker engine (`DOCKER_HOST`); `None`: the default socket.
    pub docker_host: Option<String>,
    /// What tells GitHub of the run; `None` if nothing does.
    pub github: Option<GithubDeployment>,
    /// Service that is released, for messages; `None` if it is the only one of the run.
    pub service: Option<Service>,
}

impl ReleaseContext {
    /// Returns the context of one image of the run, whose transfers are reported under `name`.
    #[must_use]
    pub fn for_image(&self, name: &str) -> Self {
        Self {
            meter: self.meter.for_image(name),
            ..self.clone()
        }
    }

    /// Returns the context of one service of several, which messages name.
    #[must_use]
    pub fn for_service(&self, service: &Service) -> Self {
        Self {
            service: Some(service.clone()),
            ..self.for_image(service.as_str())
        }
    }
}
