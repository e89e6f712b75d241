//! Release records in repositories: timelines are read and verified, and a release writes its record, as an
//! intent before the tags and as a timeline entry after them.

pub(super) mod clock;
pub(super) mod commit_releases;
pub(super) mod draft;
pub(super) mod early_reads;
pub(super) mod entry_scan;
pub(super) mod environment_tag;
pub(super) mod intent;
mod known_timeline;
pub(super) mod left_entries;
pub(super) mod location;
pub(super) mod observe;
pub(super) mod open_timeline;
pub(super) mod options;
pub(super) mod own_attempts;
pub(super) mod plan_stages;
pub(super) mod record_basis;
pub(super) mod record_rejection;
pub(super) mod record_signing;
pub(super) mod referrer_form;
pub(super) mod refusals;
pub(super) mod release_name;
pub(super) mod release_signature;
pub(super) mod signer_match;
pub(super) mod since_release;
pub(super) mod source_record;
pub(super) mod source_tags;
pub(super) mod source_timeline;
pub(super) mod stage;
mod superseded;
pub(super) mod timeline_records;
pub(super) mod timeline_request;
pub(super) mod timeline_view;
pub(super) mod trust;
pub(super) mod unfinished;
pub(super) mod verified_record;
mod written_entry;
