//! Reads the labels of an image that was found by a commit: they must name that commit.

use super::image::ResolvedImage;
use super::image_origin::read_image_origin;
use super::sought_origin::{SoughtOrigin, read_sought_origin};
use crate::notices::to_printable;
use crate::release::Failure;
use crate::release::context::ReleaseContext;
use crate::release::request::ReleaseRequest;
use crate::release::source_lookup::SourceLookup;
use crate::tagging::ImageOrigin;
use crate::transfer::Side;

/// Reads what the image names. One that was found by a commit must name it in all its parts, unless a record
/// names it and no part another.
///
/// # Errors
/// A label that names another commit, and none that names a whole one.
pub(crate) async fn read_origin(
    request: &ReleaseRequest,
    context: &ReleaseContext,
    image: &ResolvedImage,
) -> Result<ImageOrigin, Failure> {
    let to_failure = |error| Failure::from_store_error(Side::Source, &request.source, error);
    let Some(lookup) = &request.lookup else {
        let origin = read_image_origin(&image.reader, &image.root).await;
        return origin.map_err(to_failure);
    };
    let read = read_sought_origin(&image.reader, &image.root).await;
    let read = read.map_err(to_failure)?;
    require_sought_commit(request, lookup, &read)?;
    if let Some(warning) = other_repository_warning(request, &read.origin) {
        context.notices.warning(warning);
    }
    let mut origin = read.origin;
    origin.revision = origin.revision.or_else(|| lookup.recorded.clone());
    Ok(origin)
}

/// Returns a warning if the image names another source repository than the run's.
fn other_repository_warning(request: &ReleaseRequest, origin: &ImageOrigin) -> Option<String> {
    let own = request.facts.as_ref()?.repository.as_ref()?;
    let named = origin.source.as_ref().filter(|named| !named.is_empty())?;
    let path = named.trim_end_matches('/').trim_end_matches(".git");
    let path = path.to_ascii_lowercase().replace(':', "/");
    let is_own = path.ends_with(&format!("/{}", own.to_ascii_lowercase()));
    (!is_own).then(|| {
        format!(
            "{} names the source repository {} (label org.opencontainers.image.source), the run is of {}",
            request.source,
            to_printable(named, 200),
            to_printable(own, 200)
        )
    })
}

fn require_sought_commit(
    request: &ReleaseRequest,
    lookup: &SourceLookup,
    read: &SoughtOrigin,
) -> Result<(), Failure> {
    let origin = &read.origin;
    let says = match (&origin.revision, &read.contradiction) {
        (None, _) if lookup.recorded.is_some() => return Ok(()),
        (Some(built), Some(other)) => {
            format!("but its labels name two commits, {built} and {other}")
        }
        (Some(built), None) if lookup.commit.may_be(built) => return Ok(()),
        (Some(built), None) => format!("but its label names the commit {built}"),
        (None, _) => match &origin.malformed_revision {
            Some(text) => format!(
                "but its label says {:?}, which is no full commit",
                to_printable(text, 80)
            ),
            None => "but no label of it names a commit".to_owned(),
        },
    };
    Err(Failure::refused(format!(
        "{} was found by the commit {}, which {} names, {says}",
        request.source, lookup.commit, lookup.named_by
    ))
    .with_reason("an image that is found by its commit must name that commit itself, in the label or annotation org.opencontainers.image.revision: a tag can be moved, and an abbreviated commit can be two")
    .with_hint(format!(
        "build the image with the labels of docker/metadata-action or of command: tags (docker/build-push-action: labels), or give source: {}, if it is the right image",
        request.source
    )))
}
