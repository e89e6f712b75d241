//! Digest tags that exist at a destination, known without a request for each.

use std::collections::BTreeSet;

use crate::image::Tag;
use crate::registry::TagPage;
use crate::transfer::{ImageStore, StoreError};

/// Snapshot of the digest tags of a destination. It may be used to read, and not to write: a list
/// of tags may be behind.
#[derive(Debug, Clone, Default)]
pub enum TagSnapshot {
    /// Nothing.
    #[default]
    Unknown,
    /// Of the tags that are made of digests there are these.
    DigestTags(BTreeSet<Tag>),
}

impl TagSnapshot {
    /// Loads the snapshot from the store's tags, where they come in one response or all were
    /// `listed` already.
    ///
    /// # Errors
    /// An answer that may be another one later.
    pub async fn load(store: &ImageStore, listed: &BTreeSet<Tag>) -> Result<Self, StoreError> {
        let remote = match store {
            ImageStore::Registry(remote) if remote.is_known_new() => {
                return Ok(Self::from_tags(listed));
            }
            ImageStore::Registry(remote) => remote,
            ImageStore::Layout(_) => return Ok(Self::Unknown),
        };
        if !listed.is_empty() {
            return Ok(Self::from_tags(listed));
        }
        Ok(match remote.first_tag_page().await? {
            TagPage::Complete(tags) => Self::from_tags(&tags),
            TagPage::NoRepository => Self::DigestTags(BTreeSet::new()),
            TagPage::Incomplete => Self::Unknown,
        })
    }

    fn from_tags(tags: &BTreeSet<Tag>) -> Self {
        let of_digests = tags
            .iter()
            .filter(|tag| tag.as_str().starts_with("sha256-"));
        Self::DigestTags(of_digests.cloned().collect())
    }

    /// Returns whether the tag exists; `None` if only a request can tell.
    pub(super) fn contains(&self, tag: &Tag) -> Option<bool> {
        match self {
            Self::Unknown => None,
            Self::DigestTags(tags) => Some(tags.contains(tag)),
        }
    }
}
