//! Verification summaries: which release or rollback gets one, and what it says.

use super::statement::ReleaseSummary;
use crate::image::Digest;
use crate::record::{
    RecordAction, RecordTime, RecordedEvidence, RecordedPolicy, SummaryResult, Timeline,
    VerificationSummary,
};
use crate::release::prepared_release::PreparedRelease;
use crate::release::records::draft::considered_evidence;
use crate::release::records::location::TimelineLocation;
use crate::release::records::observe::ObservedTimeline;
use crate::signing::Predicate;

/// Returns the summary of a release at one destination; `None` if the environment wants none. One that is in effect
/// makes it unnecessary.
pub(super) fn passed_summary(
    prepared: &PreparedRelease<'_>,
    observed: &ObservedTimeline,
    repository: &str,
) -> Option<ReleaseSummary> {
    let options = prepared.request.record.as_ref()?;
    let policy = options
        .account
        .policy
        .as_ref()
        .filter(|_| options.adds_summary)?;
    let root = prepared.image.root.digest;
    let (evidence, verified_at) = match &observed.begun {
        Some(begun) => {
            let predicate = &begun.verified.record.predicate;
            (predicate.evidence.clone(), predicate.planned_at)
        }
        None => (
            considered_evidence(prepared, repository),
            observed.planned_at,
        ),
    };
    let summary = summary(
        observed.view.location(),
        SummaryResult::Passed,
        policy,
        evidence,
        verified_at,
    );
    Some(ReleaseSummary {
        repository: repository.to_owned(),
        environment: summary.environment.clone(),
        predicate: Predicate::from_summary(summary.to_predicate()),
        withdrawn_at: newest_rollback(&observed.state, root),
        yields_to_existing: true,
    })
}

/// Returns the summary of a root that a rollback withdraws.
pub(crate) fn failed_summary(
    location: &TimelineLocation,
    policy: &RecordedPolicy,
    verified_at: RecordTime,
) -> ReleaseSummary {
    let summary = summary(
        location,
        SummaryResult::Failed,
        policy,
        Vec::new(),
        verified_at,
    );
    ReleaseSummary {
        repository: summary.destination.clone(),
        environment: summary.environment.clone(),
        predicate: Predicate::from_summary(summary.to_predicate()),
        withdrawn_at: None,
        yields_to_existing: false,
    }
}

fn summary(
    location: &TimelineLocation,
    result: SummaryResult,
    policy: &RecordedPolicy,
    evidence: Vec<RecordedEvidence>,
    verified_at: RecordTime,
) -> VerificationSummary {
    let place = location.place();
    VerificationSummary {
        environment: place.environment,
        destination: place.destination,
        result,
        policy: policy.clone(),
        evidence,
        verified_at,
    }
}

/// Returns the time of the newest rollback of a root.
fn newest_rollback(timeline: &Timeline, root: Digest) -> Option<RecordTime> {
    let rollbacks = timeline
        .entries()
        .iter()
        .filter(|entry| entry.action == RecordAction::Rollback && entry.root == root);
    rollbacks.map(|entry| entry.planned_at).max()
}
