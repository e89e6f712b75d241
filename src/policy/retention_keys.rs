//! Rules of retention of an environment: those of the file, and its own.

use std::sync::Arc;

use crate::retention::{KeepRules, PruneRule, RegistryApiRule, RetentionRules};
use crate::rule_duration::RuleDuration;

/// Value of a key `retention`: what is not written is `None`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct RetentionKeys {
    pub(super) keep: KeepRules,
    pub(super) prune: Option<Vec<PruneRule>>,
    pub(super) grace: Option<RuleDuration>,
    /// Limit on the share of the images, in percent.
    pub(super) share: Option<u8>,
    /// Limit on the number of images.
    pub(super) images: Option<usize>,
    /// Registries with an API of their own.
    pub(super) apis: Vec<RegistryApiRule>,
}

/// Retention of an environment.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct EnvironmentRetention {
    /// Keys of the file, which many environments share.
    pub(super) of_file: Arc<RetentionKeys>,
    pub(super) own: RetentionKeys,
}

impl EnvironmentRetention {
    /// Returns the rules: what both keep stays, and the other keys of the environment replace those of the file.
    pub(super) fn to_rules(&self) -> RetentionRules {
        let (file, own) = (self.of_file.as_ref(), &self.own);
        let default = RetentionRules::default();
        let mut limits = default.limits;
        limits.share = own.share.or(file.share).unwrap_or(limits.share);
        limits.images = own.images.or(file.images).unwrap_or(limits.images);
        let prune = own.prune.as_ref().or(file.prune.as_ref());
        let grace = own.grace.as_ref().or(file.grace.as_ref());
        RetentionRules {
            keep: join_keep_rules(&file.keep, &own.keep),
            prune: prune.cloned().unwrap_or_default(),
            grace: grace.cloned().unwrap_or(default.grace),
            limits,
            apis: join_apis(&file.apis, &own.apis),
        }
    }
}

/// Returns what two rules keep together: the longer time, the higher number, and every pattern once.
fn join_keep_rules(one: &KeepRules, other: &KeepRules) -> KeepRules {
    let mut joined = one.clone();
    joined.released = joined.released.max(other.released.clone());
    joined.rollback = joined.rollback.max(other.rollback);
    let is_new = |tag: &&_| !one.tags.contains(tag);
    joined
        .tags
        .extend(other.tags.iter().filter(is_new).cloned());
    let is_new = |file: &&String| !one.pinned.contains(file);
    let files = other.pinned.iter().filter(is_new).cloned();
    joined.pinned.extend(files);
    joined
}

/// Returns the registries of both: of two rules for one registry, that of the environment.
fn join_apis(file: &[RegistryApiRule], own: &[RegistryApiRule]) -> Vec<RegistryApiRule> {
    let is_other = |rule: &&RegistryApiRule| !own.iter().any(|it| it.registry == rule.registry);
    own.iter()
        .chain(file.iter().filter(is_other))
        .cloned()
        .collect()
}
