//! Request for the deletion of what rules do not keep.

use std::path::PathBuf;

use crate::image::{Destination, Digest};
use crate::record::RecordTime;
use crate::registry_api::ApiLogins;
use crate::release::{TimelineLocation, TimelineRequest};
use crate::retention::{EnvironmentReleases, PinnedDigest, RecordedHold, RetentionRules};

/// Request for a plan of deletions, or for deletions by a plan.
#[derive(Debug, Clone)]
pub struct PruneRequest {
    /// Repositories with the rules for them.
    pub groups: Vec<RuleGroup>,
    /// Timelines whose releases keep images, also in other repositories.
    pub timelines: Vec<TimelineLocation>,
    /// Timelines on which deletions are recorded, if they have entries.
    pub records: Vec<TimelineRequest>,
    /// Digests that files of the policy's commit name.
    pub pins: Vec<PinnedDigest>,
    /// Digests of the files of the policy.
    pub policy: Vec<Digest>,
    /// Time of this machine's clock.
    pub clock: RecordTime,
    /// Most requests that are sent; `None`: as many as it takes.
    pub max_requests: Option<u64>,
    /// Logins for registries' own APIs.
    pub logins: ApiLogins,
    /// Directory in which manifests are kept between runs.
    pub cache: Option<PathBuf>,
    /// Directory to which what goes is copied before it is deleted.
    pub archive: Option<PathBuf>,
}

/// Repositories that have the same rules.
#[derive(Debug, Clone)]
pub struct RuleGroup {
    /// Rules.
    pub rules: RetentionRules,
    /// Repositories.
    pub places: Vec<Destination>,
}

/// Releases and holds that records say.
#[derive(Debug, Default, Clone)]
pub(super) struct RecordedUse {
    pub(super) environments: Vec<EnvironmentReleases>,
    pub(super) holds: Vec<RecordedHold>,
}
