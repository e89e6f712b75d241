//! Lines that pass a higher version, read again just before they are written: what looked like no
//! release may have moved the line meanwhile, or another release may have come.

use futures_util::future::try_join_all;

use crate::release::Failure;
use crate::release::destination::OpenDestination;
use crate::release::plan::destination_state::DestinationState;
use crate::release::plan::line_facts::read_lines_again;
use crate::release::plan::lines::decide_line;
use crate::release::plan::tags::{TagPlan, TagStep, plan_line};
use crate::release::prepared_release::PreparedRelease;
use crate::tagging::PlannedTag;

/// Reads list and lines again where a line passes a higher version, plans these lines anew, and warns of
/// what has changed.
///
/// # Errors
/// A store that fails.
pub(crate) async fn recheck_bypassing_lines(
    prepared: &PreparedRelease<'_>,
    plans: &mut [TagPlan],
) -> Result<(), Failure> {
    let each = prepared.destinations.iter().zip(plans);
    let checks = each
        .zip(&prepared.states)
        .map(|((destination, plan), seen)| recheck_plan(prepared, destination, plan, seen));
    try_join_all(checks).await.map(drop)
}

async fn recheck_plan(
    prepared: &PreparedRelease<'_>,
    destination: &OpenDestination,
    plan: &mut TagPlan,
    seen: &DestinationState,
) -> Result<(), Failure> {
    let passes = |step: &&mut TagStep| {
        let goal = step.line_goal.as_ref();
        step.writes() && goal.is_some_and(|goal| goal.passes_version)
    };
    let steps: Vec<&mut TagStep> = plan.steps.iter_mut().filter(passes).collect();
    if steps.is_empty() {
        return Ok(());
    }
    let warned: Vec<String> = plan.line_warnings.to_texts(&destination.name).collect();
    let lines: Vec<PlannedTag> = steps.iter().map(|step| step.planned.clone()).collect();
    let image = &prepared.image;
    let now = read_lines_again(destination, &lines, seen, image).await?;
    for (step, planned) in steps.into_iter().zip(&lines) {
        if let Some(decision) = decide_line(planned, &now, image.root.digest) {
            let warnings = &mut plan.line_warnings;
            *step = plan_line(planned, &now, image.root.digest, decision, warnings);
        }
    }
    for text in plan.line_warnings.to_texts(&destination.name) {
        if !warned.contains(&text) {
            prepared.context.notices.warning(text);
        }
    }
    Ok(())
}
