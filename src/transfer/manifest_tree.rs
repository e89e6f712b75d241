//! Reads the manifests below a root from a source.

use futures_util::{StreamExt, TryStreamExt, stream};

use super::{ImageReader, StoreError};
use crate::image::{Digest, Manifest, ManifestLink, ManifestWalk, WalkPolicy};

/// Manifests of a tree that are read at the same time.
const READ_CONCURRENCY: usize = 16;

/// Returns the digests of `root` and of all manifests below it, in the order in which they were found.
/// `links` are the links of the root. No manifest is kept.
///
/// # Errors
/// A manifest that is missing or cannot be read, or more manifests than the policy allows.
pub async fn read_manifest_tree(
    source: &ImageReader,
    root: Digest,
    links: Vec<ManifestLink>,
    policy: WalkPolicy,
) -> Result<Vec<Digest>, StoreError> {
    let mut walk = ManifestWalk::from_root(root, policy);
    walk.add_links(links)?;
    loop {
        let level = walk.take_pending();
        if level.is_empty() {
            return Ok(walk.into_found());
        }
        let read = stream::iter(level).map(|link| async move {
            let manifest = read_child(source, link).await?;
            Ok::<_, StoreError>(ManifestLink::from_manifest(&manifest))
        });
        let mut read = std::pin::pin!(read.buffered(READ_CONCURRENCY));
        while let Some(links) = read.try_next().await? {
            walk.add_links(links)?;
        }
    }
}

/// Reads a manifest that an index lists.
///
/// # Errors
/// A manifest that is missing, cannot be read, or has another size than the index says.
pub(super) async fn read_child(
    source: &ImageReader,
    link: ManifestLink,
) -> Result<Manifest, StoreError> {
    let ManifestLink { parent, child, .. } = link;
    let found = source.get_manifest(child).await?;
    let found = found.ok_or(StoreError::MissingChild { child, parent })?;
    match found.bytes.len() as u64 {
        size if size == link.size => Ok(found),
        size => Err(StoreError::WrongChildSize {
            child,
            parent,
            size,
            expected: link.size,
        }),
    }
}
