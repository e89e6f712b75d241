//! Tags of a repository that are not what a plan was made from.

use std::collections::BTreeSet;

use super::repository_content::RepositoryContent;
use crate::image::{Digest, Tag, TagOrDigest};
use crate::registry::{RegistryError, RepositoryClient};

/// Returns the tags that are new since the snapshot, and those of manifests that name another one now.
pub(super) async fn find_changed_tags(
    remote: &RepositoryClient,
    manifests: &[(Digest, &[Tag])],
    content: &RepositoryContent,
) -> Result<Vec<Tag>, RegistryError> {
    let listed: BTreeSet<Tag> = remote.tags().await?;
    let is_known =
        |tag: &Tag| content.snapshot.tags.contains_key(tag) || content.dangling_tags.contains(tag);
    let mut changed: Vec<Tag> = listed.into_iter().filter(|tag| !is_known(tag)).collect();
    for (digest, tags) in manifests {
        for tag in *tags {
            let head = remote.head_manifest(&TagOrDigest::Tag(tag.clone())).await?;
            if head.is_some_and(|head| head.digest != *digest) {
                changed.push(tag.clone());
            }
        }
    }
    Ok(changed)
}
