//! Why a manifest or a tag goes.

use std::fmt;
use std::sync::Arc;

use crate::image::Digest;

/// Reason why a manifest or a tag goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DeletionReason {
    /// A prune rule describes it.
    Rule(Arc<str>),
    /// It marks a hold as lifted.
    LiftedHold,
    /// The index that lists it goes.
    ChildOf(Digest),
    /// It is evidence about a manifest that goes.
    ReferrerOf(Digest),
    /// Its manifest goes with all of its tags.
    ManifestGoes,
    /// An earlier run of the same plan deleted what named it.
    Begun,
}

impl DeletionReason {
    /// Returns the rule of the policy, if one describes what goes.
    pub fn rule(&self) -> Option<&str> {
        match self {
            Self::Rule(rule) => Some(rule),
            _ => None,
        }
    }

    /// Returns the manifest that the reason rests on.
    pub fn rests_on(&self) -> Option<Digest> {
        match self {
            Self::ChildOf(other) | Self::ReferrerOf(other) => Some(*other),
            Self::Rule(_) | Self::LiftedHold | Self::ManifestGoes | Self::Begun => None,
        }
    }
}

impl fmt::Display for DeletionReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Rule(rule) => write!(f, "the rule {rule}"),
            Self::LiftedHold => f.write_str("its hold is lifted"),
            Self::ChildOf(parent) => write!(f, "{parent} goes, which lists it"),
            Self::ReferrerOf(subject) => write!(f, "{subject} goes, which it is about"),
            Self::ManifestGoes => f.write_str("its image goes"),
            Self::Begun => f.write_str("an earlier run of this plan deleted its tags"),
        }
    }
}
