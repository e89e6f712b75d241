//! Failures of a release: what failed, why, and a hint.

use std::borrow::Borrow;
use std::fmt;

use crate::layout::LayoutFault;
use crate::referrers::ReferrerError;
use crate::registry::AccessProblem;
use crate::signing::SigningError;
use crate::tagging::TaggingError;
use crate::transfer::{Side, StoreError};

/// Why a release did not happen, by who has to act.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Failure {
    /// A rule or a gate refuses it.
    Refused(Diagnostic),
    /// What was given cannot be used.
    Input(Diagnostic),
    /// A registry, or the disk, failed.
    Service(Diagnostic),
    /// The user cancelled it.
    Cancelled,
}

/// What is wrong, why, and how to go on. May hold text from outside, made printable.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnostic {
    /// What did not work.
    pub what: String,
    /// The rule or reason behind it.
    pub why: Option<String>,
    /// What the person at the failed job can do.
    pub hint: Option<String>,
    /// What it is about, for whoever knows the surroundings.
    pub access_problem: Option<Box<AccessProblem>>,
}

impl Diagnostic {
    fn new(what: impl Into<String>) -> Self {
        Self {
            what: what.into(),
            why: None,
            hint: None,
            access_problem: None,
        }
    }
}

impl Failure {
    /// A rule refuses it.
    pub fn refused(what: impl Into<String>) -> Self {
        Self::Refused(Diagnostic::new(what))
    }

    /// What was given cannot be used.
    pub fn input(what: impl Into<String>) -> Self {
        Self::Input(Diagnostic::new(what))
    }

    /// Something that is needed failed.
    pub fn service(what: impl Into<String>) -> Self {
        Self::Service(Diagnostic::new(what))
    }

    /// With a reason.
    #[must_use]
    pub fn why(mut self, why: impl Into<String>) -> Self {
        if let Some(diagnostic) = self.diagnostic_mut() {
            diagnostic.why = Some(why.into());
        }
        self
    }

    /// With a way to go on.
    #[must_use]
    pub fn with_hint(mut self, hint: impl Into<String>) -> Self {
        if let Some(diagnostic) = self.diagnostic_mut() {
            diagnostic.hint = Some(hint.into());
        }
        self
    }

    /// With the hint of who knows the surroundings, where they explain it.
    #[must_use]
    pub fn with_advice(mut self, advice: impl FnOnce(&AccessProblem) -> Option<String>) -> Self {
        if let Some(diagnostic) = self.diagnostic_mut()
            && let Some(hint) = diagnostic.access_problem.as_deref().and_then(advice)
        {
            diagnostic.hint = Some(hint);
        }
        self
    }

    /// What is wrong; nothing is, where the user cancelled.
    pub fn complaint(&self) -> Option<&Diagnostic> {
        match self {
            Self::Refused(diagnostic) | Self::Input(diagnostic) | Self::Service(diagnostic) => {
                Some(diagnostic)
            }
            Self::Cancelled => None,
        }
    }

    fn diagnostic_mut(&mut self) -> Option<&mut Diagnostic> {
        match self {
            Self::Refused(diagnostic) | Self::Input(diagnostic) | Self::Service(diagnostic) => {
                Some(diagnostic)
            }
            Self::Cancelled => None,
        }
    }

    /// A store that failed. What is wrong with files that were given is the input's fault.
    pub(super) fn from_store_error(
        side: Side,
        at: &dyn fmt::Display,
        error: impl Borrow<StoreError>,
    ) -> Self {
        let error = error.borrow();
        let what = match error {
            // These name their path themselves.
            StoreError::Layout(_) | StoreError::Archive(_) => format!("{side} {error}"),
            _ => format!("{side} {at}: {error}"),
        };
        let mut failure = match (error, side) {
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
    /// That what stands beside an image cannot be read or added to.
    pub(super) fn from_referrer_error(
        side: Side,
        at: &dyn fmt::Display,
        error: ReferrerError,
    ) -> Self {
        match error {
        ReferrerError::Store(error) => Failure::from_store_error(side, at, error),
        ReferrerError::ImmutableTag { .. } => Failure::refused(format!("{side} {at}: {error}"))
            .why("the repository makes tags immutable, and signatures are added to this one")
            .with_hint("exclude tags that match sha256-* from immutability; on a registry with the referrers API signature-format: bundle needs no tag"),
        ReferrerError::UnexpectedTagContent { .. } => Failure::service(format!("{side} {at}: {error}"))
            .why("tags of this form are for what says something about an image, and what this one named cannot be told any more")
            .with_hint("promote the image to there once more from where its signatures are, or sign it there again: either writes the tag anew"),
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

/// That the services which sign did not.
pub(crate) fn signing_failure(error: SigningError) -> Failure {
    let failure = match &error {
        SigningError::Key(_) | SigningError::PrivateRepository | SigningError::Endpoints(_) => {
            Failure::input(error.to_string())
        }
        SigningError::Service(_) | SigningError::Root(_) => Failure::service(error.to_string()),
    };
    match &error {
        SigningError::PrivateRepository => failure
            .why("the names of the repository, its workflow and its branch would stand there for everybody to read")
            .with_hint("say transparency-log: on if that is meant; else sign with a key, or with an instance of your own"),
        SigningError::Service(error) => match error.hint() {
            Some(hint) => failure.with_hint(hint),
            None => failure,
        },
        SigningError::Key(_) | SigningError::Root(_) | SigningError::Endpoints(_) => failure,
    }
}

impl fmt::Display for Diagnostic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.what)?;
        if let Some(why) = &self.why {
            write!(f, "\n why:  {why}")?;
        }
        if let Some(hint) = &self.hint {
            write!(f, "\n hint: {hint}")?;
        }
        Ok(())
    }
}
