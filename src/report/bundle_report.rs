//! Reports of `verify-bundle` and `sign-bundle`.

use serde_json::json;

use super::evidence_text;
use super::styled_text::{StyledText, Tone};
use super::verification_report::outcome_tone;
use crate::image::Digest;
use crate::release::Failure;
use crate::signing::{FileSigner, SignatureEvidence, VerificationError};

/// Result of verifying the bundle of a file.
pub struct BundleVerification {
    /// Path of the bundle.
    pub bundle: String,
    /// File or digest that the bundle should sign.
    pub artifact: String,
    /// Expected signer.
    pub signer: FileSigner,
    /// Evidence, or why the bundle does not verify.
    pub result: Result<SignatureEvidence, VerificationError>,
}

/// Returns the report as text.
pub(super) fn to_text(found: &BundleVerification) -> StyledText {
    let mut text = StyledText::default();
    text.push_toned(outcome_tone(found.result.is_ok()), outcome_word(found));
    text.push(&format!(
        " {}\n  bundle    {}\n",
        found.artifact, found.bundle
    ));
    text.push(&match &found.signer {
        FileSigner::Key(key) => format!("  key       {}\n", key.fingerprint()),
        FileSigner::Identity(identity) => evidence_text::expected_identity(identity),
    });
    for line in evidence_lines(found) {
        text.push(&format!("            {line}\n"));
    }
    text.trim_end();
    text
}

/// Returns the outputs of the step.
pub(super) fn to_outputs(found: &BundleVerification) -> Vec<(&'static str, String)> {
    let outcome = match found.result {
        Ok(_) => "verified",
        Err(_) => "refused",
    };
    let refusal = to_refusal(found);
    let diagnostic = refusal.as_ref().and_then(Failure::diagnostic);
    let json = json!({
        "outcome": outcome,
        "what": diagnostic.map(|it| &it.what),
        "why": diagnostic.and_then(|it| it.why.as_ref()),
        "hint": diagnostic.and_then(|it| it.hint.as_ref()),
        "verb": "verify-bundle",
        "artifact": found.artifact,
        "bundle": found.bundle,
        "reason": found.result.as_ref().err().map(ToString::to_string),
        "evidence": found.result.as_ref().ok().map(evidence_text::evidence_json),
    });
    vec![("json", json.to_string()), ("outcome", outcome.to_owned())]
}

/// Returns the refusal; `None` if the bundle verifies.
pub(super) fn to_refusal(found: &BundleVerification) -> Option<Failure> {
    let error = found.result.as_ref().err()?;
    let failure = Failure::refused(format!(
        "{} is not signed by {}",
        found.artifact, found.signer
    ));
    Some(failure.with_reason(error.to_string()))
}

fn outcome_word(found: &BundleVerification) -> &'static str {
    match found.result {
        Ok(_) => "verified",
        Err(_) => "not verified",
    }
}

fn evidence_lines(found: &BundleVerification) -> Vec<String> {
    match &found.result {
        Ok(evidence) => evidence_text::evidence_lines(evidence),
        Err(error) => vec![error.to_string()],
    }
}

/// Result of signing a file.
pub struct SignedBundle {
    /// Path of the file.
    pub artifact: String,
    /// Digest of the file.
    pub digest: Digest,
    /// Path of the bundle.
    pub bundle: String,
    /// Signer, in words.
    pub signer: String,
    /// Evidence of the signature.
    pub evidence: SignatureEvidence,
}

impl SignedBundle {
    /// Returns the report as text.
    pub(super) fn text(&self) -> StyledText {
        let Self {
            artifact,
            digest,
            bundle,
            signer,
            ..
        } = self;
        let mut text = StyledText::default();
        text.push_toned(Tone::Done, "signed");
        text.push(&format!(
            " {artifact}\n  digest    {digest}\n  bundle    {bundle}\n  by        {signer}\n"
        ));
        for line in evidence_text::evidence_lines(&self.evidence) {
            text.push(&format!("            {line}\n"));
        }
        text.trim_end();
        text
    }

    /// Returns the outputs of the step.
    pub(super) fn outputs(&self) -> Vec<(&'static str, String)> {
        let json = json!({
            "outcome": "signed",
            "verb": "sign-bundle",
            "artifact": self.artifact,
            "digest": self.digest.to_string(),
            "bundle": self.bundle,
            "evidence": evidence_text::evidence_json(&self.evidence),
        });
        vec![("json", json.to_string()), ("outcome", "signed".to_owned())]
    }
}
