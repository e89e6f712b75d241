//! Plans the signatures of a release: who signs, what is signed, and what exists already.
//!
//! What exists is read before anything is written, so that an equal signature is not made twice.
//! Where a tag that exists has to be added to, that is done before all else: a registry that makes
//! tags immutable refuses it, and then nothing of the release has been written.

use futures_util::future::{try_join, try_join_all};

use super::report_binding::require_bound_reports;
use super::stage::{SignRequest, SigningStage};
use super::statement::PlannedStatement;
use crate::image::Descriptor;
use crate::release::Failure;
use crate::release::failure::signing_failure;
use crate::release::plan::tags::TagPlan;
use crate::release::prepared_release::PreparedRelease;
use crate::release::records::location::claimed_repository;
use crate::release::request::SigningOptions;
use crate::release::resolve::image::{self, ResolvedImage};
use crate::signing::ImageClaim;

/// Plans signing at every destination that has, or is going to have, the root; none at the others.
///
/// # Errors
/// An attestation of another image, a missing child manifest, and services and stores that fail.
pub(crate) async fn plan_signing<'a>(
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
    let Some(signing) = signing.filter(|_| plans.iter().any(TagPlan::has_root)) else {
        return Ok(destinations.iter().map(|_| Vec::new()).collect());
    };
    let (registry, notices) = (&context.registry, &context.notices);
    let requirement = signing.signer.requirement(registry.http(), notices);
    let requirement = async { requirement.await.map_err(signing_failure) };
    let each = destinations.iter().zip(plans).zip(seen);
    let priors = each.map(|((destination, plan), seen)| {
        destination.load_tag_snapshot(plan.writes(), &seen.tags)
    });
    let (requirement, priors) = try_join(requirement, try_join_all(priors)).await?;
    let root = image.root.digest;
    if let Some(other) = signing
        .attestations
        .iter()
        .find(|predicate| !predicate.may_be_about(root))
    {
        return Err(Failure::input(format!(
            "the attestation of type {} names another image, expected {root}",
            other.kind
        ))
        .with_hint("pass the attestation that was made for this image"));
    }
    require_bound_reports(signing, image).await?;
    let subjects = signing_subjects(image, signing.recursive).await?;
    let mut annotations = signing.annotations.clone();
    annotations.extend(prepared.release_annotations());
    let (annotations, requirement) = (&annotations, &requirement);
    let each = destinations.iter().zip(plans).zip(priors);
    let looks = each.map(|((destination, plan), prior)| {
        let repository = claimed_repository(&destination.name);
        let works = subjects.iter().filter(|_| plan.has_root()).map(|subject| {
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

/// Returns the attestations of the root.
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

/// Returns the root and, where `recursive`, the manifests below it.
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
                open.push(image::read_child(image, manifest.digest, child.digest).await?);
            }
        }
    }
    Ok(subjects)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::image::{Digest, ImageSelector, ImageSource, Manifest};
    use crate::layout::LayoutDirectory;
    use crate::transfer::{ImageReader, ImageStore};

    const INDEX: &str = "application/vnd.oci.image.index.v1+json";

    /// An index in an empty layout, with an index below it that does not exist.
    fn incomplete_image(directory: &std::path::Path) -> ResolvedImage {
        let child = Digest::from_bytes(b"missing");
        let index = serde_json::json!({
            "schemaVersion": 2, "mediaType": INDEX,
            "manifests": [{"mediaType": INDEX, "digest": child.to_string(), "size": 7}],
        });
        let root = Manifest::parse(index.to_string().into(), Some(INDEX)).unwrap();
        let layout = LayoutDirectory::new(directory);
        ResolvedImage {
            location: ImageSource::Layout(directory.into(), ImageSelector::Digest(root.digest)),
            reader: ImageReader::from_store(ImageStore::Layout(layout)).into(),
            root,
            origin: None,
            platform_selection: None,
            generated_manifests: Vec::new(),
        }
    }

    #[tokio::test]
    async fn only_the_root_is_signed_unless_recursive() {
        let directory = tempfile::tempdir().unwrap();
        let image = incomplete_image(directory.path());
        let subjects = signing_subjects(&image, false).await.unwrap();
        assert_eq!(subjects, [image.root.to_descriptor()]);
    }

    #[tokio::test]
    async fn recursive_signing_refuses_a_missing_child() {
        let directory = tempfile::tempdir().unwrap();
        let image = incomplete_image(directory.path());
        assert!(signing_subjects(&image, true).await.is_err());
    }
}
