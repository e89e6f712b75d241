//! Which record tells a release at one destination: a new one, or one that is there.

use super::intent::Intent;
use super::observe::ObservedTimeline;
use super::options::RecordOptions;
use super::timeline_view::CountedRecord;
use crate::record::ReleasePredicate;
use crate::release::outcome::TagChange;
use crate::release::plan::tags::TagPlan;
use crate::release::prepared_release::PreparedRelease;

/// Record that tells a release at one destination.
pub(crate) enum RecordChoice<'a> {
    /// A new one.
    New,
    /// That of an attempt which died before its entry.
    Begun(&'a Intent),
    /// One that has its entry.
    Complete(&'a CountedRecord),
}

impl RecordChoice<'_> {
    /// Returns the predicate of one that is there.
    pub(crate) fn predicate(&self) -> Option<&ReleasePredicate> {
        match self {
            Self::New => None,
            Self::Begun(intent) => Some(&intent.verified.record.predicate),
            Self::Complete(recorded) => Some(&recorded.record().predicate),
        }
    }
}

/// Returns the record that tells the release: that of the current image, if no immutable tag is new, and no freeze is
/// overridden that it does not tell.
pub(crate) fn choose_record<'a>(
    prepared: &PreparedRelease<'_>,
    options: &RecordOptions,
    observed: &'a ObservedTimeline,
    plan: &TagPlan,
) -> RecordChoice<'a> {
    if let Some(begun) = &observed.begun {
        return RecordChoice::Begun(begun);
    }
    let is_current = |(_, current)| current == prepared.image.root.digest;
    let is_new_tag = plan
        .steps
        .iter()
        .any(|step| step.planned.kind.is_immutable() && step.change == TagChange::Created);
    let release = observed.release.as_ref().and_then(|it| it.counted());
    match release {
        Some(recorded)
            if observed.state.current().is_some_and(is_current)
                && !is_new_tag
                && tells_override(prepared, options, observed, plan, recorded) =>
        {
            RecordChoice::Complete(recorded)
        }
        _ => RecordChoice::New,
    }
}

/// Returns whether a record tells the freeze that the release overrides, if it does: an earlier attempt of this run wrote
/// it for the same reason, and nothing is left to write.
fn tells_override(
    prepared: &PreparedRelease<'_>,
    options: &RecordOptions,
    observed: &ObservedTimeline,
    plan: &TagPlan,
    recorded: &CountedRecord,
) -> bool {
    if prepared.gates.freeze_override.is_none() {
        return true;
    }
    let account = &options.account;
    let predicate = &recorded.record().predicate;
    let place = observed.view.location().destination.to_string();
    !plan.writes()
        && predicate.run_uri() == account.run_uri()
        && prepared.grounds(account, &place).are_those_of(predicate)
}
