//! Finds the image that a hold is placed on.

use super::hold_place::HoldPlace;
use super::hold_request::HoldRequest;
use crate::image::{Digest, Manifest, Tag, TagOrDigest};
use crate::release::Failure;
use crate::release::records::release_name::ReleaseName;

/// Returns the image that a name means: by the records of the timeline, and else by its tag.
///
/// # Errors
/// A name that means no image, and a store that cannot tell.
pub(super) async fn find_image(
    request: &HoldRequest,
    place: &HoldPlace,
    name: &ReleaseName,
) -> Result<Manifest, Failure> {
    let root = find_root(request, place, name).await?;
    let manifest = place.store().get_manifest(&TagOrDigest::Digest(root)).await;
    let manifest = manifest.map_err(|error| request.failure(error))?;
    manifest.ok_or_else(|| missing_image(request, name))
}

async fn find_root(
    request: &HoldRequest,
    place: &HoldPlace,
    name: &ReleaseName,
) -> Result<Digest, Failure> {
    let unrecorded = match place.timeline() {
        Some(timeline) => match timeline.find_root(name).await {
            Err(refusal @ Failure::Refused(_)) => refusal,
            found => return found,
        },
        None => missing_image(request, name),
    };
    let tag: Tag = match name {
        ReleaseName::Digest(digest) => return Ok(*digest),
        ReleaseName::Version(text) => match text.parse() {
            Ok(tag) => tag,
            Err(_) => return Err(unrecorded),
        },
    };
    let named = place.store().resolve_tag(&tag).await;
    named
        .map_err(|error| request.failure(error))?
        .ok_or(unrecorded)
}

fn missing_image(request: &HoldRequest, name: &ReleaseName) -> Failure {
    Failure::refused(format!("{} has no image {name}", request.place))
        .with_reason("a hold is a tag on an image that is there")
        .with_hint("name in release a digest, version or tag of the repository")
}
