//! Checks that an image which is put back is still complete, and signed.

use futures_util::future::{try_join, try_join_all};

use crate::image::{Descriptor, Digest, Manifest, ManifestBody, TagOrDigest};
use crate::record::{RecordedTagKind, TimelineEntry};
use crate::release::Failure;
use crate::release::plan::rollback_tags::RollbackTag;
use crate::release::records::open_timeline::OpenTimeline;
use crate::release::records::release_signature::missing_release_signature;
use crate::transfer::{ImageStore, MANIFESTS_LIMIT, Side, StoreError};

/// Requires that the manifests below the root, and the configs of all of them, are there.
///
/// # Errors
/// What is missing, and a store that cannot tell.
pub(super) async fn check_image(timeline: &OpenTimeline, root: &Manifest) -> Result<(), Failure> {
    let mut level = vec![root.clone()];
    let mut count = 0;
    while !level.is_empty() {
        let configs = level.iter().filter_map(config);
        try_join_all(configs.map(|config| check_config(timeline, root, config))).await?;
        let children = level.iter().flat_map(|manifest| manifest.entries().iter());
        let mut digests: Vec<Digest> = children.map(|child| child.digest).collect();
        digests.sort_unstable();
        digests.dedup();
        count += digests.len();
        if count > MANIFESTS_LIMIT {
            let error = StoreError::TooManyManifests(root.digest);
            return Err(store_failure(timeline, error));
        }
        let children = digests
            .into_iter()
            .map(|child| get_child(timeline, root, child));
        level = try_join_all(children).await?;
    }
    Ok(())
}

/// Reads the root manifest of the image to go back to.
///
/// # Errors
/// An image that is gone, and a store that cannot tell.
pub(super) async fn require_target(
    timeline: &OpenTimeline,
    root: Digest,
) -> Result<Manifest, Failure> {
    timeline.get_root(root).await?.ok_or_else(|| {
        Failure::refused(format!(
            "{} lacks {root}, the image to go back to",
            timeline.destination.name
        ))
        .with_reason("a cleanup has deleted it")
        .with_hint(
            "name another release with to, or promote the image again from where it is still there",
        )
    })
}

/// Requires of the image that a tag of the environment moves to what is required of a target, unless it is the
/// target that was checked.
///
/// # Errors
/// An image that was never released, is not complete or lacks its signature, and a store that cannot tell.
pub(super) async fn check_environment_goal(
    timeline: &OpenTimeline,
    tags: &[RollbackTag],
    checked: Option<&TimelineEntry>,
) -> Result<(), Failure> {
    let mut environment = tags
        .iter()
        .filter(|tag| tag.kind == RecordedTagKind::Environment);
    let goal = environment.find_map(RollbackTag::target);
    let Some(root) = goal.filter(|goal| checked.is_none_or(|it| it.root != *goal)) else {
        return Ok(());
    };
    timeline.read_root(root).await?;
    let release = timeline.newest_release(root);
    let release = release.ok_or_else(|| timeline.unreleased(root))?;
    let manifest = timeline.require_root(root).await?;
    let checks = try_join(
        check_image(timeline, &manifest),
        check_signature(timeline, &release),
    );
    checks.await.map(drop)
}

/// Requires a signature of one of the environment's signers who may record releases, where the environment signs. An
/// adopted release was made before that.
///
/// # Errors
/// A signature that is gone or not valid, and referrers that cannot be read.
pub(super) async fn check_signature(
    timeline: &OpenTimeline,
    target: &TimelineEntry,
) -> Result<(), Failure> {
    let location = timeline.view.location();
    let images = (&timeline.destination.store, location);
    if missing_release_signature(images, target, None)
        .await?
        .is_none()
    {
        return Ok(());
    }
    let place = &location.destination;
    let (environment, root) = (&location.environment, target.root.short());
    Err(Failure::refused(format!(
        "{place} has no valid signature of {root}, the image to go back to"
    ))
    .with_reason(format!(
        "{environment} signs its releases: a signer who may record releases must have signed it in time, and a cleanup may have deleted that signature"
    ))
    .with_hint("name another release with to, or promote the image again, which signs it"))
}

fn config(manifest: &Manifest) -> Option<&Descriptor> {
    match &manifest.body {
        // Nothing that runs reads the config of attestations.
        ManifestBody::Image { config, .. } if !manifest.is_attestation() => Some(config),
        _ => None,
    }
}

async fn check_config(
    timeline: &OpenTimeline,
    root: &Manifest,
    config: &Descriptor,
) -> Result<(), Failure> {
    let is_there = match &timeline.destination.store {
        ImageStore::Registry(remote) => remote.has_blob(config).await.map_err(StoreError::from),
        ImageStore::Layout(layout) => layout.has_blob(config).await.map_err(StoreError::from),
    };
    match is_there.map_err(|error| store_failure(timeline, error))? {
        true => Ok(()),
        false => Err(incomplete(timeline, root, "the config", config.digest)),
    }
}

async fn get_child(
    timeline: &OpenTimeline,
    root: &Manifest,
    child: Digest,
) -> Result<Manifest, Failure> {
    let store = &timeline.destination.store;
    let found = store.get_manifest(&TagOrDigest::Digest(child)).await;
    let found = found.map_err(|error| store_failure(timeline, error))?;
    found.ok_or_else(|| incomplete(timeline, root, "the manifest", child))
}

fn store_failure(timeline: &OpenTimeline, error: StoreError) -> Failure {
    Failure::from_store_error(Side::Destination, &timeline.destination.name, error)
}

fn incomplete(timeline: &OpenTimeline, root: &Manifest, what: &str, missing: Digest) -> Failure {
    Failure::refused(format!(
        "{} lacks {what} {missing} of {}, the image to go back to",
        timeline.destination.name,
        root.digest.short()
    ))
    .with_reason("a cleanup has deleted it: the image cannot be pulled any more")
    .with_hint("name another release with to, or promote the image again from where it is complete")
}
