use std::collections::BTreeMap;
use std::path::Path;

use super::invocation::Invocation;
use super::local_files::write_whole_file;
use super::{announcement, context_inputs, signing_inputs};
use crate::cli::Input;
use crate::release::{Failure, signing_failure};
use crate::report::{SignedBundle, VerbResult};
use crate::signing::{ImageClaim, SignedArtifact};

/// Signs a file into a bundle beside it.
pub(super) async fn run(invocation: &Invocation) -> Result<VerbResult, Failure> {
    let arguments = &invocation.arguments;
    let artifact: String = arguments.required(Input::Artifact)?;
    let path: String = arguments.required(Input::Bundle)?;
    if is_same_file(&artifact, &path) {
        return Err(Failure::input(format!(
            "the bundle {path:?} would replace the file that it is for"
        ))
        .with_hint("give the bundle a name of its own, such as FILE.sigstore.json"));
    }
    announcement::announce(
        invocation,
        "signing",
        &format!("{artifact} into the bundle {path}"),
    );
    let unread = |reason: String| {
        arguments.file_error(
            Input::Artifact,
            format!("{artifact:?} cannot be read: {reason}"),
        )
    };
    let mut file =
        SignedArtifact::open(Path::new(&artifact)).map_err(|error| unread(error.to_string()))?;
    let digest = file.digest().map_err(|error| unread(error.to_string()))?;
    let signer = signing_inputs::file_signer(invocation).await?;
    let claim = ImageClaim {
        repository: name(&artifact),
        digest,
        annotations: BTreeMap::new(),
    };
    let (client, notices) = (
        context_inputs::open_connections(invocation)?,
        invocation.log.notices(),
    );
    let bundle = signer.sign_bundle(&client, &notices, &claim).await;
    let bundle = bundle.map_err(signing_failure)?;
    // As with images, what does not stand up to the check that others make is not given to them.
    let requirement = signer.requirement(&client, &notices).await;
    let requirement = requirement.map_err(signing_failure)?;
    let verified = requirement.check_bundle(&bundle, digest).map_err(|error| {
        Failure::service(format!(
            "the signature of {artifact} does not pass its own check"
        ))
        .with_reason(error.to_string())
    })?;
    write_whole_file(Path::new(&path), &bundle)
        .map_err(|error| arguments.error(Input::Bundle, None, format!("{path:?} {error:#}")))?;
    Ok(VerbResult::SignedBundle(Box::new(SignedBundle {
        artifact,
        digest,
        bundle: path,
        signer: requirement.to_string(),
        evidence: verified.evidence,
    })))
}

/// Returns whether two paths lead to one existing file.
fn is_same_file(one: &str, other: &str) -> bool {
    let real = |path: &str| Path::new(path).canonicalize().ok();
    real(one).is_some_and(|one| real(other) == Some(one))
}

/// The name under which the file is signed: its own, without its folders.
fn name(artifact: &str) -> String {
    let name = Path::new(artifact).file_name().unwrap_or_default();
    name.to_string_lossy().into_owned()
}
