use super::invocation::Invocation;
use super::record_writing::{only_timeline, written_timelines};
use super::{announcement, context_inputs};
use crate::cli::Input;
use crate::record::ReleaseMark;
use crate::release::{self, Failure, MarkRequest};
use crate::report::VerbResult;

/// Marks a release as deployed or failed.
pub(super) async fn run(invocation: &Invocation) -> Result<VerbResult, Failure> {
    let arguments = &invocation.arguments;
    let state = match arguments.choice(Input::State)? {
        Some("deployed") => ReleaseMark::Deployed,
        Some(_) => ReleaseMark::Failed,
        None => return Err(arguments.error(Input::State, None, "is required").into()),
    };
    let written = written_timelines(invocation).await?;
    let request = MarkRequest {
        timeline: only_timeline(invocation, written)?,
        state,
        release: arguments.value(Input::Release)?,
    };
    let location = &request.timeline.location;
    let doing = format!("marking a release of {} in", location.environment);
    announcement::announce(invocation, &doing, &location.destination.to_string());
    let context = context_inputs::build_context(invocation)?;
    let outcome = Box::pin(release::mark(&request, &context)).await?;
    Ok(VerbResult::Marked(Box::new(outcome)))
}
