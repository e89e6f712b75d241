//! Observes the destinations: resolves each planned tag once, and lists all tags where version
//! lines are planned.

use std::collections::{BTreeMap, BTreeSet};

use futures_util::future::{join_all, try_join, try_join_all};

use super::destination_state::DestinationState;
use crate::image::{Digest, Tag};
use crate::release::Failure;
use crate::release::destination::OpenDestination;
use crate::release::request::ReleaseRequest;
use crate::tagging::PlannedTag;
use crate::transfer::{Side, StoreError};

/// Lists the tags of each destination before it is known which of them matter, so that the
/// connections are open and logged in by then, and reads the newest entries of its timeline. `None` where the
/// list failed.
pub(crate) async fn list_tags_early(
    destinations: &[OpenDestination],
) -> Vec<Option<BTreeSet<Tag>>> {
    let lists = destinations.iter().map(|destination| async {
        // What fails fails again where it matters.
        let tags = destination.store.tags().await.ok()?;
        // The entries stay read.
        destination.records.read_names(&tags).await.ok()?;
        Some(tags)
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
        let observed = observe_destination(destination, tags, request, listed).await;
        let mut seen = observed.map_err(|error| {
            Failure::from_store_error(Side::Destination, &destination.name, error)
        })?;
        require_list(destination, &mut seen).await?;
        Ok(seen)
    }))
    .await
}

/// Reads what the timelines of the destinations say by the tags that were listed.
///
/// # Errors
/// A store that fails, or too many entries that do not count.
pub(crate) async fn read_record_names(
    destinations: &[OpenDestination],
    states: &mut [DestinationState],
) -> Result<(), Failure> {
    let each = destinations.iter().zip(states);
    let reads = each.map(|(destination, state)| async {
        state.records = destination.records.read_names(&state.tags).await?;
        Ok(())
    });
    try_join_all(reads).await.map(drop)
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
            None if request.record.is_some() || planned.iter().any(needs_list) => {
                destination.store.tags().await
            }
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
    let highest = resolve_tags(destination, &unresolved_releases(&seen, planned)).await?;
    seen.record_digests(highest);
    Ok(seen)
}

/// Requires that a repository whose timeline is read lists its tags: an empty list next to a tag that is there is no
/// empty timeline, unless another run wrote the tag after the list.
async fn require_list(
    destination: &OpenDestination,
    seen: &mut DestinationState,
) -> Result<(), Failure> {
    let mut there = seen
        .tag_digests
        .iter()
        .filter(|(_, digest)| digest.is_some());
    let Some((tag, _)) = there.next() else {
        return Ok(());
    };
    if destination.records.timeline().is_none() || !seen.tags.is_empty() {
        return Ok(());
    }
    let place = &destination.name;
    let listed = destination.store.tags().await;
    let listed =
        listed.map_err(|error| Failure::from_store_error(Side::Destination, place, error))?;
    if listed.is_empty() {
        return Err(Failure::service(format!(
            "destination {place}: the registry lists no tags, and tag {tag} is there"
        ))
        .with_reason("without the list it is unknown what the timeline says")
        .with_hint("repeat the run; if the registry goes on, look at its state"));
    }
    seen.tags = listed;
    Ok(())
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

/// Returns the highest release of each line that has a higher release than ours, unless its digest
/// is known: in most cases the line names it, and nothing else is read.
fn unresolved_releases(seen: &DestinationState, planned: &[PlannedTag]) -> BTreeSet<Tag> {
    let lines = planned.iter().filter_map(|planned| {
        seen.tag_digest(&planned.tag)?;
        let line = planned.line()?;
        let releases = seen.compared_releases(line);
        let highest = releases.highest(&line.line)?;
        let is_higher = highest.version.is_higher_than(&line.version);
        (is_higher && !seen.tag_digests.contains_key(&highest.tag)).then(|| highest.tag.clone())
    });
    lines.collect()
}
