//! The inputs that are attested beside a signature.

use super::Given;
use crate::release::Failure;
use crate::signing::{Document, Predicate};

const INPUTS: [(&str, Document); 4] = [
    ("sbom", Document::Sbom),
    ("scan-report", Document::ScanReport),
    ("provenance", Document::Provenance),
    ("verification-summary", Document::VerificationSummary),
];

/// What is to be attested, one a file. None is attested twice.
pub(super) fn read(given: &Given) -> Result<Vec<Predicate>, Failure> {
    let mut read: Vec<Predicate> = Vec::new();
    for (name, document) in INPUTS {
        for entry in given.arguments.entries(name) {
            let wrong = |reason: String| given.arguments.wrong(name, entry, reason);
            let bytes = std::fs::read(&entry.text);
            let bytes = bytes.map_err(|error| wrong(format!("cannot be read: {error}")))?;
            let predicate = Predicate::read(document, &bytes);
            let predicate = predicate.map_err(|error| wrong(error.to_string()))?;
            if read.contains(&predicate) {
                return Err(wrong("says the same as another file".to_owned()).into());
            }
            read.push(predicate);
        }
    }
    Ok(read)
}
