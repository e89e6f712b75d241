//! What a plan deletes, as far as a later plan must confirm it.

use std::collections::BTreeMap;

use crate::image::{Digest, Tag};

/// Deletions of a plan by the name of the repository.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PlannedDeletions(pub BTreeMap<String, RepositoryDeletions>);

/// Deletions of a plan in one repository.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RepositoryDeletions {
    /// Tags, with the digests that they had.
    pub tags: BTreeMap<Tag, Digest>,
    /// Manifests.
    pub manifests: BTreeMap<Digest, PlannedDeletion>,
}

/// Manifest that a plan deletes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PlannedDeletion {
    /// Whether nothing named it, neither a tag nor another manifest: a run that ended early did not cause that.
    pub was_bare: bool,
}
