//! Dispatch: each verb of the command line, with the function that runs it.

use std::sync::Arc;

use super::cancellation::until_cancelled;
use super::invocation::Invocation;
use super::unreleasable_event::refuse_pull_request_target;
use super::{
    adopt, check, history, hold, input_spelling, inspect, mark, policy, promote, prune, push,
    restore, rollback, run_attempt, run_release, runner_advice, runner_paths, sign_bundle, tags,
    verify, verify_bundle,
};
use crate::actions::ProcessEnvironment;
use crate::cli::{InputValues, Verb};
use crate::release::Failure;
use crate::report::{RunLog, VerbResult};

/// Runs a verb until it ends or `cancelled` completes.
///
/// # Errors
/// Returns the verb's failure, with hints about the runner added, or [`Failure::Cancelled`].
pub async fn run(
    mut arguments: InputValues,
    environment: ProcessEnvironment,
    log: Arc<RunLog>,
    cancelled: impl Future<Output = ()>,
) -> Result<VerbResult, Failure> {
    runner_paths::map_paths(&mut arguments, &environment, &log)?;
    input_spelling::lower_case_names(&mut arguments, &log);
    let invocation = Invocation {
        arguments,
        environment,
        log,
    };
    run_attempt::record_inputs(&invocation);
    refuse_pull_request_target(invocation.arguments.verb, &invocation.environment)?;
    let result = dispatch(&invocation, cancelled).await;
    runner_advice::advise(result, &invocation)
}

async fn dispatch(
    invocation: &Invocation,
    cancelled: impl Future<Output = ()>,
) -> Result<VerbResult, Failure> {
    match invocation.arguments.verb {
        Verb::Tags => until_cancelled(tags::run(invocation), cancelled).await,
        Verb::Push => {
            let job = push::build_request(invocation).await?;
            run_attempt::record_job(invocation, &job);
            run_release::run_job(&job, invocation, cancelled).await
        }
        Verb::Promote => {
            let job = promote::build_request(invocation).await?;
            run_attempt::record_job(invocation, &job);
            run_release::run_job(&job, invocation, cancelled).await
        }
        Verb::Check => until_cancelled(check::run(invocation), cancelled).await,
        Verb::Verify => until_cancelled(verify::run(invocation), cancelled).await,
        Verb::VerifyBundle => until_cancelled(verify_bundle::run(invocation), cancelled).await,
        Verb::SignBundle => until_cancelled(sign_bundle::run(invocation), cancelled).await,
        Verb::History => until_cancelled(history::run(invocation), cancelled).await,
        Verb::Inspect => until_cancelled(inspect::run(invocation), cancelled).await,
        Verb::Rollback => until_cancelled(rollback::run(invocation), cancelled).await,
        Verb::Mark => until_cancelled(mark::run(invocation), cancelled).await,
        Verb::Adopt => until_cancelled(adopt::run(invocation), cancelled).await,
        Verb::Hold | Verb::Unhold => until_cancelled(hold::run(invocation), cancelled).await,
        Verb::Prune => until_cancelled(prune::run(invocation), cancelled).await,
        Verb::Restore => until_cancelled(restore::run(invocation), cancelled).await,
        Verb::Policy => until_cancelled(policy::run(invocation), cancelled).await,
    }
}
