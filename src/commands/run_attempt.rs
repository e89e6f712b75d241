//! What a run is asked to do, recorded for the report of a failure.

use super::invocation::Invocation;
use super::release_request::ReleaseJob;
use crate::cli::Input;
use crate::release::ReleaseRequest;
use crate::report::RunAttempt;

/// Most destinations and services that are recorded.
const NAMES_LIMIT: usize = 1000;

/// Records what the inputs say, before they are checked.
pub(super) fn record_inputs(invocation: &Invocation) {
    let arguments = &invocation.arguments;
    let given = |input| match arguments.is_accepted(input) {
        true => arguments.text(input).map(str::to_owned),
        false => None,
    };
    let entries = |input| match arguments.is_accepted(input) {
        true => arguments.entries(input),
        false => &[],
    };
    let texts = |input| {
        let entries = entries(input).iter().take(NAMES_LIMIT);
        entries.map(|entry| entry.text.clone()).collect()
    };
    invocation.log.record_attempt(RunAttempt {
        source: given(Input::Source),
        destinations: texts(Input::Images),
        services: texts(Input::Services),
        environment: given(Input::Environment),
        from: None,
        dry_run: arguments.is_accepted(Input::DryRun)
            && arguments.switch(Input::DryRun).unwrap_or(false),
    });
}

/// Records what a job is to do, once inputs and policy are read.
pub(super) fn record_job(invocation: &Invocation, job: &ReleaseJob) {
    let (first, services): (Option<&ReleaseRequest>, Vec<String>) = match job {
        ReleaseJob::One(request) => (Some(request), Vec::new()),
        ReleaseJob::Batch(batch) => {
            let names = batch.services.iter().take(NAMES_LIMIT);
            let names = names.map(|(service, _)| service.to_string());
            (
                batch.services.first().map(|(_, request)| request),
                names.collect(),
            )
        }
    };
    let Some(first) = first else {
        return;
    };
    let destinations = job.destinations().take(NAMES_LIMIT);
    invocation.log.record_attempt(RunAttempt {
        source: (services.len() <= 1).then(|| source_phrase(first)),
        destinations: destinations.map(ToString::to_string).collect(),
        services,
        environment: first.environment.as_ref().map(ToString::to_string),
        from: first.path.from.as_ref().map(ToString::to_string),
        dry_run: first.dry_run,
    });
}

/// Returns the source; one that is still to be found is named by what is known of it.
fn source_phrase(request: &ReleaseRequest) -> String {
    match &request.search {
        Some(search) => search.phrase(),
        None => request.source.to_string(),
    }
}
