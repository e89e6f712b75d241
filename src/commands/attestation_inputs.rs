//! The inputs that are attested beside a signature.

use std::path::Path;

use super::invocation::Invocation;
use super::local_files::read_file;
use crate::cli::Input;
use crate::record::SUMMARY_VERIFIER;
use crate::release::Failure;
use crate::signing::{Predicate, PredicateSource};

const ATTESTATION_INPUTS: [(Input, PredicateSource); 4] = [
    (Input::Sbom, PredicateSource::Sbom),
    (Input::ScanReport, PredicateSource::ScanReport),
    (Input::Provenance, PredicateSource::Provenance),
    (
        Input::VerificationSummary,
        PredicateSource::VerificationSummary,
    ),
];

/// What is to be attested, one a file. None is attested twice.
pub(super) fn load_predicates(invocation: &Invocation) -> Result<Vec<Predicate>, Failure> {
    let mut read: Vec<Predicate> = Vec::new();
    for (name, document) in ATTESTATION_INPUTS {
        for entry in invocation.arguments.entries(name) {
            let arguments = &invocation.arguments;
            let wrong = |reason: String| arguments.entry_file_error(name, entry, reason);
            let bytes = read_file(Path::new(&entry.text));
            let bytes = bytes.map_err(|error| wrong(format!("{error:#}")))?;
            let predicate = Predicate::parse(document, &bytes);
            let predicate = predicate.map_err(|error| wrong(error.to_string()))?;
            if predicate.content["verifier"]["id"] == SUMMARY_VERIFIER {
                let reason =
                    "has shipmark's own verifier.id, expected the summary of another verifier";
                return Err(Failure::from(wrong(reason.to_owned())).with_hint(
                    "set vsa: true in the environment of the policy: a release then signs its own",
                ));
            }
            if read.contains(&predicate) {
                return Err(wrong("says the same as another file".to_owned()).into());
            }
            read.push(predicate);
        }
    }
    Ok(read)
}
