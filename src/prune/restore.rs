//! Brings an image back, from an archive or by the registry's own API: with all that it names, with its referrers, and under the tags that it had.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use super::archive::{archive_folder, copy_roots};
use super::restore_request::{RestoreOutcome, RestoreRequest, RestoredTag};
use super::restore_versions::{open_restoring_api, restore_versions};
use crate::image::{Digest, Manifest, Tag, TagOrDigest};
use crate::layout::{
    LayoutContent, LayoutDirectory, LayoutError, LayoutFault, TagPrecondition, TagWriteResult,
};
use crate::release::{Failure, ReleaseContext, open_to_write};
use crate::retention::ReservedTag;
use crate::transfer::{ImageReader, ImageStore, Side, StoreError};

/// Brings an image back, from an archive or by the registry's own API. A tag that names another image stays as it is.
///
/// # Errors
/// An archive or registry that does not have the image, and what cannot be read or written.
pub async fn restore(
    request: &RestoreRequest,
    context: &ReleaseContext,
) -> Result<RestoreOutcome, Failure> {
    match &request.archive {
        Some(archive) => restore_archived(request, archive, context).await,
        None => {
            let api = open_restoring_api(request, context).await?;
            restore_versions(request, &api, context).await
        }
    }
}

async fn restore_archived(
    request: &RestoreRequest,
    archive: &Path,
    context: &ReleaseContext,
) -> Result<RestoreOutcome, Failure> {
    let folder = archive_folder(archive, &request.place);
    let failed = |error: LayoutError| {
        Failure::from_store_error(Side::Source, &request.place, StoreError::Layout(error))
    };
    let layout = LayoutDirectory::open(&folder)
        .await
        .map_err(|error| match error.fault {
            LayoutFault::Absent => Failure::input(format!(
                "archive: it has nothing of {}: {} does not exist",
                request.place,
                folder.display()
            ))
            .with_hint("name the directory that prune wrote to with archive"),
            _ => failed(error),
        })?;
    let content = layout.read_content().await.map_err(failed)?;
    if !matches!(content.manifests.get(&request.digest), Some(it) if it.content.is_ok()) {
        return Err(Failure::input(format!(
            "archive: {} has no manifest {}",
            folder.display(),
            request.digest
        ))
        .with_hint("the report of the run that deleted it names the digests, and prune archives only with archive"));
    }
    let whole = find_whole(&content, request.digest);
    let reader = ImageReader::from_store(ImageStore::Layout(layout));
    let store = open_to_write(context, &request.place, &[]);
    // The image first: a registry may refuse a referrer of what it does not have.
    let mut order = vec![request.digest];
    order.extend(&whole.referrers);
    for digest in &order {
        copy_roots(&reader, &request.place, &[*digest], &store, context).await?;
    }
    let mut tags = Vec::new();
    for (tag, digest) in &whole.tags {
        let manifest = content.manifests.get(digest);
        let manifest = manifest.and_then(|it| it.content.as_ref().ok());
        if let Some(manifest) = manifest {
            let written = write_tag(&store, tag, manifest).await;
            let failed =
                |error| Failure::from_store_error(Side::Destination, &request.place, error);
            tags.push((tag.clone(), written.map_err(failed)?));
        }
    }
    Ok(RestoreOutcome {
        place: request.place.clone(),
        digest: request.digest,
        referrers: whole.referrers,
        tags,
    })
}

/// What belongs to an image in an archive.
struct WholeImage {
    /// Referrers of the image, of its children and of other referrers, subjects first.
    referrers: Vec<Digest>,
    /// Tags, those of evidence first.
    tags: Vec<(Tag, Digest)>,
}

fn find_whole(content: &LayoutContent, root: Digest) -> WholeImage {
    let read = content.manifests.iter();
    let read: BTreeMap<Digest, &Manifest> = read
        .filter_map(|(digest, stored)| Some((*digest, stored.content.as_ref().ok()?)))
        .collect();
    let named = content.tags.iter().filter_map(|(tag, digests)| {
        let [digest] = digests.as_slice() else {
            return None;
        };
        Some((tag, *digest))
    });
    let named: Vec<(&Tag, Digest)> = named.collect();
    let mut referrers = Vec::new();
    let mut known = BTreeSet::new();
    let mut pending = vec![root];
    while let Some(digest) = pending.pop() {
        if !known.insert(digest) {
            continue;
        }
        let manifest = read.get(&digest);
        pending.extend(
            manifest
                .iter()
                .flat_map(|it| it.children())
                .map(|it| it.digest),
        );
        let of_subject = read.iter().filter(|(_, it)| it.has_subject(digest));
        let of_tag = named
            .iter()
            .filter(|(tag, _)| ReservedTag::parse(tag) == Some(ReservedTag::Evidence(digest)));
        let found = of_subject.map(|(referrer, _)| *referrer);
        let found = found.chain(of_tag.map(|(_, referrer)| *referrer));
        for referrer in found.filter(|it| !known.contains(it)).collect::<Vec<_>>() {
            referrers.push(referrer);
            pending.push(referrer);
        }
    }
    let tags = named
        .into_iter()
        .filter(|(_, digest)| known.contains(digest));
    let mut tags: Vec<(Tag, Digest)> = tags.map(|(tag, digest)| (tag.clone(), digest)).collect();
    tags.sort_by_key(|(tag, _)| (ReservedTag::parse(tag).is_none(), tag.clone()));
    let mut once = BTreeSet::new();
    referrers.retain(|referrer| once.insert(*referrer));
    WholeImage { referrers, tags }
}

/// Makes a tag name a manifest, if it names no other one.
async fn write_tag(
    store: &ImageStore,
    tag: &Tag,
    manifest: &Manifest,
) -> Result<RestoredTag, StoreError> {
    match store.resolve_tag(tag).await? {
        Some(there) if there == manifest.digest => return Ok(RestoredTag::Unchanged),
        Some(there) => return Ok(RestoredTag::Taken(there)),
        None => {}
    }
    match store {
        ImageStore::Registry(remote) => {
            let target = TagOrDigest::Tag(tag.clone());
            remote.put_manifest(&target, manifest).await?;
        }
        ImageStore::Layout(layout) => {
            let written = layout.write_tag(tag, manifest, TagPrecondition::AbsentOrSame);
            if written.await? == TagWriteResult::Unchanged {
                return Ok(RestoredTag::Unchanged);
            }
        }
    }
    Ok(RestoredTag::Written)
}
