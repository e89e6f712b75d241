use super::chosen_timelines::{ChosenTimelines, choose_timelines};
use super::github_deployment::{open_deployment, record_report};
use super::invocation::Invocation;
use super::record_writing::written_timelines;
use super::{announcement, context_inputs};
use crate::cli::Input;
use crate::policy::Service;
use crate::record::ReleaseMark;
use crate::release::{self, Failure, MarkRequest, RecordBatch, ReleaseContext, TimelineRequest};
use crate::report::{self, VerbResult};

/// Marks a release, or one of each service, as deployed or failed.
pub(super) async fn run(invocation: &Invocation) -> Result<VerbResult, Failure> {
    let arguments = &invocation.arguments;
    let state = match arguments.choice(Input::State)? {
        Some("deployed") => ReleaseMark::Deployed,
        Some(_) => ReleaseMark::Failed,
        None => return Err(arguments.error(Input::State, None, "is required").into()),
    };
    let written = written_timelines(invocation).await?;
    let environment = written.environment.clone();
    let github_environment = written.github_environment.clone();
    let release = arguments.value(Input::Release)?;
    let request = |timeline: TimelineRequest| MarkRequest {
        timeline,
        state,
        release: release.clone(),
    };
    let doing = format!("marking a release of {environment} in");
    let chosen = choose_timelines(invocation, written)?;
    announcement::announce(invocation, &doing, &chosen.places());
    let mut context = context_inputs::build_context(invocation)?;
    context.github = open_deployment(invocation, github_environment.as_ref())?;
    let work = async {
        match chosen {
            ChosenTimelines::One(timeline) => {
                let request = request(*timeline);
                let outcome = Box::pin(release::mark(&request, &context)).await?;
                Ok::<_, Failure>(VerbResult::Marked(Box::new(outcome)))
            }
            ChosenTimelines::Services(timelines) => {
                let each = timelines.into_iter();
                let services = each.map(|(service, timeline)| (service, request(timeline)));
                let batch = RecordBatch {
                    environment,
                    dry_run: false,
                    services: services.collect(),
                };
                Ok(mark_services(&batch, &context).await)
            }
        }
    };
    let result = Box::pin(work).await;
    record_report(invocation, &context);
    result
}

async fn mark_services(batch: &RecordBatch<MarkRequest>, context: &ReleaseContext) -> VerbResult {
    let log_outcome = |service: &Service, end: &_| {
        let (news, line) = report::mark_line(service, end);
        context.notices.tag_change(news, line);
    };
    let outcome = release::mark_services(batch, context, log_outcome).await;
    VerbResult::MarkedServices(Box::new(outcome))
}
