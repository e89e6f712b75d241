use std::path::Path;

use super::invocation::Invocation;
use super::local_files::read_bounded_file;
use super::trust_inputs;
use super::verification_inputs::{self, ExpectedSigner};
use crate::cli::Input;
use crate::image::Digest;
use crate::release::Failure;
use crate::report::{BundleVerification, VerbResult};
use crate::signing::{BUNDLE_LIMIT, FileRequirement, FileSigner, PublicKey, SignedArtifact};

/// Checks a bundle that stands beside a file.
pub(super) async fn run(invocation: &Invocation) -> Result<VerbResult, Failure> {
    let arguments = &invocation.arguments;
    let (mut subject, artifact) = open_subject(invocation)?;
    let path: String = arguments.required(Input::Bundle)?;
    let bundle = read_bounded_file(Path::new(&path), BUNDLE_LIMIT)
        .map_err(|error| arguments.error(Input::Bundle, None, format!("{path:?} {error:#}")))?;
    let signer = match verification_inputs::expected_signer(invocation)? {
        ExpectedSigner::Key(text) => FileSigner::Key(
            PublicKey::parse(&text)
                .map_err(|error| arguments.error(Input::Key, None, error.to_string()))?,
        ),
        ExpectedSigner::Identity(identity) => FileSigner::Identity(identity),
    };
    let requirement = FileRequirement {
        signer,
        trust_root: trust_inputs::load_trust_root(invocation).await?,
        requires_log: verification_inputs::transparency_log_input(invocation)?.unwrap_or(true),
    };
    Ok(VerbResult::VerifiedBundle(Box::new(BundleVerification {
        result: requirement.check(&bundle, &mut subject),
        bundle: path,
        artifact,
        signer: requirement.signer,
    })))
}

/// What is signed: the one of both that is given, and its name.
fn open_subject(invocation: &Invocation) -> Result<(SignedArtifact, String), Failure> {
    let arguments = &invocation.arguments;
    let file = arguments.text(Input::Artifact);
    match (file, arguments.value::<Digest>(Input::Digest)?) {
        (Some(path), None) => {
            let file = SignedArtifact::open(Path::new(path)).map_err(|error| {
                arguments.error(
                    Input::Artifact,
                    None,
                    format!("{path:?} cannot be read: {error}"),
                )
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
