//! Output `json` of `verify` with an environment.

use serde_json::{Value, json};

use super::environment_report::{outcome_word, to_failure};
use super::gate_report::gate_verdicts_json;
use super::history_json::image_json;
use super::text_report;
use crate::release::{
    EnvironmentFinding, EnvironmentVerification, Failure, ServiceEnd, ServiceVerification,
    VerifiedPlace,
};

/// Returns the object of a verification.
pub(super) fn verification_json(verified: &EnvironmentVerification) -> Value {
    let failure = to_failure(verified);
    let diagnostic = failure.as_ref().and_then(Failure::diagnostic);
    json!({
        "outcome": outcome_word(verified),
        "what": diagnostic.map(|it| &it.what),
        "why": diagnostic.and_then(|it| it.why.as_ref()),
        "hint": diagnostic.and_then(|it| it.hint.as_ref()),
        "verb": "verify",
        "environment": verified.environment.as_str(),
        "services": verified.places.iter().map(place_json).collect::<Vec<_>>(),
        "unmatchedReports": verified.unmatched_reports,
    })
}

fn place_json(place: &VerifiedPlace) -> Value {
    let mut json = match &place.end {
        ServiceEnd::Judged(found) => service_json(place, found),
        ServiceEnd::Unread(failure) => failure_json(failure),
    };
    json["service"] = json!(place.service.as_ref().map(|service| service.as_str()));
    json["repository"] = json!(place.place.to_string());
    json
}

fn failure_json(failure: &Failure) -> Value {
    let diagnostic = failure.diagnostic();
    json!({
        "outcome": text_report::failure_title(failure),
        "what": diagnostic.map(|it| it.what.clone()).unwrap_or_default(),
        "why": diagnostic.and_then(|it| it.why.as_ref()),
        "hint": diagnostic.and_then(|it| it.hint.as_ref()),
    })
}

fn service_json(place: &VerifiedPlace, found: &ServiceVerification) -> Value {
    let current = found.current.as_ref().map(|current| {
        let mut json = image_json(&place.place, current.root, current.version.as_deref());
        json["since"] = current.since.to_string().into();
        json["record"] = current.record.to_string().into();
        json
    });
    json!({
        "outcome": match found.has_passed() {
            true => "verified",
            false => "refused",
        },
        "current": current,
        "scanGate": found.has_scan_gate,
        "gates": gate_verdicts_json(&found.gates),
        "findings": found.findings.iter().map(finding_json).collect::<Vec<_>>(),
    })
}

fn finding_json(finding: &EnvironmentFinding) -> Value {
    json!({
        "kind": finding.kind.as_str(),
        "level": match finding.kind.is_error() {
            true => "error",
            false => "warning",
        },
        "text": finding.text,
        "hint": finding.hint,
    })
}
