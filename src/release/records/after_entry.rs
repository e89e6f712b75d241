//! Reads a timeline again after a run has written its entry, and corrects the environment's tag.
//!
//! Registries have no compare-and-swap, so two runs at the same time may write the tag in one order and plan
//! their entries in the other. Each run lists the entries after it has written its own. Of two runs the one that
//! writes its entry last sees both, and moves the tag, if it is one of theirs, to the current image: so the tag
//! ends at the later release, whatever the order of the writes.

use std::collections::BTreeSet;

use futures_util::future::try_join_all;

use super::observe::ObservedTimeline;
use super::stage::RecordStage;
use super::timeline_view::TimelineView;
use crate::image::{Digest, Manifest, Tag};
use crate::notices::TagNews;
use crate::record::{EntryName, TimelineEntry};
use crate::release::Failure;
use crate::release::destination::OpenDestination;
use crate::release::outcome::TagChange;
use crate::release::plan::tags::{TagPlan, TagStep};
use crate::release::prepared_release::PreparedRelease;
use crate::release::resolve::image;
use crate::release::tags::write;
use crate::tagging::{MovingTagSource, TagKind};
use crate::transfer::{Side, StoreError};

/// Most readings of a timeline; after them, too many other runs release to the environment.
const ROUNDS_LIMIT: usize = 8;

/// Corrects the environments' tags until they follow the timelines.
///
/// # Errors
/// A store that fails, and a timeline that does not come to rest.
pub(crate) async fn correct_environment_tags(
    prepared: &PreparedRelease<'_>,
    plans: &mut [TagPlan],
    stages: &mut [Option<RecordStage<'_>>],
) -> Result<(), Failure> {
    let Some(timelines) = &prepared.timelines else {
        return Ok(());
    };
    let each = prepared.destinations.iter().zip(plans);
    let each = each.zip(stages).zip(&timelines.destinations);
    let corrections = each.map(|(((destination, plan), stage), observed)| async move {
        match stage {
            Some(stage) if stage.writes_entry() => {
                correct_tag(prepared, destination, plan, stage, observed).await
            }
            _ => Ok(()),
        }
    });
    try_join_all(corrections).await.map(drop)
}

async fn correct_tag(
    prepared: &PreparedRelease<'_>,
    destination: &OpenDestination,
    plan: &mut TagPlan,
    stage: &mut RecordStage<'_>,
    observed: &ObservedTimeline,
) -> Result<(), Failure> {
    let root = &prepared.image.root;
    let mut known: BTreeSet<Tag> = observed
        .view
        .names()
        .iter()
        .map(EntryName::to_tag)
        .collect();
    known.extend(stage.entry_tag());
    for _ in 0..ROUNDS_LIMIT {
        let tags = list_entries(observed).await?;
        let new = tags.difference(&known).count();
        if new == 0 {
            return Ok(());
        }
        let view = TimelineView::new(observed.view.location().clone(), &observed.entries, &tags);
        let state = view.read_state(std::slice::from_ref(&root.digest)).await?;
        if let Some((entry, current)) = state.current() {
            if current != root.digest {
                stage.superseded = Some(superseded_reason(entry));
            }
            follow(prepared, destination, plan, root, (entry, current)).await?;
        }
        known = tags;
    }
    Err(Failure::service(format!(
        "destination {}: other runs keep releasing to {}",
        destination.name,
        observed.view.location().environment
    ))
    .with_hint("repeat the run once the others have ended"))
}

/// Returns the tags of the timeline's entries by now.
async fn list_entries(observed: &ObservedTimeline) -> Result<BTreeSet<Tag>, Failure> {
    let location = observed.view.location();
    let listed = observed.entries.tags().await;
    let listed = listed
        .map_err(|error| Failure::from_store_error(Side::Destination, location.entries(), error))?;
    let view = TimelineView::new(location.clone(), &observed.entries, &listed);
    Ok(view.names().iter().map(EntryName::to_tag).collect())
}

/// Returns why a release does not keep the environment's tag.
pub(super) fn superseded_reason(newer: &TimelineEntry) -> String {
    let version = newer.version.as_deref().unwrap_or("another image");
    format!(
        "{version} was released at {}, after this release was planned",
        newer.planned_at
    )
}

/// Moves the environment's tag to the current image, where it names this run's image, or this run's image is
/// current and another run has overwritten the tag.
async fn follow(
    prepared: &PreparedRelease<'_>,
    destination: &OpenDestination,
    plan: &mut TagPlan,
    root: &Manifest,
    (entry, current): (&TimelineEntry, Digest),
) -> Result<(), Failure> {
    let steps = plan
        .steps
        .iter_mut()
        .filter(|step| wrote_environment_tag(step));
    for step in steps {
        let tag = &step.planned.tag;
        let at = destination.store.resolve_tag(tag).await;
        let at = at.map_err(|error| store_failure(destination, error))?;
        let is_own = at == Some(root.digest) || current == root.digest;
        if at == Some(current) || !is_own {
            continue;
        }
        let manifest = match current == root.digest {
            true => root.clone(),
            false => {
                let (store, place) = (&destination.store, &destination.name);
                image::resolve_in_store(store, place, current).await?.root
            }
        };
        write::write_tag(destination, &step.planned, &manifest).await?;
        let text = format!(
            "{}: corrected tag {tag} to {}: the timeline's newest release",
            destination.name,
            current.short()
        );
        prepared.context.notices.tag_change(TagNews::Written, text);
        if current != root.digest {
            step.change = TagChange::Corrected {
                from: step.change.previous_digest(root.digest),
                to: current,
                why: superseded_reason(entry),
            };
        }
    }
    Ok(())
}

fn wrote_environment_tag(step: &TagStep) -> bool {
    let is_environment = step.planned.kind == TagKind::Moving(MovingTagSource::Environment);
    is_environment && !matches!(step.change, TagChange::Stays { .. })
}

fn store_failure(destination: &OpenDestination, error: StoreError) -> Failure {
    Failure::from_store_error(Side::Destination, &destination.name, error)
}
