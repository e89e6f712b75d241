//! The referrers of an image and of all manifests below it.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::Value;

use super::{CosignTagSuffix, ReferrerKind, SkipReason, SkippedReferrer};
use crate::image::{Digest, Manifest, Reservation};

/// Referrers of an image and of all manifests below it.
#[derive(Debug, Clone, Default)]
pub struct ReferrerGraph {
    /// The referrers that travel, each after what it is about.
    pub referrers: Vec<Referrer>,
    /// The images under tags that travel.
    pub cosign_images: Vec<CosignTagImage>,
    /// What does not travel.
    pub skipped: Vec<SkippedReferrer>,
}

/// Referrer that is copied.
#[derive(Debug, Clone)]
pub struct Referrer {
    /// Manifest that it refers to.
    pub subject: Digest,
    /// Kind.
    pub kind: ReferrerKind,
    /// Digest. The manifest is read again when it is written, since an image may have thousands of
    /// them.
    pub digest: Digest,
}

/// Image under a tag of cosign.
#[derive(Debug, Clone)]
pub struct CosignTagImage {
    /// Manifest that the tag is made of.
    pub subject: Digest,
    /// Suffix of the tag.
    pub suffix: CosignTagSuffix,
    /// Manifest of the image.
    pub manifest: Manifest,
    /// Layers that are copied, with the kind of each.
    pub layers: Vec<(ReferrerKind, Value)>,
    /// The memory that its layers take.
    pub(super) _memory: Option<Arc<Reservation>>,
}

impl ReferrerGraph {
    /// Returns whether there are no referrers, cosign images or skipped referrers.
    pub fn is_empty(&self) -> bool {
        self.referrers.is_empty() && self.cosign_images.is_empty() && self.skipped.is_empty()
    }

    /// Returns the number of referrers and layers of each kind that are copied.
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
        SkippedReferrer::add(&mut self.skipped, kind, reason);
    }
}
