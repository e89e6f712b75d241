//! What the destinations have: each tag that matters once, and the list of tags where lines move.

use std::collections::{BTreeMap, BTreeSet};

use futures_util::future::{join_all, try_join, try_join_all};

use super::lines::{CreationTime, compared_releases};
use crate::image::{Digest, ImageSource, Tag};
use crate::release::Failure;
use crate::release::destination::OpenDestination;
use crate::release::request::ReleaseRequest;
use crate::tagging::{ExcludedVersions, PlannedTag, ReleaseSeries, SeriesReleases};
use crate::transfer::{Side, StoreError};

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

    /// Returns the highest release of each line that has a higher release than ours, unless its digest
    /// is known: in most cases the line names it, and nothing else is read.
    fn unresolved_releases(&self, planned: &[PlannedTag]) -> BTreeSet<Tag> {
        let lines = planned.iter().filter_map(|planned| {
            self.tag_digest(&planned.tag)?;
            let line = planned.line()?;
            let releases = compared_releases(line, self);
            let highest = releases.highest(&line.line)?;
            let is_higher = highest.version.is_higher_than(&line.version);
            (is_higher && !self.tag_digests.contains_key(&highest.tag)).then(|| highest.tag.clone())
        });
        lines.collect()
    }
}

/// Lists the tags of each destination before it is known which of them matter, so that the
/// connections are open and logged in by then. `None` where the list failed.
pub(crate) async fn list_tags_early(
    destinations: &[OpenDestination],
) -> Vec<Option<BTreeSet<Tag>>> {
    let lists = destinations.iter().map(|destination| async {
        // What fails fails again where it matters.
        destination.store.tags().await.ok()
    });
    join_all(lists).await
}

/// Observes all destinations at once. The tag that is the source is left to
/// [`DestinationState::record_source_tag`]. Tags that were `listed` early are not listed again.
pub(crate) async fn observe_destinations(
    destinations: &[OpenDestination],
    tags: &[PlannedTag],
    request: &ReleaseRequest,
    listed: Vec<Option<BTreeSet<Tag>>>,
) -> Result<Vec<DestinationState>, Failure> {
    let listed = listed.into_iter().chain(std::iter::repeat(None));
    let each = destinations.iter().zip(listed);
    try_join_all(each.map(|(destination, listed)| async move {
        observe_destination(destination, tags, request, listed)
            .await
            .map_err(|error| Failure::from_store_error(Side::Destination, &destination.name, error))
    }))
    .await
}

async fn observe_destination(
    destination: &OpenDestination,
    planned: &[PlannedTag],
    request: &ReleaseRequest,
    listed: Option<BTreeSet<Tag>>,
) -> Result<DestinationState, StoreError> {
    let source = destination.source_tag(&request.source);
    let own = planned.iter().map(|planned| planned.tag.clone());
    let own = own.filter(|tag| Some(tag) != source).collect();
    let listing = async {
        match listed {
            Some(listed) => Ok(listed),
            None if planned.iter().any(needs_list) => destination.store.tags().await,
            None => Ok(BTreeSet::new()),
        }
    };
    let (named, tags) = try_join(resolve_tags(destination, &own), listing).await?;
    let immutable = planned.iter().filter(|planned| planned.kind.is_immutable());
    let mut seen = DestinationState {
        tag_digests: named,
        tags,
        excluded: request.excluded_versions.clone(),
        immutable_tags: immutable.map(|planned| planned.tag.clone()).collect(),
        ..DestinationState::default()
    };
    let highest = resolve_tags(destination, &seen.unresolved_releases(planned)).await?;
    seen.record_digests(highest);
    Ok(seen)
}

/// Returns whether the change of a tag depends on all tags of the repository.
fn needs_list(planned: &PlannedTag) -> bool {
    planned.kind.is_line() || planned.may_take_line()
}

/// Resolves tags to digests; `None`: no such tag.
pub(crate) async fn resolve_tags(
    destination: &OpenDestination,
    tags: &BTreeSet<Tag>,
) -> Result<BTreeMap<Tag, Option<Digest>>, StoreError> {
    let heads = tags.iter().map(|tag| async {
        let digest = destination.store.resolve_tag(tag).await?;
        Ok::<_, StoreError>((tag.clone(), digest))
    });
    Ok(try_join_all(heads).await?.into_iter().collect())
}
