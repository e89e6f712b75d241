//! Report of `verify`: every signature and attestation, and the error of those that do not verify.

use serde_json::{Value, json};

use super::evidence_text;
use super::phrases;
use super::styled_text::{StyledText, Tone};
use crate::image::{Destination, Digest, ImageSource, TagOrDigest};
use crate::notices::to_printable;
use crate::release::{
    CheckedAttestation, CheckedImage, CheckedSignature, Failure, MissingEvidence, SignatureFormat,
    Verification,
};
use crate::signing::SignatureEvidence;

/// Characters of an annotation that are shown.
const VALUE_LIMIT: usize = 200;

/// Returns the report as text.
pub(super) fn to_text(found: &Verification) -> StyledText {
    let mut text = StyledText::default();
    text.push_toned(outcome_tone(found.passed()), outcome_word(found));
    text.push(&format!(
        " {}\n  digest    {}\n",
        found.source,
        found.root()
    ));
    text.push(&evidence_text::expected_signer(&found.requirement));
    for image in &found.images {
        if found.images.len() > 1 {
            text.push(&format!("\n{image}\n"));
        }
        text.append(&image_section(found, image));
    }
    text.trim_end();
    text
}

/// Returns the tone of a signature or of all of them.
pub(super) fn outcome_tone(is_valid: bool) -> Tone {
    match is_valid {
        true => Tone::Done,
        false => Tone::Refused,
    }
}

/// Returns the section of one image, with its signatures and attestations.
fn image_section(found: &Verification, image: &CheckedImage) -> StyledText {
    let mut text = StyledText::default();
    let signatures = found.signatures.iter().filter(|one| one.of == image.digest);
    let attestations = found.attestations.iter();
    let attestations = attestations.filter(|one| one.of == image.digest);
    for checked in signatures {
        let annotations = claim_annotations(checked);
        let entry = EvidenceEntry {
            format: phrases::format_name(checked.format),
            at: evidence_location(&checked.at, checked.digest),
            text: signature_text(checked),
            is_valid: checked.result.is_ok(),
        };
        entry.push_to(&mut text);
        text.push(&indented_lines(
            checked.result.as_ref().ok().map(|found| &found.evidence),
        ));
        for (name, value) in annotations {
            text.push(&format!("            {name}: {value}\n"));
        }
    }
    for attestation in attestations {
        let entry = EvidenceEntry {
            format: "attested",
            at: evidence_location(&attestation.at, attestation.digest),
            text: attestation_text(attestation),
            is_valid: attestation.result.is_ok(),
        };
        entry.push_to(&mut text);
        let valid = attestation.result.as_ref().ok();
        text.push(&indented_lines(valid.map(|found| &found.evidence)));
    }
    match text.as_str().is_empty() {
        true if !found.unread.is_empty() => text.push(&format!("  {}\n", found.unread_text())),
        true => text.push("  no signatures found\n"),
        false => {}
    }
    text
}

/// Signature or attestation in the report.
struct EvidenceEntry {
    format: &'static str,
    at: String,
    text: String,
    is_valid: bool,
}

impl EvidenceEntry {
    fn push_to(&self, text: &mut StyledText) {
        text.push(&format!(
            "\n  {:<8}  {}\n            ",
            self.format, self.at
        ));
        text.push_toned(outcome_tone(self.is_valid), &self.text);
        text.push("\n");
    }
}

fn indented_lines(evidence: Option<&SignatureEvidence>) -> String {
    let lines = evidence
        .map(evidence_text::evidence_lines)
        .unwrap_or_default();
    lines
        .iter()
        .map(|line| format!("            {line}\n"))
        .collect()
}

/// Returns the outputs of the step.
pub(super) fn to_outputs(found: &Verification) -> Vec<(&'static str, String)> {
    let outcome = match found.passed() {
        true => "verified",
        false => "refused",
    };
    let signatures = found.signatures.iter();
    let signatures: Vec<Value> = signatures.map(|one| signature_json(found, one)).collect();
    let attestations = found.attestations.iter();
    let attestations: Vec<Value> = attestations
        .map(|one| attestation_json(found, one))
        .collect();
    let missing = found.missing.iter();
    let missing: Vec<String> = missing.map(|one| missing_text(found, one)).collect();
    let keys = found.requirement.keys().into_iter();
    let keys: Vec<String> = keys.map(|key| key.fingerprint().to_string()).collect();
    let key = Some(keys.join(" ")).filter(|keys| !keys.is_empty());
    let identity = found.requirement.identity().map(ToString::to_string);
    let refusal = found.to_refusal();
    let diagnostic = refusal.as_ref().and_then(Failure::diagnostic);
    let json = json!({
        "outcome": outcome,
        "what": diagnostic.map(|it| &it.what),
        "why": diagnostic.and_then(|it| it.why.as_ref()),
        "hint": diagnostic.and_then(|it| it.hint.as_ref()),
        "verb": "verify",
        "source": found.source.to_string(),
        "digest": found.root().to_string(),
        "key": key,
        "identity": identity,
        "signatures": signatures,
        "attestations": attestations,
        "missing": missing,
    });
    vec![
        ("digest", found.root().to_string()),
        ("json", json.to_string()),
        ("outcome", outcome.to_owned()),
    ]
}

/// Returns the image by digest, without the tag that names it.
pub(super) fn image_reference(found: &Verification) -> String {
    let place = match &found.source {
        ImageSource::Registry(reference) => reference.repository.to_string(),
        ImageSource::Layout(path, _) => Destination::Layout(path.clone()).to_string(),
        other => other.to_string(),
    };
    format!("{place}@{}", found.root())
}

/// Returns the missing evidence, with its image if that is not the root.
fn missing_text(found: &Verification, missing: &MissingEvidence) -> String {
    match missing.of.digest == found.root() {
        true => missing.wanted.to_string(),
        false => format!("{} of {}", missing.wanted, missing.of),
    }
}

/// Returns the platform of an image, `the image` for a root without one, else the short digest.
pub(super) fn image_label(found: &Verification, digest: Digest) -> String {
    match platform_of(found, digest) {
        Some(platform) => platform,
        None if digest == found.root() => "the image".to_owned(),
        None => digest.short(),
    }
}

fn platform_of(found: &Verification, digest: Digest) -> Option<String> {
    let image = found.images.iter().find(|image| image.digest == digest)?;
    image.platform.as_ref().map(ToString::to_string)
}

pub(super) fn signature_json(all: &Verification, checked: &CheckedSignature) -> Value {
    let found = checked.result.as_ref().ok();
    let claim = found.map(|found| &found.claim);
    let mut json = common_json(checked.format, &checked.at, checked.digest);
    json["of"] = json!(checked.of.to_string());
    json["platform"] = json!(platform_of(all, checked.of));
    json["good"] = json!(found.is_some());
    json["reason"] = json!(checked.result.as_ref().err().map(ToString::to_string));
    json["repository"] = json!(claim.map(|claim| &claim.repository));
    json["annotations"] = json!(claim.map(|claim| &claim.annotations));
    json["evidence"] = json!(found.map(|found| evidence_text::evidence_json(&found.evidence)));
    json
}

pub(super) fn attestation_json(all: &Verification, attestation: &CheckedAttestation) -> Value {
    let found = attestation.result.as_ref().ok();
    let mut json = common_json(attestation.format, &attestation.at, attestation.digest);
    json["of"] = json!(attestation.of.to_string());
    json["platform"] = json!(platform_of(all, attestation.of));
    json["good"] = json!(found.is_some());
    json["reason"] = json!(attestation.result.as_ref().err().map(ToString::to_string));
    json["predicateType"] = json!(found.map(|found| &found.predicate_type));
    json["evidence"] = json!(found.map(|found| evidence_text::evidence_json(&found.evidence)));
    json
}

fn common_json(form: SignatureFormat, at: &TagOrDigest, digest: Digest) -> Value {
    json!({
        "form": phrases::format_name(form),
        "at": at.to_string(),
        "digest": digest.to_string(),
    })
}

fn outcome_word(found: &Verification) -> &'static str {
    match found.passed() {
        true => "verified",
        false => "not verified",
    }
}

fn evidence_location(at: &TagOrDigest, digest: Digest) -> String {
    match at {
        TagOrDigest::Digest(digest) => digest.to_string(),
        TagOrDigest::Tag(tag) => format!("{tag} {digest}"),
    }
}

pub(super) fn signature_text(checked: &CheckedSignature) -> String {
    match &checked.result {
        Ok(found) if found.claim.repository.is_empty() => "good".to_owned(),
        Ok(found) => format!(
            "good, signed for {}",
            to_printable(&found.claim.repository, VALUE_LIMIT)
        ),
        Err(error) => error.to_string(),
    }
}

pub(super) fn attestation_text(attestation: &CheckedAttestation) -> String {
    match &attestation.result {
        Ok(found) => format!("good: {}", to_printable(&found.predicate_type, VALUE_LIMIT)),
        Err(error) => error.to_string(),
    }
}

pub(super) fn claim_annotations(checked: &CheckedSignature) -> Vec<(String, String)> {
    let found = checked.result.as_ref().ok();
    let all = found.into_iter().flat_map(|found| &found.claim.annotations);
    all.map(|(name, value)| {
        (
            to_printable(name, VALUE_LIMIT),
            to_printable(value, VALUE_LIMIT),
        )
    })
    .collect()
}
