//! Failures of a release: what failed, why, and a hint.

use std::borrow::Borrow;
use std::fmt;

use crate::archive::ArchiveFault;
use crate::gate::GateReport;
use crate::layout::LayoutFault;
use crate::notices::FileLocation;
use crate::referrers::ReferrerError;
use crate::registry::AccessProblem;
use crate::signing::{KeyError, SigningError};
use crate::tagging::TaggingError;
use crate::transfer::{Side, StoreError};

/// Reason why a release did not happen, by who must act.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Failure {
    /// A rule refuses the release.
    Refused(Diagnostic),
    /// An input is invalid.
    Input(Diagnostic),
    /// A registry, or the disk, failed.
    Service(Diagnostic),
    /// It was done, except for what is named.
    Incomplete(Diagnostic),
    /// The user cancelled it.
    Cancelled,
}

/// Diagnostic: what failed, why, and a hint. May hold text from outside, made printable.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnostic {
    /// What failed, with its subject.
    pub what: String,
    /// The rule or reason behind it.
    pub why: Option<String>,
    /// What the person at the failed job can do.
    pub hint: Option<String>,
    /// File that the failure is about.
    pub location: Option<Box<FileLocation>>,
    /// Problem with access, for advice from facts about the runner.
    pub access_problem: Option<Box<AccessProblem>>,
    /// Further problems that were found with it, such as those of a file.
    pub further: Box<[Self]>,
    /// Verdicts of the gates, if they were judged before it failed.
    pub gates: Option<Box<GateReport>>,
}

impl Diagnostic {
    fn new(what: impl Into<String>) -> Self {
        Self {
            what: what.into(),
            why: None,
            hint: None,
            location: None,
            access_problem: None,
            further: Box::default(),
            gates: None,
        }
    }
}

impl Failure {
    /// Returns a refusal by a rule.
    pub fn refused(what: impl Into<String>) -> Self {
        Self::Refused(Diagnostic::new(what))
    }

    /// Returns a failure of an input.
    pub fn input(what: impl Into<String>) -> Self {
        Self::Input(Diagnostic::new(what))
    }

    /// Returns a failure of a service or the disk.
    pub fn service(what: impl Into<String>) -> Self {
        Self::Service(Diagnostic::new(what))
    }

    /// Returns the failure of a run that did its work, except for what is named.
    pub fn incomplete(what: impl Into<String>) -> Self {
        Self::Incomplete(Diagnostic::new(what))
    }

    /// Names the file that the failure is about.
    #[must_use]
    pub fn at_file(mut self, location: FileLocation) -> Self {
        if let Some(diagnostic) = self.diagnostic_mut() {
            diagnostic.location = Some(Box::new(location));
        }
        self
    }

    /// Adds the reason.
    #[must_use]
    pub fn with_reason(mut self, why: impl Into<String>) -> Self {
        if let Some(diagnostic) = self.diagnostic_mut() {
            diagnostic.why = Some(why.into());
        }
        self
    }

    /// Adds a hint.
    #[must_use]
    pub fn with_hint(mut self, hint: impl Into<String>) -> Self {
        if let Some(diagnostic) = self.diagnostic_mut() {
            diagnostic.hint = Some(hint.into());
        }
        self
    }

    /// Adds the diagnostics of other failures, which were found with this one.
    #[must_use]
    pub fn with_further(mut self, others: impl IntoIterator<Item = Self>) -> Self {
        if let Some(diagnostic) = self.diagnostic_mut() {
            let others = others.into_iter();
            let others = others.filter_map(|other| other.diagnostic().cloned());
            let known = std::mem::take(&mut diagnostic.further);
            diagnostic.further = known.into_iter().chain(others).collect();
        }
        self
    }

    /// Adds the verdicts of the gates of a release that has any.
    #[must_use]
    pub fn with_gates(mut self, report: &GateReport) -> Self {
        if let Some(diagnostic) = self.diagnostic_mut()
            && !report.verdicts().is_empty()
        {
            diagnostic.gates = Some(Box::new(report.clone()));
        }
        self
    }

    /// Returns the verdicts of the gates; `None` if none were judged.
    pub fn gates(&self) -> Option<&GateReport> {
        self.diagnostic()?.gates.as_deref()
    }

    /// Returns one failure of several, with the others as further ones; `None` without any. A refusal has priority,
    /// since repeating the run does not resolve it.
    pub(super) fn join(mut failures: Vec<Self>) -> Option<Self> {
        let is_refusal = |failure: &Self| matches!(failure, Self::Refused(_));
        let first = failures.iter().position(is_refusal).unwrap_or_default();
        if failures.is_empty() {
            return None;
        }
        let first = failures.remove(first);
        Some(first.with_further(failures))
    }

    /// Replaces the hint by `advice` on the problem with access, where it has any.
    #[must_use]
    pub fn with_advice(mut self, advice: impl FnOnce(&AccessProblem) -> Option<String>) -> Self {
        if let Some(diagnostic) = self.diagnostic_mut()
            && let Some(hint) = diagnostic.access_problem.as_deref().and_then(advice)
        {
            diagnostic.hint = Some(hint);
        }
        self
    }

    /// Returns the diagnostic; `None` if the user cancelled.
    pub fn diagnostic(&self) -> Option<&Diagnostic> {
        match self {
            Self::Refused(diagnostic)
            | Self::Input(diagnostic)
            | Self::Service(diagnostic)
            | Self::Incomplete(diagnostic) => Some(diagnostic),
            Self::Cancelled => None,
        }
    }

    fn diagnostic_mut(&mut self) -> Option<&mut Diagnostic> {
        match self {
            Self::Refused(diagnostic)
            | Self::Input(diagnostic)
            | Self::Service(diagnostic)
            | Self::Incomplete(diagnostic) => Some(diagnostic),
            Self::Cancelled => None,
        }
    }

    /// Returns the failure of a store. Faults of given files are failures of the input.
    pub(crate) fn from_store_error(
        side: Side,
        at: &dyn fmt::Display,
        error: impl Borrow<StoreError>,
    ) -> Self {
        let error = error.borrow();
        let what = match error {
            StoreError::Layout(layout) if matches!(layout.fault, LayoutFault::Absent) => {
                format!("{side} {at}: {}", layout.fault)
            }
            StoreError::Archive(archive) if matches!(archive.fault, ArchiveFault::Absent) => {
                format!("{side} {at}: {}", archive.fault)
            }
            // These name their path themselves.
            StoreError::Layout(_) | StoreError::Archive(_) => format!("{side} {error}"),
            _ => format!("{side} {at}: {error}"),
        };
        let mut failure = match (error, side) {
            (StoreError::Registry(registry), _)
                if registry.is_rejected_login() || registry.is_missing_login() =>
            {
                Self::input(what)
            }
            (StoreError::Archive(archive), _) if archive.fault.is_service() => Self::service(what),
            (StoreError::Layout(layout), Side::Source)
                if !matches!(layout.fault, LayoutFault::Io { .. }) =>
            {
                Self::input(what)
            }
            (StoreError::Layout(layout), Side::Destination)
                if is_bad_destination(&layout.fault) =>
            {
                Self::input(what)
            }
            (StoreError::Archive(_), _) => Self::input(what),
            _ => Self::service(what),
        };
        if let Some(diagnostic) = failure.diagnostic_mut() {
            diagnostic.hint = error.hint();
            diagnostic.access_problem = error.access_problem().map(Box::new);
        }
        failure
    }
}

impl Failure {
    /// Returns that referrers of an image cannot be read or written.
    pub(super) fn from_referrer_error(
        side: Side,
        at: &dyn fmt::Display,
        error: ReferrerError,
    ) -> Self {
        match error {
        ReferrerError::Store(error) => Failure::from_store_error(side, at, error),
        ReferrerError::RefusedArtifact(error) => Failure::from_store_error(side, at, error)
            .with_reason("a bundle is stored in a manifest with an artifact type and a subject (OCI 1.1), and the registry refused this manifest")
            .with_hint("set signature-format: legacy, which stores signatures as an image under a tag and needs no such manifest"),
        ReferrerError::ImmutableTag { .. } => Failure::refused(format!("{side} {at}: {error}"))
            .with_reason("the repository makes tags immutable, and shipmark appends signatures and records to this tag")
            .with_hint("exclude tags that match sha256-* from immutability; on a registry with the referrers API bundles and records need no tag"),
        ReferrerError::UnexpectedTagContent { .. } => Failure::service(format!("{side} {at}: {error}"))
            .with_reason("tags of this form hold referrers of an image, and the previous content of this tag is unknown")
            .with_hint("promote the image again from a repository that has its signatures, or sign it again: both rewrite the tag"),
        ReferrerError::Unlisted(_) => Failure::service(format!("{side} {at}: {error}"))
            .with_reason("verifiers find a signature in that list alone; it was read for twelve seconds")
            .with_hint("run this again later, or use signature-format: legacy, which needs no list"),
        error => Failure::service(format!("{side} {at}: {error}")),
    }
    }
}

/// Faults of a destination directory that the user chose.
fn is_bad_destination(fault: &LayoutFault) -> bool {
    !matches!(fault, LayoutFault::Io { .. })
}

impl From<TaggingError> for Failure {
    fn from(error: TaggingError) -> Self {
        let failure = if error.is_refusal() {
            Self::refused(error.to_string())
        } else {
            Self::input(error.to_string())
        };
        failure.with_hint(error.hint())
    }
}

/// Returns the failure of a signer.
pub(crate) fn signing_failure(error: SigningError) -> Failure {
    let failure = match &error {
        SigningError::Key(_) | SigningError::PrivateRepository | SigningError::Endpoints(_) => {
            Failure::input(error.to_string())
        }
        SigningError::Service(_) | SigningError::Root(_) => Failure::service(error.to_string()),
    };
    match &error {
        SigningError::PrivateRepository => failure
            .with_reason("a transparency log entry publishes the names of the repository, its workflow and its branch")
            .with_hint("set transparency-log: on to accept this, or sign with a key or with your own Sigstore instance"),
        SigningError::Service(error) => {
            let failure = match error.reason() {
                Some(reason) => failure.with_reason(reason),
                None => failure,
            };
            match error.hint() {
                Some(hint) => failure.with_hint(hint),
                None => failure,
            }
        }
        SigningError::Key(KeyError::NoPassword) => failure.with_hint(
            "give the password to the step: env: COSIGN_PASSWORD: ${{ secrets.COSIGN_PASSWORD }}",
        ),
        SigningError::Key(_) | SigningError::Root(_) | SigningError::Endpoints(_) => failure,
    }
}

impl fmt::Display for Diagnostic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.what)?;
        if let Some(why) = &self.why {
            write!(f, "\n why:  {}", aligned(why))?;
        }
        if let Some(hint) = &self.hint {
            write!(f, "\n hint: {}", aligned(hint))?;
        }
        Ok(())
    }
}

/// Returns a text of several lines with each line below the first word of the first.
fn aligned(text: &str) -> String {
    text.replace('\n', "\n       ")
}
