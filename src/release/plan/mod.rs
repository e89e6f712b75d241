//! Observes the destinations, and plans the change of each tag there.

pub(super) mod branch_ancestry;
pub(super) mod branch_names;
pub(super) mod creation_time;
pub(super) mod destination_state;
pub(super) mod environment_tag;
pub(super) mod line_correction;
pub(super) mod line_facts;
pub(super) mod line_question;
pub(super) mod line_warnings;
pub(super) mod lines;
mod next_version;
pub(super) mod observe;
pub(super) mod record_facts;
pub(super) mod recorded_releases;
pub(super) mod reuse;
pub(super) mod rollback_tags;
pub(super) mod tags;
pub(super) mod tracked_tag;
