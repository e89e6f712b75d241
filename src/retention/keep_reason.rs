//! Why a manifest or a tag stays.

use std::fmt;
use std::sync::Arc;

use super::manifest_age::ManifestAge;
use crate::image::{Digest, Tag};
use crate::record::RecordTime;
use crate::rule_duration::RuleDuration;
use crate::tagging::EnvironmentName;

/// Reason why a manifest or a tag stays.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum KeepReason {
    /// A hold names it.
    Hold(String),
    /// An environment is on it.
    Current(EnvironmentName),
    /// It is among the newest releases of an environment.
    Rollback(EnvironmentName),
    /// It was released to an environment, and last in use then.
    Released {
        /// Environment.
        environment: EnvironmentName,
        /// Last use by the timeline.
        last_use: RecordTime,
    },
    /// A file names it.
    Pinned(String),
    /// A keep rule describes its tag.
    KeepTag {
        /// Tag.
        tag: Tag,
        /// Pattern of the rule.
        pattern: String,
    },
    /// It is an entry of a timeline.
    RecordEntry,
    /// No prune rule describes its tag.
    UnnamedTag(Tag),
    /// It has no tag, and no prune rule is about such.
    UnnamedUntagged,
    /// It is evidence about a manifest that the repository does not have.
    EvidenceOf(Digest),
    /// It is evidence of a form that is not known.
    OtherEvidence(Tag),
    /// It is among the newest that a prune rule leaves.
    AmongNewest {
        /// Rule.
        rule: Arc<str>,
        /// Number of images that the rule leaves.
        keep_last: usize,
    },
    /// It is younger than a prune rule says.
    TooYoung {
        /// Rule.
        rule: Arc<str>,
        /// Age.
        age: ManifestAge,
    },
    /// It is younger than the grace.
    Grace {
        /// Its time.
        time: RecordTime,
        /// Grace.
        grace: RuleDuration,
    },
    /// No source knows its age.
    UnknownAge,
    /// Its time is in the future.
    FutureAge(ManifestAge),
    /// Its media type is unknown.
    UnknownType(String),
    /// It could not be read.
    Unreadable(String),
    /// The registry refuses to delete it.
    RegistryRefuses(String),
    /// The plan that is applied does not have it.
    NotInPlan,
    /// An index lists it that stays.
    ChildOf(Digest),
    /// It is a referrer of a manifest that stays.
    ReferrerOf(Digest),
    /// Its referrer stays for a reason of its own: some registries delete referrers with their subject.
    SubjectOf(Digest),
    /// This manifest stays and could not be read: it may list it.
    MayBeListed(Digest),
    /// The tag's manifest stays, and the registry deletes no tag alone.
    TagWithManifest,
    /// The tag's manifest stays for a reason that its tags share.
    ManifestStays,
}

impl KeepReason {
    /// Returns the manifest that the reason rests on.
    pub fn rests_on(&self) -> Option<Digest> {
        match self {
            Self::ChildOf(other) | Self::ReferrerOf(other) | Self::SubjectOf(other) => Some(*other),
            _ => None,
        }
    }
}

impl fmt::Display for KeepReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Hold(name) => write!(f, "the hold {name} names it"),
            Self::Current(environment) => write!(f, "{environment} is on it"),
            Self::Rollback(environment) => {
                write!(f, "it is among the newest releases of {environment}")
            }
            Self::Released {
                environment,
                last_use,
            } => write!(f, "{environment} last used it at {last_use}"),
            Self::Pinned(file) => write!(f, "{file} names it"),
            Self::KeepTag { tag, pattern } => write!(f, "the keep rule {pattern} describes {tag}"),
            Self::RecordEntry => f.write_str("it is an entry of a timeline"),
            Self::UnnamedTag(tag) => write!(f, "no prune rule describes its tag {tag}"),
            Self::UnnamedUntagged => f.write_str("no prune rule is about images without a tag"),
            Self::EvidenceOf(subject) => {
                write!(
                    f,
                    "it is evidence about {subject}, which is not in the repository"
                )
            }
            Self::OtherEvidence(tag) => write!(f, "its tag {tag} is that of evidence"),
            Self::AmongNewest { rule, keep_last } => {
                write!(f, "it is among the newest {keep_last} of the rule {rule}")
            }
            Self::TooYoung { rule, age } => write!(
                f,
                "it is younger than the rule {rule} says: {} ({})",
                age.time, age.source
            ),
            Self::Grace { time, grace } => {
                write!(f, "it is younger than the grace of {grace}: {time}")
            }
            other => other.fmt_links(f),
        }
    }
}

impl KeepReason {
    /// Writes the reasons that rest on the registry, its clock, or other manifests.
    fn fmt_links(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::FutureAge(age) => {
                write!(
                    f,
                    "its time is in the future: {} ({})",
                    age.time, age.source
                )
            }
            Self::UnknownType(media_type) => write!(f, "its media type is unknown: {media_type}"),
            Self::Unreadable(reason) => write!(f, "it could not be read: {reason}"),
            Self::RegistryRefuses(reason) => {
                write!(f, "the registry refuses to delete it: {reason}")
            }
            Self::NotInPlan => f.write_str("the plan that is applied does not have it"),
            Self::ChildOf(parent) => write!(f, "{parent} lists it, which stays"),
            Self::ReferrerOf(subject) => write!(f, "it is a referrer of {subject}, which stays"),
            Self::SubjectOf(referrer) => write!(f, "its referrer {referrer} stays"),
            Self::MayBeListed(other) => {
                write!(f, "{other} stays, could not be read, and may list it")
            }
            Self::TagWithManifest => {
                f.write_str("its image stays, and the registry deletes no tag alone")
            }
            Self::ManifestStays => f.write_str("its image stays with all of its tags"),
            _ => f.write_str("no source knows its age"),
        }
    }
}
