//! Content of a repository, as the registry's own API lists it.

use std::collections::BTreeMap;

use jiff::Timestamp;

use crate::image::{Digest, Tag};

/// Manifests and tags of a repository.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RepositoryListing {
    /// Manifests, with and without tags.
    pub manifests: BTreeMap<Digest, ListedManifest>,
    /// Tags.
    pub tags: BTreeMap<Tag, ListedTag>,
    /// What is odd and hides nothing, as text.
    pub notes: Vec<String>,
}

/// Manifest in a repository.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ListedManifest {
    /// Name by which the API deletes and restores it, where that is not the digest.
    pub id: Option<String>,
    /// Time of the push.
    pub pushed: Option<Timestamp>,
    /// Time of the last change of the manifest or of one of its tags.
    pub updated: Option<Timestamp>,
    /// Why the registry refuses to delete it, where it says so beforehand: a lock, a rule for immutable tags.
    pub refusal: Option<String>,
    /// Why it cannot be pulled, though it is there: it is archived.
    pub unreadable: Option<String>,
}

/// Tag of a repository.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ListedTag {
    /// Manifest that it names.
    pub digest: Digest,
    /// Time of its last push.
    pub pushed: Option<Timestamp>,
}
