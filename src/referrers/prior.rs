use std::collections::BTreeSet;

use crate::image::Tag;
use crate::registry::FewTags;
use crate::transfer::{Store, StoreError};

/// What the tags of a destination tell of what stands beside images there, before it is asked for each.
/// It is good for looking, and not for writing: a list of tags may be behind.
#[derive(Debug, Clone, Default)]
pub enum Prior {
    /// Nothing.
    #[default]
    Unknown,
    /// Of the tags that are made of digests there are these.
    Tags(BTreeSet<Tag>),
}

impl Prior {
    /// What a store's tags tell, where they come in one answer, or were all `listed` already.
    ///
    /// # Errors
    /// An answer that may be another one later.
    pub async fn of(store: &Store, listed: &BTreeSet<Tag>) -> Result<Self, StoreError> {
        let remote = match store {
            Store::Registry(remote) if remote.is_known_new() => return Ok(Self::among(listed)),
            Store::Registry(remote) => remote,
            Store::Layout(_) => return Ok(Self::Unknown),
        };
        if !listed.is_empty() {
            return Ok(Self::among(listed));
        }
        Ok(match remote.few_tags().await? {
            FewTags::All(tags) => Self::among(&tags),
            FewTags::NoRepository => Self::Tags(BTreeSet::new()),
            FewTags::Unknown => Self::Unknown,
        })
    }

    fn among(tags: &BTreeSet<Tag>) -> Self {
        let of_digests = tags
            .iter()
            .filter(|tag| tag.as_str().starts_with("sha256-"));
        Self::Tags(of_digests.cloned().collect())
    }

    /// Whether the tag is there; none where it has to be asked for.
    pub(super) fn has(&self, tag: &Tag) -> Option<bool> {
        match self {
            Self::Unknown => None,
            Self::Tags(tags) => Some(tags.contains(tag)),
        }
    }
}
