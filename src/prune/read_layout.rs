//! Reads the content of an image layout: its names, and all manifests among its blobs.

use std::collections::BTreeSet;

use jiff::Timestamp;

use super::repository_content::{RepositoryContent, named_and_missing, printable};
use crate::image::Digest;
use crate::layout::{LayoutContent, LayoutDirectory, LayoutError, StoredBlob};
use crate::record::RecordTime;
use crate::retention::{ObservedContent, ObservedManifest, ObservedTag};

/// Reads the content of a layout. The time of a blob's file is that of its push.
///
/// # Errors
/// A directory that is no layout, and files that cannot be read.
pub(super) async fn read_layout(
    layout: &LayoutDirectory,
    name: String,
) -> Result<RepositoryContent, LayoutError> {
    let stored = layout.read_content().await?;
    let mut content = RepositoryContent::default();
    content.snapshot.name = name;
    add_names(&stored, &mut content);
    for (digest, manifest) in &stored.manifests {
        match &manifest.content {
            Ok(read) => content.add_manifest(read),
            Err(reason) => {
                content.add_unknown(*digest, ObservedContent::Unreadable(printable(reason)));
            }
        }
        if let Some(observed) = content.snapshot.manifests.get_mut(digest) {
            observed.size = manifest.file.size;
            observed.times.pushed = written_at(&manifest.file);
        }
    }
    for (name, digest) in &stored.other_names {
        if let Some(observed) = content.snapshot.manifests.get_mut(digest) {
            let name = printable(name);
            observed.refusal = Some(format!("index.json names it {name}, which is no tag"));
        }
    }
    content.snapshot.absent = named_and_missing(&content.snapshot);
    let targets = content.snapshot.tags.values().map(|target| target.digest);
    let lost = targets.filter(|digest| !content.snapshot.manifests.contains_key(digest));
    let lost: Vec<Digest> = lost.collect();
    content.snapshot.absent.extend(lost);
    add_unnamed_blobs(stored, &mut content);
    Ok(content)
}

fn add_names(stored: &LayoutContent, content: &mut RepositoryContent) {
    for (tag, digests) in &stored.tags {
        if let [digest] = digests.as_slice() {
            let target = ObservedTag {
                digest: *digest,
                pushed: None,
            };
            content.snapshot.tags.insert(tag.clone(), target);
        } else {
            let list = format!("index.json names several manifests {tag}");
            content.snapshot.incomplete_lists.push(list);
        }
    }
}

/// Adds the blobs that no manifest names. Where the content of a manifest is not known, all may be named.
fn add_unnamed_blobs(stored: LayoutContent, content: &mut RepositoryContent) {
    let manifests = &content.snapshot.manifests;
    let mut links = manifests.values().map(ObservedManifest::links);
    if links.any(|links| links.is_none()) {
        return;
    }
    let links = manifests.values().filter_map(ObservedManifest::links);
    let blobs = links.flat_map(|links| &links.blobs);
    let named: BTreeSet<Digest> = blobs.map(|blob| blob.digest).collect();
    let unnamed = stored.blobs.into_iter();
    let unnamed = unnamed.filter(|(digest, _)| !named.contains(digest));
    content.unnamed_blobs = unnamed.collect();
    content.named_blobs = named;
}

/// Returns when the file of a blob was written.
pub(super) fn written_at(file: &StoredBlob) -> Option<RecordTime> {
    let second = Timestamp::from_second(file.written_at()?).ok()?;
    RecordTime::from_timestamp(second)
}
