//! Release records: what happened to an image in an environment, as a signed statement, and the timeline that
//! the records of an environment form. Pure: values in, values out.

mod action;
mod counting;
mod current_period;
mod entry_manifest;
mod entry_name;
mod history;
mod hold_state;
mod past_release;
mod record_id;
mod record_time;
mod release_predicate;
mod release_state;
mod rollback_target;
mod statement;
mod text_members;
mod timeline;
mod timeline_entry;
mod verification_summary;

pub use action::{RecordAction, RecordActionError};
pub use counting::{RecordMismatch, TimelinePlace};
pub use current_period::{CurrentPeriod, PeriodRecord};
pub use entry_manifest::{
    EntryLayers, EntryManifestError, RecordBlob, SOURCE_RECORDS_LIMIT, STATEMENT_MEDIA_TYPE,
    TIMELINE_ENTRY_TYPE, build_entry_manifest, entry_config, parse_entry_manifest,
};
pub use entry_name::{DigestPrefix, ENTRY_PREFIX, EntryName, EntryNameError};
pub use history::{
    CommitPrefix, DigestPattern, EntryKnowledge, EntryRemark, EntryState, ExpectedRoot,
    HistoryFilter, HistoryFilterError, HistoryLine, HistoryReadings, ListedEntries, ReadEntry,
    RecordProof, TagDrift, TagPeriod, TagRecord, TimelineHistory, expected_root, expected_tags,
    tag_periods,
};
pub use hold_state::TimelineHold;
pub use past_release::{PAST_LIMIT, PastRelease};
pub use record_id::RecordId;
pub use record_time::{RecordTime, RecordTimeError};
pub use release_predicate::{
    RecordedApproval, RecordedBuild, RecordedCommit, RecordedDeletion, RecordedEvidence,
    RecordedPolicy, RecordedRun, RecordedSource, RecordedTag, RecordedTagKind, ReleasePredicate,
};
pub use release_state::ReleaseMark;
pub use statement::{RECORD_LIMITS, RECORD_PREDICATE_TYPE, RecordError, ReleaseRecord};
pub use timeline::{FutureEntryError, Timeline};
pub use timeline_entry::TimelineEntry;
pub use verification_summary::{
    SUMMARY_VERIFIER, StoredSummary, SummaryResult, VerificationSummary,
};

#[cfg(test)]
mod tests;
