//! Tells a release of two numbers from the tag of a line.

use std::collections::BTreeSet;

use super::{ComparedLine, LineQuestion, VERSION_LOOKUP_LIMIT};
use crate::image::{Digest, Tag};
use crate::tagging::{TaggedRelease, VersionLine};

impl ComparedLine<'_> {
    /// Returns whether the tag `X.Y` is a release of two numbers: it names what no `X.Y.Z` names. Where
    /// there is an `X.Y.0`, it is the tag of a line, as in a series of three numbers. A run that gives
    /// no full version has nothing else to tell the two apart, and takes the tag as a line's.
    pub(super) fn is_two_number_release(&self, at: Option<Digest>) -> Result<bool, LineQuestion> {
        let VersionLine::Minor(..) = self.line.line else {
            return Ok(false);
        };
        let Some(at) = at.filter(|at| *at != self.root) else {
            return Ok(false);
        };
        let mut given = self.seen.immutable_tags.iter();
        if !given.any(|tag| self.is_own_version(tag)) {
            return Ok(false);
        }
        let others = self.full_versions();
        let is_first =
            |it: &TaggedRelease| !it.version.is_prerelease() && it.version.numbers()[2].is_zero();
        if others.iter().any(is_first) {
            return Ok(false);
        }
        let others: Vec<&TaggedRelease> = others.iter().take(VERSION_LOOKUP_LIMIT).collect();
        self.find_digest(at, &others).map(|found| !found)
    }

    /// Returns the versions `X.Y.Z` of the line, from the highest: every tag but those of this run, so
    /// other spellings of our version, excluded versions, and tags that only look like pre-releases too.
    fn full_versions(&self) -> Vec<TaggedRelease> {
        let own: BTreeSet<&Tag> = self.seen.immutable_tags.iter().collect();
        let tags = self.seen.tags.iter().filter(|tag| !own.contains(tag));
        let versions = tags.filter_map(|tag| {
            let series = [&self.line.series, &self.line.release_series];
            let version = series.into_iter().find_map(|series| series.version(tag))?;
            let tag = tag.clone();
            Some(TaggedRelease { version, tag })
        });
        let mut versions: Vec<TaggedRelease> = versions
            .filter(|it| it.version.numbers().len() > 2)
            .filter(|it| !it.version.has_prerelease_word())
            .filter(|it| self.line.line.counts_numbers_of(&it.version))
            .collect();
        versions.sort_by(|a, b| b.version.cmp_precedence(&a.version));
        versions
    }
}
