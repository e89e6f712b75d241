//! Clients and state that all releases of a run share.

use crate::archive::Unpacking;
use crate::git::CommitAncestry;
use crate::notices::Notices;
use crate::registry;
use crate::transfer::{BlobIndex, ProgressMeter};

/// What the road works with.
pub struct ReleaseContext {
    /// The registries.
    pub registry: registry::RegistryClient,
    /// What is known of the blobs there.
    pub blob_index: BlobIndex,
    /// Counts what all images of the run move.
    pub meter: ProgressMeter,
    /// Where to say what happens.
    pub notices: Notices,
    /// What git knows of commits, where there is a checkout.
    pub ancestry: Option<CommitAncestry>,
    /// Where archives are unpacked, and how much they may take there.
    pub unpacking: Unpacking,
    /// Where the Docker engine listens, if not at the usual socket (`DOCKER_HOST`).
    pub docker_host: Option<String>,
}
