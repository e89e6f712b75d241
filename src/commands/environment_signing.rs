//! Signatures of a release to an environment: the policy says the least.

use super::invocation::Invocation;
use super::load_policy::LoadedPolicy;
use crate::cli::Input;
use crate::policy::{EnvironmentRules, SigningRule};
use crate::release::{Failure, SignatureFormat, SigningOptions};

/// Returns the inputs of a release with the environment's `sign` where the input is not given.
///
/// # Errors
/// An input that leaves out or replaces the signatures that the policy demands.
pub(super) fn apply_sign(
    invocation: &Invocation,
    policy: Option<(&EnvironmentRules, &LoadedPolicy)>,
) -> Result<Invocation, Failure> {
    let mut applied = invocation.clone();
    let demanded = policy.filter(|(stage, _)| stage.signing() != SigningRule::Off);
    let Some((stage, loaded)) = demanded else {
        return Ok(applied);
    };
    let demanded = stage.signing().as_str();
    match invocation.arguments.choice(Input::Sign)? {
        Some(given) if given != demanded => Err(Failure::refused(format!(
            "the input sign in a release to the environment {}",
            stage.name()
        ))
        .with_reason(format!("{} demands sign: {demanded}", loaded.file))
        .with_hint("leave sign out, or change sign and signers of the environment in the policy")),
        Some(_) => Ok(applied),
        None => {
            applied.arguments.set_absent(Input::Sign, demanded);
            invocation
                .log
                .info(&format!("sign is {demanded}, by {}", loaded.file));
            Ok(applied)
        }
    }
}

/// Requires bundles of a release to an environment that wants verification summaries: a summary is always one.
///
/// # Errors
/// A release that does not sign, or that signs in the legacy format alone.
pub(super) fn require_bundles(
    invocation: &Invocation,
    stage: Option<&EnvironmentRules>,
    signing: Option<&SigningOptions>,
) -> Result<(), Failure> {
    let Some(stage) = stage.filter(|stage| stage.adds_vsa()) else {
        return Ok(());
    };
    let Some(signing) = signing else {
        return Err(Failure::refused(format!(
            "a release to the environment {} without a signature",
            stage.name()
        ))
        .with_reason("the policy has vsa: true, and a verification summary is signed")
        .with_hint("set sign and signers of the environment in the policy, or remove vsa"));
    };
    if signing.formats.contains(&SignatureFormat::Bundle) {
        return Ok(());
    }
    Err(Failure::refused(format!(
        "the input {} in a release to the environment {}",
        invocation.arguments.given_name(Input::SignatureFormat),
        stage.name()
    ))
    .with_reason("the policy has vsa: true, and a verification summary is a bundle")
    .with_hint("set signature-format to bundle or both"))
}
