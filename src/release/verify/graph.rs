//! Reads the manifests of an image at every level from its store.
//!
//! The author of an index wrote what its entries say (platform, media type, annotations). So each
//! manifest is read, and judged by its own content.

use futures_util::{StreamExt, TryStreamExt, stream};

use crate::image::{Descriptor, Digest, Manifest, ManifestBody, Platform, TagOrDigest};
use crate::transfer::{ImageStore, MANIFESTS_LIMIT, StoreError};

/// Content of a manifest, by its own media types.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ManifestContent {
    /// An index.
    Index,
    /// An image, or anything else that may run.
    Image,
    /// In-toto statements, which are listed for no platform (`unknown/unknown`).
    Attestation,
}

/// A manifest of an image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ManifestNode {
    pub(crate) digest: Digest,
    /// The platform that an index lists it for; where several list it, the one that could run.
    pub(crate) platform: Option<Platform>,
    pub(crate) content: ManifestContent,
}

/// Manifests that are read at the same time.
const READS: usize = 8;

/// Reads all manifests below `root`, which comes first; the others follow as the indexes list them.
///
/// # Errors
/// A manifest that is not there or cannot be read, and more of them than an image may have.
pub(crate) async fn manifests(
    store: &ImageStore,
    root: Manifest,
) -> Result<Vec<ManifestNode>, StoreError> {
    let mut nodes = vec![ManifestNode::new(&root.to_descriptor())];
    nodes[0].content = ManifestContent::of(&root);
    let mut indexes = vec![root];
    while !indexes.is_empty() {
        let new = listed(&mut nodes, &indexes)?;
        indexes = Vec::new();
        let read = stream::iter(new)
            .map(|(parent, child)| read(store, parent, child))
            .buffered(READS);
        let mut read = std::pin::pin!(read);
        while let Some((entry, manifest)) = read.try_next().await? {
            let node = nodes.iter_mut().find(|node| node.digest == entry);
            if let Some(node) = node {
                node.content = ManifestContent::of(&manifest);
            }
            if ManifestContent::of(&manifest) == ManifestContent::Index {
                indexes.push(manifest);
            }
        }
    }
    nodes.iter_mut().for_each(ManifestNode::classify_as_image);
    Ok(nodes)
}

/// Adds what the indexes list to the nodes; gives what is new, each after its index.
fn listed(
    nodes: &mut Vec<ManifestNode>,
    indexes: &[Manifest],
) -> Result<Vec<(Digest, Digest)>, StoreError> {
    let mut new = Vec::new();
    for index in indexes {
        for entry in index.entries() {
            if let Some(known) = nodes.iter_mut().find(|node| node.digest == entry.digest) {
                known.add(entry);
                continue;
            }
            if nodes.len() > MANIFESTS_LIMIT {
                return Err(StoreError::TooManyManifests(nodes[0].digest));
            }
            nodes.push(ManifestNode::new(entry));
            new.push((index.digest, entry.digest));
        }
    }
    Ok(new)
}

async fn read(
    store: &ImageStore,
    parent: Digest,
    child: Digest,
) -> Result<(Digest, Manifest), StoreError> {
    let found = store.get_manifest(&TagOrDigest::Digest(child)).await?;
    let found = found.ok_or(StoreError::MissingChild { child, parent })?;
    Ok((child, found))
}

impl ManifestContent {
    fn of(manifest: &Manifest) -> Self {
        match manifest.body {
            ManifestBody::Index(_) => Self::Index,
            ManifestBody::Image { .. } if manifest.is_attestation() => Self::Attestation,
            ManifestBody::Image { .. } | ManifestBody::Artifact(_) => Self::Image,
        }
    }
}

impl ManifestNode {
    /// Takes what an entry is for an image, until it is read.
    fn new(entry: &Descriptor) -> Self {
        Self {
            digest: entry.digest,
            platform: entry.platform.clone(),
            content: ManifestContent::Image,
        }
    }

    /// Notes that a further entry lists the same.
    fn add(&mut self, entry: &Descriptor) {
        if self.is_for_no_platform() && !entry.is_for_no_platform() {
            self.platform.clone_from(&entry.platform);
        }
    }

    fn is_for_no_platform(&self) -> bool {
        self.platform.as_ref().is_some_and(Platform::is_unknown)
    }

    /// Treats attestation content that is listed for a platform, or for none in particular, as an image.
    fn classify_as_image(&mut self) {
        if self.content == ManifestContent::Attestation && !self.is_for_no_platform() {
            self.content = ManifestContent::Image;
        }
    }
}
