//! What the verb `verify` found: every signature, with why it counts or not.

use serde_json::{Value, json};

use super::markdown::{code, row, text as marked};
use super::words;
use crate::image::Target;
use crate::notice::printable;
use crate::release::{Checked, Failure, Verification};

/// Longer values of annotations than anybody reads.
const VALUE: usize = 200;

/// The report as plain text.
pub(super) fn text(found: &Verification) -> String {
    let end = if found.passed() {
        "verified"
    } else {
        "not verified"
    };
    let mut text = format!("{end} {}\n", found.source);
    text += &format!("  digest  {}\n  key     {}\n", found.root, found.key);
    if found.signatures.is_empty() {
        text += "  there are no signatures\n";
    }
    for checked in &found.signatures {
        text += &format!(
            "\n  {:<6}  {}\n  {:<6}  {}\n",
            words::form(checked.form),
            at(checked),
            "",
            said(checked)
        );
        for (name, value) in annotations(checked) {
            text += &format!("  {:<6}    {name}: {value}\n", "");
        }
    }
    text.trim_end().to_owned()
}

/// The report as the markdown of a job's summary.
pub(super) fn summary(found: &Verification) -> String {
    let end = if found.passed() {
        "verified"
    } else {
        "not verified"
    };
    let mut page = format!("## shipmark verify: {end}\n\n");
    page += &(row(&["", ""]) + &row(&["---", "---"]));
    page += &row(&["Image", &code(&found.source.to_string())]);
    page += &row(&["Digest", &code(&found.root.to_string())]);
    page += &row(&["Key", &code(&found.key.to_string())]);
    page += "\n";
    if found.signatures.is_empty() {
        return page + "There are no signatures.\n\n";
    }
    page += &(row(&["Signature", "Form", ""]) + &row(&["---", "---", "---"]));
    for checked in &found.signatures {
        page += &row(&[
            &code(&at(checked)),
            words::form(checked.form),
            &marked(&said(checked)),
        ]);
    }
    page + "\n"
}

/// The outputs of the step.
pub(super) fn outputs(found: &Verification) -> Vec<(&'static str, String)> {
    let outcome = if found.passed() {
        "verified"
    } else {
        "refused"
    };
    let signatures: Vec<Value> = found.signatures.iter().map(signature).collect();
    let json = json!({
        "outcome": outcome,
        "verb": "verify",
        "source": found.source.to_string(),
        "digest": found.root.to_string(),
        "key": found.key.to_string(),
        "signatures": signatures,
    });
    vec![
        ("digest", found.root.to_string()),
        ("json", json.to_string()),
        ("outcome", outcome.to_owned()),
    ]
}

/// That no signature is good.
pub(super) fn refusal(found: &Verification) -> Failure {
    let failure = Failure::refused(format!(
        "{} has no good signature of the key {}",
        found.source,
        found.key.short()
    ));
    let why: Vec<String> = found.signatures.iter().map(said).collect();
    match why.as_slice() {
        [] => failure.why("it has no signatures"),
        [only] => failure.why(only.clone()),
        several => failure.why(format!("none of its {} signatures counts", several.len())),
    }
}

fn signature(checked: &Checked) -> Value {
    let (good, reason, claim) = match &checked.result {
        Ok(found) => (true, None, Some(&found.claim)),
        Err(flaw) => (false, Some(flaw.to_string()), None),
    };
    json!({
        "form": words::form(checked.form),
        "at": checked.at.to_string(),
        "digest": checked.digest.to_string(),
        "good": good,
        "reason": reason,
        "repository": claim.map(|claim| &claim.repository),
        "annotations": claim.map(|claim| &claim.annotations),
    })
}

fn at(checked: &Checked) -> String {
    match &checked.at {
        Target::Digest(digest) => digest.to_string(),
        Target::Tag(tag) => format!("{tag} {}", checked.digest),
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

fn annotations(checked: &Checked) -> Vec<(String, String)> {
    let found = checked.result.as_ref().ok();
    let all = found.into_iter().flat_map(|found| &found.claim.annotations);
    all.map(|(name, value)| (printable(name, VALUE), printable(value, VALUE)))
        .collect()
}
