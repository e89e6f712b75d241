use std::borrow::Borrow;
use std::fmt;

use crate::layout::LayoutFault;
use crate::registry::Trouble;
use crate::tagging::TaggingError;
use crate::transfer::{Side, StoreError};

/// Why a release did not happen, by who has to act.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Failure {
    /// A rule or a gate refuses it.
    Refused(Complaint),
    /// What was given cannot be used.
    Input(Complaint),
    /// A registry, or the disk, failed.
    Service(Complaint),
    /// The user cancelled it.
    Cancelled,
}

/// What is wrong, why, and how to go on. May hold text from outside, made printable.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Complaint {
    /// What did not work.
    pub what: String,
    /// The rule or reason behind it.
    pub why: Option<String>,
    /// What the person at the failed job can do.
    pub hint: Option<String>,
    /// What it is about, for whoever knows the surroundings.
    pub about: Option<Box<Trouble>>,
}

impl Complaint {
    fn new(what: impl Into<String>) -> Self {
        Self {
            what: what.into(),
            why: None,
            hint: None,
            about: None,
        }
    }
}

impl Failure {
    /// A rule refuses it.
    pub fn refused(what: impl Into<String>) -> Self {
        Self::Refused(Complaint::new(what))
    }

    /// What was given cannot be used.
    pub fn input(what: impl Into<String>) -> Self {
        Self::Input(Complaint::new(what))
    }

    /// Something that is needed failed.
    pub fn service(what: impl Into<String>) -> Self {
        Self::Service(Complaint::new(what))
    }

    /// With a reason.
    #[must_use]
    pub fn why(mut self, why: impl Into<String>) -> Self {
        if let Some(complaint) = self.complaint_mut() {
            complaint.why = Some(why.into());
        }
        self
    }

    /// With a way to go on.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        if let Some(complaint) = self.complaint_mut() {
            complaint.hint = Some(hint.into());
        }
        self
    }

    /// With the hint of who knows the surroundings, where they explain it.
    #[must_use]
    pub fn advised(mut self, advice: impl FnOnce(&Trouble) -> Option<String>) -> Self {
        if let Some(complaint) = self.complaint_mut()
            && let Some(hint) = complaint.about.as_deref().and_then(advice)
        {
            complaint.hint = Some(hint);
        }
        self
    }

    /// What is wrong; nothing is, where the user cancelled.
    pub fn complaint(&self) -> Option<&Complaint> {
        match self {
            Self::Refused(complaint) | Self::Input(complaint) | Self::Service(complaint) => {
                Some(complaint)
            }
            Self::Cancelled => None,
        }
    }

    fn complaint_mut(&mut self) -> Option<&mut Complaint> {
        match self {
            Self::Refused(complaint) | Self::Input(complaint) | Self::Service(complaint) => {
                Some(complaint)
            }
            Self::Cancelled => None,
        }
    }

    /// A store that failed. What is wrong with files that were given is the input's fault.
    pub(super) fn store(side: Side, at: &dyn fmt::Display, error: impl Borrow<StoreError>) -> Self {
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
            (StoreError::Layout(layout), Side::Destination) if is_no_place(&layout.fault) => {
                Self::input(what)
            }
            (StoreError::Archive(_), _) => Self::input(what),
            _ => Self::service(what),
        };
        if let Some(complaint) = failure.complaint_mut() {
            complaint.hint = error.hint();
            complaint.about = error.trouble().map(Box::new);
        }
        failure
    }
}

/// Faults of a destination directory that the user chose.
fn is_no_place(fault: &LayoutFault) -> bool {
    !matches!(fault, LayoutFault::Io { .. })
}

impl From<TaggingError> for Failure {
    fn from(error: TaggingError) -> Self {
        let failure = if error.is_refusal() {
            Self::refused(error.to_string())
        } else {
            Self::input(error.to_string())
        };
        failure.hint(error.hint())
    }
}

impl fmt::Display for Complaint {
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
