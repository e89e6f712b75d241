//! Reads the commit and version that an image's labels and annotations name.

use std::collections::BTreeMap;

use super::image::ResolvedImage;
use crate::image::{CommitId, ImageLabels, ImageSource, Manifest, ManifestBody, Platform, Tag};
use crate::notices::to_printable;
use crate::release::Failure;
use crate::release::request::{ReleaseRequest, ReleaseVerb};
use crate::tagging::{DerivedTags, ImageOrigin, ImmutableTagSource, PlannedTag, TagKind};
use crate::transfer::{ImageReader, Side, StoreError};

/// The most bytes that a config may have.
pub(crate) const CONFIG_LIMIT: u64 = 8 << 20;
/// How deep indexes are looked into for an image.
pub(super) const INDEX_DEPTH_LIMIT: usize = 8;

/// Reads the commit and version that the image names: in the root's annotations, else in the
/// annotations or labels of its first platform. All platforms are built together, so one speaks for
/// all.
pub(crate) async fn read_image_origin(
    source: &ImageReader,
    root: &Manifest,
) -> Result<ImageOrigin, StoreError> {
    read_origin_within(source, root, INDEX_DEPTH_LIMIT).await
}

/// Reads the same through at most `depth` indexes: one request each, and one for the config.
pub(crate) async fn read_origin_within(
    source: &ImageReader,
    root: &Manifest,
    depth: usize,
) -> Result<ImageOrigin, StoreError> {
    let mut origin = ImageOrigin::default();
    merge_labels(&mut origin, &root.labels());
    let Some(image) = first_image(source, root, depth).await? else {
        return Ok(origin);
    };
    merge_labels(&mut origin, &image.labels());
    if origin.revision.is_some() && origin.version.is_some() {
        return Ok(origin);
    }
    if let Some((labels, platform)) = read_config(source, &image).await? {
        merge_labels(&mut origin, &labels);
        origin.platform = platform.filter(|_| image.digest == root.digest);
    }
    Ok(origin)
}

/// Reads the labels of an image: those of the config of its first platform, and the annotations of the manifests that
/// lead there, which go before them. A source address has no login.
pub(crate) async fn read_labels(
    source: &ImageReader,
    root: &Manifest,
) -> Result<BTreeMap<String, String>, StoreError> {
    let first = first_image(source, root, INDEX_DEPTH_LIMIT).await?;
    let mut labels = BTreeMap::new();
    let mut add = |more: &ImageLabels| {
        labels.extend(
            more.printable_values()
                .map(|(name, value)| (name.to_owned(), value)),
        );
    };
    if let Some(image) = &first {
        if let Some((of_config, _)) = read_config(source, image).await? {
            add(&of_config);
        }
        add(&image.labels());
    }
    add(&root.labels());
    Ok(labels)
}

/// Reads the labels and the platform in the config of an image. A config that cannot be read says nothing.
pub(super) async fn read_config(
    source: &ImageReader,
    image: &Manifest,
) -> Result<Option<(ImageLabels, Option<Platform>)>, StoreError> {
    match &image.body {
        ManifestBody::Image { config, .. } if is_image_config(&config.media_type) => {
            let bytes = source.read_small_blob(config, CONFIG_LIMIT).await?;
            let labels = ImageLabels::from_config(&bytes).unwrap_or_default();
            Ok(Some((labels, Platform::from_config(&bytes))))
        }
        _ => Ok(None),
    }
}

pub(super) fn merge_labels(origin: &mut ImageOrigin, labels: &ImageLabels) {
    origin.revision = origin.revision.take().or_else(|| labels.revision());
    let malformed = labels.written_revision().filter(|text| !text.is_empty());
    let malformed = malformed.filter(|_| labels.revision().is_none());
    origin.malformed_revision = origin
        .malformed_revision
        .take()
        .or_else(|| malformed.map(str::to_owned));
    origin.version = origin
        .version
        .take()
        .or_else(|| labels.version().map(str::to_owned));
    origin.source = origin.source.take().or_else(|| labels.source());
}

/// Refuses to give a pushed image the tag of the event's commit where its label names another commit:
/// the tag is immutable, and the commit's own image could never get it. Where no tag names a commit,
/// this is a note; an image with such a tag whose labels name no commit is a warning. Of an image in a
/// registry only the annotations of its root are read, which costs no request.
pub(crate) async fn check_commit_label(
    image: &mut ResolvedImage,
    request: &ReleaseRequest,
    derived: &mut DerivedTags,
) -> Result<(), Failure> {
    if request.verb != ReleaseVerb::Push {
        return Ok(());
    }
    if matches!(request.source, ImageSource::Registry(_)) {
        let mut origin = ImageOrigin::default();
        merge_labels(&mut origin, &image.root.labels());
        return judge_commit_label(request, &origin, derived);
    }
    let origin = read_image_origin(&image.reader, &image.root)
        .await
        .map_err(|error| Failure::from_store_error(Side::Source, &request.source, error))?;
    derived
        .warnings
        .extend(unlabelled_warning(&origin, derived));
    judge_commit_label(request, &origin, derived)?;
    image.origin = Some(origin);
    Ok(())
}

/// Returns a warning if an image gets a SHA tag and no label of it names a commit.
fn unlabelled_warning(origin: &ImageOrigin, derived: &DerivedTags) -> Option<String> {
    let planned = commit_tag(derived).filter(|_| origin.revision.is_none())?;
    let label = match &origin.malformed_revision {
        Some(text) => format!(
            "its label org.opencontainers.image.revision says {:?}, which is no full commit",
            to_printable(text, 80)
        ),
        None => "no label org.opencontainers.image.revision of it names the commit".to_owned(),
    };
    Some(format!(
        "the image gets the tag {}, but {label}: promote will not find it by its commit; set the label in the build (docker/build-push-action: labels)",
        planned.tag
    ))
}

fn judge_commit_label(
    request: &ReleaseRequest,
    origin: &ImageOrigin,
    derived: &mut DerivedTags,
) -> Result<(), Failure> {
    let facts = request.facts.as_ref();
    let expected = facts.and_then(|facts| facts.commit.as_ref());
    let Some((named, expected)) = origin.revision.as_ref().zip(expected) else {
        return Ok(());
    };
    if named == expected {
        return Ok(());
    }
    match commit_tag(derived) {
        Some(planned) if !request.commit_given => {
            return Err(denied_commit(&planned.tag, named, expected));
        }
        _ => derived.notes.push(format!(
            "the image's label org.opencontainers.image.revision names the commit {named}, expected {expected}: \
             set it in the build (docker/build-push-action: labels), or a promotion uses the wrong commit"
        )),
    }
    Ok(())
}

fn commit_tag(derived: &DerivedTags) -> Option<&PlannedTag> {
    let kind = TagKind::Immutable(ImmutableTagSource::Commit);
    derived.tags.iter().find(|planned| planned.kind == kind)
}

fn denied_commit(tag: &Tag, named: &CommitId, expected: &CommitId) -> Failure {
    Failure::refused(format!(
        "tag {tag} is of the commit {expected}, and the label of the image names the commit {named}"
    ))
    .with_reason("a commit's tag is immutable: the image of that commit could not get it any more (label org.opencontainers.image.revision)")
    .with_hint(format!(
        "if the run built another ref, set commit: {named}; if the label is that of a base image, set it in the build (docker/build-push-action: labels), or set commit: {expected}"
    ))
}

/// Returns the first image below a root; `None` if there is none.
pub(super) async fn first_image(
    source: &ImageReader,
    root: &Manifest,
    depth: usize,
) -> Result<Option<Manifest>, StoreError> {
    let mut at = root.clone();
    for _ in 0..depth {
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
