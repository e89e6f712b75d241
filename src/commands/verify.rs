use super::invocation::Invocation;
use super::source_input::parse_source;
use super::{announcement, context_inputs, verification_inputs};
use crate::cli::Input;
use crate::release::{self, Failure, VerifyRequest};
use crate::report::VerbResult;

/// Checks the signatures and attestations of an image.
pub(super) async fn run(invocation: &Invocation) -> Result<VerbResult, Failure> {
    let request = VerifyRequest {
        source: parse_source(invocation)?,
        recursive: invocation.arguments.switch(Input::Recursive)?,
    };
    announcement::announce(invocation, "verifying", &request.source.to_string());
    let context = context_inputs::build_context(invocation)?;
    let check = verification_inputs::check_inputs(invocation);
    let verification = release::verify(&request, check, &context).await?;
    Ok(VerbResult::Verified(Box::new(verification)))
}
