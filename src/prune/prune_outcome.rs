//! Outcome of a run that deletes.

use super::open_api::undoes_deletions;
use super::prune_plan::PrunePlan;
use crate::image::{Destination, Digest};
use crate::release::{Failure, RecordResult};
use crate::retention::{DeletionReason, DeletionStep};
use crate::tagging::EnvironmentName;

/// Outcome of a run that deletes by a plan file.
#[derive(Debug)]
pub struct PruneOutcome {
    /// Plan that this run made, as far as the plan file confirms it.
    pub plan: PrunePlan,
    /// What was deleted, in the order of the plan's repositories.
    pub repositories: Vec<AppliedRepository>,
    /// Requests that it took.
    pub requests: u64,
}

/// What was deleted in a repository.
#[derive(Debug)]
pub struct AppliedRepository {
    /// Repository.
    pub place: Destination,
    /// Deletions in their order.
    pub deletions: Vec<AppliedDeletion>,
    /// Blobs of a layout that were deleted.
    pub blobs: usize,
    /// What the registry refused to delete.
    pub refusals: Vec<DeletionRefusal>,
    /// What changed since the plan and stays for it.
    pub changes: Vec<String>,
    /// What is missing after the run.
    pub holes: Vec<KeptHole>,
    /// Records of the deletions, for each environment of the repository that keeps a timeline.
    pub records: Vec<(EnvironmentName, RecordResult)>,
    /// Why the run ended early here.
    pub failure: Option<Failure>,
}

/// Tag or manifest that was deleted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AppliedDeletion {
    /// What it is.
    pub step: DeletionStep,
    /// Why it went.
    pub reason: Option<DeletionReason>,
    /// Whether an earlier run, or somebody else, had deleted it.
    pub was_absent: bool,
}

/// Deletion that the registry refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeletionRefusal {
    /// Tag or digest.
    pub name: String,
    /// Words of the registry.
    pub reason: String,
}

/// Manifest that something names and that the registry does not have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeptHole {
    /// What names it, or should: `the tag 1.4.0`, `the index sha256:…`.
    pub named_by: String,
    /// Missing manifest; `None` where a tag is gone and its last target is unknown.
    pub missing: Digest,
    /// Whether this run deleted it.
    pub is_deleted_here: bool,
}

impl AppliedRepository {
    /// Returns a repository in which nothing is deleted yet.
    pub(super) fn new(place: Destination) -> Self {
        Self {
            place,
            deletions: Vec::new(),
            blobs: 0,
            refusals: Vec::new(),
            changes: Vec::new(),
            holes: Vec::new(),
            records: Vec::new(),
            failure: None,
        }
    }

    /// Returns the digests that this run deleted.
    pub fn deleted_manifests(&self) -> impl Iterator<Item = Digest> {
        self.deletions.iter().filter_map(|it| match &it.step {
            DeletionStep::Manifest { digest, .. } => Some(*digest),
            DeletionStep::Tag { .. } => None,
        })
    }
}

impl AppliedDeletion {
    /// Returns the reason as text.
    pub fn reason_text(&self) -> String {
        let reason = self.reason.as_ref();
        reason.map(ToString::to_string).unwrap_or_default()
    }
}

impl KeptHole {
    /// Returns the command that puts the missing manifest back.
    pub fn restore_command(&self, place: &Destination, archive: Option<&str>) -> String {
        let command = format!(
            "shipmark restore --images {place} --digest {}",
            self.missing
        );
        match archive {
            None if undoes_deletions(place) => command,
            archive => format!("{command} --archive {}", archive.unwrap_or("oci:DIR")),
        }
    }
}
