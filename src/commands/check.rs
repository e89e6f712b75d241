use super::context_inputs;
use super::invocation::Invocation;
use super::load_policy::{LoadedPolicy, load_policy};
use super::policy::write_findings;
use super::policy_environment::find_environment;
use super::release_request::{JobPurpose, ReleaseJob, build_job_under};
use super::releasing_ref::require_checked_ref;
use super::run_attempt;
use crate::release::{self, CheckRequest, Failure, ReleaseRequest, ReleaseVerb};
use crate::report::{CheckReport, VerbResult};

/// Checks a promotion as it would be run now, and writes nothing.
pub(super) async fn run(invocation: &Invocation) -> Result<VerbResult, Failure> {
    let loaded = load_policy(invocation).await?;
    if let Some(loaded) = &loaded {
        write_findings(invocation, loaded);
    }
    let purpose = JobPurpose {
        verb: ReleaseVerb::Promote,
        needs_facts: false,
        is_check: true,
    };
    let job = build_job_under(invocation, purpose, loaded.as_ref());
    let job = Box::pin(job).await?;
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
        refused_run: refused_run(invocation, loaded.as_ref(), first)?,
        services,
    };
    let outcome = Box::pin(release::check(&request, &context)).await;
    Ok(VerbResult::Checked(Box::new(CheckReport {
        outcome,
        policy: loaded.map(|loaded| (loaded.file.clone(), loaded.digests())),
    })))
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
