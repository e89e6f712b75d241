//! Request of a release: its source, destinations, tag rules and options.

use std::collections::BTreeMap;

use super::gates::gate_request::GateRequest;
use super::github_deployment::options::GithubEnvironment;
use super::plan_terms::PlanTerms;
use super::records::options::RecordOptions;
use super::release_facts::{PromotionPath, SignerName};
use super::source_lookup::SourceLookup;
use super::source_search::SourceSearch;
use crate::event::EventFacts;
use crate::gate::AttestationRule;
use crate::github;
use crate::image::{Destination, ImageSource, PlatformName, Repository};
use crate::referrers::ReferrerSelection;
use crate::registry::RepositoryAccess;
use crate::signing::{COSIGN_SIGN_PREDICATE, Predicate, Requirement, Signer};
use crate::tagging::{CommitTagForm, EnvironmentName, ExcludedVersions, NamedRelease, TagRules};
use crate::transfer::ForeignLayers;

/// Verb of a release.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReleaseVerb {
    /// Releases a built image to its first repository, tagged from the event.
    Push,
    /// Releases a released image to further repositories, tagged from its labels.
    Promote,
}

/// Policy for an immutable tag that points to another image of the same commit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ExistingTagPolicy {
    /// Reuse the image of a commit's tag on a push, refuse everything else.
    #[default]
    PerTagKind,
    /// Refuse the release.
    Fail,
    /// Release the existing image.
    Keep,
}

/// Request of a release.
#[derive(Debug, Clone)]
pub struct ReleaseRequest {
    /// Verb.
    pub verb: ReleaseVerb,
    /// Image that is released; of a search a name for it.
    pub source: ImageSource,
    /// Search for the source; `None` if it is named, or found.
    pub search: Option<SourceSearch>,
    /// Commit that the source was found by.
    pub lookup: Option<SourceLookup>,
    /// Destinations: at least one, none twice.
    pub destinations: Vec<Destination>,
    /// Event or checkout that the tags are derived from.
    pub facts: Option<EventFacts>,
    /// Whether the user named the commit of `facts`.
    pub commit_given: bool,
    /// Tag rules.
    pub rules: TagRules,
    /// Versions that never count for version lines.
    pub excluded_versions: ExcludedVersions,
    /// Names of the image that the event does not say.
    pub naming: ReleaseNaming,
    /// Environment, if any.
    pub environment: Option<EnvironmentName>,
    /// The environment at GitHub, if any.
    pub github_environment: Option<GithubEnvironment>,
    /// Environments before and after it, by the policy.
    pub path: PromotionPath,
    /// Whether the labels of the image that a moving tag pointed to are read, for the report.
    pub reads_previous: bool,
    /// Policy for immutable tags that exist.
    pub existing: ExistingTagPolicy,
    /// Repository that must have the image, where a policy names one.
    pub from: Option<Destination>,
    /// Signatures and attestations that the source must have before anything is copied, if any.
    pub check: Option<ImageCheck>,
    /// Signing options; `None`: no signature.
    pub signing: Option<SigningOptions>,
    /// Referrers that are copied with the image.
    pub referrers: ReferrerSelection,
    /// Whether foreign layers are copied too.
    pub foreign_layers: ForeignLayers,
    /// Platforms to release.
    pub platforms: RequestedPlatforms,
    /// How the release is recorded; `None` if it is not.
    pub record: Option<RecordOptions>,
    /// Gates that the image must pass, if any.
    pub gates: Option<GateRequest>,
    /// Plan and report, and write nothing.
    pub dry_run: bool,
    /// Decide as a release does, with access that reads alone and without a signer: a check.
    pub is_check: bool,
    /// Policy of the plan, and the plan that is expected.
    pub plan: PlanTerms,
}

/// Names of the image by the inputs and the policy.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ReleaseNaming {
    /// Version of the input `version`.
    pub version: Option<NamedRelease>,
    /// Spelling of SHA tags in the environment that the image comes from, if its rules say one.
    pub commit_tag_form: Option<CommitTagForm>,
    /// Whether sources that contradict each other are refused: an environment of the policy applies.
    pub refuses_contradictions: bool,
}

/// Platforms to release.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RequestedPlatforms {
    /// Names; empty: all platforms.
    pub names: Vec<PlatformName>,
    /// Whether to continue if the new index drops signatures.
    pub drop_signatures: bool,
}

/// Options of signing.
#[derive(Debug, Clone)]
pub struct SigningOptions {
    /// Key or identity that signs.
    pub signer: Signer,
    /// Formats: at least one.
    pub formats: Vec<SignatureFormat>,
    /// Annotations of the signature, in addition to commit, ref and version.
    pub annotations: BTreeMap<String, String>,
    /// Whether each manifest below an index is signed too.
    pub recursive: bool,
    /// Predicates to attest of the root.
    pub attestations: Vec<Predicate>,
    /// Whether scan reports and SBOMs that name no image are attested.
    pub allows_unbound: bool,
    /// Whether each scan report is attested of the image that it names alone, since the run releases several and a
    /// gate claims every report.
    pub assigns_reports: bool,
    /// Store at GitHub that attestations are uploaded to as well, if any.
    pub github: Option<github::AttestationStore>,
    /// Time of creation, as RFC 3339.
    pub created: String,
}

/// Format of a signature.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SignatureFormat {
    /// Sigstore bundle, as a referrer.
    Bundle,
    /// Layer of the image under the tag `sha256-<hex>.sig` (cosign).
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

/// Signatures and attestations that an image must have.
#[derive(Debug, Clone)]
pub struct ImageCheck {
    /// Signer that is required.
    pub requirement: Requirement,
    /// Required evidence: at least one.
    pub wanted: Vec<RequiredEvidence>,
}

impl ImageCheck {
    /// Returns the signer whose signature is required; `None` if only attestations are.
    pub(super) fn source_signer(&self) -> Option<SignerName> {
        let is_signature_wanted = self.wanted.contains(&RequiredEvidence::Signature);
        is_signature_wanted.then(|| SignerName::from_requirement(&self.requirement))
    }
}

/// Signature or attestation that is required.
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
            Destination::Registry(repository) => Some((repository, self.destination_access())),
            Destination::Layout(_) => None,
        });
        let source = match &self.source {
            ImageSource::Registry(reference) => {
                Some((&reference.repository, RepositoryAccess::Pull))
            }
            _ => None,
        };
        let origins = self.search.iter().flat_map(|search| &search.origins);
        let origins = origins.filter_map(|origin| match &origin.place {
            Destination::Registry(repository) => Some((repository, RepositoryAccess::Pull)),
            Destination::Layout(_) => None,
        });
        destinations.chain(source).chain(origins)
    }

    /// Returns the access that the release needs to its destinations.
    pub(super) fn destination_access(&self) -> RepositoryAccess {
        match self.is_check {
            true => RepositoryAccess::Pull,
            false => RepositoryAccess::PullPush,
        }
    }

    /// Returns how SHA tags are spelled where the image comes from, if a rule says it.
    pub(super) fn commit_tag_form(&self) -> Option<&CommitTagForm> {
        let of_lookup = self.lookup.as_ref().and_then(|lookup| lookup.form.as_ref());
        of_lookup.or(self.naming.commit_tag_form.as_ref())
    }

    /// Returns whether referrers of the source may have to be copied.
    pub(super) fn may_copy_referrers(&self) -> bool {
        self.copies_referrers_from(&self.source)
    }

    /// Returns whether referrers of the image at `from` may have to be copied.
    pub(super) fn copies_referrers_from(&self, from: &ImageSource) -> bool {
        let mut places = self.destinations.iter();
        self.referrers != ReferrerSelection::None && places.any(|place| !place.is_place_of(from))
    }
}
