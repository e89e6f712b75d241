//! The input `source`: an image by tag or digest, not a file and not a repository.

use std::path::Path;

use super::invocation::Invocation;
use crate::cli::{Input, InputEntry, Verb};
use crate::image::{Digest, ImageSource, Repository};
use crate::release::Failure;

/// Reads an image that a tag, a digest or a path names.
fn parse_named_source(invocation: &Invocation) -> Result<ImageSource, Failure> {
    let arguments = &invocation.arguments;
    let parsed = arguments.required(Input::Source);
    parsed.map_err(|error| {
        let entry = arguments.entries(Input::Source).first();
        let file = entry.and_then(|entry| file_failure(invocation, entry));
        file.unwrap_or_else(|| error.into())
    })
}

/// Reads an image, which a tag or a digest names: `latest` is what was pushed last, by anybody.
pub(super) fn parse_source(invocation: &Invocation) -> Result<ImageSource, Failure> {
    match invocation.arguments.entries(Input::Source).first() {
        Some(entry) if entry.text.parse::<Repository>().is_ok() => {
            Err(file_failure(invocation, entry)
                .unwrap_or_else(|| untagged_failure(invocation, entry)))
        }
        Some(entry) if entry.text.parse::<Digest>().is_ok() => {
            let wrong = "is a digest without a repository";
            let error = invocation
                .arguments
                .entry_error(Input::Source, entry, wrong);
            let hint = format!("write REPOSITORY@{}", entry.text);
            Err(Failure::from(error).with_hint(hint))
        }
        _ => parse_named_source(invocation),
    }
}

fn untagged_failure(invocation: &Invocation, entry: &InputEntry) -> Failure {
    let text = &entry.text;
    let wrong = "names neither a tag nor a digest";
    let error = invocation
        .arguments
        .entry_error(Input::Source, entry, wrong);
    let failure = Failure::from(error)
        .with_reason("without either the image would be latest, whatever that is at the moment");
    match text.contains('/') {
        true => failure.with_hint(format!("write {text}:TAG or {text}@sha256:…")),
        false if matches!(invocation.arguments.verb, Verb::Verify | Verb::Inspect) => {
            failure.with_hint("write REPOSITORY:TAG or REPOSITORY@sha256:…")
        }
        false => failure.with_hint("write REPOSITORY:TAG or REPOSITORY@sha256:…; a tag alone needs a policy whose environment has from"),
    }
}

/// Says that the input is a file or directory, where it is one, and how to name the image in it.
fn file_failure(invocation: &Invocation, entry: &InputEntry) -> Option<Failure> {
    const ENDINGS: [&str; 4] = [".tar", ".tar.gz", ".tgz", ".tar.zst"];
    let text = entry.text.as_str();
    let path = Path::new(text);
    let (reason, hint) = if path.is_file() {
        ("is a file, which exists", archive_hint(text))
    } else if path.join("oci-layout").is_file() {
        (
            "is an image layout, which exists",
            format!("did you mean oci:{text}?"),
        )
    } else if ENDINGS.iter().any(|ending| text.ends_with(ending)) {
        (
            "is named like a file, and none is there",
            archive_hint(text),
        )
    } else {
        return None;
    };
    let error = invocation
        .arguments
        .entry_error(Input::Source, entry, reason);
    Some(Failure::from(error).with_hint(hint))
}

fn archive_hint(text: &str) -> String {
    format!(
        "did you mean oci-archive:{text}? For the output of docker save it is docker-archive:{text}"
    )
}
