//! Output `json` of `inspect`.

use serde_json::{Value, json};

use super::history_json::{drift_json, image_json, line_json, release_json};
use super::inspect_report::{ImageReport, InspectReport, image_reference};
use super::verification_report::{attestation_json, signature_json};
use crate::image::Digest;
use crate::release::{CarriedRecord, EnvironmentAccount, Verification};

/// Returns the object of a report.
pub(super) fn report_json(report: &InspectReport) -> Value {
    let images: Vec<Value> = report.images.iter().map(account_json).collect();
    json!({ "verb": "inspect", "images": images })
}

fn account_json(report: &ImageReport) -> Value {
    let outcome = &report.outcome;
    let image = &outcome.image;
    let evidence = outcome.evidence.iter().map(|evidence| {
        json!({
            "kind": evidence.kind.as_ref().map(|kind| kind.id()),
            "at": evidence.at,
            "predicateType": evidence.predicate_type,
        })
    });
    let environments = outcome.environments.iter().map(environment_json);
    json!({
        "service": report.service.as_ref().map(|service| service.as_str()),
        "environment": outcome.environment.as_ref().map(|name| name.as_str()),
        "source": image.source.to_string(),
        "image": image_reference(image),
        "digest": image.root.to_string(),
        "mediaType": image.media_type,
        "version": image.version,
        "commit": image.commit,
        "commitFrom": image.origin_from,
        "build": image.build,
        "documents": image.documents,
        "evidence": evidence.collect::<Vec<_>>(),
        "verification": outcome.verification.as_ref().map(verification_json),
        "environments": environments.collect::<Vec<_>>(),
    })
}

fn verification_json(found: &Verification) -> Value {
    let signatures = found.signatures.iter();
    let attestations = found.attestations.iter();
    json!({
        "signer": found.requirement.to_string(),
        "signatures": signatures.map(|one| signature_json(found, one)).collect::<Vec<_>>(),
        "attestations": attestations.map(|one| attestation_json(found, one)).collect::<Vec<_>>(),
    })
}

fn environment_json(account: &EnvironmentAccount) -> Value {
    let image = |before: Option<&(Digest, Option<String>)>| {
        before.map(|(root, version)| image_json(&account.place, *root, version.as_deref()))
    };
    let unfinished = account.unfinished.iter().map(release_json);
    json!({
        "environment": account.environment.as_str(),
        "repository": account.place.to_string(),
        "state": account.state.map(|state| state.to_string()),
        "release": account.release.as_ref().map(release_json),
        "entries": account.lines.iter().map(line_json).collect::<Vec<_>>(),
        "before": image(account.before.as_ref()),
        "goodBefore": image(account.good_before.as_ref()),
        "since": account.since.map(|time| time.to_string()),
        "tagDrift": account.tag_drift.as_ref().map(drift_json),
        "carried": account.carried.iter().map(carried_json).collect::<Vec<_>>(),
        "unfinished": unfinished.collect::<Vec<_>>(),
    })
}

fn carried_json(carried: &CarriedRecord) -> Value {
    json!({ "release": release_json(&carried.release), "rejection": carried.rejection })
}
