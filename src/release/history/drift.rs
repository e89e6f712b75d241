//! Tags of an environment that name something else than its records say.

use std::collections::BTreeMap;

use futures_util::{StreamExt, TryStreamExt, stream};

use super::read_history::ReadHistory;
use crate::image::{Digest, Tag};
use crate::record::{
    ExpectedRoot, HistoryReadings, TagDrift, Timeline, TimelineHistory, expected_tags,
};
use crate::referrers::TagSnapshot;
use crate::release::Failure;
use crate::release::context::ReleaseContext;
use crate::release::records::intent::ListedIntents;
use crate::release::records::location::TimelineLocation;
use crate::release::records::unfinished::{ReleaseAccount, unfinished_releases};
use crate::transfer::{ImageStore, Side};

/// Tags that are looked up at the same time.
const TAG_CONCURRENCY: usize = 16;

/// Returns the drift of the environment's tag, which names `found`.
pub(crate) fn environment_drift(
    read: &ReadHistory,
    known: &TimelineHistory,
    location: &TimelineLocation,
    found: Option<Digest>,
) -> Option<TagDrift> {
    let timeline = &known.timeline;
    let expected = timeline.current().map(|(_, root)| root);
    let is_recorded = !timeline.entries().is_empty()
        && (found.is_some() || has_environment_tag(&read.readings, location));
    let expected_root = expected.map(|root| ExpectedRoot {
        root,
        is_immutable: false,
    });
    let tag = location.environment.tag().clone();
    (found != expected && is_recorded).then(|| TagDrift::new(tag, expected_root, found, timeline))
}

/// Returns whether a record that was read says that it wrote the environment's tag.
fn has_environment_tag(readings: &HistoryReadings, location: &TimelineLocation) -> bool {
    let name = location.environment.as_str();
    let read = readings.read_entries();
    let mut tags = read.iter().flat_map(|read| &read.tags);
    tags.any(|tag| tag.name == name)
}

/// Returns the drift of the other tags that the entries wrote which were read.
pub(super) async fn written_tags_drift(
    read: &ReadHistory,
    known: &TimelineHistory,
    images: &ImageStore,
    location: &TimelineLocation,
) -> Result<Vec<TagDrift>, Failure> {
    let is_complete = read.listed.is_complete && read.span == read.listed.view.names().len();
    let entries = read.readings.read_entries();
    let expected = expected_tags(&entries, &known.timeline, is_complete);
    read_drift(expected, &known.timeline, images, location).await
}

/// Returns the drift of tags with these roots by the records.
///
/// # Errors
/// A store that cannot tell.
pub(crate) async fn read_drift(
    expected: BTreeMap<String, ExpectedRoot>,
    timeline: &Timeline,
    images: &ImageStore,
    location: &TimelineLocation,
) -> Result<Vec<TagDrift>, Failure> {
    let lookups = expected.into_iter().filter_map(|(tag, expected)| {
        let tag: Tag = tag.parse().ok()?;
        Some(async move {
            let found = read_tag(images, location, &tag).await?;
            let drift = || TagDrift::new(tag, Some(expected), found, timeline);
            Ok::<_, Failure>((found != Some(expected.root)).then(drift))
        })
    });
    let lookups: Vec<_> = lookups.collect();
    let drift: Vec<Option<TagDrift>> = stream::iter(lookups)
        .buffered(TAG_CONCURRENCY)
        .try_collect()
        .await?;
    Ok(drift.into_iter().flatten().collect())
}

/// Returns the releases without an entry of the image that the environment's tag names.
pub(super) async fn unfinished_drift(
    read: &ReadHistory,
    images: &ImageStore,
    drift: Option<&TagDrift>,
    context: &ReleaseContext,
) -> Result<Vec<ReleaseAccount>, Failure> {
    let Some(root) = drift.and_then(|drift| drift.found) else {
        return Ok(Vec::new());
    };
    let view = &read.listed.view;
    let intents = ListedIntents::list(images, &TagSnapshot::Unknown, view.location(), root);
    let intents = intents.await?;
    unfinished_releases(images, view, &intents, root, &context.notices).await
}

/// Returns the root that a tag names.
pub(crate) async fn read_tag(
    store: &ImageStore,
    location: &TimelineLocation,
    tag: &Tag,
) -> Result<Option<Digest>, Failure> {
    let found = store.resolve_tag(tag).await;
    found.map_err(|error| Failure::from_store_error(Side::Source, &location.destination, error))
}
