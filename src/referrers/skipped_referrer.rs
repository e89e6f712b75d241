//! Referrers that are not copied, with the reason.

use std::fmt;

use super::ReferrerKind;
use super::limits::{REFERRERS_LIMIT, SIZE_LIMIT};

/// Referrers of one kind that are not copied.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SkippedReferrer {
    /// Kind of the referrers.
    pub kind: ReferrerKind,
    /// Number of them.
    pub count: u64,
    /// Reason.
    pub reason: SkipReason,
}

/// Reason why a referrer is not copied.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SkipReason {
    /// Records and summaries of a release to another environment never do.
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
    /// The destination refuses its media type or form.
    Rejected,
}

impl SkippedReferrer {
    /// Adds one referrer to those that are skipped.
    pub(super) fn add(skipped: &mut Vec<Self>, kind: ReferrerKind, reason: SkipReason) {
        let mut known = skipped.iter_mut();
        match known.find(|left| left.kind == kind && left.reason == reason) {
            Some(left) => left.count += 1,
            None => skipped.push(Self {
                kind,
                count: 1,
                reason,
            }),
        }
    }

    /// Returns whether the reason is unexpected: the referrer was selected, or is malformed.
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
            SkipReason::Rejected => {
                write!(
                    f,
                    "{what}, refused by the destination (referrers: all does not skip it)"
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
