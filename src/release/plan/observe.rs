//! Observes the destinations: resolves each planned tag once, and lists all tags where version
//! lines are planned.

use std::collections::{BTreeMap, BTreeSet};

use futures_util::future::{join_all, try_join, try_join_all};

use crate::image::{Digest, ImageSource, Tag};
use crate::release::Failure;
use crate::release::destination::OpenDestination;
use crate::tagging::{
    LineMove, MovingTagSource, PlannedTag, ReleaseSeries, SeriesReleases, TagKind,
};
use crate::transfer::{Side, StoreError};

/// State of a destination when it was observed.
#[derive(Debug, Default)]
pub(crate) struct DestinationState {
    /// Digest of each planned tag, and of the highest release of each planned line; `None`: no such tag.
    pub(crate) tag_digests: BTreeMap<Tag, Option<Digest>>,
    /// All tags, where version lines are planned.
    pub(crate) tags: BTreeSet<Tag>,
    /// Withdrawn releases. Always empty until release records exist.
    pub(crate) withdrawn: BTreeSet<Tag>,
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
        SeriesReleases::from_tags(&self.tags, series, &self.withdrawn)
    }

    /// Resolves the highest releases of lines that this release does not move. A tag that is listed
    /// and does not resolve counts as deleted since.
    pub(crate) async fn resolve_highest_releases(
        &mut self,
        destination: &OpenDestination,
        lines: &[PlannedTag],
    ) -> Result<(), StoreError> {
        loop {
            let unknown = self.unresolved_releases(lines);
            if unknown.is_empty() {
                return Ok(());
            }
            for (tag, digest) in resolve_tags(destination, &unknown).await? {
                if digest.is_none() {
                    self.tags.remove(&tag);
                }
                self.tag_digests.insert(tag, digest);
            }
        }
    }

    fn unresolved_releases(&self, lines: &[PlannedTag]) -> BTreeSet<Tag> {
        lines
            .iter()
            .filter_map(|planned| match &planned.kind {
                TagKind::Moving(MovingTagSource::Line {
                    line,
                    series,
                    version,
                }) => match self.releases(series).line_move(*line, version) {
                    LineMove::Stays { highest, .. } => Some(highest?.tag),
                    LineMove::Moves => None,
                },
                _ => None,
            })
            .filter(|tag| self.tag_digest(tag).is_none())
            .collect()
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
    source: &ImageSource,
    listed: Vec<Option<BTreeSet<Tag>>>,
) -> Result<Vec<DestinationState>, Failure> {
    let listed = listed.into_iter().chain(std::iter::repeat(None));
    let each = destinations.iter().zip(listed);
    try_join_all(each.map(|(destination, listed)| async move {
        observe_destination(destination, tags, source, listed)
            .await
            .map_err(|error| Failure::from_store_error(Side::Destination, &destination.name, error))
    }))
    .await
}

async fn observe_destination(
    destination: &OpenDestination,
    planned: &[PlannedTag],
    source: &ImageSource,
    listed: Option<BTreeSet<Tag>>,
) -> Result<DestinationState, StoreError> {
    let source = destination.source_tag(source);
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
    let mut seen = DestinationState {
        tag_digests: named,
        tags,
        ..DestinationState::default()
    };
    seen.resolve_highest_releases(destination, planned).await?;
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
