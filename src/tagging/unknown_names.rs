//! What only the tags of the source repository can tell of a promoted image.

use std::collections::BTreeSet;

use super::promoted_commit_tag::{tags_of_commit, unspelled_commit};
use super::promoted_version::{choose_version, highest_first};
use super::tag_plan::DerivedTags;
use super::{ExcludedVersions, ImageOrigin, TaggingError, tag_name};
use crate::event::EventFacts;
use crate::image::{CommitId, Tag};

/// Names of a promoted image that no other source gives.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct UnknownNames {
    /// Whether the version is unknown.
    version: bool,
    /// Commit whose SHA tag may have any spelling.
    commit: Option<CommitId>,
}

/// Most version tags that are looked up: the highest.
const VERSION_TAGS: usize = 16;
/// Most tags of the commit that are looked up.
const COMMIT_TAGS: usize = 4;

impl UnknownNames {
    /// Returns the names that are unknown of a promotion with the tags of the default table.
    ///
    /// # Errors
    /// Those of [`super::derive_promote_tags`].
    pub fn of_promotion(
        facts: Option<&EventFacts>,
        source: &ImageOrigin,
    ) -> Result<Self, TaggingError> {
        let branch = match facts {
            Some(facts) => facts.release_branch()?,
            None => None,
        };
        let known = choose_version(&mut DerivedTags::default(), facts, branch.as_ref(), source)?;
        Ok(Self {
            version: known.is_none(),
            commit: unspelled_commit(source).cloned(),
        })
    }

    /// Returns whether every name is known.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Returns the tags of the source repository that may be names of the image: at most sixteen
    /// version tags, the highest, and four tags of the commit. Excluded versions never count, and a date is
    /// the name that a release branch gave.
    pub fn candidates(&self, tags: &BTreeSet<Tag>, excluded: &ExcludedVersions) -> BTreeSet<Tag> {
        let versions = match self.version {
            true => highest_first(tags),
            false => Vec::new(),
        };
        let versions = versions.into_iter().filter(|(release, tag)| {
            let version = &release.version;
            excluded.excluding(version, Some(tag)).is_none()
                && !tag_name::is_calendar_date(tag.as_str())
        });
        let versions = versions.map(|(_, tag)| tag);
        let of_commit = self.commit.as_ref();
        let of_commit = of_commit.map(|commit| tags_of_commit(tags, commit));
        let of_commit = of_commit.into_iter().flatten().take(COMMIT_TAGS);
        let all = versions.take(VERSION_TAGS).chain(of_commit);
        all.cloned().collect()
    }
}
