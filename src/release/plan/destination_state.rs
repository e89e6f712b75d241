//! State of a destination, as far as it was observed.

use std::collections::{BTreeMap, BTreeSet};

use super::creation_time::CreationTime;
use super::line_question::LineQuestion;
use super::record_facts::{RecordFacts, RecordedRelease};
use crate::image::{Digest, ImageSource, Tag};
use crate::release::destination::OpenDestination;
use crate::tagging::{ExcludedVersions, LineTag, ReleaseSeries, SeriesReleases, TaggedRelease};

/// State of a destination when it was observed.
#[derive(Debug, Clone, Default)]
pub(crate) struct DestinationState {
    /// Digest of each planned tag, and of the version tags that decisions on lines depend on; `None`:
    /// no such tag.
    pub(crate) tag_digests: BTreeMap<Tag, Option<Digest>>,
    /// All tags, where version lines are planned.
    pub(crate) tags: BTreeSet<Tag>,
    /// What records say; `None`: no records are kept here.
    pub(crate) records: Option<RecordFacts>,
    /// Versions that never count.
    pub(crate) excluded: ExcludedVersions,
    /// Immutable tags of this run.
    pub(crate) immutable_tags: BTreeSet<Tag>,
    /// Creation times of images, where a decision on a line depends on them; `None`: not known.
    pub(crate) creation_times: BTreeMap<Digest, Option<CreationTime>>,
    /// Branch tags that point to a newer image, with the reason.
    pub(crate) newer_branches: BTreeMap<Tag, String>,
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
        SeriesReleases::from_tags(&self.tags, series, &self.withdrawn_tags(), &self.excluded)
    }

    /// Returns the tags that are known to name withdrawn roots.
    fn withdrawn_tags(&self) -> BTreeSet<Tag> {
        let Some(records) = &self.records else {
            return BTreeSet::new();
        };
        let digests = self.tag_digests.iter();
        let known = digests.filter_map(|(tag, digest)| Some((tag, (*digest)?)));
        known
            .filter(|(_, digest)| records.is_withdrawn(*digest) == Some(true))
            .map(|(tag, _)| tag.clone())
            .collect()
    }

    /// Returns whether the root is withdrawn; never where no records are kept.
    pub(crate) fn is_withdrawn(&self, root: Digest) -> Result<bool, LineQuestion> {
        match &self.records {
            None => Ok(false),
            Some(records) => records
                .is_withdrawn(root)
                .ok_or_else(|| LineQuestion::Records(vec![root])),
        }
    }

    /// Returns what a tag named before a release, if the tag can go back to it: it is there and not withdrawn.
    pub(crate) fn usable_previous(
        &self,
        previous: Option<Digest>,
    ) -> Result<Option<Digest>, LineQuestion> {
        let Some((records, previous)) = self.records.as_ref().zip(previous) else {
            return Ok(None);
        };
        if self.is_withdrawn(previous)? {
            return Ok(None);
        }
        let is_there = records.images.get(&previous).copied();
        let is_there = is_there.ok_or(LineQuestion::Image(previous))?;
        Ok(is_there.then_some(previous))
    }

    /// Finds the first of the releases, which come from the highest, whose records fit: those of the root that
    /// its tag names, as far as they name the version. As a rule the first decides, so it is read alone.
    pub(crate) fn find_recorded<'a>(
        &self,
        releases: &[&'a TaggedRelease],
        fits: impl Fn(RecordedRelease) -> bool,
    ) -> Result<Option<(&'a TaggedRelease, Digest)>, LineQuestion> {
        let records = self.records.as_ref();
        let recorded = |root: &Digest| records.and_then(|it| it.roots.get(root));
        for (index, release) in releases.iter().enumerate() {
            let to_read = match index {
                0 => &releases[..1],
                _ => &releases[index..],
            };
            if !self.tag_digests.contains_key(&release.tag) {
                let tags = to_read.iter().map(|it| it.tag.clone());
                let unknown = tags.filter(|tag| !self.tag_digests.contains_key(tag));
                return Err(LineQuestion::Digests(unknown.collect()));
            }
            let Some(root) = self.tag_digest(&release.tag) else {
                continue;
            };
            let Some(known) = recorded(&root) else {
                let roots = to_read.iter().filter_map(|it| self.tag_digest(&it.tag));
                let unknown = roots.filter(|root| recorded(root).is_none());
                return Err(LineQuestion::Records(unknown.collect()));
            };
            match known.release(release) {
                Some(state) if fits(state) => return Ok(Some((release, root))),
                None if fits(RecordedRelease::Intended) => {
                    return Err(LineQuestion::Intents(root));
                }
                _ => {}
            }
        }
        Ok(None)
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
