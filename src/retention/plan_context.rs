//! What the plans of all repositories share.

use std::collections::HashMap;
use std::sync::Arc;

use super::protected_digests::ProtectedDigests;
use super::release_use::find_recorded_times;
use super::retention_rules::RetentionRules;
use super::snapshot::RetentionSnapshot;
use crate::image::Digest;
use crate::record::RecordTime;

/// Rules and time of a plan, and what they keep in every repository.
pub(super) struct PlanContext<'a> {
    /// Snapshot.
    pub(super) snapshot: &'a RetentionSnapshot,
    /// Rules.
    pub(super) rules: &'a RetentionRules,
    /// Texts of the prune rules.
    pub(super) rule_texts: Vec<Arc<str>>,
    /// Time of the plan.
    pub(super) now: RecordTime,
    /// Digests that stay in every repository.
    pub(super) protected: ProtectedDigests,
    /// Newest record of each digest.
    pub(super) recorded: HashMap<Digest, RecordTime>,
}

impl<'a> PlanContext<'a> {
    /// Returns the context of a plan.
    pub(super) fn new(
        snapshot: &'a RetentionSnapshot,
        rules: &'a RetentionRules,
        now: RecordTime,
    ) -> Self {
        let texts = rules.prune.iter().map(|rule| rule.to_string().into());
        Self {
            snapshot,
            rules,
            rule_texts: texts.collect(),
            now,
            protected: ProtectedDigests::new(snapshot, &rules.keep, now),
            recorded: find_recorded_times(&snapshot.environments),
        }
    }

    /// Returns whether a repository of the snapshot has a manifest, or something keeps it wherever it is.
    pub(super) fn is_known(&self, digest: Digest) -> bool {
        let mut repositories = self.snapshot.repositories.iter();
        !self.protected.reasons(digest).is_empty()
            || repositories.any(|it| it.manifests.contains_key(&digest))
    }
}
