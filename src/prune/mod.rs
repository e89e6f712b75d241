//! Retention on real repositories: reads what a plan is made from, writes the plan to a file, deletes by it, and
//! checks that what stays is whole.
//!
//! Every decision is that of `retention/`. A deletion needs two plans: that of the file, which a person has seen, and
//! one from a snapshot of the run that deletes. Lists that are not whole are facts of a snapshot, which stop its plan.

mod apply;
mod archive;
mod cache_segment;
mod changed_tags;
mod check_kept;
mod content_cache;
mod delete_step;
mod deletion_batch;
mod find_pins;
mod known_registry;
mod open_api;
mod plan_file;
mod prune_outcome;
mod prune_plan;
mod prune_request;
mod read_ages;
mod read_layout;
mod read_listing;
mod read_registry;
mod read_snapshot;
mod record_run;
mod repository_content;
mod request_budget;
mod restore;
mod restore_request;
mod restore_versions;
mod step_end;
mod undeletable_plan;

pub use apply::apply_prune;
pub use find_pins::find_pins;
pub use plan_file::{PlanFile, PlanFileError, plan_file_text, write_plan_file};
pub use prune_outcome::{
    AppliedDeletion, AppliedRepository, DeletionRefusal, KeptHole, PruneOutcome,
};
pub use prune_plan::{GroupPlan, PlannedRepository, PrunePlan, plan_prune};
pub use prune_request::{PruneRequest, RuleGroup};
pub use restore::restore;
pub use restore_request::{RestoreOutcome, RestoreRequest, RestoredTag};
