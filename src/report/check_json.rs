//! Output `json` of `check`.

use serde_json::{Value, json};

use super::check_phrases::{self, kept_patterns, moving_patterns};
use super::check_report::CheckReport;
use super::gate_report::gate_verdicts_json;
use super::json_output::{record_json, refusal_value, tag_change_json};
use super::phrases;
use super::summary::SummaryContext;
use super::text_report::failure_title;
use crate::policy::Service;
use crate::release::{
    CheckedDestination, CheckedRelease, CheckedService, CheckedTag, CurrentImage, Failure,
    TagMutability,
};

/// Returns the object of a report.
pub(super) fn check_json(report: &CheckReport, context: &SummaryContext) -> Value {
    let outcome = &report.outcome;
    let services = outcome.services.iter();
    let services: Vec<Value> = services.map(|one| service_json(one, context)).collect();
    let policy = report.policy.as_ref().map(|policy| {
        let digests: Vec<String> = policy.digests.iter().map(ToString::to_string).collect();
        json!({ "file": policy.file, "digests": digests })
    });
    json!({
        "verb": "check",
        "outcome": check_phrases::outcome_word(outcome),
        "environment": outcome.environment.as_ref().map(|name| name.as_str()),
        "policy": policy,
        "plan": outcome.plan.as_ref().map(|plan| plan.digest().to_string()),
        "planText": outcome.plan.as_ref().map(|plan| plan.text()),
        "sources": report.source_lines(),
        "services": services,
        "failures": failures_json(&outcome.refusals),
    })
}

fn failures_json(failures: &[Failure]) -> Vec<Value> {
    let failures = failures.iter();
    failures
        .filter_map(|failure| Some(refusal_value(failure_title(failure), failure.diagnostic()?)))
        .collect()
}

fn service_json(checked: &CheckedService, context: &SummaryContext) -> Value {
    let release = checked.release.as_ref();
    json!({
        "service": checked.service.as_ref().map(Service::as_str),
        "outcome": check_phrases::service_word(checked),
        "release": release.map(|release| release_json(release, context)),
        "failures": failures_json(&checked.failures),
    })
}

fn release_json(release: &CheckedRelease, context: &SummaryContext) -> Value {
    let destinations = release.destinations.iter();
    let destinations = destinations.map(|one| destination_json(release, one, context));
    json!({
        "source": release.source.to_string(),
        "sourceDigest": release.source_digest.to_string(),
        "digest": release.root.to_string(),
        "version": release.version,
        "commit": release.commit.as_ref().map(|commit| commit.as_str()),
        "gates": gate_verdicts_json(&release.gates),
        "destinations": destinations.collect::<Vec<_>>(),
        "notes": release.notes,
    })
}

fn destination_json(
    release: &CheckedRelease,
    destination: &CheckedDestination,
    context: &SummaryContext,
) -> Value {
    let tags = destination.tags.iter();
    let tags: Vec<Value> = tags.map(|tag| tag_json(destination, tag)).collect();
    let current = destination.current.as_ref();
    let records = destination.records_place.as_ref();
    json!({
        "place": destination.place.to_string(),
        "tags": tags,
        "record": destination.record.as_ref().map(record_json),
        "current": current.map(|current| current_json(release, current, context)),
        "immutability": mutability_json(&destination.mutability),
        "retention": {
            "keepTags": kept_patterns(destination),
            "keepUntaggedWithSubject": true,
            "records": records.map(ToString::to_string),
        },
    })
}

fn tag_json(destination: &CheckedDestination, checked: &CheckedTag) -> Value {
    let mut tag = json!({
        "tag": checked.tag.as_str(),
        "reference": phrases::tag_reference(&destination.place, &checked.tag),
        "immutable": checked.is_immutable,
        "rule": checked.rule,
    });
    if let (Some(object), Some(change)) = (tag.as_object_mut(), &checked.change) {
        object.extend(tag_change_json(change));
    }
    tag
}

fn current_json(
    release: &CheckedRelease,
    current: &CurrentImage,
    context: &SummaryContext,
) -> Value {
    let labels = current.labels.iter();
    let labels = labels.map(
        |change| json!({ "name": change.name, "before": change.before, "after": change.after }),
    );
    json!({
        "digest": current.image.digest.to_string(),
        "version": current.image.version,
        "tag": current.tag.as_ref().map(|tag| tag.as_str()),
        "commit": current.commit.as_ref().map(|commit| commit.as_str()),
        "labels": labels.collect::<Vec<_>>(),
        "unread": current.unread,
        "comparison": context.comparison(release, current).map(String::from),
    })
}

fn mutability_json(mutability: &TagMutability) -> Value {
    match mutability {
        TagMutability::Unprotected => json!({ "state": "unprotected" }),
        TagMutability::Moved { tag, at } => {
            json!({ "state": "moving", "tag": tag, "at": at.to_string() })
        }
        TagMutability::Unknown { moving } => {
            json!({ "state": "unknown", "exclude": moving_patterns(moving) })
        }
    }
}
