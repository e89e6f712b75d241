use super::{Signed, Verb, Verification};
use crate::image::{Commit, Digest, Location, MediaType, Place, Tag};
use crate::tagging::Kind;
use crate::transfer::Content;

/// What a release did, or, on a dry run, would do.
#[derive(Debug, Clone)]
pub struct Outcome {
    /// How it was released.
    pub verb: Verb,
    /// Whether nothing was written, only planned.
    pub dry_run: bool,
    /// Where the image was read from, as it was given.
    pub source: Location,
    /// The image.
    pub root: Digest,
    /// What kind of manifest the root is.
    pub media_type: MediaType,
    /// The digest that was asked for, where the road went on with the one that a tag named already.
    pub kept: Option<Digest>,
    /// The version, where there is one.
    pub version: Option<String>,
    /// The commit that the image was built from, as far as is known.
    pub commit: Option<Commit>,
    /// What came to pass where, in the order asked for.
    pub destinations: Vec<Released>,
    /// What was skipped or defaulted.
    pub notes: Vec<String>,
}

/// What a verb came to.
#[derive(Debug, Clone)]
pub enum Done {
    /// An image was released.
    Released(Outcome),
    /// Signatures were checked.
    Verified(Verification),
}

/// What came to pass at one destination.
#[derive(Debug, Clone)]
pub struct Released {
    /// The destination.
    pub place: Place,
    /// Its tags, the immutable ones first.
    pub tags: Vec<TagResult>,
    /// What was copied.
    pub content: Content,
    /// Its signatures, where the release is signed.
    pub signatures: Vec<Signed>,
}

/// What became of one tag.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TagResult {
    /// The tag.
    pub tag: Tag,
    /// Whether it may ever be moved.
    pub kind: Kind,
    /// The rule that gives it.
    pub rule: String,
    /// What became of it.
    pub change: Change,
}

/// What a run does to a tag.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
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
}

impl Change {
    /// Whether the tag is written.
    pub fn writes(&self) -> bool {
        matches!(self, Self::Created | Self::Moved { .. })
    }
}

impl Outcome {
    /// Whether anything was released; else all was as it should be before.
    pub fn released(&self) -> bool {
        self.destinations
            .iter()
            .flat_map(|released| &released.tags)
            .any(|tag| tag.change.writes())
    }
}
