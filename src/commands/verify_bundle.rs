use std::path::Path;

use super::Given;
use super::trust::{self, Named};
use crate::image::Digest;
use crate::release::Failure;
use crate::report::BundleVerification;
use crate::signing::{FileRequirement, FileSigner, PublicKey, Subject};

/// Checks a bundle that stands beside a file.
pub(super) async fn run(given: &Given) -> Result<BundleVerification, Failure> {
    let arguments = &given.arguments;
    let (mut subject, artifact) = subject(given)?;
    let path: String = arguments.required("bundle")?;
    let bundle = trust::read(Path::new(&path)).map_err(|error| {
        arguments.error("bundle", None, format!("{path:?} cannot be read: {error}"))
    })?;
    let signer = match trust::signer(given)? {
        Named::Key(text) => FileSigner::Key(
            PublicKey::read(&text)
                .map_err(|error| arguments.error("key", None, error.to_string()))?,
        ),
        Named::Identity(identity) => FileSigner::Identity(identity),
    };
    let requirement = FileRequirement {
        signer,
        trust: trust::root(given).await?,
        logged: trust::logged(given)?.unwrap_or(true),
    };
    Ok(BundleVerification {
        result: requirement.check(&bundle, &mut subject),
        bundle: path,
        artifact,
        signer: requirement.signer,
    })
}

/// What is signed: the one of both that is given, and its name.
fn subject(given: &Given) -> Result<(Subject, String), Failure> {
    let arguments = &given.arguments;
    let file = arguments.text("artifact");
    match (file, arguments.value::<Digest>("digest")?) {
        (Some(path), None) => {
            let file = Subject::open(Path::new(path)).map_err(|error| {
                arguments.error(
                    "artifact",
                    None,
                    format!("{path:?} cannot be read: {error}"),
                )
            })?;
            Ok((file, path.to_owned()))
        }
        (None, Some(digest)) => Ok((Subject::Digest(digest), digest.to_string())),
        (Some(_), Some(_)) => Err(Failure::input("artifact and digest are both given")
            .hint("give the file, or the digest where there is no file")),
        (None, None) => Err(Failure::input("nothing says what is signed")
            .hint("give the file as artifact, or its digest as digest: sha256:…")),
    }
}
