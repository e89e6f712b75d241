//! What a timeline rules out before a release is planned.

use std::sync::Arc;

use super::observe::{ObservedTimeline, RecordedImage};
use super::options::RecordOptions;
use super::timeline_view::EntryReading;
use crate::image::Tag;
use crate::record::{EntryName, RecordAction};
use crate::release::Failure;
use crate::release::plan::destination_state::DestinationState;
use crate::tagging::ReleaseVersion;

/// Refuses a release that its timeline rules out.
///
/// # Errors
/// A withdrawn image, a reinstatement of one that is not, a repeated run that a newer release follows, a signed
/// environment whose releases have no record, and an expected record that is not there.
pub(crate) async fn check_release(
    options: &RecordOptions,
    observed: &ObservedTimeline,
    state: &DestinationState,
    image: &RecordedImage<'_>,
) -> Result<(), Failure> {
    require_expected_head(options, observed).await?;
    let own = read_own_releases(options, observed, image).await?;
    check_withdrawal(options, observed, image, &own)?;
    refuse_repeated_run(observed, image, own.first())?;
    refuse_unrecorded_past(observed, state, image)
}

/// Reads the releases of the root that earlier attempts of this run recorded, newest first, whoever released it
/// since.
async fn read_own_releases(
    options: &RecordOptions,
    observed: &ObservedTimeline,
    image: &RecordedImage<'_>,
) -> Result<Vec<Arc<EntryReading>>, Failure> {
    let Some(own) = options.account.repeated_run() else {
        return Ok(Vec::new());
    };
    let is_release_of_root =
        |name: &EntryName| name.action.is_release() && name.root.is_of(image.root);
    let mut read = observed.view.read_own(own, is_release_of_root).await?;
    read.retain(|reading| {
        let counted = reading.counted();
        counted.is_some_and(|it| it.entry.root == image.root && own.wrote_before(it.record()))
    });
    Ok(read)
}

fn check_withdrawal(
    options: &RecordOptions,
    observed: &ObservedTimeline,
    image: &RecordedImage<'_>,
    own: &[Arc<EntryReading>],
) -> Result<(), Failure> {
    let location = observed.view.location();
    let (place, environment) = (&location.destination, &location.environment);
    let root = image.root;
    let rollback = observed.state.withdrawals(root).last();
    match (rollback, options.reinstates) {
        (Some(rollback), false) => {
            let reason = observed.view.withdrawal_reason(rollback);
            Err(
                Failure::refused(format!("{root} is withdrawn from {environment} of {place}"))
                    .with_reason(format!("the rollback {rollback} withdrew it{reason}"))
                    .with_hint(
                        "release another image, or this one again with reinstate: true and reason",
                    ),
            )
        }
        // An earlier attempt of this run has done it.
        (None, true) if own.iter().any(is_reinstatement) => Ok(()),
        (None, true) => Err(Failure::input(format!(
            "reinstate is true, and {root} is not withdrawn from {environment} of {place}"
        ))
        .with_hint("leave reinstate out: a plain promotion releases this image")),
        _ => Ok(()),
    }
}

fn is_reinstatement(reading: &Arc<EntryReading>) -> bool {
    let counted = reading.counted();
    counted.is_some_and(|counted| counted.entry.action == RecordAction::Reinstate)
}

/// Refuses the repetition of a run that has its record, after a newer release.
fn refuse_repeated_run(
    observed: &ObservedTimeline,
    image: &RecordedImage<'_>,
    own: Option<&Arc<EntryReading>>,
) -> Result<(), Failure> {
    let Some(release) = own.and_then(|reading| reading.counted()) else {
        return Ok(());
    };
    let Some((newer, current)) = observed.state.current() else {
        return Ok(());
    };
    if current == image.root || newer.order() < release.entry.order() {
        return Ok(());
    }
    let location = observed.view.location();
    let version = newer.version.as_deref().unwrap_or("another image");
    Err(Failure::refused(format!(
        "this run released {} to {} at {}, and {version} was released after it, at {}",
        image.root.short(),
        location.environment,
        release.entry.planned_at,
        newer.planned_at
    ))
    .with_reason("a repeated job of an old run would put the environment back on an older image")
    .with_hint(
        "to go back, use rollback; to release the older image again, start a new run instead of repeating this one",
    ))
}

/// Refuses a release next to releases that no record is about, where the environment signs: its timeline was
/// never begun, or is gone.
fn refuse_unrecorded_past(
    observed: &ObservedTimeline,
    state: &DestinationState,
    image: &RecordedImage<'_>,
) -> Result<(), Failure> {
    let location = observed.view.location();
    if location.trust.is_none() || !observed.recent.timeline.entries().is_empty() {
        return Ok(());
    }
    let is_own = |tag: &&Tag| {
        let mut own = image.derived.tags.iter();
        own.any(|planned| planned.tag == **tag)
    };
    let mut others = state.tags.iter().filter(|tag| !is_own(tag));
    let Some(version) = others.find(|tag| is_version(tag)) else {
        return Ok(());
    };
    let (place, environment) = (&location.destination, &location.environment);
    Err(Failure::refused(format!(
        "{place} has releases such as {version}, and the timeline of {environment} has no record of them"
    ))
    .with_reason(format!(
        "{environment} signs its records: without them it is unknown which image is current and which is withdrawn"
    ))
    .with_hint(format!(
        "if they were released before records were kept, run shipmark adopt --environment {environment}, which the policy has to allow with adopt-until; if there were records, somebody has deleted them"
    )))
}

fn is_version(tag: &Tag) -> bool {
    let version = ReleaseVersion::parse(tag.as_str());
    version.is_some_and(|version| version.numbers().len() == 3)
}

/// Requires that the timeline has the record that the request expects.
async fn require_expected_head(
    options: &RecordOptions,
    observed: &ObservedTimeline,
) -> Result<(), Failure> {
    let Some(expected) = options.expected_head else {
        return Ok(());
    };
    let prefix = crate::record::DigestPrefix::from_digest(expected.digest());
    let mut names = observed.view.names().iter();
    let name = names.find(|name| name.record == prefix);
    if let Some(name) = name {
        let reading = observed.view.read(name).await?;
        if reading
            .counted()
            .is_some_and(|record| record.entry.record == expected)
        {
            return Ok(());
        }
    }
    let location = observed.view.location();
    Err(Failure::refused(format!(
        "{}: the timeline of {} has no record {expected}",
        location.entries(),
        location.environment
    ))
    .with_reason(
        "expect-head names a record that must be there: a timeline without it was cut or made anew",
    )
    .with_hint("compare with shipmark history, and find out who deleted entries"))
}
