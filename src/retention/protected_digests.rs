//! Digests that stay in every repository: by releases, holds and files.

use std::collections::HashMap;

use super::keep_reason::KeepReason;
use super::release_use::{find_released_roots, find_rollback_roots};
use super::retention_rules::KeepRules;
use super::snapshot::RetentionSnapshot;
use crate::image::Digest;
use crate::record::RecordTime;

/// Digests that stay in every repository, with their reasons.
#[derive(Debug, Default)]
pub(super) struct ProtectedDigests(HashMap<Digest, Vec<KeepReason>>);

impl ProtectedDigests {
    /// Returns the digests that stay by the rules at a time.
    pub(super) fn new(snapshot: &RetentionSnapshot, keep: &KeepRules, now: RecordTime) -> Self {
        let mut protected = Self::default();
        for hold in &snapshot.holds {
            protected.add(hold.digest, KeepReason::Hold(hold.name.clone()));
        }
        for releases in &snapshot.environments {
            let environment = &releases.environment;
            if let Some((_, root)) = releases.timeline.current() {
                protected.add(root, KeepReason::Current(environment.clone()));
            }
            let number = keep.rollback.unwrap_or(0);
            if number > 0 {
                for root in find_rollback_roots(&releases.timeline, number) {
                    protected.add(root, KeepReason::Rollback(environment.clone()));
                }
            }
            let floor = keep.released.iter();
            for (root, last_use) in floor.flat_map(|it| find_released_roots(releases, it, now)) {
                let environment = environment.clone();
                let reason = KeepReason::Released {
                    environment,
                    last_use,
                };
                protected.add(root, reason);
            }
        }
        for pin in &snapshot.pins {
            protected.add(pin.digest, KeepReason::Pinned(pin.file.clone()));
        }
        protected
    }

    fn add(&mut self, digest: Digest, reason: KeepReason) {
        let reasons = self.0.entry(digest).or_default();
        if !reasons.contains(&reason) {
            reasons.push(reason);
        }
    }

    /// Returns why a digest stays; nothing if no such reason is there.
    pub(super) fn reasons(&self, digest: Digest) -> &[KeepReason] {
        self.0.get(&digest).map_or(&[], Vec::as_slice)
    }

    /// Returns all digests with their reasons.
    pub(super) fn all(&self) -> impl Iterator<Item = (Digest, &KeepReason)> {
        let all = self.0.iter();
        all.flat_map(|(digest, reasons)| reasons.iter().map(|reason| (*digest, reason)))
    }
}
