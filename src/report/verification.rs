//! What the verb `verify` found: every signature and attestation, with why it counts or not.

use serde_json::{Value, json};

use super::evidence;
use super::markdown::{code, row, text as marked};
use super::words;
use crate::image::{Digest, Target};
use crate::notice::printable;
use crate::release::{Attestation, Checked, Form, Image, Missing, Verification};
use crate::signing::{Evidence, Requirement};

/// Longer values of annotations than anybody reads.
const VALUE: usize = 200;

/// The report as plain text.
pub(super) fn text(found: &Verification) -> String {
    let mut text = format!(
        "{} {}\n  digest    {}\n",
        end(found),
        found.source,
        found.root()
    );
    text += &evidence::wanted(&found.requirement);
    for image in &found.images {
        if found.images.len() > 1 {
            text += &format!("\n{image}\n");
        }
        text += &beside(found, image);
    }
    text.trim_end().to_owned()
}

/// What stands beside one image.
fn beside(found: &Verification, image: &Image) -> String {
    let mut text = String::new();
    let signatures = found.signatures.iter().filter(|one| one.of == image.digest);
    let attestations = found.attestations.iter();
    let attestations = attestations.filter(|one| one.of == image.digest);
    for checked in signatures {
        let annotations = annotations(checked);
        text += &entry(
            words::form(checked.form),
            &at(&checked.at, checked.digest),
            &said(checked),
        );
        text += &lines(checked.result.as_ref().ok().map(|found| &found.evidence));
        for (name, value) in annotations {
            text += &format!("            {name}: {value}\n");
        }
    }
    for attestation in attestations {
        text += &entry(
            "attested",
            &at(&attestation.at, attestation.digest),
            &attested(attestation),
        );
        text += &lines(
            attestation
                .result
                .as_ref()
                .ok()
                .map(|found| &found.evidence),
        );
    }
    match text.is_empty() {
        true => "  there are no signatures\n".to_owned(),
        false => text,
    }
}

fn entry(form: &str, at: &str, said: &str) -> String {
    format!("\n  {form:<8}  {at}\n            {said}\n")
}

fn lines(evidence: Option<&Evidence>) -> String {
    let lines = evidence.map(evidence::lines).unwrap_or_default();
    lines
        .iter()
        .map(|line| format!("            {line}\n"))
        .collect()
}

/// The report as the markdown of a job's summary.
pub(super) fn summary(found: &Verification) -> String {
    let mut page = format!("## shipmark verify: {}\n\n", end(found));
    page += &(row(&["", ""]) + &row(&["---", "---"]));
    page += &row(&["Image", &code(&found.source.to_string())]);
    page += &row(&["Digest", &code(&found.root().to_string())]);
    page += &row(&["By", &code(&found.requirement.to_string())]);
    page += "\n";
    if found.signatures.is_empty() && found.attestations.is_empty() {
        return page + "There are no signatures.\n\n";
    }
    // Which image each is of is worth a column where there are several.
    let first = usize::from(found.images.len() == 1);
    let line = |cells: [&str; 4]| row(&cells[first..]);
    page += &(line(["Of", "Signature", "Form", ""]) + &line(["---"; 4]));
    for checked in &found.signatures {
        let (of, at) = (of(found, checked.of), at(&checked.at, checked.digest));
        let (form, said) = (words::form(checked.form), marked(&said(checked)));
        page += &line([&code(&of), &code(&at), form, &said]);
    }
    for attestation in &found.attestations {
        let of = of(found, attestation.of);
        let at = at(&attestation.at, attestation.digest);
        let (form, said) = (
            words::form(attestation.form),
            marked(&attested(attestation)),
        );
        page += &line([&code(&of), &code(&at), form, &said]);
    }
    for missing in &found.missing {
        if missing.of.digest != found.root() {
            let none = marked(&format!("no good {}", missing.wanted));
            page += &line([&code(&of(found, missing.of.digest)), "", "", &none]);
        }
    }
    page + "\n"
}

/// The outputs of the step.
pub(super) fn outputs(found: &Verification) -> Vec<(&'static str, String)> {
    let outcome = match found.passed() {
        true => "verified",
        false => "refused",
    };
    let signatures = found.signatures.iter();
    let signatures: Vec<Value> = signatures.map(|one| signature(found, one)).collect();
    let attestations = found.attestations.iter();
    let attestations: Vec<Value> = attestations.map(|one| attestation(found, one)).collect();
    let missing = found.missing.iter();
    let missing: Vec<String> = missing.map(|one| lacking(found, one)).collect();
    let (key, identity) = match &found.requirement {
        Requirement::Key { key, .. } => (Some(key.fingerprint().to_string()), None),
        Requirement::Identity { identity, .. } => (None, Some(identity.to_string())),
    };
    let json = json!({
        "outcome": outcome,
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

/// What is not there, and of which image where that is not the one that was asked for.
fn lacking(found: &Verification, missing: &Missing) -> String {
    match missing.of.digest == found.root() {
        true => missing.wanted.to_string(),
        false => format!("{} of {}", missing.wanted, missing.of),
    }
}

/// An image by its platform, else by the end that it has: the root, or what runs nowhere.
fn of(found: &Verification, digest: Digest) -> String {
    match platform(found, digest) {
        Some(platform) => platform,
        None if digest == found.root() => "the image".to_owned(),
        None => digest.short(),
    }
}

fn platform(found: &Verification, digest: Digest) -> Option<String> {
    let image = found.images.iter().find(|image| image.digest == digest)?;
    image.platform.as_ref().map(ToString::to_string)
}

fn signature(all: &Verification, checked: &Checked) -> Value {
    let found = checked.result.as_ref().ok();
    let claim = found.map(|found| &found.claim);
    let mut json = common(checked.form, &checked.at, checked.digest);
    json["of"] = json!(checked.of.to_string());
    json["platform"] = json!(platform(all, checked.of));
    json["good"] = json!(found.is_some());
    json["reason"] = json!(checked.result.as_ref().err().map(ToString::to_string));
    json["repository"] = json!(claim.map(|claim| &claim.repository));
    json["annotations"] = json!(claim.map(|claim| &claim.annotations));
    json["evidence"] = json!(found.map(|found| evidence::json(&found.evidence)));
    json
}

fn attestation(all: &Verification, attestation: &Attestation) -> Value {
    let found = attestation.result.as_ref().ok();
    let mut json = common(attestation.form, &attestation.at, attestation.digest);
    json["of"] = json!(attestation.of.to_string());
    json["platform"] = json!(platform(all, attestation.of));
    json["good"] = json!(found.is_some());
    json["reason"] = json!(attestation.result.as_ref().err().map(ToString::to_string));
    json["predicateType"] = json!(found.map(|found| &found.predicate_type));
    json["evidence"] = json!(found.map(|found| evidence::json(&found.evidence)));
    json
}

fn common(form: Form, at: &Target, digest: Digest) -> Value {
    json!({
        "form": words::form(form),
        "at": at.to_string(),
        "digest": digest.to_string(),
    })
}

fn end(found: &Verification) -> &'static str {
    match found.passed() {
        true => "verified",
        false => "not verified",
    }
}

fn at(at: &Target, digest: Digest) -> String {
    match at {
        Target::Digest(digest) => digest.to_string(),
        Target::Tag(tag) => format!("{tag} {digest}"),
    }
}

fn said(checked: &Checked) -> String {
    match &checked.result {
        Ok(found) if found.claim.repository.is_empty() => "good".to_owned(),
        Ok(found) => format!(
            "good, made for {}",
            printable(&found.claim.repository, VALUE)
        ),
        Err(flaw) => flaw.to_string(),
    }
}

fn attested(attestation: &Attestation) -> String {
    match &attestation.result {
        Ok(found) => format!("good: {}", printable(&found.predicate_type, VALUE)),
        Err(flaw) => flaw.to_string(),
    }
}

fn annotations(checked: &Checked) -> Vec<(String, String)> {
    let found = checked.result.as_ref().ok();
    let all = found.into_iter().flat_map(|found| &found.claim.annotations);
    all.map(|(name, value)| (printable(name, VALUE), printable(value, VALUE)))
        .collect()
}
