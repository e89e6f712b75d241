//! Tags made of a digest: `sha256-<hex>` of the referrers tag schema, and cosign's `sha256-<hex>.sig`,
//! `.att` and `.sbom`.

use crate::image::{Digest, Tag, TagOrDigest};

/// Suffix of a tag that cosign makes of a digest, by the content of its image.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum CosignTagSuffix {
    /// `.sig`: a signature a layer.
    Sig,
    /// `.att`: an attestation a layer.
    Att,
    /// `.sbom`: one SBOM.
    Sbom,
}

impl CosignTagSuffix {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Sig, Self::Att, Self::Sbom];

    fn as_str(self) -> &'static str {
        match self {
            Self::Sig => ".sig",
            Self::Att => ".att",
            Self::Sbom => ".sbom",
        }
    }

    /// Returns the tag with this suffix for the digest of a manifest.
    pub fn tag(self, subject: Digest) -> Tag {
        digest_tag(subject, self.as_str())
    }
}

/// Returns the tag `sha256-<hex>` of the referrers tag schema.
pub(super) fn referrers_tag(subject: Digest) -> Tag {
    digest_tag(subject, "")
}

fn digest_tag(subject: Digest, ending: &str) -> Tag {
    let text = format!("sha256-{}{ending}", subject.to_hex());
    text.parse().expect("a digest's hex digits make a tag")
}

/// Returns the reference to a manifest by `tag`.
pub(super) fn tag_target(tag: &Tag) -> TagOrDigest {
    TagOrDigest::Tag(tag.clone())
}
