use std::path::Path;

use super::announcement;
use super::invocation::Invocation;
use super::local_files::read_bounded_file;
use super::trust_inputs;
use super::verification_inputs::{self, ExpectedSigner};
use crate::cli::Input;
use crate::image::Digest;
use crate::release::Failure;
use crate::report::{BundleVerification, VerbResult};
use crate::signing::{
    BUNDLE_LIMIT, FileRequirement, FileSigner, SignatureEvidence, SignedArtifact,
    VerificationError, split_json_lines,
};

/// Checks a bundle that stands beside a file.
pub(super) async fn run(invocation: &Invocation) -> Result<VerbResult, Failure> {
    let arguments = &invocation.arguments;
    let (mut subject, artifact) = open_subject(invocation)?;
    let path: String = arguments.required(Input::Bundle)?;
    announcement::announce(
        invocation,
        "verifying",
        &format!("{artifact} by the bundle {path}"),
    );
    let bundle = read_bounded_file(Path::new(&path), BUNDLE_LIMIT)
        .map_err(|error| arguments.file_error(Input::Bundle, format!("{path:?} {error:#}")))?;
    let bundles = split_json_lines(&bundle)
        .map_err(|error| arguments.file_error(Input::Bundle, format!("{path:?}: {error}")))?;
    let requirements = file_requirements(invocation).await?;
    let (met, result) = first_valid(&requirements, &bundles, &mut subject);
    Ok(VerbResult::VerifiedBundle(Box::new(BundleVerification {
        result,
        bundle: path,
        artifact,
        signer: requirements[met].signer.clone(),
    })))
}

/// What a bundle has to meet: one of these.
async fn file_requirements(invocation: &Invocation) -> Result<Vec<FileRequirement>, Failure> {
    let signers = match verification_inputs::expected_signer(invocation)? {
        ExpectedSigner::Key(text) => {
            let keys = verification_inputs::parse_keys(invocation, &text)?;
            keys.into_iter().map(FileSigner::Key).collect()
        }
        ExpectedSigner::Identity(identity) => vec![FileSigner::Identity(identity)],
    };
    let requires_log = verification_inputs::transparency_log_input(invocation)?.unwrap_or(true);
    let roots = trust_inputs::load_trust_roots(invocation).await?;
    let each = signers.iter().flat_map(|signer| {
        roots.iter().map(move |trust_root| FileRequirement {
            signer: signer.clone(),
            trust_root: trust_root.clone(),
            requires_log,
        })
    });
    Ok(each.collect())
}

/// Returns the index of the first requirement that a bundle meets, with what proves it; else why the
/// first bundle does not meet the first requirement.
fn first_valid(
    requirements: &[FileRequirement],
    bundles: &[&[u8]],
    subject: &mut SignedArtifact,
) -> (usize, Result<SignatureEvidence, VerificationError>) {
    let mut first = None;
    for bundle in bundles {
        for (index, requirement) in requirements.iter().enumerate() {
            match requirement.check(bundle, subject) {
                Ok(evidence) => return (index, Ok(evidence)),
                Err(reason) => first.get_or_insert(reason),
            };
        }
    }
    (0, Err(first.unwrap_or(VerificationError::Unsigned)))
}

/// What is signed: the one of both that is given, and its name.
fn open_subject(invocation: &Invocation) -> Result<(SignedArtifact, String), Failure> {
    let arguments = &invocation.arguments;
    let file = arguments.text(Input::Artifact);
    match (file, arguments.value::<Digest>(Input::Digest)?) {
        (Some(path), None) => {
            let file = SignedArtifact::open(Path::new(path)).map_err(|error| {
                arguments.file_error(Input::Artifact, format!("{path:?} cannot be read: {error}"))
            })?;
            Ok((file, path.to_owned()))
        }
        (None, Some(digest)) => Ok((SignedArtifact::Digest(digest), digest.to_string())),
        (Some(_), Some(_)) => Err(Failure::input("artifact and digest are both given")
            .with_hint("give the file, or the digest where there is no file")),
        (None, None) => Err(Failure::input("nothing says what is signed")
            .with_hint("give the file as artifact, or its digest as digest: sha256:…")),
    }
}
