use super::invocation::Invocation;
use super::source_input::parse_source;
use super::{announcement, context_inputs, verification_inputs, verify_environment};
use crate::cli::Input;
use crate::release::{self, Failure, VerifyRequest};
use crate::report::VerbResult;

/// Inputs that are about an environment.
const ENVIRONMENT_INPUTS: [Input; 8] = [
    Input::Images,
    Input::Services,
    Input::Policy,
    Input::ScanReport,
    Input::ScanFailOn,
    Input::IgnoreUnfixed,
    Input::Vex,
    Input::Unbound,
];

/// Checks the signatures and attestations of an image, or what an environment is on.
pub(super) async fn run(invocation: &Invocation) -> Result<VerbResult, Failure> {
    let arguments = &invocation.arguments;
    let has_source = !arguments.entries(Input::Source).is_empty();
    if !arguments.entries(Input::Environment).is_empty() {
        return Box::pin(verify_environment::run(invocation)).await;
    }
    let mut others = ENVIRONMENT_INPUTS.into_iter();
    match others.find(|input| !arguments.entries(*input).is_empty()) {
        Some(input) => Err(Failure::from(arguments.error(
            input,
            None,
            "is given, and no environment is named",
        ))
        .with_hint("name the environment to verify in environment, or leave the input out")),
        None if !has_source => Err(Failure::input("neither source nor environment is given")
            .with_hint("name an image in source, or an environment in environment")),
        None => verify_image(invocation).await,
    }
}

async fn verify_image(invocation: &Invocation) -> Result<VerbResult, Failure> {
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
