use std::path::Path;

use super::Invocation;
use super::verification_inputs::{self, ExpectedSigner};
use crate::image::Digest;
use crate::release::Failure;
use crate::report::BundleVerification;
use crate::signing::{FileRequirement, FileSigner, PublicKey, SignedArtifact};

/// Checks a bundle that stands beside a file.
pub(super) async fn run_verify_bundle(given: &Invocation) -> Result<BundleVerification, Failure> {
    let arguments = &given.arguments;
    let (mut subject, artifact) = open_subject(given)?;
    let path: String = arguments.required("bundle")?;
    let bundle = verification_inputs::read_bounded_file(Path::new(&path)).map_err(|error| {
        arguments.error("bundle", None, format!("{path:?} cannot be read: {error}"))
    })?;
    let signer = match verification_inputs::expected_signer(given)? {
        ExpectedSigner::Key(text) => FileSigner::Key(
            PublicKey::read(&text)
                .map_err(|error| arguments.error("key", None, error.to_string()))?,
        ),
        ExpectedSigner::Identity(identity) => FileSigner::Identity(identity),
    };
    let requirement = FileRequirement {
        signer,
        trust_root: verification_inputs::load_trust_root(given).await?,
        requires_log: verification_inputs::transparency_log_input(given)?.unwrap_or(true),
    };
    Ok(BundleVerification {
        result: requirement.check(&bundle, &mut subject),
        bundle: path,
        artifact,
        signer: requirement.signer,
    })
}

/// What is signed: the one of both that is given, and its name.
fn open_subject(given: &Invocation) -> Result<(SignedArtifact, String), Failure> {
    let arguments = &given.arguments;
    let file = arguments.text("artifact");
    match (file, arguments.value::<Digest>("digest")?) {
        (Some(path), None) => {
            let file = SignedArtifact::open(Path::new(path)).map_err(|error| {
                arguments.error(
                    "artifact",
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
