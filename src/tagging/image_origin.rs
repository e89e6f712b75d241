//! What is known of a promoted image before its tags are derived.

use super::{CommitTagForm, NamedRelease};
use crate::image::{CommitId, Platform, Tag};

/// Commit, version, names and platform of the promoted image.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ImageOrigin {
    /// Commit that it was built from, by its labels.
    pub revision: Option<CommitId>,
    /// Revision by its labels, as written, where it is no full commit.
    pub malformed_revision: Option<String>,
    /// Version by its labels, as written.
    pub version: Option<String>,
    /// Address of the source repository by its labels, as written.
    pub source: Option<String>,
    /// Platform of an image that is no index, if its config was read.
    pub platform: Option<Platform>,
    /// Names that it has.
    pub names: ImageNames,
}

/// Names of an image by the request and by the source repository.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ImageNames {
    /// Version of the input `version`.
    pub requested_version: Option<NamedRelease>,
    /// Tag that was given as source.
    pub source_tag: Option<Tag>,
    /// Spelling of SHA tags in the environment that the image comes from, if a rule says it.
    pub commit_tag_form: Option<CommitTagForm>,
    /// Tags of the source repository that name the image, as far as they were looked up.
    pub repository_tags: Vec<Tag>,
}
