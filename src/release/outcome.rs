//! What a release did at each destination.

use url::Url;

use super::github_deployment::options::{DeployedService, DeploymentEnd};
use super::release_facts::{PlatformContent, PreviousImage, PromotionPath, SignerName};
use super::request::{ReleaseVerb, SignatureFormat};
use crate::gate::GateReport;
use crate::image::{
    CommitId, Destination, Digest, ImageSource, MediaType, NamedCommit, Tag, TagOrDigest,
};
use crate::record::{RecordAction, RecordId, RecordTime};
use crate::referrers::CopiedReferrers;
use crate::tagging::{EnvironmentName, TagKind, TagProvenance};
use crate::transfer::CopyStats;

/// Outcome of a release; on a dry run, the planned one.
#[derive(Debug, Clone)]
pub struct ReleaseOutcome {
    /// Verb.
    pub verb: ReleaseVerb,
    /// Whether this was a dry run.
    pub dry_run: bool,
    /// Source, as given.
    pub source: ImageSource,
    /// Commit by which the source was found; `None` if the user named the source.
    pub sought_commit: Option<NamedCommit>,
    /// Environment that was released to, if any.
    pub environment: Option<EnvironmentName>,
    /// Environments before and after it, by the policy.
    pub path: PromotionPath,
    /// Digest of the root.
    pub root: Digest,
    /// Media type of the root.
    pub media_type: MediaType,
    /// Selected platforms, where the image is a selection of the source.
    pub platform_selection: Option<PlatformSelection>,
    /// Requested digest, where an existing image or a selection is released instead.
    pub requested_digest: Option<Digest>,
    /// Version, if any.
    pub version: Option<String>,
    /// Commit that the image was built from, if known.
    pub commit: Option<CommitId>,
    /// Address of the source repository by the image's labels, if they were read.
    pub source_repository: Option<String>,
    /// Platforms; for an image that is no index, one entry.
    pub platforms: Vec<PlatformContent>,
    /// Signer of this run's signatures; `None` if the release is not signed.
    pub signer: Option<SignerName>,
    /// Signer whose signature the source has, if the release required one.
    pub source_signer: Option<SignerName>,
    /// Verdicts of the gates; empty if the release has none.
    pub gates: GateReport,
    /// Sources of the version and the SHA tag.
    pub provenance: TagProvenance,
    /// Outcome at each destination, in the order of the request.
    pub destinations: Vec<DestinationOutcome>,
    /// Notes on skipped and defaulted rules, and on content that is not copied.
    pub notes: Vec<String>,
}

/// Outcome at one destination.
#[derive(Debug, Clone)]
pub struct DestinationOutcome {
    /// Destination.
    pub place: Destination,
    /// Tags, immutable ones first.
    pub tags: Vec<TagResult>,
    /// Image that a moving tag pointed to before; `None` if no tag moved.
    pub previous: Option<PreviousImage>,
    /// Counts of copied content.
    pub copy_stats: CopyStats,
    /// Referrers that were copied or skipped.
    pub referrers: CopiedReferrers,
    /// Signatures; empty if the release is not signed.
    pub signatures: Vec<SignatureResult>,
    /// Record; `None` if none is kept, or the release is recorded already.
    pub record: Option<RecordResult>,
}

/// Result of one tag.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TagResult {
    /// Tag.
    pub tag: Tag,
    /// Immutable or moving.
    pub kind: TagKind,
    /// Rule that derived it.
    pub rule: String,
    /// Change.
    pub change: TagChange,
}

/// Change of a tag.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TagChange {
    /// The tag is new.
    Created,
    /// The tag pointed to another manifest before.
    Moved {
        /// Previous digest.
        from: Digest,
    },
    /// The tag points to the root already.
    Unchanged,
    /// The tag is not moved, though a rule derived it.
    Stays {
        /// Current digest; `None` if the tag does not exist.
        at: Option<Digest>,
        /// Reason.
        why: String,
    },
    /// The tag of a version line, or with records any moving tag, is corrected to another release than this one:
    /// a run that died, or a concurrent run, had not moved it, or this release was withdrawn meanwhile.
    Corrected {
        /// Previous digest; `None` if the tag did not exist.
        from: Option<Digest>,
        /// New digest: of a line the highest release.
        to: Digest,
        /// Reason why it is not the root.
        why: String,
    },
}

/// Result of one signature or attestation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignatureResult {
    /// Signed manifest: the root or one below it.
    pub of: Digest,
    /// Predicate type of an attestation; `None` for a signature.
    pub predicate_type: Option<&'static str>,
    /// Format.
    pub format: SignatureFormat,
    /// Location; `None` on a dry run, if it does not exist.
    pub at: Option<TagOrDigest>,
    /// Address at GitHub, if this run uploaded it there.
    pub url: Option<Url>,
    /// Whether this run created it, or on a dry run would.
    pub is_new: bool,
}

/// Record of a release.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordResult {
    /// Environment of the timeline.
    pub environment: EnvironmentName,
    /// What the record says.
    pub action: RecordAction,
    /// Why it was done, as the record states it.
    pub reason: Option<String>,
    /// Address of more about it.
    pub link: Option<String>,
    /// Time at which the run that made it planned it.
    pub planned_at: RecordTime,
    /// Digest of the stored record; `None` on a dry run.
    pub id: Option<RecordId>,
    /// Tag of the timeline entry; `None` on a dry run.
    pub entry: Option<Tag>,
    /// Whether this run writes the entry.
    pub is_new: bool,
    /// Whether this run writes the referrer of the image.
    pub is_intent_new: bool,
    /// Reason why the environment's tag stays with a newer release.
    pub superseded: Option<String>,
}

/// Index of selected platforms of another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlatformSelection {
    /// Digest of the source.
    pub of: Digest,
    /// Platforms that are selected.
    pub platforms: Vec<String>,
}

impl TagChange {
    /// Returns whether the tag is written with the root.
    pub fn writes_root(&self) -> bool {
        matches!(self, Self::Created | Self::Moved { .. })
    }

    /// Returns whether the tag is written, with the root or another image.
    pub(super) fn writes_tag(&self) -> bool {
        self.writes_root() || matches!(self, Self::Corrected { .. })
    }

    /// Returns the previous digest.
    pub(super) fn previous_digest(&self, root: Digest) -> Option<Digest> {
        match self {
            Self::Created => None,
            Self::Moved { from } => Some(*from),
            Self::Unchanged => Some(root),
            Self::Stays { at, .. } | Self::Corrected { from: at, .. } => *at,
        }
    }
}

impl ReleaseOutcome {
    /// Returns whether a newer release keeps the environments' tags, everywhere.
    pub fn is_superseded(&self) -> bool {
        let mut records = self.destinations.iter().map(|it| it.record.as_ref());
        !self.destinations.is_empty()
            && records.all(|record| record.is_some_and(|record| record.superseded.is_some()))
    }

    /// Returns what GitHub is told of the release.
    pub(super) fn deployed_service(&self) -> DeployedService {
        DeployedService {
            service: None,
            places: self
                .destinations
                .iter()
                .map(|released| released.place.clone())
                .collect(),
            digest: self.root,
            version: self.version.clone(),
            commit: self.commit.clone(),
        }
    }

    /// Adds the release to how a run ended.
    pub(super) fn add_to_end(&self, end: &mut DeploymentEnd) {
        match self.is_superseded() {
            true => end.superseded += 1,
            false => end.released += 1,
        }
        let records = self
            .destinations
            .iter()
            .filter_map(|it| it.record.as_ref()?.id);
        end.records.extend(records.map(|id| id.to_string()));
    }

    /// Returns whether any tag, referrer or signature was written; otherwise the destinations were up to
    /// date.
    pub fn has_changes(&self) -> bool {
        self.destinations.iter().any(|released| {
            let tagged = released.tags.iter().any(|tag| tag.change.writes_tag());
            let signed = released.signatures.iter().any(|signed| signed.is_new);
            let mut record = released.record.iter();
            let recorded = record.any(|record| record.is_new || record.is_intent_new);
            tagged || signed || recorded || !released.referrers.copied.is_empty()
        })
    }
}
