use crate::image::{Destination, Digest, Tag};
use crate::record::RecordId;
use crate::release::named_root::NamedRoot;
use crate::release::records::timeline_request::TimelineRequest;
use crate::tagging::{EnvironmentName, ExcludedVersions};

/// Request to record the releases that are there.
#[derive(Debug, Clone)]
pub struct AdoptRequest {
    /// Timeline, and how it is written.
    pub timeline: TimelineRequest,
    /// Versions that never count.
    pub excluded_versions: ExcludedVersions,
    /// Whether nothing is written.
    pub dry_run: bool,
}

/// Outcome of an adoption; on a dry run, the planned one.
#[derive(Debug, Clone)]
pub struct AdoptOutcome {
    /// Whether this was a dry run.
    pub dry_run: bool,
    /// Environment.
    pub environment: EnvironmentName,
    /// Repository.
    pub place: Destination,
    /// Releases that are recorded now, in the order of their records.
    pub adopted: Vec<AdoptedRelease>,
    /// Releases that had a record.
    pub known: usize,
    /// Release that the environment is on.
    pub current: Option<NamedRoot>,
    /// What a reader should know.
    pub notes: Vec<String>,
}

/// Release that an adoption records.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AdoptedRelease {
    /// Digest of the root.
    pub root: Digest,
    /// Version; `None` if no version tag names the root.
    pub version: Option<String>,
    /// Tags that name the root.
    pub tags: Vec<Tag>,
    /// Record; `None` on a dry run.
    pub record: Option<RecordId>,
}
