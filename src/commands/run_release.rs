//! Running the release pipeline for one image or a batch, and the cleanup after it.

use std::time::{Duration, Instant};

use super::cancellation::until_cancelled;
use super::github_deployment::{open_deployment, record_report};
use super::invocation::Invocation;
use super::release_request::ReleaseJob;
use super::{context_inputs, runner_paths};
use crate::notices::TagNews;
use crate::release::{self, Failure, ReleaseContext, ServiceOutcome};
use crate::report::{self, VerbResult};

/// Longest time to close the open upload sessions of a failed or interrupted run.
const CLEANUP_TIMEOUT: Duration = Duration::from_secs(1);

/// Runs a job until it ends or `cancelled` completes, logs its requests and time, and gives written
/// folders back to their owners.
pub(super) async fn run_job(
    job: &ReleaseJob,
    invocation: &Invocation,
    cancelled: impl Future<Output = ()>,
) -> Result<VerbResult, Failure> {
    let mut context = context_inputs::build_context(invocation)?.for_image(&job.image_name());
    context.github = open_deployment(invocation, job.github_environment())?;
    let owners = runner_paths::destination_owners(invocation, job.destinations());
    let began = Instant::now();
    let work = run_pipeline(job, &context);
    let result = until_cancelled(work, cancelled).await;
    record_report(invocation, &context);
    if has_failed(&result) {
        // A registry that does not answer expires its upload sessions itself.
        let _ = tokio::time::timeout(CLEANUP_TIMEOUT, context.registry.cancel_open_uploads()).await;
    }
    // Of a failure the reason comes first.
    if result.is_ok() {
        let seconds = began.elapsed().as_secs_f64();
        invocation
            .log
            .info(&match context.registry.request_count() {
                // From disk to disk.
                0 => format!("done in {seconds:.1} s"),
                count => format!("{count} requests in {seconds:.1} s"),
            });
    }
    runner_paths::restore_owners(invocation, &owners);
    result
}

async fn run_pipeline(job: &ReleaseJob, context: &ReleaseContext) -> Result<VerbResult, Failure> {
    match job {
        ReleaseJob::One(request) => {
            let outcome = release::run(request, context).await?;
            Ok(VerbResult::Released(Box::new(outcome)))
        }
        ReleaseJob::Batch(batch) => {
            let notices = &context.notices;
            let is_alone = batch.services.len() == 1;
            let log_outcome = |service: &_, outcome: &ServiceOutcome| {
                // Of one alone the failure of the run says it.
                if is_alone && matches!(outcome, ServiceOutcome::Failed(_)) {
                    return;
                }
                let news = match outcome {
                    ServiceOutcome::Completed(_) => TagNews::Written,
                    _ => TagNews::Kept,
                };
                notices.tag_change(news, report::service_line(service, outcome));
            };
            let outcome = batch.run(context, log_outcome).await;
            Ok(VerbResult::Batch(Box::new(outcome)))
        }
    }
}

fn has_failed(result: &Result<VerbResult, Failure>) -> bool {
    match result {
        Ok(VerbResult::Batch(batch)) => batch.failures().next().is_some(),
        other => other.is_err(),
    }
}
