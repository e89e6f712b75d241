use super::{Given, context, trust};
use crate::release::{self, Failure, Verification, Verify};

/// Checks the signatures and attestations of an image.
pub(super) async fn run(given: &Given) -> Result<Verification, Failure> {
    let context = context::context(given)?;
    let request = Verify {
        source: given.arguments.required("source")?,
        recursive: given.arguments.switch("recursive")?,
    };
    release::verify(&request, trust::check(given), &context).await
}
