use super::check_comment::comment_on_pull_request;
use super::context_inputs;
use super::invocation::Invocation;
use super::load_policy::{LoadedPolicy, load_policy};
use super::policy::write_findings;
use super::policy_comparison::compare_with_base;
use super::policy_environment::find_environment;
use super::release_request::{JobPurpose, ReleaseJob, build_job_under};
use super::releasing_ref::require_checked_ref;
use super::run_attempt;
use crate::cli::Input;
use crate::release::{self, CheckOutcome, CheckRequest, Failure, ReleaseRequest, ReleaseVerb};
use crate::report::{CheckReport, CheckedPolicy, VerbResult};

/// Checks a promotion as it would be run now, and writes nothing to a registry.
pub(super) async fn run(invocation: &Invocation) -> Result<VerbResult, Failure> {
    let loaded = load_policy(invocation).await?;
    if let Some(loaded) = &loaded {
        write_findings(invocation, loaded);
    }
    let comparison = compare_with_base(invocation, loaded.as_ref()).await;
    let outcome = match Box::pin(check_job(invocation, loaded.as_ref())).await {
        Ok(outcome) => outcome,
        // What a pull request changes is told in any case.
        Err(failure) if comparison.is_some() => refused_outcome(invocation, failure)?,
        Err(failure) => return Err(failure),
    };
    let policy = loaded.map(|loaded| CheckedPolicy {
        file: loaded.file.clone(),
        digests: loaded.digests(),
        policy: loaded.policy,
    });
    let mut report = CheckReport {
        outcome,
        policy,
        comparison,
        omitted_comment: None,
    };
    if invocation.arguments.switch(Input::Comment)? {
        report.omitted_comment = comment_on_pull_request(invocation, &report).await;
    }
    Ok(VerbResult::Checked(Box::new(report)))
}

async fn check_job(
    invocation: &Invocation,
    loaded: Option<&LoadedPolicy>,
) -> Result<CheckOutcome, Failure> {
    let purpose = JobPurpose {
        verb: ReleaseVerb::Promote,
        needs_facts: false,
        is_check: true,
    };
    let job = Box::pin(build_job_under(invocation, purpose, loaded)).await?;
    run_attempt::record_job(invocation, &job);
    let context = context_inputs::build_context(invocation)?;
    let services: Vec<_> = match job {
        ReleaseJob::One(request) => vec![(None, *request)],
        ReleaseJob::Batch(batch) => {
            let services = batch.services.into_iter();
            services
                .map(|(service, request)| (Some(service), request))
                .collect()
        }
    };
    let first = services.first().map(|(_, request)| request);
    let request = CheckRequest {
        refused_run: refused_run(invocation, loaded, first)?,
        services,
    };
    Ok(Box::pin(release::check(&request, &context)).await)
}

/// Returns the outcome of a check that was refused, or failed at a service, before an image was looked at.
///
/// # Errors
/// The failure itself, where the inputs are wrong.
fn refused_outcome(invocation: &Invocation, failure: Failure) -> Result<CheckOutcome, Failure> {
    match failure {
        Failure::Refused(_) | Failure::Service(_) => Ok(CheckOutcome {
            environment: invocation.arguments.value(Input::Environment)?,
            refusals: vec![failure],
            ..CheckOutcome::default()
        }),
        failure => Err(failure),
    }
}

/// Returns why a promotion may not be run on the ref of this run, if so.
///
/// # Errors
/// An event that cannot be read.
fn refused_run(
    invocation: &Invocation,
    loaded: Option<&LoadedPolicy>,
    first: Option<&ReleaseRequest>,
) -> Result<Option<Failure>, Failure> {
    let name = first.and_then(|request| request.environment.as_ref());
    let Some((loaded, name)) = loaded.zip(name) else {
        return Ok(None);
    };
    // Without environments of a policy the name is a tag alone.
    if loaded.policy.environments().is_empty() {
        return Ok(None);
    }
    let stage = find_environment(loaded, name)?;
    match require_checked_ref(invocation, stage, loaded) {
        Ok(()) => Ok(None),
        Err(failure @ Failure::Refused(_)) => Ok(Some(failure)),
        Err(failure) => Err(failure),
    }
}
