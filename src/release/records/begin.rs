//! Which record a release continues, once the gates have judged it: that of an earlier attempt of the run which died, if
//! it says what a new one would.

use super::grounds::ReleaseGrounds;
use super::observe::{ObservedTimeline, ObservedTimelines, RecordedImage};
use super::options::RecordOptions;
use super::source_record::require_source_record;
use super::timeline_records::OwnRecord;
use crate::release::Failure;
use crate::release::context::ReleaseContext;
use crate::release::destination::OpenDestination;
use crate::release::gates::gate_outcome::GateOutcome;
use crate::release::plan::destination_state::DestinationState;
use crate::release::request::{ReleaseRequest, ReleaseVerb};

/// Release whose record is begun or continued.
pub(crate) struct BegunRelease<'a> {
    pub(crate) request: &'a ReleaseRequest,
    pub(crate) image: RecordedImage<'a>,
    /// What the gates decided; `None` if they refuse.
    pub(crate) gates: Option<&'a GateOutcome>,
}

/// Decides at each destination whether an earlier attempt is continued, and tells the decisions on tags. Requires what
/// the environment before must have recorded.
///
/// # Errors
/// A refusal, and stores that fail.
pub(crate) async fn begin_record(
    release: &BegunRelease<'_>,
    context: &ReleaseContext,
    destinations: &[OpenDestination],
    states: &mut [DestinationState],
    observed: &mut ObservedTimelines,
) -> Result<(), Failure> {
    let Some(options) = &release.request.record else {
        return Ok(());
    };
    for timeline in &mut observed.destinations {
        leave_other_attempt(release, options, timeline)?;
    }
    if release.request.verb == ReleaseVerb::Promote {
        require_source_record(context, observed, &release.image)?;
    }
    let each = destinations.iter().zip(states).zip(&observed.destinations);
    for ((destination, state), timeline) in each {
        let Some(records) = destination.records.timeline() else {
            continue;
        };
        if let Some(own) = own_record(options, timeline, &release.image) {
            let is_of_attempt = timeline.begun.is_some() || timeline.left.is_some();
            records.set_own(own);
            if is_of_attempt {
                state.records = destination.records.read_names(&state.tags).await?;
            }
        }
    }
    Ok(())
}

/// Leaves an earlier attempt whose record does not say why this one may release: its policy, its evidence or its reason
/// is another.
///
/// # Errors
/// A refusal if a newer release followed the attempt: a new record would put the environment back.
fn leave_other_attempt(
    release: &BegunRelease<'_>,
    options: &RecordOptions,
    timeline: &mut ObservedTimeline,
) -> Result<(), Failure> {
    let Some(gates) = release.gates else {
        return Ok(());
    };
    let place = timeline.view.location().destination.to_string();
    let root = release.image.root;
    let grounds = ReleaseGrounds::of_run(release.request, &options.account, root, gates, &place);
    let is_other =
        |intent: &super::intent::Intent| !grounds.are_those_of(&intent.verified.record.predicate);
    if !timeline.begun.as_ref().is_some_and(is_other) {
        return Ok(());
    }
    if options.account.run_uri().is_some() {
        refuse_later_release(timeline, &release.image)?;
    }
    timeline.left = timeline.begun.take();
    Ok(())
}

fn refuse_later_release(
    timeline: &ObservedTimeline,
    image: &RecordedImage<'_>,
) -> Result<(), Failure> {
    let (Some(begun), Some(newer)) = (&timeline.begun, timeline.newer_release(image.root)) else {
        return Ok(());
    };
    let environment = &timeline.view.location().environment;
    let version = newer.version.as_deref().unwrap_or("another image");
    Err(Failure::refused(format!(
        "this run began to release {} to {environment} at {}, and {version} was released after it, at {}",
        image.root.short(),
        begun.verified.record.predicate.planned_at,
        newer.planned_at
    ))
    .with_reason("policy, evidence or reason have changed since, so a new record is needed, and it would put the environment back on an older image")
    .with_hint("to release the older image still, start a new run instead of repeating this one"))
}

fn own_record(
    options: &RecordOptions,
    timeline: &ObservedTimeline,
    image: &RecordedImage<'_>,
) -> Option<OwnRecord> {
    if let Some(begun) = &timeline.begun {
        let (id, record) = (begun.verified.id, &begun.verified.record);
        return Some(OwnRecord::of_attempt(id, &record.predicate));
    }
    let reinstates = match options.reinstates {
        true => timeline.state.withdrawals(image.root).collect(),
        false => Vec::new(),
    };
    if let Some(left) = &timeline.left {
        let predicate = &left.verified.record.predicate;
        return Some(OwnRecord::after_attempt(predicate, reinstates));
    }
    options
        .reinstates
        .then(|| OwnRecord::of_reinstatement(reinstates))
}
