//! Expected signer and evidence of a signature, as the reports show them.

use serde_json::{Map, Value, json};

use crate::notices::to_printable;
use crate::signing::{Identity, Requirement, SignatureEvidence};

/// Characters of a name that are shown.
const NAME_LIMIT: usize = 200;

/// Returns the expected signer of an image.
pub(super) fn expected_signer(requirement: &Requirement) -> String {
    let keys = requirement.keys().into_iter();
    let keys = keys.map(|key| format!("  key       {}\n", key.fingerprint()));
    let identity = requirement.identity().map(expected_identity);
    keys.chain(identity).collect()
}

/// Returns the expected certificate identity, with its issuer and conditions.
pub(super) fn expected_identity(identity: &Identity) -> String {
    let mut text = format!(
        "  identity  {}\n  issuer    {}\n",
        identity.subject, identity.issuer
    );
    for (condition, wanted) in &identity.conditions {
        text += &format!("            {condition} {wanted}\n");
    }
    text
}

/// Returns the evidence of a signature, one per line; empty for a bare key.
pub(super) fn evidence_lines(evidence: &SignatureEvidence) -> Vec<String> {
    let mut lines = Vec::new();
    if let Some(certificate) = &evidence.certificate {
        lines.push(format!(
            "signed by {}",
            to_printable(&certificate.subject, NAME_LIMIT)
        ));
        lines.push(format!(
            "identity confirmed by {}",
            to_printable(&certificate.issuer, NAME_LIMIT)
        ));
        for (condition, is) in &certificate.run {
            lines.push(format!("{condition}: {}", to_printable(is, NAME_LIMIT)));
        }
        if !certificate.logged {
            lines.push(
                "certificate in no certificate transparency log: the trusted root names none"
                    .to_owned(),
            );
        }
    }
    if let Some(time) = evidence.times.iter().min() {
        lines.push(format!("signed at {time}"));
    }
    if evidence.logged {
        lines.push("in a transparency log".to_owned());
    }
    lines
}

/// Returns the evidence of a signature as JSON.
pub(super) fn evidence_json(evidence: &SignatureEvidence) -> Value {
    let certificate = evidence.certificate.as_ref().map(|certificate| {
        let run: Map<String, Value> = certificate
            .run
            .iter()
            .map(|(condition, is)| (condition.to_string(), json!(is)))
            .collect();
        json!({
            "subject": certificate.subject,
            "issuer": certificate.issuer,
            "run": run,
            "logged": certificate.logged,
        })
    });
    let times: Vec<String> = evidence.times.iter().map(ToString::to_string).collect();
    json!({"certificate": certificate, "times": times, "logged": evidence.logged})
}
