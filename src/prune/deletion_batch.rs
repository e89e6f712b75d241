//! Several deletions in one request, where the registry's own API takes them: what they delete is read once before.

use super::changed_tags::find_changed_tags;
use super::repository_content::RepositoryContent;
use super::step_end::{StepEnd, StepError, to_step_end};
use crate::image::{Digest, Tag};
use crate::registry::RepositoryClient;
use crate::registry_api::RepositoryApi;
use crate::retention::{DeletionStep, ObservedManifest, RepositorySnapshot};

/// Returns how many of the first steps can go in one request: manifests of which none names another one, at least
/// one step and at most `limit`.
pub(super) fn count_independent(
    steps: &[DeletionStep],
    limit: usize,
    snapshot: &RepositorySnapshot,
) -> usize {
    let mut batch: Vec<Digest> = Vec::new();
    let mut named: Vec<Digest> = Vec::new();
    for step in steps.iter().take(limit) {
        let DeletionStep::Manifest { digest, .. } = step else {
            break;
        };
        let links = snapshot.manifests.get(digest);
        let links = links.and_then(ObservedManifest::links);
        let own = links.map(|links| links.children.iter().copied().chain(links.subject));
        let own: Vec<Digest> = own.into_iter().flatten().collect();
        if named.contains(digest) || own.iter().any(|it| batch.contains(it)) {
            break;
        }
        batch.push(*digest);
        named.extend(own);
    }
    batch.len().max(1)
}

/// Deletes manifests in one request, if their tags are those of the snapshot. `None` where the API takes one at a time,
/// or a step is none of a manifest. One end alone says that nothing was deleted.
///
/// # Errors
/// A registry that cannot tell: none of them is known to be deleted.
pub(super) async fn delete_batch(
    remote: &RepositoryClient,
    api: &RepositoryApi,
    steps: &[DeletionStep],
    content: &RepositoryContent,
) -> Option<Result<Vec<StepEnd>, StepError>> {
    api.batch_limit()?;
    let manifests = steps.iter().map(|step| match step {
        DeletionStep::Manifest { digest, tags } => Some((*digest, tags.as_slice())),
        DeletionStep::Tag { .. } => None,
    });
    let manifests: Vec<(Digest, &[Tag])> = manifests.collect::<Option<_>>()?;
    let changed = match find_changed_tags(remote, &manifests, content).await {
        Ok(changed) => changed,
        Err(error) => return Some(Err(error.into())),
    };
    if !changed.is_empty() {
        return Some(Ok(vec![StepEnd::Changed(changed)]));
    }
    let digests: Vec<Digest> = manifests.iter().map(|(digest, _)| *digest).collect();
    let deleted = api.delete_manifests(&digests).await?;
    let ends = deleted.map(|ends| ends.into_iter().map(to_step_end).collect());
    Some(ends.map_err(StepError::Api))
}
