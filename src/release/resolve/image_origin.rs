//! Reads the commit and version that an image's labels and annotations name.

use super::image::ResolvedImage;
use crate::image::{ImageLabels, ImageSource, Manifest, ManifestBody};
use crate::release::Failure;
use crate::release::request::{ReleaseRequest, ReleaseVerb};
use crate::tagging::{ImageOrigin, ImmutableTagSource, PlannedTag, TagKind};
use crate::transfer::{ImageReader, Side, StoreError};

/// The most bytes that a config may have.
const CONFIG_LIMIT: u64 = 8 << 20;
/// How deep indexes are looked into for an image.
const INDEX_DEPTH_LIMIT: usize = 8;

/// Reads the commit and version that the image names: in the root's annotations, else in the
/// annotations or labels of its first platform. All platforms are built together, so one speaks for
/// all.
pub(crate) async fn read_image_origin(
    source: &ImageReader,
    root: &Manifest,
) -> Result<ImageOrigin, StoreError> {
    let mut origin = ImageOrigin::default();
    merge_labels(&mut origin, &root.labels());
    let Some(image) = first_image(source, root).await? else {
        return Ok(origin);
    };
    merge_labels(&mut origin, &image.labels());
    if origin.revision.is_some() && origin.version.is_some() {
        return Ok(origin);
    }
    if let ManifestBody::Image { config, .. } = &image.body
        && is_image_config(&config.media_type)
    {
        let bytes = source.read_small_blob(config, CONFIG_LIMIT).await?;
        // A config that cannot be read says nothing.
        merge_labels(
            &mut origin,
            &ImageLabels::from_config(&bytes).unwrap_or_default(),
        );
    }
    Ok(origin)
}

fn merge_labels(origin: &mut ImageOrigin, labels: &ImageLabels) {
    origin.revision = origin.revision.take().or_else(|| labels.revision());
    origin.version = origin
        .version
        .take()
        .or_else(|| labels.version().map(str::to_owned));
}

/// Refuses to give a pushed image the tag of the event's commit where its label names another commit:
/// the tag is immutable, and the commit's own image could never get it. Where no tag names a commit,
/// this is a note. Of an image in a registry only the annotations of its root are read, which costs no
/// request.
pub(crate) async fn check_commit_label(
    image: &mut ResolvedImage,
    request: &ReleaseRequest,
    tags: &[PlannedTag],
) -> Result<Option<String>, Failure> {
    if request.verb != ReleaseVerb::Push || request.is_commit_given {
        return Ok(None);
    }
    if matches!(request.source, ImageSource::Registry(_)) {
        let mut origin = ImageOrigin::default();
        merge_labels(&mut origin, &image.root.labels());
        return judge_commit_label(request, &origin, tags);
    }
    let origin = read_image_origin(&image.reader, &image.root)
        .await
        .map_err(|error| Failure::from_store_error(Side::Source, &request.source, error))?;
    let judged = judge_commit_label(request, &origin, tags);
    image.origin = Some(origin);
    judged
}

fn judge_commit_label(
    request: &ReleaseRequest,
    origin: &ImageOrigin,
    tags: &[PlannedTag],
) -> Result<Option<String>, Failure> {
    let facts = request.facts.as_ref();
    let event = facts.and_then(|facts| facts.commit.as_ref());
    let Some((named, event)) = origin.revision.as_ref().zip(event) else {
        return Ok(None);
    };
    if named == event {
        return Ok(None);
    }
    let what = format!(
        "the image's label org.opencontainers.image.revision names the commit {named}, expected the event's {event}"
    );
    let of_commit = TagKind::Immutable(ImmutableTagSource::Commit);
    match tags.iter().find(|planned| planned.kind == of_commit) {
        Some(planned) => Err(Failure::refused(what)
            .with_reason(format!(
                "{} is an immutable tag of the commit {}",
                planned.tag,
                event.short()
            ))
            .with_hint(format!(
                "set commit: {named} if the image was built from it, or commit: {event} if the label is a base \
                 image's; or set the label in the build (docker/build-push-action: labels)"
            ))),
        None => Ok(Some(format!(
            "{what}: set it in the build (docker/build-push-action: labels), or a promotion uses the wrong commit"
        ))),
    }
}

async fn first_image(
    source: &ImageReader,
    root: &Manifest,
) -> Result<Option<Manifest>, StoreError> {
    let mut at = root.clone();
    for _ in 0..INDEX_DEPTH_LIMIT {
        if matches!(at.body, ManifestBody::Image { .. }) {
            return Ok(Some(at));
        }
        let Some(child) = at.children().find(|child| !child.says_attestation()) else {
            return Ok(None);
        };
        let (child, parent) = (child.digest, at.digest);
        at = source
            .get_manifest(child)
            .await?
            .ok_or(StoreError::MissingChild { child, parent })?;
    }
    Ok(None)
}

fn is_image_config(media_type: &str) -> bool {
    matches!(
        media_type,
        oci_client::manifest::IMAGE_CONFIG_MEDIA_TYPE
            | oci_client::manifest::IMAGE_DOCKER_CONFIG_MEDIA_TYPE
    )
}
