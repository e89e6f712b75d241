//! Expected signer and evidence of a signature, as the reports show them.

use std::fmt;

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

/// One piece of evidence: words, and the value that they end with.
pub(super) struct EvidenceFact {
    /// Words.
    pub(super) words: String,
    /// Value, which readers copy.
    pub(super) value: Option<String>,
}

impl EvidenceFact {
    fn new(words: impl Into<String>, value: Option<&str>) -> Self {
        Self {
            words: words.into(),
            value: value.map(|value| to_printable(value, NAME_LIMIT)),
        }
    }
}

impl fmt::Display for EvidenceFact {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.words)?;
        match &self.value {
            Some(value) => write!(f, " {value}"),
            None => Ok(()),
        }
    }
}

/// Returns the evidence of a signature, one per line; empty for a bare key.
pub(super) fn evidence_lines(evidence: &SignatureEvidence) -> Vec<String> {
    let facts = evidence_facts(evidence);
    facts.iter().map(ToString::to_string).collect()
}

/// Returns the evidence of a signature; empty for a bare key.
pub(super) fn evidence_facts(evidence: &SignatureEvidence) -> Vec<EvidenceFact> {
    let mut facts = Vec::new();
    if let Some(certificate) = &evidence.certificate {
        facts.push(EvidenceFact::new("signed by", Some(&certificate.subject)));
        facts.push(EvidenceFact::new(
            "identity confirmed by",
            Some(&certificate.issuer),
        ));
        for (condition, is) in &certificate.run {
            facts.push(EvidenceFact::new(format!("{condition}:"), Some(is)));
        }
        if !certificate.logged {
            facts.push(EvidenceFact::new(
                "certificate in no certificate transparency log: the trusted root names none",
                None,
            ));
        }
    }
    if let Some(time) = evidence.times.iter().min() {
        facts.push(EvidenceFact::new("signed at", Some(&time.to_string())));
    }
    if evidence.logged {
        facts.push(EvidenceFact::new("in a transparency log", None));
    }
    facts
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
