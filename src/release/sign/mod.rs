//! Signing: beside the image's way to a destination, and before any tag names it.
//!
//! What is there is read before anything is written, so that an equal signature is not made twice.
//! Where a tag that exists has to be added to, that is done before all else: a registry that makes
//! tags immutable refuses it, and then nothing of the release has been written.

mod planned_statement;
mod signing_stage;

use std::collections::BTreeMap;

use futures_util::future::{try_join, try_join_all};
use url::Url;

use super::evidence::{self, SignatureFormat};
use super::observe_destinations::DestinationState;
use super::plan::TagPlan;
use super::resolve_source::ResolvedImage;
use super::{Failure, OpenDestination, PreparedRelease, ReleaseContext, TagChange, resolve_source};
use crate::github;
use crate::image::{Descriptor, Destination, Digest, TagOrDigest};
use crate::signing::{ImageClaim, Predicate, Signer, SigningError};
use crate::transfer::Side;
use planned_statement::PlannedStatement;
use signing_stage::SignRequest;
pub(super) use signing_stage::SigningStage;

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

/// What became of one signature.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignatureResult {
    /// What it is of: the root, or a manifest below it.
    pub of: Digest,
    /// The type of what it attests; none where it is a signature.
    pub predicate_type: Option<&'static str>,
    /// Its form.
    pub format: SignatureFormat,
    /// Where it is; none where it is not made yet.
    pub at: Option<TagOrDigest>,
    /// Where GitHub shows it, if this run had it kept there.
    pub url: Option<Url>,
    /// Whether this run made it, or on a dry run would have.
    pub is_new: bool,
}

/// The work at every destination that has, or is going to have, the root: none at the others.
pub(super) async fn plan_signing<'a>(
    prepared: &'a PreparedRelease<'_>,
) -> Result<Vec<Vec<SigningStage<'a>>>, Failure> {
    let PreparedRelease {
        request,
        context,
        destinations,
        image,
        plans,
        states: seen,
        ..
    } = prepared;
    let signing = request.signing.as_ref();
    let Some(signing) = signing.filter(|_| plans.iter().any(has_root)) else {
        return Ok(destinations.iter().map(|_| Vec::new()).collect());
    };
    let (registry, notices) = (&context.registry, &context.notices);
    let requirement = signing.signer.requirement(registry.http(), notices);
    let requirement = async { requirement.await.map_err(unsigned) };
    let each = destinations.iter().zip(plans).zip(seen);
    let priors = each.map(|((destination, plan), seen)| destination.load_tag_snapshot(plan, seen));
    let (requirement, priors) = try_join(requirement, try_join_all(priors)).await?;
    let root = image.root.digest;
    if let Some(other) = signing
        .attestations
        .iter()
        .find(|predicate| !predicate.may_be_about(root))
    {
        return Err(Failure::input(format!(
            "the statement of type {} that is given is of another image than {root}",
            other.kind
        ))
        .with_hint("give the one that was made for this image"));
    }
    let subjects = signing_subjects(image, signing.recursive).await?;
    let mut annotations = signing.annotations.clone();
    annotations.extend(prepared.release_annotations());
    let (annotations, requirement) = (&annotations, &requirement);
    let each = destinations.iter().zip(plans).zip(priors);
    let looks = each.map(|((destination, plan), prior)| {
        let repository = claimed_repository(&destination.name);
        let works = subjects.iter().filter(|_| has_root(plan)).map(|subject| {
            let claim = ImageClaim {
                repository: repository.clone(),
                digest: subject.digest,
                annotations: annotations.clone(),
            };
            let mut predicate = vec![PlannedStatement::Signature(claim)];
            if subject.digest == root {
                predicate.extend(attestation_statements(signing, &repository));
            }
            let sign_request = SignRequest {
                signing,
                requirement: requirement.clone(),
                subject: subject.clone(),
                tags_follow: plan.writes(),
            };
            SigningStage::plan(sign_request, context, destination, predicate, prior)
        });
        try_join_all(works.collect::<Vec<_>>())
    });
    try_join_all(looks).await
}

/// Whether a destination has the root, or is going to have it.
fn has_root(plan: &TagPlan) -> bool {
    let mut steps = plan.steps.iter();
    steps.any(|step| step.writes() || step.change == TagChange::Unchanged)
}

/// What is attested of the root.
fn attestation_statements<'a>(
    signing: &'a SigningOptions,
    repository: &'a str,
) -> impl Iterator<Item = PlannedStatement> + 'a {
    signing
        .attestations
        .iter()
        .map(|predicate| PlannedStatement::Attestation {
            repository: repository.to_owned(),
            predicate: predicate.clone(),
        })
}

/// The root, and the manifests below it where they are signed as well.
async fn signing_subjects(
    image: &ResolvedImage,
    recursive: bool,
) -> Result<Vec<Descriptor>, Failure> {
    let mut subjects = vec![image.root.to_descriptor()];
    let mut open = vec![image.root.clone()];
    while let Some(manifest) = open.pop().filter(|_| recursive) {
        for child in manifest.children() {
            if subjects.iter().any(|known| known.digest == child.digest) {
                continue;
            }
            subjects.push(child.clone());
            if child.may_be_index() {
                open.push(resolve_source::read_child(image, manifest.digest, child.digest).await?);
            }
        }
    }
    Ok(subjects)
}

/// That the services which sign did not.
pub(crate) fn unsigned(error: SigningError) -> Failure {
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

/// The name that a signature is made for.
fn claimed_repository(place: &Destination) -> String {
    match place {
        Destination::Registry(repository) => repository.to_string(),
        Destination::Layout(path) => {
            let name = path.file_name().unwrap_or_default();
            name.to_string_lossy().into_owned()
        }
    }
}

/// An image that was there already is only gone on with if this signer has signed it: its labels
/// could say anything.
pub(super) async fn require_own_signature(
    signing: &SigningOptions,
    context: &ReleaseContext,
    destinations: &[OpenDestination],
    seen: &[DestinationState],
    root: Digest,
) -> Result<(), Failure> {
    let ReleaseContext {
        registry, notices, ..
    } = context;
    let requirement = signing.signer.requirement(registry.http(), notices).await;
    let requirement = requirement.map_err(unsigned)?;
    let there = destinations.iter().zip(seen).filter(|(_, seen)| {
        let mut named = seen.tag_digests.values().flatten();
        named.any(|named| *named == root)
    });
    for (destination, _) in there {
        let place = &destination.name;
        let found = evidence::check_signatures(&destination.store, &requirement, root)
            .await
            .map_err(|error| evidence::referrer_failure(Side::Destination, place, error))?;
        if !found.iter().any(|checked| checked.result.is_ok()) {
            return Err(Failure::refused(format!(
                "{place} has the image {root} of the same commit, which is not signed with {}",
                match &signing.signer {
                    Signer::Key(_) | Signer::LoggedKey(_) => "this key",
                    Signer::Keyless(_) => "the identity of this job",
                }
            ))
            .why("what is gone on with would be signed, and nothing but its own labels says what it is")
            .with_hint("sign what is there by promoting it by its digest, or say existing: fail"));
        }
    }
    Ok(())
}
