//! What a release did at each destination.

use url::Url;

use super::request::{ReleaseVerb, SignatureFormat};
use crate::image::{CommitId, Destination, Digest, ImageSource, MediaType, Tag, TagOrDigest};
use crate::referrers::CopiedReferrers;
use crate::tagging::TagKind;
use crate::transfer::CopyStats;

/// What a release did, or, on a dry run, would do.
#[derive(Debug, Clone)]
pub struct ReleaseOutcome {
    /// How it was released.
    pub verb: ReleaseVerb,
    /// Whether nothing was written, only planned.
    pub dry_run: bool,
    /// Where the image was read from, as it was given.
    pub source: ImageSource,
    /// The image.
    pub root: Digest,
    /// What kind of manifest the root is.
    pub media_type: MediaType,
    /// What it is of, where it was made of some platforms of the source.
    pub platform_selection: Option<PlatformSelection>,
    /// The digest that was asked for, where the road went on with the one that a tag named already.
    pub requested_digest: Option<Digest>,
    /// The version, where there is one.
    pub version: Option<String>,
    /// The commit that the image was built from, as far as is known.
    pub commit: Option<CommitId>,
    /// What came to pass where, in the order asked for.
    pub destinations: Vec<DestinationOutcome>,
    /// What was skipped or defaulted.
    pub notes: Vec<String>,
}

/// What came to pass at one destination.
#[derive(Debug, Clone)]
pub struct DestinationOutcome {
    /// The destination.
    pub place: Destination,
    /// Its tags, the immutable ones first.
    pub tags: Vec<TagResult>,
    /// What was copied.
    pub copy_stats: CopyStats,
    /// What stood beside the image and was brought along, or left.
    pub referrers: CopiedReferrers,
    /// Its signatures, where the release is signed.
    pub signatures: Vec<SignatureResult>,
}

/// What became of one tag.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TagResult {
    /// The tag.
    pub tag: Tag,
    /// Whether it may ever be moved.
    pub kind: TagKind,
    /// The rule that gives it.
    pub rule: String,
    /// What became of it.
    pub change: TagChange,
}

/// What a run does to a tag.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TagChange {
    /// It is new.
    Created,
    /// It named something else before.
    Moved {
        /// What it named.
        from: Digest,
    },
    /// It names the root already.
    Unchanged,
    /// It stays where it is, though the rule gives it.
    Stays {
        /// What it names, if anything.
        at: Option<Digest>,
        /// Why.
        why: String,
    },
    /// It names another release than the rule gives, which it did not, as it should have: a run that
    /// died, or one at the same time, left it behind.
    Corrected {
        /// What it named, if anything.
        from: Option<Digest>,
        /// What it names now: the highest release of its line.
        to: Digest,
        /// Why it is not the root.
        why: String,
    },
}

/// What became of one signature.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignatureResult {
    /// What it is of: the root, or a manifest below it.
    pub of: Digest,
    /// The type of what it attests; none where it is a signature.
    pub predicate_type: Option<&'static str>,
    /// Its form.
    pub format: SignatureFormat,
    /// Where it is; none where it is not made yet.
    pub at: Option<TagOrDigest>,
    /// Where GitHub shows it, if this run had it kept there.
    pub url: Option<Url>,
    /// Whether this run made it, or on a dry run would have.
    pub is_new: bool,
}

/// An index that was made of some platforms of another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlatformSelection {
    /// The digest that the source has.
    pub of: Digest,
    /// The platforms that are left.
    pub platforms: Vec<String>,
}

impl TagChange {
    /// Whether the tag is made to name the root.
    pub fn writes_root(&self) -> bool {
        matches!(self, Self::Created | Self::Moved { .. })
    }

    /// Whether the tag is written at all, with the root or with another image.
    pub(super) fn writes_tag(&self) -> bool {
        self.writes_root() || matches!(self, Self::Corrected { .. })
    }

    /// What the tag named before.
    pub(super) fn previous_digest(&self, root: Digest) -> Option<Digest> {
        match self {
            Self::Created => None,
            Self::Moved { from } => Some(*from),
            Self::Unchanged => Some(root),
            Self::Stays { at, .. } | Self::Corrected { from: at, .. } => *at,
        }
    }
}

impl ReleaseOutcome {
    /// Whether any tag was written, anything was brought along, or anything was signed; else all was
    /// as it should be before.
    pub fn has_changes(&self) -> bool {
        self.destinations.iter().any(|released| {
            let tagged = released.tags.iter().any(|tag| tag.change.writes_tag());
            let signed = released.signatures.iter().any(|signed| signed.is_new);
            tagged || signed || !released.referrers.copied.is_empty()
        })
    }
}
