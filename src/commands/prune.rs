use std::path::Path;

use super::invocation::Invocation;
use super::load_policy::{LoadedPolicy, load_policy};
use super::policy::no_policy;
use super::record_options::record_time;
use super::record_writing::deletion_timelines;
use super::recorded_timelines::timelines_of_services;
use super::registry_logins::registry_logins;
use super::retention_targets::{RetentionTarget, retention_targets};
use super::{announcement, context_inputs, pinned_files};
use crate::cli::{Input, InputError};
use crate::image::Digest;
use crate::notices::FileLocation;
use crate::prune::{
    PlanFile, PruneRequest, RuleGroup, apply_prune, plan_file_text, plan_prune, write_plan_file,
};
use crate::release::{Failure, ReleaseContext};
use crate::report::{PruneReport, VerbResult};

/// Most bytes of a plan file.
const PLAN_LIMIT: u64 = 64 << 20;
/// Shows what retention rules delete, or deletes it by a plan that was shown.
pub(super) async fn run(invocation: &Invocation) -> Result<VerbResult, Failure> {
    let arguments = &invocation.arguments;
    let apply = arguments.text(Input::Apply).map(Path::new);
    refuse_contradictions(invocation)?;
    let file = apply
        .map(|path| read_plan_file(invocation, path))
        .transpose()?;
    let loaded = load_policy(invocation).await?.ok_or_else(no_policy)?;
    invocation.log.info(&loaded.remark());
    let targets = retention_targets(invocation, &loaded)?;
    let request = build_request(invocation, &loaded, &targets).await?;
    let doing = match apply {
        Some(_) => "deleting by a plan in",
        None => "planning deletions in",
    };
    let places = targets.iter().map(|target| target.place.to_string());
    let places: Vec<String> = places.collect();
    announcement::announce(invocation, doing, &places.join(" and "));
    let context = context_inputs::build_context(invocation)?;
    let report = match &file {
        Some(file) => apply_plan(invocation, &request, file, &context).await?,
        None => show_plan(invocation, &request, &context).await?,
    };
    Ok(VerbResult::Pruned(Box::new(report)))
}

/// Refuses inputs of the plan together with those of its application.
fn refuse_contradictions(invocation: &Invocation) -> Result<(), Failure> {
    let arguments = &invocation.arguments;
    let is_given = |input: &Input| !arguments.entries(*input).is_empty();
    let (other, why) = match is_given(&Input::Apply) {
        true => (
            Input::PlanFile,
            "apply deletes by a plan that was written before",
        ),
        false => (
            Input::Archive,
            "without apply nothing is deleted, and nothing is archived",
        ),
    };
    match is_given(&other) {
        true => Err(
            Failure::from(arguments.error(other, None, "is given in vain"))
                .with_reason(why)
                .with_hint("write the plan with plan-file, read it, then give it in apply"),
        ),
        false => Ok(()),
    }
}

fn read_plan_file(invocation: &Invocation, path: &Path) -> Result<PlanFile, Failure> {
    let arguments = &invocation.arguments;
    let failed = |reason: String| {
        Failure::from(arguments.file_error(Input::Apply, reason))
            .at_file(FileLocation::new(path.display().to_string()))
    };
    let size = path.metadata().map(|it| it.len());
    if size.is_ok_and(|size| size > PLAN_LIMIT) {
        return Err(failed("is larger than a plan may be".to_owned()));
    }
    let bytes = std::fs::read(path).map_err(|error| failed(format!("cannot be read: {error}")))?;
    PlanFile::parse(&bytes).map_err(|error| failed(error.to_string()).with_hint(error.hint()))
}

async fn build_request(
    invocation: &Invocation,
    loaded: &LoadedPolicy,
    targets: &[RetentionTarget],
) -> Result<PruneRequest, Failure> {
    let arguments = &invocation.arguments;
    let mut groups: Vec<RuleGroup> = Vec::new();
    for target in targets {
        match groups.iter_mut().find(|group| group.rules == target.rules) {
            Some(group) => group.places.push(target.place.clone()),
            None => groups.push(RuleGroup {
                rules: target.rules.clone(),
                places: vec![target.place.clone()],
            }),
        }
    }
    let patterns = groups.iter().flat_map(|group| &group.rules.keep.pinned);
    let pins = pinned_files::read_pins(invocation, loaded, patterns).await?;
    let services = targets.iter().filter_map(|target| target.service.clone());
    let services: Vec<_> = services.collect();
    let timelines = timelines_of_services(invocation, loaded, &services).await?;
    let digests: Vec<Digest> = loaded.digests();
    let places: Vec<_> = targets.iter().map(|target| target.place.clone()).collect();
    let records = match arguments.entries(Input::Apply).is_empty() {
        true => Vec::new(),
        false => deletion_timelines(invocation, loaded, &places).await?,
    };
    Ok(PruneRequest {
        groups,
        timelines,
        records,
        pins,
        policy: digests,
        clock: record_time(invocation)?,
        max_requests: max_requests(invocation)?,
        logins: registry_logins(invocation)?,
        cache: arguments.text(Input::Cache).map(Into::into),
        archive: archive_folder(invocation)?,
    })
}

/// Returns the most requests of the run.
fn max_requests(invocation: &Invocation) -> Result<Option<u64>, InputError> {
    let arguments = &invocation.arguments;
    let Some(entry) = arguments.entries(Input::MaxRequests).first() else {
        return Ok(None);
    };
    match entry.text.parse() {
        Ok(number) if number > 0 => Ok(Some(number)),
        _ => Err(arguments.entry_error(Input::MaxRequests, entry, "is not a number from 1")),
    }
}

/// Returns the directory of the archive.
///
/// # Errors
/// Another form than `oci:DIR`.
pub(super) fn archive_folder(
    invocation: &Invocation,
) -> Result<Option<std::path::PathBuf>, InputError> {
    let arguments = &invocation.arguments;
    let Some(entry) = arguments.entries(Input::Archive).first() else {
        return Ok(None);
    };
    match entry.text.strip_prefix("oci:") {
        Some(folder) if !folder.is_empty() => Ok(Some(folder.into())),
        _ => Err(arguments.entry_error(Input::Archive, entry, "is not of the form oci:DIR")),
    }
}

async fn show_plan(
    invocation: &Invocation,
    request: &PruneRequest,
    context: &ReleaseContext,
) -> Result<PruneReport, Failure> {
    let plan = Box::pin(plan_prune(request, context)).await?;
    let arguments = &invocation.arguments;
    if let Some(path) = arguments.text(Input::PlanFile) {
        let text = plan_file_text(&plan, &request.policy);
        write_plan_file(Path::new(path), &text).map_err(|error| {
            let reason = format!("cannot be written: {error}");
            Failure::from(arguments.file_error(Input::PlanFile, reason))
        })?;
    }
    Ok(PruneReport {
        requests: plan.requests,
        plan,
        applied: None,
        archive: None,
        plan_file: arguments.text(Input::PlanFile).map(str::to_owned),
        explained: arguments.text(Input::Explain).map(str::to_owned),
    })
}

async fn apply_plan(
    invocation: &Invocation,
    request: &PruneRequest,
    file: &PlanFile,
    context: &ReleaseContext,
) -> Result<PruneReport, Failure> {
    let outcome = Box::pin(apply_prune(request, file, context)).await?;
    let arguments = &invocation.arguments;
    Ok(PruneReport {
        plan: outcome.plan,
        applied: Some(outcome.repositories),
        requests: outcome.requests,
        archive: arguments.text(Input::Archive).map(str::to_owned),
        plan_file: None,
        explained: arguments.text(Input::Explain).map(str::to_owned),
    })
}
