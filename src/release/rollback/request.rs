use crate::release::records::release_name::ReleaseName;
use crate::release::records::timeline_request::TimelineRequest;
use crate::tagging::ExcludedVersions;

/// Request to withdraw a release.
#[derive(Debug, Clone)]
pub struct RollbackRequest {
    /// Timeline, and how it is written.
    pub timeline: TimelineRequest,
    /// Release to withdraw; `None`: the current one.
    pub withdraw: Option<ReleaseName>,
    /// Release to put back; `None`: the newest one that is known to be good.
    pub to: Option<ReleaseName>,
    /// Versions that never count.
    pub excluded_versions: ExcludedVersions,
    /// Whether nothing is written.
    pub dry_run: bool,
}
