//! State of a destination, as far as it was observed.

use std::collections::{BTreeMap, BTreeSet};

use super::creation_time::CreationTime;
use crate::image::{Digest, ImageSource, Tag};
use crate::release::destination::OpenDestination;
use crate::tagging::{ExcludedVersions, LineTag, ReleaseSeries, SeriesReleases};

/// State of a destination when it was observed.
#[derive(Debug, Clone, Default)]
pub(crate) struct DestinationState {
    /// Digest of each planned tag, and of the version tags that decisions on lines depend on; `None`:
    /// no such tag.
    pub(crate) tag_digests: BTreeMap<Tag, Option<Digest>>,
    /// All tags, where version lines are planned.
    pub(crate) tags: BTreeSet<Tag>,
    /// Withdrawn releases. Always empty until release records exist.
    pub(crate) withdrawn: BTreeSet<Tag>,
    /// Versions that never count.
    pub(crate) excluded: ExcludedVersions,
    /// Immutable tags of this run.
    pub(crate) immutable_tags: BTreeSet<Tag>,
    /// Creation times of images, where a decision on a line depends on them; `None`: not known.
    pub(crate) creation_times: BTreeMap<Digest, Option<CreationTime>>,
    /// Branch tags that point to a newer image, with the reason.
    pub(crate) newer_branches: BTreeMap<Tag, String>,
    /// Reason why the environment's tag stays: a newer release than the one that this run completes.
    pub(crate) superseded: Option<String>,
    /// Tags of branches and pull requests that are version lines, with the reason.
    pub(crate) lines: BTreeMap<Tag, String>,
}

impl DestinationState {
    /// Records the digest of the source, where it is a tag of the destination.
    pub(crate) fn record_source_tag(
        &mut self,
        destination: &OpenDestination,
        source: &ImageSource,
        root: Digest,
    ) {
        if let Some(tag) = destination.source_tag(source) {
            self.tag_digests.insert(tag.clone(), Some(root));
        }
    }

    pub(crate) fn tag_digest(&self, tag: &Tag) -> Option<Digest> {
        self.tag_digests.get(tag).copied().flatten()
    }

    pub(crate) fn releases(&self, series: &ReleaseSeries) -> SeriesReleases {
        SeriesReleases::from_tags(&self.tags, series, &self.withdrawn, &self.excluded)
    }

    /// Returns the releases that a line is compared with: those of its own series, or, where that has
    /// none, those of the series of the release.
    pub(crate) fn compared_releases(&self, line: &LineTag) -> SeriesReleases {
        let own = self.releases(&line.series);
        match own.has_releases() || line.series.is_same_as(&line.release_series) {
            true => own,
            false => self.releases(&line.release_series),
        }
    }

    /// Returns the state with another list of tags.
    pub(crate) fn with_tags(&self, tags: BTreeSet<Tag>) -> Self {
        let mut state = self.clone();
        state.tags = tags;
        state
    }

    /// Records the digests of tags. A tag that is listed and does not resolve counts as deleted since.
    pub(crate) fn record_digests(&mut self, digests: BTreeMap<Tag, Option<Digest>>) {
        for (tag, digest) in digests {
            if digest.is_none() {
                self.tags.remove(&tag);
            }
            self.tag_digests.insert(tag, digest);
        }
    }
}
