//! Verification summaries: which release or rollback gets one, and what it says.

use super::statement::ReleaseSummary;
use crate::record::{RecordAction, RecordTime, RecordedPolicy, SummaryResult, VerificationSummary};
use crate::release::plan::tags::TagPlan;
use crate::release::prepared_release::PreparedRelease;
use crate::release::records::location::TimelineLocation;
use crate::release::records::observe::ObservedTimeline;
use crate::release::records::record_choice::choose_record;

/// Returns the summary of a release at one destination: what its record says, so that a repetition finds it. `None` if the
/// environment wants none, and of an adoption, which verifies nothing.
pub(super) fn passed_summary(
    prepared: &PreparedRelease<'_>,
    observed: &ObservedTimeline,
    plan: &TagPlan,
    repository: &str,
) -> Option<ReleaseSummary> {
    let options = prepared.request.record.as_ref()?;
    let policy = options.account.policy.as_ref();
    let policy = policy.filter(|_| options.adds_summary)?;
    let record = choose_record(prepared, options, observed, plan);
    let summary = match record.predicate() {
        Some(recorded) if recorded.action == RecordAction::Adopt => return None,
        Some(recorded) => VerificationSummary {
            policy: recorded.policy.as_ref().unwrap_or(policy).clone(),
            evidence: recorded.evidence.clone(),
            ..summary(
                observed.view.location(),
                SummaryResult::Passed,
                policy,
                recorded.planned_at,
            )
        },
        None => VerificationSummary {
            evidence: prepared.grounds(&options.account, repository).evidence,
            ..summary(
                observed.view.location(),
                SummaryResult::Passed,
                policy,
                observed.planned_at,
            )
        },
    };
    Some(ReleaseSummary::new(summary))
}

/// Returns the summary of a root that a rollback withdraws.
pub(crate) fn failed_summary(
    location: &TimelineLocation,
    policy: &RecordedPolicy,
    verified_at: RecordTime,
) -> ReleaseSummary {
    ReleaseSummary::new(summary(
        location,
        SummaryResult::Failed,
        policy,
        verified_at,
    ))
}

fn summary(
    location: &TimelineLocation,
    result: SummaryResult,
    policy: &RecordedPolicy,
    verified_at: RecordTime,
) -> VerificationSummary {
    let place = location.place();
    VerificationSummary {
        environment: place.environment,
        destination: place.destination,
        result,
        policy: policy.clone(),
        evidence: Vec::new(),
        verified_at,
    }
}
