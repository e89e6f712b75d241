//! Verification summary of a root that a rollback withdraws: consumers of the summaries learn it there.

use crate::image::Descriptor;
use crate::record::ReleaseRecord;
use crate::referrers::TagSnapshot;
use crate::release::Failure;
use crate::release::context::ReleaseContext;
use crate::release::failure::signing_failure;
use crate::release::records::open_timeline::OpenTimeline;
use crate::release::records::stage::RecordStage;
use crate::release::records::timeline_request::TimelineRequest;
use crate::release::request::{SignatureFormat, SigningOptions};
use crate::release::sign::stage::{SignRequest, SigningStage};
use crate::release::sign::statement::PlannedStatement;
use crate::release::sign::summary::failed_summary;

/// Returns how the summary of a withdrawn root is signed; `None` if the environment wants none, or does not sign.
pub(super) fn summary_signing(
    request: &TimelineRequest,
    record: &ReleaseRecord,
) -> Option<SigningOptions> {
    let signer = request.signer.as_ref().filter(|_| request.adds_summary)?;
    Some(SigningOptions {
        signer: signer.clone(),
        formats: vec![SignatureFormat::Bundle],
        annotations: Default::default(),
        recursive: false,
        attestations: Vec::new(),
        allows_unbound: false,
        assigns_reports: false,
        github: None,
        created: record.predicate.planned_at.to_string(),
    })
}

/// Plans the summary of a withdrawn root; `None` if the policy of the run is not known.
///
/// # Errors
/// A signer that cannot be opened, and referrers that cannot be read.
pub(super) async fn plan_summary<'a>(
    signing: &'a SigningOptions,
    context: &'a ReleaseContext,
    timeline: &'a OpenTimeline,
    subject: Descriptor,
    record: &ReleaseRecord,
) -> Result<Option<SigningStage<'a>>, Failure> {
    let predicate = &record.predicate;
    let Some(policy) = &predicate.policy else {
        return Ok(None);
    };
    let summary = failed_summary(timeline.view.location(), policy, predicate.planned_at);
    let (http, notices) = (context.registry.http(), &context.notices);
    let requirement = signing.signer.requirement(http, notices).await;
    let sign_request = SignRequest {
        signing,
        requirement: requirement.map_err(signing_failure)?,
        subject,
        tags_follow: true,
    };
    let statements = vec![PlannedStatement::Summary(summary)];
    let destination = &timeline.destination;
    let prior = TagSnapshot::Unknown;
    let planned = SigningStage::plan(sign_request, context, destination, statements, &prior);
    planned.await.map(Some)
}

/// Writes the record's blobs, intent and list, and those of the summary with them.
///
/// # Errors
/// A signing service, and stores that fail.
pub(super) async fn write_with_summary(
    record: &mut RecordStage<'_>,
    summary: Option<SigningStage<'_>>,
) -> Result<(), Failure> {
    let Some(mut summary) = summary else {
        record.write_blobs().await?;
        record.write_intent().await?;
        return record.write_list(false).await;
    };
    record.write_blobs().await?;
    summary.write_blobs(None).await?;
    record.write_intent().await?;
    summary.write_manifests().await?;
    if let Some(entry) = record.unlisted_entry()
        && summary.list_too(record.subject.digest, &entry)
    {
        record.note_listed();
    }
    summary.write_lists(false).await?;
    record.write_list(true).await
}
