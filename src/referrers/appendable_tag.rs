//! Tag that every writer appends to: the referrers index on a registry without the referrers API,
//! and cosign's images under `.sig`, `.att` and `.sbom`.

use serde_json::{Map, Value, json};

use super::CosignTagSuffix;
use super::digest_tags::referrers_tag;
use crate::image::{Digest, MediaType, Tag};

/// A tag that is added to.
#[derive(Debug, Clone)]
pub struct AppendableTag {
    pub(super) tag: Tag,
    /// The manifest that the tag is about: some registries give it for the tag that is not there.
    pub(super) subject: Digest,
    pub(super) content: TagContent,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum TagContent {
    /// An index of referrers.
    ReferrersIndex,
    /// An image with a signature, or another statement, a layer.
    CosignImage,
}

impl AppendableTag {
    /// Returns the tag of the referrers index of `subject`.
    pub fn referrers_index(subject: Digest) -> Self {
        Self {
            tag: referrers_tag(subject),
            subject,
            content: TagContent::ReferrersIndex,
        }
    }

    /// Returns the tag of the legacy signatures of `subject`.
    pub fn signatures(subject: Digest) -> Self {
        Self::cosign_image(subject, CosignTagSuffix::Sig)
    }

    /// Returns the tag of cosign's image about `subject` with the suffix `ending`.
    pub fn cosign_image(subject: Digest, ending: CosignTagSuffix) -> Self {
        Self {
            tag: ending.tag(subject),
            subject,
            content: TagContent::CosignImage,
        }
    }

    /// Returns the name of the tag.
    pub fn tag(&self) -> &Tag {
        &self.tag
    }

    pub(super) fn member_name(&self) -> &'static str {
        match self.content {
            TagContent::ReferrersIndex => "manifests",
            TagContent::CosignImage => "layers",
        }
    }

    pub(super) fn empty_manifest(&self) -> Map<String, Value> {
        let kind = match self.content {
            TagContent::ReferrersIndex => MediaType::OciIndex,
            TagContent::CosignImage => MediaType::OciManifest,
        };
        let json = json!({"schemaVersion": 2, "mediaType": kind.as_str()});
        json.as_object().cloned().unwrap_or_default()
    }
}
