use super::chosen_timelines::{ChosenTimelines, choose_timelines};
use super::invocation::Invocation;
use super::load_policy::load_policy;
use super::record_writing::written_timelines;
use super::release_targets::environment_of_place;
use super::{announcement, context_inputs};
use crate::cli::{Input, Verb};
use crate::image::Destination;
use crate::release::{self, Failure, HoldChange, HoldRequest, TimelineRequest};
use crate::report::VerbResult;
use crate::retention::HoldName;

/// Repository of a hold, with the timeline that records it.
type RecordedPlace = (Destination, Option<TimelineRequest>);

/// Places a hold, or lifts it, or shows what it would write.
pub(super) async fn run(invocation: &Invocation) -> Result<VerbResult, Failure> {
    let arguments = &invocation.arguments;
    let name: HoldName = arguments.required(Input::Name)?;
    let reason: String = arguments.required(Input::Reason)?;
    let (change, doing) = match arguments.verb {
        Verb::Unhold => (HoldChange::Lift, "lifting"),
        _ => (
            HoldChange::Place(arguments.required(Input::Release)?),
            "placing",
        ),
    };
    let (place, timeline) = find_place(invocation).await?;
    let doing = format!("{doing} the hold {name} in");
    announcement::announce(invocation, &doing, &place.to_string());
    let context = context_inputs::build_context(invocation)?;
    let request = HoldRequest {
        name,
        place,
        timeline,
        reason,
        change,
        dry_run: arguments.switch(Input::DryRun)?,
    };
    let outcome = Box::pin(release::change_hold(&request, &context)).await?;
    Ok(VerbResult::HoldChanged(Box::new(outcome)))
}

/// Returns the repository that the inputs name. With an environment its timeline records the hold.
async fn find_place(invocation: &Invocation) -> Result<RecordedPlace, Failure> {
    let arguments = &invocation.arguments;
    if arguments.entries(Input::Environment).is_empty() {
        return Ok((find_unrecorded(invocation).await?, None));
    }
    let chosen = choose_timelines(invocation, written_timelines(invocation).await?)?;
    let timeline = match chosen {
        ChosenTimelines::One(timeline) => *timeline,
        ChosenTimelines::Services(mut services) => match (services.pop(), services.len()) {
            (Some((_, timeline)), 0) => timeline,
            (_, others) => return Err(several_places(invocation, others + 1)),
        },
    };
    Ok((timeline.location.destination.clone(), Some(timeline)))
}

/// Returns the repository of a hold that no timeline records.
async fn find_unrecorded(invocation: &Invocation) -> Result<Destination, Failure> {
    let arguments = &invocation.arguments;
    let mut images: Vec<Destination> = arguments.values(Input::Images)?;
    let Some(place) = images.pop() else {
        let missing = arguments.error(Input::Environment, None, "is required");
        return Err(Failure::from(missing)
            .with_hint("name the environment of the image, or its repository in images"));
    };
    if !images.is_empty() {
        return Err(several_places(invocation, images.len() + 1));
    }
    if let Some(loaded) = load_policy(invocation).await?
        && let Some(environment) = environment_of_place(invocation, &loaded, &place)?
    {
        return Err(Failure::input(format!(
            "images names a repository of {environment}, and environment is missing"
        ))
        .with_reason(format!(
            "the records of {environment} say who holds its images and why"
        ))
        .with_hint(format!("set environment: {environment}")));
    }
    Ok(place)
}

fn several_places(invocation: &Invocation, count: usize) -> Failure {
    let verb = invocation.arguments.verb;
    Failure::input(format!(
        "{count} repositories are named, and {verb} is about one"
    ))
    .with_hint("name one repository in images, or one service in services")
}
