//! Output of one rule, before the flavor is applied.

use crate::tagging::ReleaseVersion;
use crate::tagging::tag_plan::{MovingTagSource, TagKind};

/// What a rule gives, before anything is put around it.
pub(super) struct RuleOutput {
    pub(super) text: String,
    pub(super) content: RuleOutputKind,
    pub(super) latest: LatestDecision,
    /// The version that it belongs to, a pre-release included, where there is one.
    pub(super) release: Option<ReleaseVersion>,
}

/// What the text is.
pub(super) enum RuleOutputKind {
    /// Part of a release's version, or all of it.
    PartOfRelease,
    /// Certainly this.
    Certain(TagKind),
    /// The name of the branch, by an expression.
    BranchName,
    /// A name: what it looks like decides.
    Name,
}

/// Whether `latest` goes with it: as docker/metadata-action has it, and as it should be.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct LatestDecision {
    pub(super) compatible: bool,
    pub(super) strict: bool,
}

impl LatestDecision {
    pub(super) const NO: Self = Self::both(false);

    pub(super) const fn both(yes: bool) -> Self {
        Self {
            compatible: yes,
            strict: yes,
        }
    }
}

impl RuleOutput {
    pub(super) fn new(text: impl Into<String>, content: RuleOutputKind) -> Self {
        Self {
            text: text.into(),
            content,
            latest: LatestDecision::NO,
            release: None,
        }
    }

    pub(super) fn with_release(self, version: &semver::Version) -> Self {
        Self {
            release: Some(ReleaseVersion::from_semver(version)),
            ..self
        }
    }

    pub(super) fn moving(text: impl Into<String>, follows: MovingTagSource) -> Self {
        Self::new(text, RuleOutputKind::Certain(TagKind::Moving(follows)))
    }
}
