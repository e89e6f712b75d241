//! What an image says of itself.

use super::source::Resolved;
use super::{Failure, Request, Verb};
use crate::image::{Body, Labels, Location, Manifest};
use crate::tagging::Origin;
use crate::transfer::{Side, Source, StoreError};

/// The most bytes that a config may have.
const CONFIG_LIMIT: u64 = 8 << 20;
/// How deep indexes are looked into for an image.
const DEPTH: usize = 8;

/// The commit and version that the image names: in the root's annotations, else in the annotations
/// or labels of its first platform. All platforms are built together, so one speaks for all.
pub(super) async fn of(source: &Source, root: &Manifest) -> Result<Origin, StoreError> {
    let mut origin = Origin::default();
    add(&mut origin, &root.labels());
    let Some(image) = first_image(source, root).await? else {
        return Ok(origin);
    };
    add(&mut origin, &image.labels());
    if origin.revision.is_some() && origin.version.is_some() {
        return Ok(origin);
    }
    if let Body::Image { config, .. } = &image.body
        && is_image_config(&config.media_type)
    {
        let bytes = source.small_blob(config, CONFIG_LIMIT).await?;
        // A config that cannot be read says nothing.
        add(
            &mut origin,
            &Labels::from_config(&bytes).unwrap_or_default(),
        );
    }
    Ok(origin)
}

fn add(origin: &mut Origin, labels: &Labels) {
    origin.revision = origin.revision.take().or_else(|| labels.revision());
    origin.version = origin
        .version
        .take()
        .or_else(|| labels.version().map(str::to_owned));
}

/// What to say where a pushed image names another commit than the event: its commit tag, which
/// follows the event, would not be believed by a reader of the label. Only an image on disk is asked,
/// since there it costs nothing; a base image's label, inherited, is the usual reason.
pub(super) async fn other_commit(
    image: &mut Resolved,
    request: &Request,
) -> Result<Option<String>, Failure> {
    if request.verb != Verb::Push || matches!(request.source, Location::Registry(_)) {
        return Ok(None);
    }
    let origin = of(&image.source, &image.root)
        .await
        .map_err(|error| Failure::store(Side::Source, &request.source, error))?;
    let of_event = request
        .facts
        .as_ref()
        .and_then(|facts| facts.commit.clone());
    let other = origin
        .revision
        .clone()
        .filter(|named| of_event.as_ref().is_some_and(|event| event != named));
    image.origin = Some(origin);
    Ok(other.map(|named| {
        format!(
            "the image's label org.opencontainers.image.revision names the commit {named}, not the one of the event: \
             set it with the build (docker/build-push-action: labels), or a promotion will go by the wrong commit"
        )
    }))
}

async fn first_image(source: &Source, root: &Manifest) -> Result<Option<Manifest>, StoreError> {
    let mut at = root.clone();
    for _ in 0..DEPTH {
        if matches!(at.body, Body::Image { .. }) {
            return Ok(Some(at));
        }
        let Some(child) = at.children().find(|child| !child.says_attestation()) else {
            return Ok(None);
        };
        let (child, parent) = (child.digest, at.digest);
        at = source
            .manifest(child)
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
