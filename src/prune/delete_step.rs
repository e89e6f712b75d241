//! One deletion of a plan: what it deletes is read again right before.

use std::collections::BTreeSet;

use super::repository_content::printable;
use crate::image::{Digest, Tag, TagOrDigest};
use crate::layout::{LayoutDeletion, LayoutDirectory};
use crate::registry::{DeletionResult, RegistryError, RepositoryClient, RequestErrorKind};
use crate::retention::{DeletionStep, RepositorySnapshot};
use crate::transfer::{ImageStore, StoreError};

/// Result of one deletion.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum StepEnd {
    /// It is deleted.
    Deleted,
    /// It was gone.
    Absent,
    /// These tags are not what the plan was made from: nothing is deleted.
    Changed(Vec<Tag>),
    /// The registry refuses.
    Refused {
        /// Its words.
        reason: String,
        /// Whether it knows no such request, for a tag or at all.
        is_unsupported: bool,
    },
}

/// Deletes what a step says, if its tags are those of the snapshot.
///
/// # Errors
/// A store that cannot tell, or whose answer may be another one later.
pub(super) async fn delete_step(
    store: &ImageStore,
    step: &DeletionStep,
    snapshot: &RepositorySnapshot,
) -> Result<StepEnd, StoreError> {
    match store {
        ImageStore::Registry(remote) => Ok(delete_remote(remote, step, snapshot).await?),
        ImageStore::Layout(layout) => delete_local(layout, step, snapshot).await,
    }
}

async fn delete_remote(
    remote: &RepositoryClient,
    step: &DeletionStep,
    snapshot: &RepositorySnapshot,
) -> Result<StepEnd, RegistryError> {
    let target = match step {
        DeletionStep::Tag { tag, digest } => {
            let target = TagOrDigest::Tag(tag.clone());
            match remote.head_manifest(&target).await? {
                None => return Ok(StepEnd::Absent),
                Some(head) if head.digest != *digest => {
                    return Ok(StepEnd::Changed(vec![tag.clone()]));
                }
                Some(_) => target,
            }
        }
        DeletionStep::Manifest { digest, tags } => {
            let changed = find_changed_tags(remote, *digest, tags, snapshot).await?;
            if !changed.is_empty() {
                return Ok(StepEnd::Changed(changed));
            }
            TagOrDigest::Digest(*digest)
        }
    };
    Ok(match remote.delete_manifest(&target).await? {
        DeletionResult::Deleted => StepEnd::Deleted,
        DeletionResult::Absent => StepEnd::Absent,
        DeletionResult::Refused(error) => StepEnd::Refused {
            is_unsupported: is_unsupported(&error),
            reason: printable(&error.cause),
        },
    })
}

/// Returns the tags that are new since the snapshot, and those of the manifest that name another one now.
async fn find_changed_tags(
    remote: &RepositoryClient,
    digest: Digest,
    tags: &[Tag],
    snapshot: &RepositorySnapshot,
) -> Result<Vec<Tag>, RegistryError> {
    let listed: BTreeSet<Tag> = remote.tags().await?;
    let is_new = |tag: &Tag| !snapshot.tags.contains_key(tag);
    let mut changed: Vec<Tag> = listed.into_iter().filter(is_new).collect();
    for tag in tags {
        let head = remote.head_manifest(&TagOrDigest::Tag(tag.clone())).await?;
        if head.is_some_and(|head| head.digest != digest) {
            changed.push(tag.clone());
        }
    }
    Ok(changed)
}

fn is_unsupported(error: &RegistryError) -> bool {
    matches!(&error.cause, RequestErrorKind::Status { status, .. } if matches!(status.as_u16(), 400 | 405 | 415))
}

async fn delete_local(
    layout: &LayoutDirectory,
    step: &DeletionStep,
    snapshot: &RepositorySnapshot,
) -> Result<StepEnd, StoreError> {
    let end = match step {
        DeletionStep::Tag { tag, digest } => layout.delete_tag(tag, *digest).await?,
        DeletionStep::Manifest { digest, tags } => {
            let known = snapshot.tags.keys();
            let listed = layout.tags().await?;
            let known: BTreeSet<&Tag> = known.collect();
            let new: Vec<Tag> = listed
                .into_iter()
                .filter(|it| !known.contains(it))
                .collect();
            if !new.is_empty() {
                return Ok(StepEnd::Changed(new));
            }
            layout.delete_manifest(*digest, tags).await?
        }
    };
    Ok(match end {
        LayoutDeletion::Deleted => StepEnd::Deleted,
        LayoutDeletion::Absent => StepEnd::Absent,
        LayoutDeletion::Changed(tag) => StepEnd::Changed(vec![tag]),
    })
}

/// Takes what a step deleted out of a snapshot.
pub(super) fn forget_deleted(snapshot: &mut RepositorySnapshot, step: &DeletionStep) {
    match step {
        DeletionStep::Tag { tag, .. } => drop(snapshot.tags.remove(tag)),
        DeletionStep::Manifest { digest, .. } => {
            snapshot.tags.retain(|_, target| target.digest != *digest);
            snapshot.manifests.remove(digest);
            snapshot.absent.insert(*digest);
            for referrers in snapshot.referrers.values_mut() {
                referrers.remove(digest);
            }
        }
    }
}
