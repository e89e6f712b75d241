//! What the verbs `verify-bundle` and `sign-bundle` came to.

use serde_json::json;

use super::evidence;
use super::markdown::{code, row, text as marked};
use crate::image::Digest;
use crate::release::Failure;
use crate::signing::{Evidence, FileSigner, Flaw};

/// A bundle beside a file, checked.
pub struct BundleVerification {
    /// The bundle's file.
    pub bundle: String,
    /// The file, or the digest, that it should sign.
    pub artifact: String,
    /// Who had to have signed.
    pub signer: FileSigner,
    /// What proves it, or why it does not count.
    pub result: Result<Evidence, Flaw>,
}

/// The report as plain text.
pub(super) fn text(found: &BundleVerification) -> String {
    let mut text = format!(
        "{} {}\n  bundle    {}\n",
        end(found),
        found.artifact,
        found.bundle
    );
    text += &match &found.signer {
        FileSigner::Key(key) => format!("  key       {}\n", key.fingerprint()),
        FileSigner::Identity(identity) => evidence::wanted_identity(identity),
    };
    for line in said(found) {
        text += &format!("            {line}\n");
    }
    text.trim_end().to_owned()
}

/// The report as the markdown of a job's summary.
pub(super) fn summary(found: &BundleVerification) -> String {
    let mut page = format!("## shipmark verify-bundle: {}\n\n", end(found));
    page += &(row(&["", ""]) + &row(&["---", "---"]));
    page += &row(&["Artifact", &code(&found.artifact)]);
    page += &row(&["Bundle", &code(&found.bundle)]);
    page += &row(&["By", &code(&found.signer.to_string())]);
    for line in said(found) {
        page += &row(&["", &marked(&line)]);
    }
    page + "\n"
}

/// The outputs of the step.
pub(super) fn outputs(found: &BundleVerification) -> Vec<(&'static str, String)> {
    let outcome = match found.result {
        Ok(_) => "verified",
        Err(_) => "refused",
    };
    let json = json!({
        "outcome": outcome,
        "verb": "verify-bundle",
        "artifact": found.artifact,
        "bundle": found.bundle,
        "reason": found.result.as_ref().err().map(ToString::to_string),
        "evidence": found.result.as_ref().ok().map(evidence::json),
    });
    vec![("json", json.to_string()), ("outcome", outcome.to_owned())]
}

/// Why it does not count; nothing where it does.
pub(super) fn refusal(found: &BundleVerification) -> Option<Failure> {
    let flaw = found.result.as_ref().err()?;
    let what = format!("{} is not signed by {}", found.artifact, found.signer);
    Some(Failure::refused(what).why(flaw.to_string()))
}

fn end(found: &BundleVerification) -> &'static str {
    match found.result {
        Ok(_) => "verified",
        Err(_) => "not verified",
    }
}

fn said(found: &BundleVerification) -> Vec<String> {
    match &found.result {
        Ok(evidence) => evidence::lines(evidence),
        Err(flaw) => vec![flaw.to_string()],
    }
}

/// A file that was signed into a bundle.
pub struct SignedBundle {
    /// The file.
    pub artifact: String,
    /// Its digest.
    pub digest: Digest,
    /// The bundle's file.
    pub bundle: String,
    /// Who signed.
    pub signer: String,
    /// What proves it.
    pub evidence: Evidence,
}

impl SignedBundle {
    /// Returns the report as plain text.
    pub(super) fn text(&self) -> String {
        let Self {
            artifact,
            digest,
            bundle,
            signer,
            ..
        } = self;
        let mut text = format!(
            "signed {artifact}\n  digest    {digest}\n  bundle    {bundle}\n  by        {signer}\n"
        );
        for line in evidence::lines(&self.evidence) {
            text += &format!("            {line}\n");
        }
        text.trim_end().to_owned()
    }

    /// Returns the report as the markdown of a job's summary.
    pub(super) fn summary(&self) -> String {
        let mut page = "## shipmark sign-bundle: signed\n\n".to_owned();
        page += &(row(&["", ""]) + &row(&["---", "---"]));
        for (name, value) in [
            ("Artifact", &self.artifact),
            ("Digest", &self.digest.to_string()),
            ("Bundle", &self.bundle),
            ("By", &self.signer),
        ] {
            page += &row(&[name, &code(value)]);
        }
        for line in evidence::lines(&self.evidence) {
            page += &row(&["", &marked(&line)]);
        }
        page + "\n"
    }

    /// Returns the outputs of the step.
    pub(super) fn outputs(&self) -> Vec<(&'static str, String)> {
        let json = json!({
            "outcome": "signed",
            "verb": "sign-bundle",
            "artifact": self.artifact,
            "digest": self.digest.to_string(),
            "bundle": self.bundle,
            "evidence": evidence::json(&self.evidence),
        });
        vec![("json", json.to_string()), ("outcome", "signed".to_owned())]
    }
}
