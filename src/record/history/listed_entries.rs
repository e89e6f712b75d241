use crate::record::entry_name::EntryName;
use crate::record::record_time::RecordTime;

/// Entries of a timeline that a reader listed.
#[derive(Debug, Clone, Copy)]
pub struct ListedEntries<'a> {
    /// Names of the entries, oldest first.
    pub names: &'a [EntryName],
    /// Whether these are all, also the oldest.
    pub is_complete: bool,
    /// Time of the reader's clock.
    pub clock: RecordTime,
}
