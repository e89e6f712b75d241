use super::signing::text_or_file;
use super::{Given, context};
use crate::release::{self, Failure, Verification, Verify};
use crate::signing::PublicKey;

/// Checks the signatures of an image.
pub(super) async fn run(given: &Given) -> Result<Verification, Failure> {
    let arguments = &given.arguments;
    let Some(entry) = arguments.entries("key").first() else {
        return Err(
            Failure::input("verify needs the public key: key is not given")
                .hint("give it as PEM text or as the file that holds it (cosign.pub)"),
        );
    };
    let wrong = |reason: String| arguments.error("key", None, reason);
    let text = text_or_file(&entry.text).map_err(wrong)?;
    let request = Verify {
        source: arguments.required("source")?,
        key: PublicKey::read(&text).map_err(|error| wrong(error.to_string()))?,
    };
    let context = context::context(given)?;
    release::verify(&request, &context).await
}
