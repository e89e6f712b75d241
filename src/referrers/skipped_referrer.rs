//! Referrers that are not copied, with the reason.

use std::fmt;

use super::ReferrerKind;
use super::limits::{REFERRERS_LIMIT, SIZE_LIMIT};

/// Some things of a kind that do not travel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SkippedReferrer {
    /// What they are.
    pub kind: ReferrerKind,
    /// How many.
    pub count: u64,
    /// Why.
    pub reason: SkipReason,
}

/// Why something does not travel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SkipReason {
    /// Records of a release to another environment never do.
    ReleaseRecord,
    /// Its kind is none of the known ones.
    UnknownKind,
    /// There are too many of them, or they are too large together.
    LimitExceeded,
    /// It is listed, and is not there any more.
    Missing,
    /// It does not say that it is about what it is listed for.
    OtherSubject,
    /// Its manifest, or one below it, cannot be read.
    Unreadable,
    /// The destination has another one under the same tag.
    TagConflict,
}

impl SkippedReferrer {
    /// Whether a person should look at it: it was meant to travel, or is not as it should be.
    pub fn is_unexpected(&self) -> bool {
        !matches!(
            self.reason,
            SkipReason::ReleaseRecord | SkipReason::UnknownKind
        )
    }
}

impl fmt::Display for SkippedReferrer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let what = self.kind.count_phrase(self.count);
        match self.reason {
            SkipReason::ReleaseRecord => write!(f, "{what}, of another environment"),
            SkipReason::UnknownKind => {
                write!(f, "{what} of unknown kind (referrers: all copies them)")
            }
            SkipReason::LimitExceeded => write!(
                f,
                "{what}, more than {REFERRERS_LIMIT} referrers or {} GiB (referrers: all copies all)",
                SIZE_LIMIT >> 30
            ),
            SkipReason::Missing => write!(f, "{what}, listed at the source but missing"),
            SkipReason::OtherSubject => {
                write!(f, "{what}, listed at the source for another subject")
            }
            SkipReason::Unreadable => {
                write!(
                    f,
                    "{what}, with a manifest that cannot be read (referrers: all refuses it)"
                )
            }
            SkipReason::TagConflict => {
                write!(
                    f,
                    "{what}: the tag exists at the destination with other content"
                )
            }
        }
    }
}
