//! Plans the verification summaries of a release: stages of their own, since they are written after the timeline entries.

use futures_util::future::try_join_all;

use super::stage::{SignRequest, SigningStage};
use super::statement::PlannedStatement;
use super::summary::passed_summary;
use crate::release::Failure;
use crate::release::failure::signing_failure;
use crate::release::plan::tags::TagPlan;
use crate::release::prepared_release::PreparedRelease;
use crate::release::records::location::claimed_repository;
use crate::release::request::{SignatureFormat, SigningOptions};

/// Returns how summaries are signed, whatever formats the signatures have: always as bundles.
pub(crate) fn summary_signing(signing: &SigningOptions) -> SigningOptions {
    SigningOptions {
        formats: vec![SignatureFormat::Bundle],
        recursive: false,
        attestations: Vec::new(),
        github: None,
        ..signing.clone()
    }
}

/// Plans the summary at each destination; `None` where the environment wants none.
///
/// # Errors
/// A signer that cannot be opened, and referrers that cannot be read.
pub(crate) async fn plan_summaries<'a>(
    prepared: &'a PreparedRelease<'_>,
) -> Result<Vec<Option<SigningStage<'a>>>, Failure> {
    let plans = prepared.destinations.iter().enumerate();
    try_join_all(plans.map(|(at, _)| plan_summary(prepared, at))).await
}

async fn plan_summary<'a>(
    prepared: &'a PreparedRelease<'_>,
    at: usize,
) -> Result<Option<SigningStage<'a>>, Failure> {
    let PreparedRelease {
        context, timelines, ..
    } = prepared;
    let plan: &TagPlan = &prepared.plans[at];
    let destination = &prepared.destinations[at];
    let Some(signing) = prepared
        .summary_signing
        .as_ref()
        .filter(|_| plan.has_root())
    else {
        return Ok(None);
    };
    let timeline = timelines.as_ref().map(|it| &it.destinations[at]);
    let repository = claimed_repository(&destination.name);
    let summary = timeline.and_then(|it| passed_summary(prepared, it, plan, &repository));
    let Some(summary) = summary else {
        return Ok(None);
    };
    let requirement = signing
        .signer
        .requirement(context.registry.http(), &context.notices);
    let tags = &prepared.states[at].tags;
    let prior = destination.load_tag_snapshot(plan.writes(), tags).await?;
    let sign_request = SignRequest {
        signing,
        requirement: requirement.await.map_err(signing_failure)?,
        subject: prepared.image.root.to_descriptor(),
        tags_follow: false,
    };
    let statements = vec![PlannedStatement::Summary(summary)];
    let planned = SigningStage::plan(sign_request, context, destination, statements, prior);
    planned.await.map(Some)
}
