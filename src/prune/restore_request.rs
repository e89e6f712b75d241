//! Request to bring a deleted image back, and what came of it.

use std::path::PathBuf;

use crate::image::{Destination, Digest, Tag};
use crate::record::RecordTime;
use crate::registry_api::ApiLogins;
use crate::retention::RegistryApiRule;

/// Request to bring an image back.
#[derive(Debug, Clone)]
pub struct RestoreRequest {
    /// Repository that it was deleted from, and goes back to.
    pub place: Destination,
    /// Directory of the archive; `None`: the registry's own API brings it back.
    pub archive: Option<PathBuf>,
    /// Digest of the image.
    pub digest: Digest,
    /// Registry's own API, where its host does not tell it.
    pub api: Option<RegistryApiRule>,
    /// Logins for registries' own APIs.
    pub logins: ApiLogins,
    /// Time of this machine's clock.
    pub clock: RecordTime,
}

/// Image that was brought back.
#[derive(Debug, Clone)]
pub struct RestoreOutcome {
    /// Repository.
    pub place: Destination,
    /// Image.
    pub digest: Digest,
    /// Referrers that were brought back with it.
    pub referrers: Vec<Digest>,
    /// Tags that it had.
    pub tags: Vec<(Tag, RestoredTag)>,
}

/// What became of a tag that the image had.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RestoredTag {
    /// It names the image again.
    Written,
    /// It named the image already.
    Unchanged,
    /// It names another image, and stays.
    Taken(Digest),
}
