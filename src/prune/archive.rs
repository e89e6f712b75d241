//! Archive of what is deleted: an image layout for each repository. An image is there with all that it names, with its
//! referrers, and with the tags that it had.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use crate::image::{Destination, Digest, Manifest, Tag};
use crate::layout::{LayoutDirectory, TagPrecondition};
use crate::release::{Failure, ReleaseContext};
use crate::retention::{DeletionStep, ObservedManifest, RepositoryPlan, RepositorySnapshot};
use crate::transfer::{
    CopyRequest, ForeignLayers, ImageReader, ImageStore, Root, RootPresence, Side, StoreError,
};

/// Folder of the layouts of image layouts.
const LAYOUT_FOLDER: &str = "oci";
/// Digits of a digest that tell layouts apart.
const SHORT_DIGEST: usize = 12;

/// Returns the layout of a repository in an archive: `DIR/ghcr.io/acme/web`.
pub(super) fn archive_folder(archive: &Path, place: &Destination) -> PathBuf {
    match place {
        Destination::Registry(repository) => {
            // Artifacts of workflows take no colon.
            let host = repository.registry().to_string().replace(':', "_");
            archive.join(host).join(repository.path())
        }
        Destination::Layout(path) => {
            // Two layouts may have the same name: the digest of its path tells them apart.
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            let whole = Digest::from_bytes(path.as_os_str().as_encoded_bytes()).to_hex();
            let own = format!("{name}-{}", &whole[..SHORT_DIGEST]);
            archive.join(LAYOUT_FOLDER).join(own)
        }
    }
}

/// Copies all that a plan deletes into an archive, before the first deletion.
///
/// # Errors
/// What cannot be read or written: then nothing may be deleted.
pub(super) async fn archive_planned(
    store: &ImageStore,
    place: &Destination,
    plan: &RepositoryPlan,
    snapshot: &RepositorySnapshot,
    archive: &Path,
    context: &ReleaseContext,
) -> Result<(), Failure> {
    let condemned = condemned_manifests(plan, snapshot);
    if condemned.is_empty() {
        return Ok(());
    }
    let layout = LayoutDirectory::new(archive_folder(archive, place));
    let reader = ImageReader::from_store(store.clone());
    let roots = find_roots(&condemned, snapshot);
    let destination = ImageStore::Layout(layout.clone());
    let manifests = copy_roots(&reader, place, &roots, &destination, context).await?;
    let failed = |error| {
        let archive = archive.display();
        Failure::from_store_error(Side::Destination, &archive, StoreError::Layout(error))
    };
    layout.write_referrers(manifests).await.map_err(failed)?;
    for (tag, digest) in gone_tags(plan, snapshot) {
        let found = reader.get_manifest(digest).await;
        let found = found.map_err(|error| Failure::from_store_error(Side::Source, place, error))?;
        if let Some(manifest) = found {
            let written = layout.write_tag(&tag, &manifest, TagPrecondition::Any);
            written.await.map_err(failed)?;
        }
    }
    Ok(())
}

/// Copies manifests with all that they name. Returns them.
///
/// # Errors
/// What cannot be read or written.
pub(super) async fn copy_roots(
    reader: &ImageReader,
    place: &Destination,
    roots: &[Digest],
    destination: &ImageStore,
    context: &ReleaseContext,
) -> Result<Vec<Manifest>, Failure> {
    let mut manifests = Vec::with_capacity(roots.len());
    for root in roots {
        let found = reader.get_manifest(*root).await;
        let found = found.map_err(|error| Failure::from_store_error(Side::Source, place, error))?;
        manifests.extend(found);
    }
    let copy = CopyRequest {
        source: reader,
        roots: manifests
            .iter()
            .map(|it| Root::Read(Box::new(it.clone())))
            .collect(),
        root_presence: RootPresence::Unknown,
        destinations: vec![destination],
        foreign_layers: ForeignLayers::Skip,
        blob_index: &context.blob_index,
        notices: &context.notices,
        meter: &context.meter,
    };
    let failed = |failure: crate::transfer::CopyFailure| {
        let side = failure.error.side;
        Failure::from_store_error(side, place, &*failure.error.error)
    };
    let planned = copy.plan().await.map_err(failed)?;
    planned.copy_blobs().await.map_err(failed)?;
    planned.write_child_manifests().await.map_err(failed)?;
    planned.write_roots().await.map_err(failed)?;
    Ok(manifests)
}

/// Returns the manifests that a plan deletes and that could be read.
fn condemned_manifests(plan: &RepositoryPlan, snapshot: &RepositorySnapshot) -> BTreeSet<Digest> {
    let digests = plan.steps().iter().filter_map(|step| match step {
        DeletionStep::Manifest { digest, .. } => Some(*digest),
        DeletionStep::Tag { .. } => None,
    });
    digests
        .filter(|digest| snapshot.manifests.contains_key(digest))
        .collect()
}

/// Returns the manifests that no other one of them lists.
fn find_roots(condemned: &BTreeSet<Digest>, snapshot: &RepositorySnapshot) -> Vec<Digest> {
    let read = condemned.iter().filter_map(|it| snapshot.manifests.get(it));
    let links = read.filter_map(ObservedManifest::links);
    let listed: BTreeSet<Digest> = links.flat_map(|it| it.children.iter().copied()).collect();
    let roots = condemned.iter().copied();
    roots.filter(|digest| !listed.contains(digest)).collect()
}

/// Returns the tags that go, with the manifests that they name.
fn gone_tags(plan: &RepositoryPlan, snapshot: &RepositorySnapshot) -> Vec<(Tag, Digest)> {
    let mut gone = Vec::new();
    for step in plan.steps() {
        match step {
            DeletionStep::Tag { tag, digest } => gone.push((tag.clone(), *digest)),
            DeletionStep::Manifest { digest, tags } => {
                gone.extend(tags.iter().map(|tag| (tag.clone(), *digest)));
            }
        }
    }
    gone.retain(|(_, digest)| snapshot.manifests.contains_key(digest));
    gone
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_repository_has_a_layout_of_its_own() {
        let folder = |place: &str| archive_folder(Path::new("deleted"), &place.parse().unwrap());
        assert_eq!(
            folder("ghcr.io/acme/web"),
            Path::new("deleted/ghcr.io/acme/web")
        );
        assert_eq!(
            folder("localhost:5000/web"),
            Path::new("deleted/localhost_5000/web")
        );
        let of_layout = folder("oci:build/image");
        assert!(of_layout.starts_with("deleted/oci"));
        assert_ne!(of_layout, folder("oci:other/image"));
        assert_eq!(of_layout, folder("oci:build/image"));
    }
}
