//! Reads the manifests of an image at every level from its store.
//!
//! The author of an index wrote what its entries say (platform, media type, annotations). So each
//! manifest is read, and judged by its own content.

use futures_util::{StreamExt, TryStreamExt, stream};

use crate::image::{Descriptor, Digest, Manifest, ManifestBody, Platform};
use crate::transfer::{ImageReader, MANIFESTS_LIMIT, StoreError};

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
    /// What it consists of; `None` for an index, and until it is read.
    pub(crate) parts: Option<ImageParts>,
}

/// Config and layers of an image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ImageParts {
    /// Config; `None` for an artifact without one.
    pub(crate) config: Option<Box<Descriptor>>,
    /// Sum of the sizes of the layers, in bytes.
    pub(crate) layers_size: u64,
    /// Whether all layers are in-toto statements, whatever the config is (BuildKit).
    pub(crate) has_statements_alone: bool,
}

/// Manifests that are read at the same time.
const READS: usize = 8;

/// Reads all manifests below `root`, which comes first; the others follow as the indexes list them.
///
/// # Errors
/// A manifest that is not there or cannot be read, and more of them than an image may have.
pub(crate) async fn manifests(
    reader: &ImageReader,
    root: Manifest,
) -> Result<Vec<ManifestNode>, StoreError> {
    let mut nodes = vec![ManifestNode::new(&root.to_descriptor())];
    nodes[0].take_content(&root);
    let mut indexes = vec![root];
    while !indexes.is_empty() {
        let new = listed(&mut nodes, &indexes)?;
        indexes = Vec::new();
        let read = stream::iter(new)
            .map(|(parent, child)| read(reader, parent, child))
            .buffered(READS);
        let mut read = std::pin::pin!(read);
        while let Some((entry, manifest)) = read.try_next().await? {
            let node = nodes.iter_mut().find(|node| node.digest == entry);
            if let Some(node) = node {
                node.take_content(&manifest);
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
    reader: &ImageReader,
    parent: Digest,
    child: Digest,
) -> Result<(Digest, Manifest), StoreError> {
    let found = reader.get_manifest(child).await?;
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

impl ImageParts {
    fn of(manifest: &Manifest) -> Option<Self> {
        let (config, layers) = match &manifest.body {
            ManifestBody::Index(_) => return None,
            ManifestBody::Image { config, layers } => (Some(config.clone()), layers),
            ManifestBody::Artifact(blobs) => (None, blobs),
        };
        Some(Self {
            config,
            layers_size: layers
                .iter()
                .fold(0, |sum: u64, layer| sum.saturating_add(layer.size)),
            has_statements_alone: manifest.has_statements_alone(),
        })
    }
}

impl ManifestNode {
    /// Takes what an entry is for an image, until it is read.
    fn new(entry: &Descriptor) -> Self {
        Self {
            digest: entry.digest,
            platform: entry.platform.clone(),
            content: ManifestContent::Image,
            parts: None,
        }
    }

    /// Takes what the manifest itself says.
    fn take_content(&mut self, manifest: &Manifest) {
        self.content = ManifestContent::of(manifest);
        self.parts = ImageParts::of(manifest);
    }

    /// Notes that a further entry lists the same.
    fn add(&mut self, entry: &Descriptor) {
        if self.is_for_no_platform() && !entry.is_for_no_platform() {
            self.platform.clone_from(&entry.platform);
        }
    }

    /// Returns whether an index lists it for no platform (`unknown/unknown`).
    pub(crate) fn is_for_no_platform(&self) -> bool {
        self.platform.as_ref().is_some_and(Platform::is_unknown)
    }

    /// Treats attestation content that is listed for a platform, or for none in particular, as an image.
    fn classify_as_image(&mut self) {
        if self.content == ManifestContent::Attestation && !self.is_for_no_platform() {
            self.content = ManifestContent::Image;
        }
    }
}
