//! Repository of a hold, with the timeline that records it.

use super::hold_request::HoldRequest;
use crate::image::Digest;
use crate::record::{RecordAction, ReleaseRecord, TimelineHold};
use crate::release::Failure;
use crate::release::context::ReleaseContext;
use crate::release::destination::OpenDestination;
use crate::release::records::draft::base_record;
use crate::release::records::open_timeline::OpenTimeline;
use crate::release::records::timeline_request::{PATIENT_STRAY_LIMIT, TimelineRequest};
use crate::transfer::{ImageStore, Side, StoreError};

/// Repository of a hold, open for writing.
pub(super) enum HoldPlace {
    /// A timeline records its holds.
    Recorded {
        timeline: Box<OpenTimeline>,
        /// Holds that are in effect by the records.
        holds: Vec<TimelineHold>,
    },
    /// Its holds are tags alone.
    Unrecorded(Box<OpenDestination>),
}

impl HoldPlace {
    /// Opens the repository, and reads which holds its timeline has.
    ///
    /// # Errors
    /// A store that cannot tell, and too many entries that do not count.
    pub(super) async fn open(
        request: &HoldRequest,
        context: &ReleaseContext,
    ) -> Result<Self, Failure> {
        let Some(TimelineRequest {
            location, account, ..
        }) = &request.timeline
        else {
            let destination = OpenDestination::open(context, &request.place);
            return Ok(Self::Unrecorded(Box::new(destination)));
        };
        let opened = OpenTimeline::open(context, location, account.now, PATIENT_STRAY_LIMIT);
        let timeline = Box::new(Box::pin(opened).await?);
        let holds = timeline.view.read_holds().await?;
        Ok(Self::Recorded { timeline, holds })
    }

    /// Returns the timeline that records the holds.
    pub(super) fn timeline(&self) -> Option<&OpenTimeline> {
        match self {
            Self::Recorded { timeline, .. } => Some(timeline),
            Self::Unrecorded(_) => None,
        }
    }

    /// Returns the holds of a name that are in effect by the records.
    pub(super) fn holds_of(&self, name: &str) -> Vec<TimelineHold> {
        match self {
            Self::Recorded { holds, .. } => {
                let of_name = holds.iter().filter(|hold| hold.name == name);
                of_name.cloned().collect()
            }
            Self::Unrecorded(_) => Vec::new(),
        }
    }

    /// Returns the store of the images.
    pub(super) fn store(&self) -> &ImageStore {
        match self {
            Self::Recorded { timeline, .. } => &timeline.destination.store,
            Self::Unrecorded(destination) => &destination.store,
        }
    }
}

impl HoldRequest {
    /// Returns the failure of a store of the images.
    pub(super) fn failure(&self, error: impl Into<StoreError>) -> Failure {
        Failure::from_store_error(Side::Destination, &self.place, error.into())
    }

    /// Returns the record of a change of the hold on a root.
    pub(super) fn record(
        &self,
        timeline: &OpenTimeline,
        written: &TimelineRequest,
        root: Digest,
        action: RecordAction,
    ) -> ReleaseRecord {
        let mut record = base_record(&timeline.basis(), &written.account, root, action);
        record.predicate.version = timeline.known().version_of(root);
        record.predicate.hold = Some(self.name.to_string());
        record.predicate.reason = Some(self.reason.clone());
        record
    }
}
