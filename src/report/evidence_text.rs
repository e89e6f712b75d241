//! Who had to sign and what proves that they did, in the words of reports.

use serde_json::{Map, Value, json};

use crate::notices::to_printable;
use crate::signing::{Identity, Requirement, SignatureEvidence};

/// Longer names than anybody reads.
const NAME_LIMIT: usize = 200;

/// Who had to sign an image.
pub(super) fn expected_signer(requirement: &Requirement) -> String {
    match requirement {
        Requirement::Key { key, .. } => format!("  key       {}\n", key.fingerprint()),
        Requirement::Identity { identity, .. } => expected_identity(identity),
    }
}

/// Who had to sign, where a certificate has to say it.
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

/// What proves a signature that a certificate goes with, a line each; nothing where a key says all.
pub(super) fn evidence_lines(evidence: &SignatureEvidence) -> Vec<String> {
    let mut lines = Vec::new();
    if let Some(certificate) = &evidence.certificate {
        lines.push(format!(
            "by {}",
            to_printable(&certificate.subject, NAME_LIMIT)
        ));
        lines.push(format!(
            "as {} says",
            to_printable(&certificate.issuer, NAME_LIMIT)
        ));
        for (condition, is) in &certificate.run {
            lines.push(format!("{condition}: {}", to_printable(is, NAME_LIMIT)));
        }
        if !certificate.logged {
            lines.push("its certificate is in no log: the trusted root names none".to_owned());
        }
    }
    if let Some(time) = evidence.times.iter().min() {
        lines.push(format!("made at {time}"));
    }
    if evidence.logged {
        lines.push("in a transparency log".to_owned());
    }
    lines
}

/// The same as JSON.
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
