use super::invocation::Invocation;
use super::record_writing::{only_timeline, written_timelines};
use super::{announcement, context_inputs};
use crate::cli::Input;
use crate::release::{self, Failure, RollbackRequest};
use crate::report::VerbResult;

/// Withdraws a release.
pub(super) async fn run(invocation: &Invocation) -> Result<VerbResult, Failure> {
    let arguments = &invocation.arguments;
    let written = written_timelines(invocation).await?;
    let excluded_versions = written.excluded_versions.clone();
    let request = RollbackRequest {
        timeline: only_timeline(invocation, written)?,
        withdraw: arguments.value(Input::Withdraw)?,
        to: arguments.value(Input::To)?,
        excluded_versions,
        dry_run: arguments.switch(Input::DryRun)?,
    };
    let location = &request.timeline.location;
    let doing = format!("rolling {} back in", location.environment);
    announcement::announce(invocation, &doing, &location.destination.to_string());
    let context = context_inputs::build_context(invocation)?;
    let outcome = Box::pin(release::rollback(&request, &context)).await?;
    Ok(VerbResult::RolledBack(Box::new(outcome)))
}
