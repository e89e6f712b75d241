//! The verbs, one file each: from arguments to the request that the road takes.

mod attestation_inputs;
mod context_inputs;
mod credential_inputs;
mod event_inputs;
mod github_inputs;
mod keyless_inputs;
mod load_policy;
mod promote;
mod push;
mod release_request;
mod release_targets;
mod runner_advice;
mod runner_paths;
mod sign_bundle;
mod signing_inputs;
mod sigstore_inputs;
mod tag_context;
mod tags;
mod verification_inputs;
mod verify;
mod verify_bundle;
mod visibility;

use std::sync::Arc;
use std::time::{Duration, Instant};

pub use credential_inputs::collect_secrets;
pub use signing_inputs::environment_secrets;

use crate::actions::ProcessEnvironment;
use crate::cli::{InputError, InputValues, Verb};
use crate::release::{self, Failure, ReleaseContext};
use crate::report::{self, RunLog, VerbResult};
use release_request::ReleaseJob;

/// What a verb has to go by.
struct Invocation {
    arguments: InputValues,
    environment: ProcessEnvironment,
    log: Arc<RunLog>,
}

/// How long closing what a broken-off run has open may take.
const CLEANUP_TIMEOUT: Duration = Duration::from_secs(1);

/// Runs a verb, to its end or until `cancelled`.
pub async fn run(
    mut arguments: InputValues,
    environment: ProcessEnvironment,
    log: Arc<RunLog>,
    cancelled: impl Future<Output = ()>,
) -> Result<VerbResult, Failure> {
    runner_paths::map_paths(&mut arguments, &environment, &log)?;
    let given = Invocation {
        arguments,
        environment,
        log,
    };
    let job = match given.arguments.verb {
        Verb::Tags => {
            return tokio::select! {
                result = tags::run_tags(&given) => Ok(VerbResult::Tagged(Box::new(result?))),
                () = cancelled => Err(Failure::Cancelled),
            };
        }
        Verb::Verify => {
            return tokio::select! {
                result = verify::run_verify(&given) => Ok(VerbResult::Verified(Box::new(result?))),
                () = cancelled => Err(Failure::Cancelled),
            };
        }
        Verb::VerifyBundle => {
            return tokio::select! {
                result = verify_bundle::run_verify_bundle(&given) => Ok(VerbResult::VerifiedBundle(Box::new(result?))),
                () = cancelled => Err(Failure::Cancelled),
            };
        }
        Verb::SignBundle => {
            return tokio::select! {
                result = sign_bundle::run(&given) => Ok(VerbResult::SignedBundle(Box::new(result?))),
                () = cancelled => Err(Failure::Cancelled),
            };
        }
        Verb::Push => push::build_request(&given).await,
        Verb::Promote => promote::build_request(&given).await,
    }?;
    let context = context_inputs::build_context(&given)?;
    let owners = runner_paths::destination_owners(&given, job.destinations());
    let began = Instant::now();
    let result = run_release(&job, &context, &given.log, cancelled).await;
    given.log.info(&format!(
        "{} requests in {:.1} s",
        context.registry.request_count(),
        began.elapsed().as_secs_f64()
    ));
    runner_paths::hand_over(&given, &owners);
    let mut done = result.map_err(|failure| runner_advice::add_advice(failure, &given))?;
    if let VerbResult::Batch(batch) = &mut done {
        for failure in batch.failures_mut() {
            *failure = runner_advice::add_advice(failure.clone(), &given);
        }
    }
    Ok(done)
}

/// Walks the road, and tidies up where that ends early.
async fn run_release(
    job: &ReleaseJob,
    context: &ReleaseContext,
    log: &RunLog,
    cancelled: impl Future<Output = ()>,
) -> Result<VerbResult, Failure> {
    let work = async {
        Ok(match job {
            ReleaseJob::One(request) => {
                VerbResult::Released(Box::new(release::run(request, context).await?))
            }
            ReleaseJob::Batch(batch) => {
                let log_outcome =
                    |service: &_, end: &_| log.info(&report::service_line(service, end));
                VerbResult::Batch(Box::new(batch.run(context, log_outcome).await))
            }
        })
    };
    let result = tokio::select! {
        result = work => result,
        () = cancelled => Err(Failure::Cancelled),
    };
    let failed = match &result {
        Ok(VerbResult::Batch(batch)) => batch.failed().next().is_some(),
        other => other.is_err(),
    };
    if failed {
        // A registry that does not answer expires its upload sessions by itself.
        let _ = tokio::time::timeout(CLEANUP_TIMEOUT, context.registry.cancel_open_uploads()).await;
    }
    result
}

impl From<InputError> for Failure {
    fn from(error: InputError) -> Self {
        Self::input(error.to_string())
    }
}

#[cfg(test)]
mod tests;
