//! Plan of what goes and what stays, with the reason of each.

use std::collections::BTreeMap;

use super::deletion_reason::DeletionReason;
use super::keep_reason::KeepReason;
use super::manifest_age::ManifestAge;
use super::planned_deletions::{PlannedDeletion, PlannedDeletions, RepositoryDeletions};
use super::retention_stop::RetentionStop;
use super::retention_warning::RetentionWarning;
use crate::image::{Digest, Tag};

/// Plan for all repositories of a snapshot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RetentionPlan {
    /// Why nothing goes in any repository.
    pub stops: Vec<RetentionStop>,
    /// What looks wrong in the rules or files.
    pub warnings: Vec<RetentionWarning>,
    /// Plans of the repositories, in the order of the snapshot.
    pub repositories: Vec<RepositoryPlan>,
}

/// Plan for one repository.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RepositoryPlan {
    /// Name of the repository.
    pub name: String,
    /// Why nothing goes in this repository.
    pub stops: Vec<RetentionStop>,
    /// What looks wrong in this repository.
    pub warnings: Vec<RetentionWarning>,
    /// What becomes of each tag.
    pub tags: BTreeMap<Tag, TagFate>,
    /// What becomes of each manifest.
    pub manifests: BTreeMap<Digest, ManifestFate>,
    /// Images, and how many of them go.
    pub images: ImageTally,
    /// Space that the deletions free.
    pub freed: FreedSpace,
    pub(super) steps: Vec<DeletionStep>,
}

/// Number of images in a repository: of manifests that have a tag or that nothing names.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ImageTally {
    /// All of them.
    pub total: usize,
    /// Those that go.
    pub condemned: usize,
}

/// Space that deletions free in a repository.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct FreedSpace {
    /// Bytes of the manifests that go, and of the blobs that no other manifest names.
    pub bytes: u64,
    /// Whether it may be less: a manifest that stays could not be read.
    pub is_upper_bound: bool,
}

/// What becomes of a tag.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TagFate {
    /// It stays.
    Stays(KeepReason),
    /// It goes.
    Goes(DeletionReason),
}

/// What becomes of a manifest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ManifestFate {
    /// Why it stays; nothing if it goes.
    pub keep_reasons: Vec<KeepReason>,
    /// Why it goes; `None` if it stays.
    pub deletion_reason: Option<DeletionReason>,
    /// Its age; `None` if no source knows one.
    pub age: Option<ManifestAge>,
    pub(super) is_bare: bool,
}

/// One deletion.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DeletionStep {
    /// A tag alone.
    Tag {
        /// Tag.
        tag: Tag,
        /// Digest that it has in the snapshot.
        digest: Digest,
    },
    /// A manifest, with the tags that it still has.
    Manifest {
        /// Digest.
        digest: Digest,
        /// Tags that go with it.
        tags: Vec<Tag>,
    },
}

impl RetentionPlan {
    /// Returns whether the plan of all repositories is refused.
    pub fn is_stopped(&self) -> bool {
        !self.stops.is_empty()
    }

    /// Returns the deletions, for a later plan that confirms them.
    pub fn deletions(&self) -> PlannedDeletions {
        let repositories = self.repositories.iter();
        let deletions = repositories.map(|plan| (plan.name.clone(), plan.deletions()));
        PlannedDeletions(deletions.collect())
    }
}

impl RepositoryPlan {
    /// Returns the deletions in their order; none if the plan is refused.
    pub fn steps(&self) -> &[DeletionStep] {
        &self.steps
    }

    /// Returns why a step deletes; `None` if the plan has no such step.
    pub fn deletion_reason(&self, step: &DeletionStep) -> Option<&DeletionReason> {
        match step {
            DeletionStep::Tag { tag, .. } => match self.tags.get(tag)? {
                TagFate::Goes(reason) => Some(reason),
                TagFate::Stays(_) => None,
            },
            DeletionStep::Manifest { digest, .. } => {
                self.manifests.get(digest)?.deletion_reason.as_ref()
            }
        }
    }

    /// Returns a manifest with what becomes of it, and the manifests on which the reasons rest, each once.
    pub fn explain(&self, digest: Digest) -> Vec<(Digest, &ManifestFate)> {
        let mut chain = Vec::new();
        let mut next = Some(digest);
        while let Some(digest) = next {
            let Some(fate) = self.manifests.get(&digest) else {
                break;
            };
            if chain.iter().any(|(earlier, _)| *earlier == digest) {
                break;
            }
            chain.push((digest, fate));
            next = fate.rests_on();
        }
        chain
    }

    fn deletions(&self) -> RepositoryDeletions {
        let mut deletions = RepositoryDeletions::default();
        for step in &self.steps {
            match step {
                DeletionStep::Tag { tag, digest } => {
                    deletions.tags.insert(tag.clone(), *digest);
                }
                DeletionStep::Manifest { digest, tags } => {
                    let tags = tags.iter().map(|tag| (tag.clone(), *digest));
                    deletions.tags.extend(tags);
                    let fate = self.manifests.get(digest);
                    let was_bare = fate.is_some_and(|fate| fate.is_bare);
                    deletions
                        .manifests
                        .insert(*digest, PlannedDeletion { was_bare });
                }
            }
        }
        deletions
    }
}

impl ManifestFate {
    /// Returns whether the manifest goes.
    pub fn goes(&self) -> bool {
        self.deletion_reason.is_some()
    }

    /// Returns the manifest on which the fate rests, if there is one and no other reason.
    fn rests_on(&self) -> Option<Digest> {
        match (&self.deletion_reason, self.keep_reasons.as_slice()) {
            (Some(reason), _) => reason.rests_on(),
            (None, [reason]) => reason.rests_on(),
            (None, _) => None,
        }
    }
}
