//! What a release is asked for.

use std::collections::BTreeMap;

use crate::event::EventFacts;
use crate::github;
use crate::image::{Destination, ImageSource, PlatformName, Repository};
use crate::referrers::ReferrerSelection;
use crate::registry::RepositoryAccess;
use crate::signing::{AttestationRule, COSIGN_SIGN_PREDICATE, Predicate, Requirement, Signer};
use crate::tagging::{EnvironmentName, TagRules};

/// What is released how.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReleaseVerb {
    /// A built image comes into its first repository, tagged after the event.
    Push,
    /// An image goes on to further repositories, tagged after what it is.
    Promote,
}

/// What to do where an immutable tag names another image of the same commit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ExistingTagPolicy {
    /// Keep what a commit's tag names on a push, refuse all else.
    #[default]
    PerTagKind,
    /// Refuse.
    Fail,
    /// Keep it.
    Keep,
}

/// A release that is asked for.
#[derive(Debug, Clone)]
pub struct ReleaseRequest {
    /// How it is released.
    pub verb: ReleaseVerb,
    /// Where the image is.
    pub source: ImageSource,
    /// Where it is to go: at least one place, none twice.
    pub destinations: Vec<Destination>,
    /// The event, or the checkout, that the tags are derived from.
    pub facts: Option<EventFacts>,
    /// The rules that give the tags.
    pub rules: TagRules,
    /// The environment that it is released to.
    pub environment: Option<EnvironmentName>,
    /// What to do where an immutable tag is taken.
    pub existing: ExistingTagPolicy,
    /// The repository that an image has to be in to be released, where a policy names one.
    pub from: Option<Destination>,
    /// What the image has to have beside it before anything is copied, if anything.
    pub check: Option<ImageCheck>,
    /// How it is signed, if it is.
    pub signing: Option<SigningOptions>,
    /// Which referrers travel with it.
    pub referrers: ReferrerSelection,
    /// Which platforms it is to be released for.
    pub platforms: RequestedPlatforms,
    /// Plan and report, and write nothing.
    pub dry_run: bool,
}

/// Which platforms an image is to be released for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RequestedPlatforms {
    /// Their names; all platforms where there is none.
    pub names: Vec<PlatformName>,
    /// Whether to go on where the new index leaves signatures behind.
    pub drop_signatures: bool,
}

/// How a release is signed.
#[derive(Debug, Clone)]
pub struct SigningOptions {
    /// With what.
    pub signer: Signer,
    /// In which forms: at least one.
    pub formats: Vec<SignatureFormat>,
    /// What the signature says beside commit, ref and version.
    pub annotations: BTreeMap<String, String>,
    /// Whether each manifest of an index is signed as well.
    pub recursive: bool,
    /// What is attested of the root beside.
    pub attestations: Vec<Predicate>,
    /// Where the bundles of attestations are kept too, if anywhere.
    pub github: Option<github::AttestationStore>,
    /// When, as RFC 3339.
    pub created: String,
}

/// The two forms of a signature.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SignatureFormat {
    /// A bundle, as a referrer.
    Bundle,
    /// A layer of the image under the tag `sha256-<hex>.sig`.
    Legacy,
}

impl std::fmt::Display for SignatureFormat {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Bundle => "bundle",
            Self::Legacy => "legacy",
        })
    }
}

/// What an image has to have beside it.
#[derive(Debug, Clone)]
pub struct ImageCheck {
    /// Who has to have signed all that counts.
    pub requirement: Requirement,
    /// What has to be there: at least one thing.
    pub wanted: Vec<RequiredEvidence>,
}

/// Something that has to be there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RequiredEvidence {
    /// A signature.
    Signature,
    /// An attestation.
    Attestation(AttestationRule),
}

impl std::fmt::Display for RequiredEvidence {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Signature => f.write_str("signature"),
            Self::Attestation(rule) => write!(f, "attestation {rule}"),
        }
    }
}

/// `signature`, or the type of an attestation with its conditions.
impl std::str::FromStr for RequiredEvidence {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "signature" | COSIGN_SIGN_PREDICATE => Ok(Self::Signature),
            rule => rule.parse().map(Self::Attestation),
        }
    }
}

impl ReleaseRequest {
    /// Returns the repositories of the release, and what it does there.
    pub(super) fn required_repositories(
        &self,
    ) -> impl Iterator<Item = (&Repository, RepositoryAccess)> {
        let destinations = self.destinations.iter().filter_map(|place| match place {
            Destination::Registry(repository) => Some((repository, RepositoryAccess::PullPush)),
            Destination::Layout(_) => None,
        });
        let source = match &self.source {
            ImageSource::Registry(reference) => {
                Some((&reference.repository, RepositoryAccess::Pull))
            }
            _ => None,
        };
        destinations.chain(source)
    }

    /// Whether referrers of the source may have to be copied.
    pub(super) fn may_copy_referrers(&self) -> bool {
        self.copies_referrers_from(&self.source)
    }

    /// Whether referrers of the image at `from` may have to be copied.
    pub(super) fn copies_referrers_from(&self, from: &ImageSource) -> bool {
        let mut places = self.destinations.iter();
        self.referrers != ReferrerSelection::None
            && places.any(|place| !is_same_repository(place, from))
    }
}

/// Whether an image is in the repository or layout that it is released to.
pub(super) fn is_same_repository(place: &Destination, location: &ImageSource) -> bool {
    match (place, location) {
        (Destination::Registry(repository), ImageSource::Registry(reference)) => {
            *repository == reference.repository
        }
        (Destination::Layout(to), ImageSource::Layout(from, _)) => to == from,
        _ => false,
    }
}
