//! One deletion of a plan: what it deletes is read again right before.

use std::collections::BTreeSet;

use super::changed_tags::find_changed_tags;
use super::repository_content::{RepositoryContent, printable};
use super::step_end::{StepEnd, StepError, to_step_end};
use crate::image::{Tag, TagOrDigest};
use crate::layout::{LayoutDeletion, LayoutDirectory};
use crate::registry::{DeletionResult, RegistryError, RepositoryClient, RequestErrorKind};
use crate::registry_api::{RegistryApiError, RepositoryApi};
use crate::retention::{DeletionStep, RepositorySnapshot};
use crate::transfer::{ImageStore, StoreError};

/// Deletes what a step says, if its tags are those of the snapshot.
///
/// # Errors
/// A store that cannot tell, or whose answer may be another one later.
pub(super) async fn delete_step(
    store: &ImageStore,
    api: Option<&RepositoryApi>,
    step: &DeletionStep,
    content: &RepositoryContent,
) -> Result<StepEnd, StepError> {
    match store {
        ImageStore::Registry(remote) => {
            if let Some(end) = check_remote(remote, step, content).await? {
                return Ok(end);
            }
            if let Some(api) = api
                && let Some(deleted) = delete_by_api(api, step, content).await
            {
                return deleted.map_err(StepError::Api);
            }
            Ok(delete_remote(remote, step).await?)
        }
        ImageStore::Layout(layout) => Ok(delete_local(layout, step, &content.snapshot).await?),
    }
}

/// Deletes by the registry's own API. `None` where the distribution API deletes.
async fn delete_by_api(
    api: &RepositoryApi,
    step: &DeletionStep,
    content: &RepositoryContent,
) -> Option<Result<StepEnd, RegistryApiError>> {
    let deleted = match step {
        DeletionStep::Tag { tag, .. } => api.delete_tag(tag).await?,
        DeletionStep::Manifest { digest, tags } => {
            let id = content.ids.get(digest).map(String::as_str);
            api.delete_manifest(*digest, id, tags).await?
        }
    };
    Some(deleted.map(to_step_end))
}

/// Reads again what a step deletes. `None` means that it is as the plan was made.
async fn check_remote(
    remote: &RepositoryClient,
    step: &DeletionStep,
    content: &RepositoryContent,
) -> Result<Option<StepEnd>, RegistryError> {
    match step {
        DeletionStep::Tag { tag, digest } => {
            let target = TagOrDigest::Tag(tag.clone());
            let head = remote.head_manifest(&target).await?;
            Ok(match head {
                None => Some(StepEnd::Absent),
                Some(head) if head.digest != *digest => Some(StepEnd::Changed(vec![tag.clone()])),
                Some(_) => None,
            })
        }
        DeletionStep::Manifest { digest, tags } => {
            let changed = find_changed_tags(remote, &[(*digest, tags)], content).await?;
            Ok((!changed.is_empty()).then_some(StepEnd::Changed(changed)))
        }
    }
}

async fn delete_remote(
    remote: &RepositoryClient,
    step: &DeletionStep,
) -> Result<StepEnd, RegistryError> {
    let target = match step {
        DeletionStep::Tag { tag, .. } => TagOrDigest::Tag(tag.clone()),
        DeletionStep::Manifest { digest, .. } => TagOrDigest::Digest(*digest),
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
