//! Checks after a run that what stays is whole: a push that ran meanwhile may have used what this run deleted.

use std::collections::{BTreeMap, BTreeSet};

use futures_util::future::BoxFuture;
use futures_util::{StreamExt, TryStreamExt, stream};

use super::prune_outcome::KeptHole;
use super::read_layout::read_layout;
use super::repository_content::RepositoryContent;
use crate::image::{Digest, Tag, TagOrDigest};
use crate::layout::LayoutDirectory;
use crate::record::{DigestPrefix, EntryName};
use crate::registry::RepositoryClient;
use crate::retention::{ObservedManifest, RepositorySnapshot};
use crate::transfer::{ImageStore, StoreError};

/// Requests in flight.
const CHECK_CONCURRENCY: usize = 256;

/// Returns what is missing: a child that an index lists, an image that a tag or record names, and a tag that this run
/// did not delete. `before` is what the repository had, `kept` what it has by the plan.
///
/// # Errors
/// A store that cannot tell.
pub(super) async fn check_kept(
    store: &ImageStore,
    before: &RepositorySnapshot,
    kept: &RepositoryContent,
    deleted: &BTreeSet<Digest>,
) -> Result<Vec<KeptHole>, StoreError> {
    let mut holes = match store {
        ImageStore::Registry(remote) => check_remote(remote, before, kept, deleted).await?,
        ImageStore::Layout(layout) => check_local(layout, before, kept, deleted).await?,
    };
    holes.sort_by(|a, b| (&a.named_by, a.missing).cmp(&(&b.named_by, b.missing)));
    holes.dedup();
    Ok(holes)
}

async fn check_remote(
    remote: &RepositoryClient,
    before: &RepositorySnapshot,
    kept: &RepositoryContent,
    deleted: &BTreeSet<Digest>,
) -> Result<Vec<KeptHole>, StoreError> {
    let listed = remote.tags().await?;
    let heads = listed.iter().map(|tag| read_tag(remote, tag.clone()));
    let heads: Vec<(Tag, Option<Digest>)> = stream::iter(heads)
        .buffer_unordered(CHECK_CONCURRENCY)
        .try_collect()
        .await?;
    let mut holes = find_lost_tags(before, kept, &heads, deleted);
    holes.extend(find_recorded(&listed, before, deleted));
    let mut names = names_of_children(&kept.snapshot, |_| true);
    for (tag, digest) in &heads {
        if let Some(digest) = digest {
            read_new_names(remote, tag, *digest, kept, &mut names).await?;
        }
    }
    let checks = names.into_iter();
    let checks = checks.map(|(digest, named_by)| find_missing(remote, digest, named_by));
    let missing: Vec<_> = stream::iter(checks)
        .buffer_unordered(CHECK_CONCURRENCY)
        .try_collect()
        .await?;
    let missing = missing.into_iter().flatten();
    holes.extend(missing.map(|(missing, named_by)| KeptHole {
        is_deleted_here: deleted.contains(&missing),
        named_by,
        missing,
    }));
    Ok(holes)
}

/// Returns what a tag names. Boxed, since there is one for each tag.
fn read_tag(
    remote: &RepositoryClient,
    tag: Tag,
) -> BoxFuture<'_, Result<(Tag, Option<Digest>), StoreError>> {
    Box::pin(async move {
        let head = remote.head_manifest(&TagOrDigest::Tag(tag.clone())).await?;
        Ok((tag, head.map(|head| head.digest)))
    })
}

/// Returns a manifest that is missing, with what names it.
fn find_missing(
    remote: &RepositoryClient,
    digest: Digest,
    named_by: String,
) -> BoxFuture<'_, Result<Option<(Digest, String)>, StoreError>> {
    Box::pin(async move {
        let head = remote.head_manifest(&TagOrDigest::Digest(digest)).await?;
        Ok(head.is_none().then_some((digest, named_by)))
    })
}

/// Returns the children of indexes with what names each; those that were missing before the run are left out.
fn names_of_children(
    snapshot: &RepositorySnapshot,
    is_meant: impl Fn(Digest) -> bool,
) -> BTreeMap<Digest, String> {
    let mut names = BTreeMap::new();
    for (digest, manifest) in &snapshot.manifests {
        let links = manifest.links().filter(|_| is_meant(*digest));
        for child in links.iter().flat_map(|links| &links.children) {
            if snapshot.manifests.contains_key(child) || !snapshot.absent.contains(child) {
                names.insert(*child, format!("the index {digest}"));
            }
        }
    }
    names
}

/// Adds what a tag names that was written during the run: its manifests are not known.
async fn read_new_names(
    remote: &RepositoryClient,
    tag: &Tag,
    digest: Digest,
    kept: &RepositoryContent,
    names: &mut BTreeMap<Digest, String>,
) -> Result<(), StoreError> {
    let mut pending = vec![digest];
    let mut seen = BTreeSet::new();
    while let Some(digest) = pending.pop() {
        if kept.snapshot.manifests.contains_key(&digest) || !seen.insert(digest) {
            continue;
        }
        names.insert(digest, format!("the tag {tag}"));
        let found = remote.get_manifest(&TagOrDigest::Digest(digest)).await;
        if let Ok(Some(manifest)) = found {
            pending.extend(manifest.children().map(|child| child.digest));
        }
    }
    Ok(())
}

/// Returns the tags that this run did not delete and that are gone, or that name what is gone.
fn find_lost_tags(
    before: &RepositorySnapshot,
    kept: &RepositoryContent,
    heads: &[(Tag, Option<Digest>)],
    deleted: &BTreeSet<Digest>,
) -> Vec<KeptHole> {
    let now: BTreeMap<&Tag, Option<Digest>> = heads.iter().map(|(tag, it)| (tag, *it)).collect();
    let stays = kept.snapshot.tags.iter();
    let lost = stays.filter(|(tag, _)| now.get(tag).copied().flatten().is_none());
    let mut holes: Vec<KeptHole> = lost
        .map(|(tag, target)| KeptHole {
            named_by: format!("the tag {tag}, which is gone and was not deleted by this run,"),
            missing: target.digest,
            is_deleted_here: deleted.contains(&target.digest),
        })
        .collect();
    let named = heads
        .iter()
        .filter_map(|(tag, digest)| Some((tag, (*digest)?)));
    let dangling = named.filter(|(_, digest)| deleted.contains(digest));
    // A tag that names what was deleted, in a registry that answers it still.
    holes.extend(dangling.map(|(tag, digest)| KeptHole {
        named_by: format!("the tag {tag}"),
        missing: digest,
        is_deleted_here: before.manifests.contains_key(&digest),
    }));
    holes
}

/// Returns what records say that were written during the run, about images that the run deleted.
fn find_recorded(
    listed: &BTreeSet<Tag>,
    before: &RepositorySnapshot,
    deleted: &BTreeSet<Digest>,
) -> Vec<KeptHole> {
    let new = listed.iter().filter(|tag| !before.tags.contains_key(tag));
    let entries = new.filter_map(|tag| tag.as_str().parse::<EntryName>().ok());
    let found = entries.flat_map(|entry| {
        let is_root = move |digest: &&Digest| DigestPrefix::from_digest(**digest) == entry.root;
        let of_entry = deleted.iter().filter(is_root);
        of_entry.map(move |digest| KeptHole {
            named_by: format!("a new record of {}", entry.environment),
            missing: *digest,
            is_deleted_here: true,
        })
    });
    found.collect()
}

async fn check_local(
    layout: &LayoutDirectory,
    before: &RepositorySnapshot,
    kept: &RepositoryContent,
    deleted: &BTreeSet<Digest>,
) -> Result<Vec<KeptHole>, StoreError> {
    let now = read_layout(layout, before.name.clone()).await?.snapshot;
    let heads: Vec<(Tag, Option<Digest>)> = now
        .tags
        .iter()
        .map(|(tag, target)| {
            let is_there = now.manifests.contains_key(&target.digest);
            (tag.clone(), is_there.then_some(target.digest))
        })
        .collect();
    let mut holes = find_lost_tags(before, kept, &heads, deleted);
    holes.extend(find_recorded(
        &now.tags.keys().cloned().collect(),
        before,
        deleted,
    ));
    let is_missing = |digest: &Digest| !now.manifests.contains_key(digest);
    for (missing, named_by) in names_of_children(&now, |_| true) {
        let was_there = before.manifests.contains_key(&missing) || deleted.contains(&missing);
        if is_missing(&missing) && was_there {
            holes.push(KeptHole {
                is_deleted_here: deleted.contains(&missing),
                named_by,
                missing,
            });
        }
    }
    let read = now.manifests.iter();
    let links = read.filter_map(|(digest, it)| Some((digest, ObservedManifest::links(it)?)));
    for (digest, links) in links {
        for blob in &links.blobs {
            if is_missing(&blob.digest) && !layout.has_file_of(blob.digest).await? {
                holes.push(KeptHole {
                    named_by: format!("the manifest {digest}"),
                    missing: blob.digest,
                    is_deleted_here: false,
                });
            }
        }
    }
    Ok(holes)
}
