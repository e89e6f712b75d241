//! Search for the source of a release by its commit, as a request says it.

use crate::image::{Destination, Digest, ImageSource, NamedCommit, Tag, TagOrDigest};
use crate::tagging::CommitTagForm;

/// Search for the source of a release by the commit that it was built from.
#[derive(Debug, Clone)]
pub struct SourceLookup {
    /// Commit.
    pub commit: NamedCommit,
    /// What names the commit, for people: `the tag v1.4.0`. Printable.
    pub named_by: String,
    /// Repository or image layout that is searched.
    pub place: Destination,
    /// Rule that spells the tags; `None`: the usual spellings.
    pub form: Option<CommitTagForm>,
    /// Tags that the image may have there, the usual ones first: at least one.
    pub tags: Vec<Tag>,
    /// Image that is found.
    pub found: Option<Digest>,
}

impl SourceLookup {
    /// Returns the image that a tag names in the searched place.
    pub fn image(&self, tag: &Tag) -> ImageSource {
        self.place.to_source(TagOrDigest::Tag(tag.clone()))
    }

    /// Returns the image that is found, by its digest: the tag may be moved meanwhile.
    pub(super) fn found_image(&self) -> Option<ImageSource> {
        let digest = self.found?;
        Some(self.place.to_source(TagOrDigest::Digest(digest)))
    }
}
