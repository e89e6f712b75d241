use super::{Invocation, context_inputs, verification_inputs};
use crate::release::{self, Failure, Verification, VerifyRequest};

/// Checks the signatures and attestations of an image.
pub(super) async fn run_verify(given: &Invocation) -> Result<Verification, Failure> {
    let context = context_inputs::build_context(given)?;
    let request = VerifyRequest {
        source: given.arguments.required("source")?,
        recursive: given.arguments.switch("recursive")?,
    };
    release::verify(&request, verification_inputs::check_inputs(given), &context).await
}
