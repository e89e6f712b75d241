//! The headings under which documents list inputs.

/// Heading of a group of inputs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Heading {
    /// What is read, and where it is written.
    SourceAndDestination,
    /// Which tags are given.
    Tags,
    /// The policy file and what it names.
    Policy,
    /// Records of releases.
    Records,
    /// What is deleted, and what stays.
    Retention,
    /// Signatures and attestations to make.
    Signing,
    /// Services and trust of Sigstore.
    SigstoreInstance,
    /// Signatures and attestations to check.
    Verification,
    /// Logins and connections.
    RegistryAccess,
    /// How the run goes.
    Run,
}

impl Heading {
    /// Every heading, in the order in which documents have them.
    pub const ALL: [Self; 10] = [
        Self::SourceAndDestination,
        Self::Tags,
        Self::Policy,
        Self::Records,
        Self::Retention,
        Self::Signing,
        Self::SigstoreInstance,
        Self::Verification,
        Self::RegistryAccess,
        Self::Run,
    ];

    /// Returns the heading as documents show it.
    pub const fn title(self) -> &'static str {
        match self {
            Self::SourceAndDestination => "Source and destination",
            Self::Tags => "Tags",
            Self::Policy => "Policy",
            Self::Records => "Release records",
            Self::Retention => "Retention",
            Self::Signing => "Signing",
            Self::SigstoreInstance => "Sigstore instance",
            Self::Verification => "Verification",
            Self::RegistryAccess => "Registry access",
            Self::Run => "Run",
        }
    }
}
