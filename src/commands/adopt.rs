use super::invocation::Invocation;
use super::record_writing::written_timelines;
use super::{announcement, context_inputs};
use crate::cli::Input;
use crate::release::{self, AdoptRequest, Failure};
use crate::report::{AdoptReport, VerbResult};

/// Records the releases that are there.
pub(super) async fn run(invocation: &Invocation) -> Result<VerbResult, Failure> {
    let dry_run = invocation.arguments.switch(Input::DryRun)?;
    let written = written_timelines(invocation).await?;
    let places = written.timelines.iter();
    let places: Vec<String> = places
        .map(|(_, timeline)| timeline.location.destination.to_string())
        .collect();
    let doing = format!("recording the releases of {} in", written.environment);
    announcement::announce(invocation, &doing, &places.join(" and "));
    let context = context_inputs::build_context(invocation)?;
    let mut outcomes = Vec::with_capacity(places.len());
    for (service, timeline) in written.timelines {
        let request = AdoptRequest {
            timeline,
            excluded_versions: written.excluded_versions.clone(),
            dry_run,
        };
        let outcome = Box::pin(release::adopt(&request, &context)).await?;
        outcomes.push((service, outcome));
    }
    Ok(VerbResult::Adopted(Box::new(AdoptReport {
        environment: written.environment,
        dry_run,
        outcomes,
    })))
}
