//! Why a plan deletes nothing.

use std::fmt;

use crate::image::Digest;
use crate::rule_duration::RuleDuration;
use crate::tagging::EnvironmentName;

/// Reason why a plan deletes nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RetentionStop {
    /// Too large a share of the images would go.
    ShareExceeded {
        /// Images that would go.
        condemned: usize,
        /// All images.
        total: usize,
        /// Limit in percent.
        share: u8,
    },
    /// Too many images would go.
    ImagesExceeded {
        /// Images that would go.
        condemned: usize,
        /// Limit.
        limit: usize,
    },
    /// Every image would go.
    NoImageLeft(usize),
    /// A keep rule keeps nothing.
    KeepRuleUnmatched(String),
    /// An environment is on an image that the repository does not have.
    CurrentRootMissing {
        /// Environment.
        environment: EnvironmentName,
        /// Image that it is on.
        root: Digest,
        /// Number of manifests in the repository.
        manifests: usize,
    },
    /// Manifests would go that records name which do not count, within the time for which released images stay.
    YoungerThanFloor {
        /// Number of manifests.
        count: usize,
        /// One of them.
        example: Digest,
        /// Time for which released images stay.
        floor: RuleDuration,
    },
    /// A list of the registry is not whole.
    IncompleteList(String),
    /// Manifests that stay could not be read: what they list is unknown.
    UnreadableManifest {
        /// Number of manifests.
        count: usize,
        /// One of them.
        example: Digest,
        /// Why it could not be read.
        reason: String,
    },
}

impl fmt::Display for RetentionStop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ShareExceeded {
                condemned,
                total,
                share,
            } => write!(
                f,
                "{condemned} of {total} images would go, expected at most {share} %"
            ),
            Self::ImagesExceeded { condemned, limit } => {
                write!(f, "{condemned} images would go, expected at most {limit}")
            }
            Self::NoImageLeft(total) => write!(f, "all {total} images would go"),
            Self::KeepRuleUnmatched(rule) => write!(f, "the keep rule {rule} matches nothing"),
            other => other.fmt_content(f),
        }
    }
}

impl RetentionStop {
    /// Writes the reasons that rest on the content of the repository.
    fn fmt_content(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::CurrentRootMissing {
                environment,
                root,
                manifests,
            } => write!(
                f,
                "{environment} is on {root}, which is not among the {manifests} manifests found"
            ),
            Self::YoungerThanFloor {
                count,
                example,
                floor,
            } => write!(
                f,
                "uncounted records of the last {floor} name {count} of the manifests that would go, such as {example}"
            ),
            Self::UnreadableManifest {
                count,
                example,
                reason,
            } => write!(
                f,
                "could not read {count} of the manifests that stay, such as {example}: {reason}"
            ),
            Self::IncompleteList(what) => {
                write!(
                    f,
                    "the content of the repository is not known in full: {what}"
                )
            }
            _ => Ok(()),
        }
    }
}
