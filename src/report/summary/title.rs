//! Titles: which image went where, and how a run ended.

use crate::image::{Destination, ImageSource, TagOrDigest};
use crate::policy::Service;
use crate::release::{BatchOutcome, ReleaseOutcome, ReleaseVerb, TagChange};
use crate::report::{batch_phrases, phrases};

use super::run_attempt::RunAttempt;

/// Returns a title such as `web 1.4.0: dev to prod`.
pub(super) fn release_title(outcome: &ReleaseOutcome, service: Option<&Service>) -> String {
    let name = match service {
        Some(service) => service.to_string(),
        None => image_name(outcome),
    };
    let image = format!("{name} {}", version_name(outcome));
    let to = place_of_release(outcome);
    match outcome.verb {
        ReleaseVerb::Push => format!("{image} to {to}"),
        ReleaseVerb::Promote => format!("{image}: {} to {to}", origin_name(outcome)),
    }
}

/// Returns a title such as `12 services: dev to prod`; of a batch that failed early, from what was asked.
pub(super) fn batch_title(batch: &BatchOutcome, attempt: &RunAttempt) -> String {
    let services = phrases::count_phrase(batch.services.len() as u64, "service");
    let Some(environment) = &attempt.environment else {
        return format!("{services}: {}", phrases::verb_name(batch.verb));
    };
    match &attempt.from {
        Some(from) if batch.verb == ReleaseVerb::Promote => {
            format!("{services}: {from} to {environment}")
        }
        _ => format!("{services} to {environment}"),
    }
}

/// Returns whether a verb is about the records of an environment, and copies no image.
fn is_of_records(verb: &str) -> bool {
    [
        "history", "inspect", "rollback", "mark", "adopt", "hold", "unhold",
    ]
    .contains(&verb)
}

/// Returns a title such as `web: dev to prod` or `prod: rollback`, from what is known of a run that failed.
pub(super) fn attempt_title(verb: &str, attempt: &RunAttempt) -> String {
    let to = attempt.environment.clone().or_else(|| {
        let first = attempt.destinations.first()?;
        Some(with_more(first, attempt.destinations.len()))
    });
    let from = attempt.from.as_ref().or(attempt.source.as_ref());
    let route = match (from, to) {
        (Some(from), Some(to)) => Some(format!("{from} to {to}")),
        (None, Some(to)) => Some(format!("to {to}")),
        (Some(from), None) => Some(from.clone()),
        (None, None) => None,
    };
    if let Some(environment) = attempt.environment.as_ref().filter(|_| is_of_records(verb)) {
        return match attempt.services.as_slice() {
            [service] => format!("{environment}, {service}: {verb}"),
            _ => format!("{environment}: {verb}"),
        };
    }
    let what = match attempt.services.as_slice() {
        [] => attempted_name(attempt).unwrap_or_else(|| verb.to_owned()),
        [service] => service.clone(),
        several => phrases::count_phrase(several.len() as u64, "service"),
    };
    match route {
        Some(route) => format!("{what}: {route}"),
        None => what,
    }
}

/// Returns the name of the only image that a run was to release.
fn attempted_name(attempt: &RunAttempt) -> Option<String> {
    let [destination] = attempt.destinations.as_slice() else {
        return None;
    };
    let stages = [&attempt.environment, &attempt.from];
    let is_stage = |part: &str| stages.iter().any(|stage| stage.as_deref() == Some(part));
    let mut parts = destination.rsplit('/');
    let name = parts.find(|part| !part.is_empty() && !is_stage(part))?;
    Some(name.to_owned())
}

/// Returns how a release ended.
pub(super) fn outcome_word(outcome: &ReleaseOutcome) -> &'static str {
    match (outcome.has_changes(), outcome.dry_run) {
        (false, _) => "Unchanged",
        (true, true) => "Planned",
        (true, false) if outcome.is_superseded() => "Superseded",
        (true, false) => "Released",
    }
}

/// Returns how a batch ended.
pub(super) fn batch_outcome_word(batch: &BatchOutcome) -> &'static str {
    match batch_phrases::outcome_word(batch) {
        "refused" => "Refused",
        "failed" => "Failed",
        "released" => "Released",
        _ if batch.dry_run && batch.has_changes() => "Planned",
        _ => "Unchanged",
    }
}

/// Returns the counts of tags, such as `2 tags created, 1 moved`.
pub(super) fn tag_counts(outcome: &ReleaseOutcome) -> String {
    let tags = || outcome.destinations.iter().flat_map(|it| &it.tags);
    let mut parts: Vec<String> = Vec::new();
    for (done, planned, is) in TAG_STATES {
        let count = tags().filter(|tag| is(&tag.change)).count() as u64;
        let state = if outcome.dry_run { planned } else { done };
        match (count, parts.is_empty()) {
            (0, _) => {}
            (_, true) => parts.push(format!("{} {state}", phrases::count_phrase(count, "tag"))),
            (_, false) => parts.push(format!("{count} {state}")),
        }
    }
    parts.join(", ")
}

/// States of a tag, as a release and a dry run word them, with their changes.
type TagState = (&'static str, &'static str, fn(&TagChange) -> bool);
const TAG_STATES: [TagState; 5] = [
    ("created", "to create", |change| {
        *change == TagChange::Created
    }),
    ("moved", "to move", |change| {
        matches!(change, TagChange::Moved { .. })
    }),
    ("corrected", "to correct", |change| {
        matches!(change, TagChange::Corrected { .. })
    }),
    ("unchanged", "unchanged", |change| {
        *change == TagChange::Unchanged
    }),
    ("not moved", "not to move", |change| {
        matches!(change, TagChange::Stays { .. })
    }),
];

/// Returns the name of the image: the last part of the repository that is no name of an environment.
fn image_name(outcome: &ReleaseOutcome) -> String {
    let stages = [&outcome.environment, &outcome.path.from];
    let is_stage = |part: &str| {
        let mut stages = stages.iter().filter_map(|stage| stage.as_ref());
        stages.any(|stage| stage.as_str() == part)
    };
    let place = outcome.destinations.first().map(|released| &released.place);
    let name = match place {
        Some(Destination::Registry(repository)) => {
            let mut parts = repository.path().rsplit('/');
            let name = parts.clone().find(|part| !is_stage(part));
            name.or_else(|| parts.next()).map(str::to_owned)
        }
        Some(Destination::Layout(path)) => path
            .file_name()
            .map(|name| name.to_string_lossy().into_owned()),
        None => None,
    };
    name.unwrap_or_else(|| "image".to_owned())
}

/// Returns the version, else the first immutable tag, else the short digest.
fn version_name(outcome: &ReleaseOutcome) -> String {
    let mut tags = outcome.destinations.iter().flat_map(|it| &it.tags);
    let version = outcome.version.clone();
    version
        .or_else(|| Some(tags.find(|tag| tag.kind.is_immutable())?.tag.to_string()))
        .unwrap_or_else(|| outcome.root.short())
}

fn place_of_release(outcome: &ReleaseOutcome) -> String {
    if let Some(environment) = &outcome.environment {
        return environment.to_string();
    }
    match outcome.destinations.first() {
        Some(first) => with_more(&first.place.to_string(), outcome.destinations.len()),
        None => "nowhere".to_owned(),
    }
}

/// Returns the environment that the image comes from, else its repository, or its tag in the same one.
fn origin_name(outcome: &ReleaseOutcome) -> String {
    if let Some(from) = &outcome.path.from {
        return from.to_string();
    }
    let ImageSource::Registry(reference) = &outcome.source else {
        return outcome.source.to_string();
    };
    let is_here = |place: &Destination| matches!(place, Destination::Registry(repository) if *repository == reference.repository);
    match outcome.destinations.iter().any(|it| is_here(&it.place)) {
        true => match &reference.target {
            TagOrDigest::Tag(tag) => tag.to_string(),
            TagOrDigest::Digest(digest) => digest.short(),
        },
        false => reference.repository.to_string(),
    }
}

fn with_more(first: &str, count: usize) -> String {
    match count {
        0 | 1 => first.to_owned(),
        _ => format!("{first} and {} more", count - 1),
    }
}
