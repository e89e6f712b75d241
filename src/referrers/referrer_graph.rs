//! The referrers of an image and of all manifests below it.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::Value;

use super::{CosignTagSuffix, ReferrerKind, SkipReason, SkippedReferrer};
use crate::image::{Digest, Manifest, Reservation};

/// What stands beside an image.
#[derive(Debug, Clone, Default)]
pub struct ReferrerGraph {
    /// The referrers that travel, each after what it is about.
    pub referrers: Vec<Referrer>,
    /// The images under tags that travel.
    pub cosign_images: Vec<CosignTagImage>,
    /// What does not travel.
    pub skipped: Vec<SkippedReferrer>,
}

/// A referrer that travels.
#[derive(Debug, Clone)]
pub struct Referrer {
    /// What it says something about.
    pub subject: Digest,
    /// What it is.
    pub kind: ReferrerKind,
    /// Which one it is. It is read again when it is written: thousands may stand beside an image.
    pub digest: Digest,
}

/// An image of cosign's older form.
#[derive(Debug, Clone)]
pub struct CosignTagImage {
    /// What it says something about.
    pub subject: Digest,
    /// How its tag ends.
    pub suffix: CosignTagSuffix,
    /// It.
    pub manifest: Manifest,
    /// The layers of it that travel, and what each is.
    pub layers: Vec<(ReferrerKind, Value)>,
    /// The memory that its layers take.
    pub(super) _memory: Option<Arc<Reservation>>,
}

impl ReferrerGraph {
    /// Whether there is nothing at all.
    pub fn is_empty(&self) -> bool {
        self.referrers.is_empty() && self.cosign_images.is_empty() && self.skipped.is_empty()
    }

    /// How many of each kind there are, of those that would travel.
    pub fn counts(&self) -> BTreeMap<ReferrerKind, u64> {
        let referrers = self.referrers.iter().map(|referrer| &referrer.kind);
        let tagged = self.cosign_images.iter().flat_map(|tagged| &tagged.layers);
        let mut counts = BTreeMap::new();
        for kind in referrers.chain(tagged.map(|(kind, _)| kind)) {
            *counts.entry(kind.clone()).or_default() += 1;
        }
        counts
    }

    /// Counts a referrer that is not copied.
    pub(super) fn skip(&mut self, kind: ReferrerKind, reason: SkipReason) {
        let mut known = self.skipped.iter_mut();
        match known.find(|left| left.kind == kind && left.reason == reason) {
            Some(left) => left.count += 1,
            None => self.skipped.push(SkippedReferrer {
                kind,
                count: 1,
                reason,
            }),
        }
    }
}
