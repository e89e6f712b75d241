//! Image that a search by commit found.

use crate::image::{CommitId, Destination, Digest, ImageSource, NamedCommit, TagOrDigest};
use crate::tagging::CommitTagForm;

/// Image that was found by the commit that it was built from.
#[derive(Debug, Clone)]
pub struct SourceLookup {
    /// Commit.
    pub commit: NamedCommit,
    /// What names the commit, for people: `the tag v1.4.0`. Printable.
    pub named_by: String,
    /// Repository or image layout that has the image.
    pub place: Destination,
    /// Rule that spells SHA tags there; `None`: the usual spellings.
    pub form: Option<CommitTagForm>,
    /// Image.
    pub found: Digest,
    /// Commit that a record of the place names, so that no label needs to.
    pub recorded: Option<CommitId>,
}

impl SourceLookup {
    /// Returns the image by its digest: its tag may be moved meanwhile.
    pub(super) fn found_image(&self) -> ImageSource {
        self.place.to_source(TagOrDigest::Digest(self.found))
    }
}
