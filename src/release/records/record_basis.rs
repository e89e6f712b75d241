use super::location::TimelineLocation;
use super::timeline_view::RecentEntries;
use crate::record::RecordTime;

/// State of a timeline that its next record is planned on.
pub(crate) struct RecordBasis<'a> {
    /// Timeline.
    pub(crate) location: &'a TimelineLocation,
    /// Newest entries, which the record names and summarizes.
    pub(crate) recent: &'a RecentEntries,
    /// Time of the record.
    pub(crate) planned_at: RecordTime,
}
