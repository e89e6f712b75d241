use super::chosen_timelines::{ChosenTimelines, choose_timelines};
use super::github_deployment::{open_deployment, record_report};
use super::invocation::Invocation;
use super::record_writing::written_timelines;
use super::{announcement, context_inputs};
use crate::cli::Input;
use crate::policy::Service;
use crate::release::{
    self, Failure, RecordBatch, ReleaseContext, RollbackRequest, TimelineRequest,
};
use crate::report::{self, VerbResult};

/// Withdraws a release, or one of each service.
pub(super) async fn run(invocation: &Invocation) -> Result<VerbResult, Failure> {
    let arguments = &invocation.arguments;
    let written = written_timelines(invocation).await?;
    let environment = written.environment.clone();
    let github_environment = written.github_environment.clone();
    let excluded_versions = written.excluded_versions.clone();
    let (withdraw, to) = (
        arguments.value(Input::Withdraw)?,
        arguments.value(Input::To)?,
    );
    let dry_run = arguments.switch(Input::DryRun)?;
    let request = |timeline: TimelineRequest| RollbackRequest {
        timeline,
        withdraw: withdraw.clone(),
        to: to.clone(),
        excluded_versions: excluded_versions.clone(),
        dry_run,
    };
    let doing = format!("rolling {environment} back in");
    let chosen = choose_timelines(invocation, written)?;
    announcement::announce(invocation, &doing, &chosen.places());
    let mut context = context_inputs::build_context(invocation)?;
    context.github = open_deployment(invocation, github_environment.as_ref())?;
    let work = async {
        match chosen {
            ChosenTimelines::One(timeline) => {
                let request = request(*timeline);
                let outcome = Box::pin(release::rollback(&request, &context)).await?;
                Ok::<_, Failure>(VerbResult::RolledBack(Box::new(outcome)))
            }
            ChosenTimelines::Services(timelines) => {
                let each = timelines.into_iter();
                let services = each.map(|(service, timeline)| (service, request(timeline)));
                let batch = RecordBatch {
                    environment,
                    dry_run,
                    services: services.collect(),
                };
                Ok(roll_back_services(&batch, &context).await)
            }
        }
    };
    let result = Box::pin(work).await;
    record_report(invocation, &context);
    result
}

async fn roll_back_services(
    batch: &RecordBatch<RollbackRequest>,
    context: &ReleaseContext,
) -> VerbResult {
    let log_outcome = |service: &Service, end: &_| {
        let (news, line) = report::rollback_line(service, end);
        context.notices.tag_change(news, line);
    };
    let outcome = release::rollback_services(batch, context, log_outcome).await;
    VerbResult::RolledBackServices(Box::new(outcome))
}
