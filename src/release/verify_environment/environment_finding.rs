/// Difference between what an environment is on and what its records and its policy say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EnvironmentFinding {
    /// Kind.
    pub kind: FindingKind,
    /// What was found, as a clause. Printable.
    pub text: String,
    /// What the reader can do.
    pub hint: Option<String>,
}

/// Kind of a finding.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum FindingKind {
    /// No record says what the environment is on.
    Unrecorded,
    /// The newest release is withdrawn, and none is in its place.
    Withdrawn,
    /// The current release is marked as failed.
    MarkedFailed,
    /// The tag of the environment names another image.
    EnvironmentTag,
    /// An immutable tag names another image.
    ImmutableTag,
    /// A version line or another moving tag names another image.
    MovingTag,
    /// The timeline entry of the current release is gone.
    MissingEntry,
    /// The record of the current release is no referrer of its image.
    MissingIntent,
    /// A manifest of the current image is gone.
    MissingManifest,
    /// The signature that the environment demands is gone or not valid.
    MissingSignature,
    /// The verification summary that the environment demands is gone.
    MissingSummary,
    /// Signed evidence that the release considered is gone.
    MissingEvidence,
    /// The time of a signer is over.
    EndedSigner,
}

impl FindingKind {
    /// All kinds, in the order of documents.
    pub const ALL: [Self; 13] = [
        Self::Unrecorded,
        Self::Withdrawn,
        Self::MarkedFailed,
        Self::EnvironmentTag,
        Self::ImmutableTag,
        Self::MovingTag,
        Self::MissingEntry,
        Self::MissingIntent,
        Self::MissingManifest,
        Self::MissingSignature,
        Self::MissingSummary,
        Self::MissingEvidence,
        Self::EndedSigner,
    ];

    /// Returns the word of reports.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Unrecorded => "unrecorded",
            Self::Withdrawn => "withdrawn",
            Self::MarkedFailed => "marked-failed",
            Self::EnvironmentTag => "environment-tag",
            Self::ImmutableTag => "immutable-tag",
            Self::MovingTag => "moving-tag",
            Self::MissingEntry => "missing-entry",
            Self::MissingIntent => "missing-intent",
            Self::MissingManifest => "missing-manifest",
            Self::MissingSignature => "missing-signature",
            Self::MissingSummary => "missing-summary",
            Self::MissingEvidence => "missing-evidence",
            Self::EndedSigner => "ended-signer",
        }
    }

    /// Returns whether the verification fails by it. The others are warnings: the next release mends them, or nothing
    /// that runs depends on them.
    pub const fn is_error(self) -> bool {
        !matches!(
            self,
            Self::MovingTag | Self::MissingIntent | Self::MissingEvidence | Self::EndedSigner
        )
    }

    /// Returns a finding of this kind.
    pub(super) fn found(self, text: impl Into<String>) -> EnvironmentFinding {
        EnvironmentFinding {
            kind: self,
            text: text.into(),
            hint: None,
        }
    }
}

impl EnvironmentFinding {
    /// Adds what the reader can do.
    #[must_use]
    pub(super) fn with_hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}
