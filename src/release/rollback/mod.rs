//! Rollback: withdraws a release, and brings the tags of its environment back in line. It reads the repository of
//! the environment and no other.
//!
//! Start in `run.rs`. The steps are those of a release: what is withdrawn (`withdrawn.rs`) and what is put back
//! (`target.rs`) is decided from verified records, the image that is put back is checked (`image_check.rs`), and
//! the tags are planned (`moving_tags.rs`, `plan/rollback_tags.rs`). Then come the intent, the tags and the
//! timeline entry. After the entry the timeline is listed again and the tags are looked at once more
//! (`recheck.rs`). A promotion that was under way has listed the timeline before our entry, so that its own entry
//! and all that it wrote before that list are there for us to correct, or it lists the timeline after our entry,
//! and then takes its tags off the withdrawn image itself: whoever writes a tag lists the timeline after it.

mod failed_summary;
mod image_check;
mod line_search;
mod moving_tags;
mod next_target;
mod notes;
mod outcome;
mod recheck;
mod repetition;
mod request;
mod run;
mod tag_writes;
mod target;
mod withdrawn;

pub use outcome::RollbackOutcome;
pub use request::RollbackRequest;
pub use run::rollback;
