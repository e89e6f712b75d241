use crate::image::{Destination, Digest, Tag};
use crate::record::RecordId;
use crate::release::outcome::RecordResult;
use crate::release::records::release_name::ReleaseName;
use crate::release::records::timeline_request::TimelineRequest;
use crate::retention::HoldName;
use crate::tagging::EnvironmentName;

/// Request to place a hold or to lift it.
#[derive(Debug, Clone)]
pub struct HoldRequest {
    /// Name of the hold.
    pub name: HoldName,
    /// Repository of the image.
    pub place: Destination,
    /// Timeline of that repository that records the hold; `None`: the hold is its tag alone.
    pub timeline: Option<TimelineRequest>,
    /// Why a person does it.
    pub reason: String,
    /// What is done.
    pub change: HoldChange,
    /// Whether nothing is written.
    pub dry_run: bool,
}

/// What is done with a hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum HoldChange {
    /// It is placed on an image: a digest, a version or a tag.
    Place(ReleaseName),
    /// It is lifted.
    Lift,
}

/// Outcome of a change of a hold; of a dry run what the change would be.
#[derive(Debug, Clone)]
pub struct HoldOutcome {
    /// Whether nothing was written.
    pub dry_run: bool,
    /// Name of the hold.
    pub name: HoldName,
    /// Repository.
    pub place: Destination,
    /// Environment whose timeline records the hold.
    pub environment: Option<EnvironmentName>,
    /// Whether the hold is lifted, and not placed.
    pub is_lifted: bool,
    /// Digest that is or was on hold; `None` where there was no such hold.
    pub digest: Option<Digest>,
    /// Tag of the hold.
    pub tag: Tag,
    /// What became of the tag.
    pub tag_change: HoldTagChange,
    /// Record that this run wrote, or would.
    pub record: Option<RecordResult>,
    /// Record of an earlier run that says the same.
    pub recorded: Option<RecordId>,
    /// Why a person does it.
    pub reason: String,
}

/// What became of the tag of a hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HoldTagChange {
    /// It names the image now.
    Written,
    /// It named the image already.
    Unchanged,
    /// It is deleted. A dry run does not know whether the registry deletes tags.
    Deleted,
    /// It names the empty manifest, which holds nothing: the registry does not delete it.
    Emptied,
    /// It was not there.
    Absent,
}

impl HoldOutcome {
    /// Returns whether anything was written, or would be.
    pub fn is_changed(&self) -> bool {
        let is_tag_changed = match self.tag_change {
            HoldTagChange::Written | HoldTagChange::Deleted => true,
            HoldTagChange::Emptied => self.digest.is_some(),
            HoldTagChange::Unchanged | HoldTagChange::Absent => false,
        };
        is_tag_changed || self.record.is_some()
    }

    /// Returns the record of the change.
    pub fn record_id(&self) -> Option<RecordId> {
        let written = self.record.as_ref().and_then(|record| record.id);
        written.or(self.recorded)
    }
}

impl HoldRequest {
    /// Returns the environment whose timeline records the hold.
    pub(super) fn environment(&self) -> Option<EnvironmentName> {
        let timeline = self.timeline.as_ref();
        timeline.map(|timeline| timeline.location.environment.clone())
    }
}
