//! Store that images are read from and written to: a repository of a registry, or an image layout.

use std::collections::BTreeSet;

use bytes::Bytes;

use super::{CopyError, StoreError};
use crate::image::{Digest, Manifest, RegistryName, Tag, TagOrDigest};
use crate::layout::LayoutDirectory;
use crate::registry::RepositoryClient;

/// A repository with tags: on a registry or on disk. The set is closed.
#[derive(Clone)]
pub enum ImageStore {
    /// A repository of a registry.
    Registry(RepositoryClient),
    /// An image layout directory.
    Layout(LayoutDirectory),
}

/// Which write of a manifest it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum WritePass {
    /// The first one: a destination may turn out to lack content that it was taken to have.
    First,
    /// One after all content was copied again.
    AfterRecopy,
}

impl ImageStore {
    /// Resolves a tag to a digest; `None` if the tag does not exist.
    ///
    /// # Errors
    /// A store that cannot tell.
    pub async fn resolve_tag(&self, tag: &Tag) -> Result<Option<Digest>, StoreError> {
        Ok(match self {
            Self::Registry(remote) => remote
                .head_manifest(&TagOrDigest::Tag(tag.clone()))
                .await?
                .map(|head| head.digest),
            Self::Layout(layout) => layout.resolve_tag(tag).await?,
        })
    }

    /// Returns the manifest that `target` names; `None` if it does not exist.
    ///
    /// # Errors
    /// A store that cannot tell, or what is no manifest.
    pub async fn get_manifest(&self, target: &TagOrDigest) -> Result<Option<Manifest>, StoreError> {
        let layout = match self {
            Self::Registry(remote) => return Ok(remote.get_manifest(target).await?),
            Self::Layout(layout) => layout,
        };
        let digest = match target {
            TagOrDigest::Digest(digest) => Some(*digest),
            TagOrDigest::Tag(tag) => layout.resolve_tag(tag).await?,
        };
        match digest {
            Some(digest) => Ok(layout.get_manifest(digest).await?),
            None => Ok(None),
        }
    }

    /// Returns all tags.
    ///
    /// # Errors
    /// A store that cannot tell.
    pub async fn tags(&self) -> Result<BTreeSet<Tag>, StoreError> {
        Ok(match self {
            Self::Registry(remote) => remote.tags().await?,
            Self::Layout(layout) => layout.tags().await?.into_iter().collect(),
        })
    }

    /// Returns the name of the registry; `None` for a layout.
    pub(super) fn registry(&self) -> Option<&RegistryName> {
        match self {
            Self::Registry(remote) => Some(remote.repository().registry()),
            Self::Layout(_) => None,
        }
    }

    /// Returns whether a manifest exists, and so all below it. Always false for a layout: a look is
    /// cheap there, so each manifest is checked when it is written.
    pub(super) async fn has_manifest(&self, digest: Digest) -> Result<bool, CopyError> {
        match self {
            Self::Registry(remote) => {
                let head = remote.head_manifest(&TagOrDigest::Digest(digest)).await;
                Ok(head
                    .map_err(|error| StoreError::from(error).at_destination())?
                    .is_some())
            }
            Self::Layout(_) => Ok(false),
        }
    }

    /// Returns whether the store is new and so has no content. Always false for a layout, where a
    /// look is cheap.
    pub async fn is_new(&self) -> bool {
        match self {
            Self::Registry(remote) => remote.is_new().await,
            Self::Layout(_) => false,
        }
    }

    /// Returns whether the store is known to be new, without a request.
    pub fn is_known_new(&self) -> bool {
        match self {
            Self::Registry(remote) => remote.is_known_new(),
            Self::Layout(_) => false,
        }
    }

    /// Notes that it is not new any more.
    pub fn mark_not_new(&self) {
        if let Self::Registry(remote) = self {
            remote.mark_not_new();
        }
    }

    /// Writes a small blob that was made here.
    ///
    /// # Errors
    /// A store that does not take it.
    pub async fn put_blob(&self, blob: &Bytes) -> Result<(), StoreError> {
        match self {
            Self::Registry(remote) => Ok(remote.put_blob(blob).await?),
            Self::Layout(layout) => Ok(layout.write_small_blob(blob).await?),
        }
    }

    /// Writes a small blob that was made here and that other images may have brought.
    ///
    /// # Errors
    /// As [`ImageStore::put_blob`].
    pub async fn put_common_blob(&self, blob: &Bytes) -> Result<(), StoreError> {
        match self {
            Self::Registry(remote) => Ok(remote.put_common_blob(blob).await?),
            Self::Layout(layout) => Ok(layout.write_small_blob(blob).await?),
        }
    }

    /// Closes the upload sessions of copies that failed or were broken off.
    pub async fn cancel_uploads(&self) {
        if let Self::Registry(remote) = self {
            remote.cancel_uploads().await;
        }
    }

    /// Writes a manifest by its digest. Returns whether it was written: a layout that has it keeps it.
    pub(super) async fn put_manifest(
        &self,
        manifest: &Manifest,
        pass: WritePass,
    ) -> Result<bool, CopyError> {
        let target = TagOrDigest::Digest(manifest.digest);
        let written = match self {
            Self::Registry(remote) => match pass {
                WritePass::First => remote.put_manifest(&target, manifest).await,
                WritePass::AfterRecopy => remote.put_complete_manifest(&target, manifest).await,
            }
            .map(|_| true)
            .map_err(StoreError::from),
            Self::Layout(layout) => layout
                .write_manifest(manifest)
                .await
                .map_err(StoreError::from),
        };
        written.map_err(StoreError::at_destination)
    }
}
