//! Reads the facts that decisions on version lines depend on, until all are known.

use std::collections::BTreeSet;

use futures_util::future::{try_join, try_join_all, try_join3};

use super::creation_time::{CreationTime, read_creation_time, read_creation_time_of};
use super::destination_state::DestinationState;
use super::line_question::LineQuestions;
use super::lines::{LineDecision, decide_line};
use super::observe;
use crate::image::{Digest, Tag, TagOrDigest};
use crate::release::Failure;
use crate::release::destination::OpenDestination;
use crate::release::resolve::image::ResolvedImage;
use crate::tagging::PlannedTag;
use crate::transfer::{ImageReader, ImageStore, Side, StoreError};

/// Reads all facts that the lines among `tags` depend on, at every destination.
pub(crate) async fn read_line_facts(
    destinations: &[OpenDestination],
    tags: &[PlannedTag],
    seen: &mut [DestinationState],
    image: &ResolvedImage,
) -> Result<(), Failure> {
    let each = destinations.iter().zip(seen);
    let facts = each.map(|(destination, seen)| read_facts_of(destination, tags, seen, image));
    try_join_all(facts).await.map(drop)
}

/// Reads all facts that the lines among `tags` depend on, at one destination.
pub(crate) async fn read_facts_of(
    destination: &OpenDestination,
    tags: &[PlannedTag],
    seen: &mut DestinationState,
    image: &ResolvedImage,
) -> Result<(), Failure> {
    // The list may be older than what was read of a line: then a run that began after it may have
    // moved the line.
    let mut is_list_new = false;
    loop {
        let mut questions = LineQuestions::default();
        let mut is_explained = true;
        let decisions = tags
            .iter()
            .filter_map(|planned| decide_line(planned, seen, image.root.digest));
        for decision in decisions {
            is_explained &= !decision.is_unexplained();
            if let LineDecision::Needs(question) = decision {
                questions.add(question);
            }
        }
        if questions.is_empty() {
            if is_explained || is_list_new {
                return Ok(());
            }
            list_again(destination, seen).await?;
            is_list_new = true;
            continue;
        }
        answer_questions(destination, &questions, seen).await?;
        if !questions.creation_times.is_empty() {
            read_times(destination, &questions.creation_times, seen, image).await?;
        }
    }
}

/// Reads the list of tags again, and the names of the timeline with it.
async fn list_again(
    destination: &OpenDestination,
    seen: &mut DestinationState,
) -> Result<(), Failure> {
    let tags = destination.store.tags().await;
    seen.tags = tags.map_err(|error| store_failure(destination, error))?;
    seen.records = destination.records.read_names(&seen.tags).await?;
    Ok(())
}

/// Reads what questions ask for, creation times apart.
pub(crate) async fn answer_questions(
    destination: &OpenDestination,
    questions: &LineQuestions,
    seen: &mut DestinationState,
) -> Result<(), Failure> {
    let failed = |error| store_failure(destination, error);
    let digests = async {
        let found = observe::resolve_tags(destination, &questions.digests).await;
        found.map_err(failed)
    };
    let images = questions.images.iter().map(|digest| async {
        let target = TagOrDigest::Digest(*digest);
        let manifest = destination.store.get_manifest(&target).await;
        Ok((*digest, manifest.map_err(failed)?.is_some()))
    });
    let records = &destination.records;
    let recorded = try_join(
        records.read(&questions.records),
        records.read_intents(&questions.intents),
    );
    let (digests, (roots, intents), images) =
        try_join3(digests, recorded, try_join_all(images)).await?;
    seen.record_digests(digests);
    if let Some(records) = &mut seen.records {
        records.roots.extend(roots);
        for (root, named) in intents {
            records.roots.entry(root).or_default().intended = Some(named);
        }
        records.images.extend(images);
    }
    Ok(())
}

fn store_failure(destination: &OpenDestination, error: StoreError) -> Failure {
    Failure::from_store_error(Side::Destination, &destination.name, error)
}

/// Reads the creation times of our image and of those that the tags name. Nothing more is read where
/// ours has none.
async fn read_times(
    destination: &OpenDestination,
    tags: &BTreeSet<Tag>,
    seen: &mut DestinationState,
    image: &ResolvedImage,
) -> Result<(), Failure> {
    let root = image.root.digest;
    let own = read_creation_time(&image.reader, &image.root).await;
    let own =
        own.map_err(|error| Failure::from_store_error(Side::Source, &image.location, error))?;
    let own = own.filter(|time| !is_in_future(destination, *time));
    seen.creation_times.insert(root, own);
    if own.is_none() {
        return Ok(());
    }
    let digests: BTreeSet<Digest> = tags.iter().filter_map(|tag| seen.tag_digest(tag)).collect();
    let reader = ImageReader::from_store(destination.store.clone());
    let reads = digests.into_iter().map(|digest| {
        let reader = &reader;
        async move {
            let time = read_creation_time_of(reader, digest).await?;
            Ok::<_, StoreError>((digest, time))
        }
    });
    let times = try_join_all(reads)
        .await
        .map_err(|error| Failure::from_store_error(Side::Destination, &destination.name, error))?;
    let known = times.into_iter().map(|(digest, time)| {
        let time = time.filter(|time| !is_in_future(destination, *time));
        (digest, time)
    });
    seen.creation_times.extend(known);
    Ok(())
}

/// Returns whether the time is ahead of the registry's clock, as far as its answers tell the time.
fn is_in_future(destination: &OpenDestination, time: CreationTime) -> bool {
    let ImageStore::Registry(remote) = &destination.store else {
        return false;
    };
    remote
        .server_time()
        .is_some_and(|now| time > CreationTime(now))
}

/// Reads list and lines of a destination again, with all facts that they depend on.
pub(crate) async fn read_lines_again(
    destination: &OpenDestination,
    lines: &[PlannedTag],
    before: &DestinationState,
    image: &ResolvedImage,
) -> Result<DestinationState, Failure> {
    let own = lines.iter().map(|planned| planned.tag.clone()).collect();
    let (named, tags) = try_join(
        observe::resolve_tags(destination, &own),
        destination.store.tags(),
    )
    .await
    .map_err(|error| store_failure(destination, error))?;
    let mut now = before.with_tags(tags);
    now.records = destination.records.read_names(&now.tags).await?;
    now.tag_digests.extend(named);
    read_facts_of(destination, lines, &mut now, image).await?;
    Ok(now)
}

#[cfg(test)]
mod tests;
