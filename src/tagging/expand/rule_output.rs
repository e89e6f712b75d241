//! Output of one rule, before the flavor is applied.

use semver::Version;

use crate::tagging::tag_plan::{MovingTagSource, TagKind};

/// What a rule gives, before anything is put around it.
pub(super) struct RuleOutput {
    pub(super) text: String,
    pub(super) content: RuleOutputKind,
    pub(super) latest: LatestDecision,
    /// The release that it belongs to, where it is one.
    pub(super) release: Option<Version>,
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

    pub(super) fn moving(text: impl Into<String>, follows: MovingTagSource) -> Self {
        Self::new(text, RuleOutputKind::Certain(TagKind::Moving(follows)))
    }
}
