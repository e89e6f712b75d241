use super::invocation::Invocation;
use super::load_policy::{LoadedPolicy, load_policy};
use super::record_options::record_time;
use super::recorded_timelines::{
    policy_signer, policy_timelines, recorded_timelines, signer_input,
};
use super::source_input::parse_source;
use super::{announcement, context_inputs};
use crate::cli::Input;
use crate::policy::Service;
use crate::release::{self, Failure, InspectRequest, InspectSubject};
use crate::report::{ImageReport, InspectReport, VerbResult};

/// Subjects with their services.
type Subjects = Vec<(Option<Service>, InspectSubject)>;

/// Shows what is known of an image, or of the images that an environment is on.
pub(super) async fn run(invocation: &Invocation) -> Result<VerbResult, Failure> {
    let policy = load_policy(invocation).await?;
    let subjects = subjects(invocation, policy.as_ref()).await?;
    let timelines = match policy.as_ref() {
        Some(policy) => policy_timelines(invocation, policy, &subjects).await?,
        None => Vec::new(),
    };
    let signer = match (signer_input(invocation).await?, policy.as_ref()) {
        (None, Some(policy)) => policy_signer(invocation, policy, &subjects).await?,
        (signer, _) => signer,
    };
    let names: Vec<String> = subjects.iter().map(|(_, it)| subject_name(it)).collect();
    announcement::announce(invocation, "inspecting", &names.join(" and "));
    let context = context_inputs::build_context(invocation)?;
    let mut images = Vec::with_capacity(subjects.len());
    for (service, subject) in subjects {
        let request = InspectRequest {
            subject,
            timelines: timelines.clone(),
            finds_environments: timelines.is_empty(),
            signer: signer.clone(),
            is_offline: invocation.arguments.switch(Input::Offline)?,
            clock: record_time(invocation)?,
        };
        let outcome = Box::pin(release::inspect(&request, &context)).await?;
        images.push(ImageReport { service, outcome });
    }
    Ok(VerbResult::Inspected(Box::new(InspectReport {
        has_policy: policy.is_some(),
        images,
    })))
}

async fn subjects(
    invocation: &Invocation,
    policy: Option<&LoadedPolicy>,
) -> Result<Subjects, Failure> {
    let arguments = &invocation.arguments;
    let has_source = !arguments.entries(Input::Source).is_empty();
    let has_environment = !arguments.entries(Input::Environment).is_empty();
    match (has_source, has_environment) {
        (true, true) => Err(Failure::input("source and environment are both given")
            .with_reason("inspect is about an image, or about what an environment is on")
            .with_hint("leave one of them out")),
        (false, false) => Err(Failure::input("neither source nor environment is given")
            .with_hint("name an image in source, or an environment in environment")),
        (true, false) => {
            let unused = [Input::Images, Input::Services];
            let mut unused = unused.into_iter();
            match unused.find(|input| !arguments.entries(*input).is_empty()) {
                Some(input) => Err(arguments
                    .error(input, None, "is given, and source names the image")
                    .into()),
                None => Ok(vec![(
                    None,
                    InspectSubject::Image(parse_source(invocation)?),
                )]),
            }
        }
        (false, true) => {
            let found = recorded_timelines(invocation, policy).await?;
            let timelines = found.timelines.into_iter();
            let subject = |(service, location)| (service, InspectSubject::Environment(location));
            Ok(timelines.map(subject).collect())
        }
    }
}

fn subject_name(subject: &InspectSubject) -> String {
    match subject {
        InspectSubject::Image(source) => source.to_string(),
        InspectSubject::Environment(location) => {
            format!("{} of {}", location.environment, location.destination)
        }
    }
}
