//! Retention: what of some repositories may go and what must stay. Pure: a snapshot, rules and a time in, a plan
//! with the reason of each decision out.

mod deletion_order;
mod deletion_reason;
mod find_stops;
mod freed_space;
mod hold_name;
mod judge_manifest;
mod keep_reason;
mod lifted_hold;
mod manifest_age;
mod manifest_graph;
mod newest_of_rule;
mod observed_manifest;
mod plan_context;
mod plan_repository;
mod plan_retention;
mod planned_deletions;
mod protected_digests;
mod reachability;
mod registry_api_rule;
mod release_use;
mod repository_facts;
mod reserved_tag;
mod retention_plan;
mod retention_rules;
mod retention_stop;
mod retention_warning;
mod snapshot;
mod version_class;

pub use deletion_reason::DeletionReason;
pub use hold_name::{HoldName, HoldNameError};
pub use keep_reason::KeepReason;
pub use lifted_hold::{build_lifted_hold, is_lifted_hold};
pub use manifest_age::{AgeSource, ManifestAge};
pub use observed_manifest::{
    ManifestLinks, ObservedBlob, ObservedContent, ObservedManifest, ObservedTimes,
};
pub use plan_retention::plan_retention;
pub use planned_deletions::{PlannedDeletion, PlannedDeletions, RepositoryDeletions};
pub use registry_api_rule::{RegistryApiRule, RegistryApiRuleError};
pub use reserved_tag::{HOLD_PREFIX, ReservedTag, UNHOLD_TYPE, names_reserved_tags};
pub use retention_plan::{
    DeletionStep, FreedSpace, ImageTally, ManifestFate, RepositoryPlan, RetentionPlan, TagFate,
};
pub use retention_rules::{DeletionLimits, KeepRules, PruneRule, PruneSelector, RetentionRules};
pub use retention_stop::RetentionStop;
pub use retention_warning::RetentionWarning;
pub use snapshot::{
    DeletionOrder, EnvironmentReleases, ObservedTag, PinnedDigest, RecordedHold, RegistryDeletion,
    RepositorySnapshot, RetentionSnapshot,
};

#[cfg(test)]
mod tests;
