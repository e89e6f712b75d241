use crate::image::Tag;
use crate::record::{HistoryFilter, RecordTime};
use crate::release::records::location::TimelineLocation;

/// Request for the history of an environment.
#[derive(Debug, Clone)]
pub struct HistoryRequest {
    /// Timeline.
    pub location: TimelineLocation,
    /// Time of this machine's clock.
    pub clock: RecordTime,
    /// Most entries to show; `None`: all.
    pub limit: Option<usize>,
    /// Whether each entry is read, also one that a newer record names.
    pub reads_each: bool,
    /// Which entries are shown.
    pub filter: HistoryFilter,
    /// Tag whose roots are shown.
    pub tag: Option<Tag>,
}
