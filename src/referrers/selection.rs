//! Selection of the referrers to copy.

use super::{ReferrerKind, SkipReason};

/// Selection of the referrers that are copied with an image.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ReferrerSelection {
    /// Those of known kinds, up to `COUNT` of them and `SIZE` bytes.
    #[default]
    Known,
    /// All but the release records and summaries of another environment.
    All,
    /// None; nothing is looked for.
    None,
}

impl ReferrerSelection {
    pub(super) fn skip_reason(self, kind: &ReferrerKind) -> Option<SkipReason> {
        match (self, kind) {
            (_, ReferrerKind::ReleaseRecord | ReferrerKind::ReleaseSummary) => {
                Some(SkipReason::ReleaseRecord)
            }
            (Self::Known, ReferrerKind::Other(_)) => Some(SkipReason::UnknownKind),
            _ => None,
        }
    }
}
