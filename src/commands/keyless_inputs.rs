//! The inputs that say how to sign with the identity of the job.

use url::Url;

use super::invocation::Invocation;
use super::service_address::is_confidential;
use super::sigstore_inputs;
use super::visibility;
use crate::actions::SecretTexts;
use crate::cli::Input;
use crate::release::{Failure, SignatureFormat};
use crate::signing::{IdTokenSource, KeylessSigner, SecretMasker};

/// Reads how to sign as the job that runs, in these forms.
pub(super) async fn read_keyless(
    invocation: &Invocation,
    forms: &[SignatureFormat],
) -> Result<KeylessSigner, Failure> {
    let tokens = id_token_source(invocation)?;
    let instance = sigstore_inputs::keyless_instance(invocation, forms)?;
    let agreed = requires_log(invocation)?;
    if instance.is_public() && !agreed {
        visibility::require_public(invocation).await?;
    }
    let signer = KeylessSigner::new(tokens, instance, agreed);
    let log_mode = invocation.arguments.choice(Input::TransparencyLog)?;
    Ok(match log_mode {
        Some("attestations") => signer.without_logged_attestations(),
        _ => signer,
    })
}

/// Returns whether the input demands a log entry. Keyless signatures always have one.
fn requires_log(invocation: &Invocation) -> Result<bool, Failure> {
    match invocation.arguments.choice(Input::TransparencyLog)? {
        Some("off") => Err(Failure::input(
            "transparency-log is off, and a keyless signature always has a log entry",
        )
        .with_hint("sign with a key (sign: key), or remove transparency-log")),
        log_mode => Ok(log_mode == Some("on")),
    }
}

/// The variable with what the runner asks for before it gives an identity token.
pub(super) const REQUEST_TOKEN_VARIABLE: &str = "ACTIONS_ID_TOKEN_REQUEST_TOKEN";

fn id_token_source(invocation: &Invocation) -> Result<IdTokenSource, Failure> {
    let environment = &invocation.environment;
    let url = environment.get("ACTIONS_ID_TOKEN_REQUEST_URL");
    let token = environment.get(REQUEST_TOKEN_VARIABLE);
    let (Some(url), Some(token)) = (url, token) else {
        return Err(match environment.is_in_runner() {
            true => Failure::input("sign: keyless needs the identity token of the job, and the runner gives none")
                .with_reason("ACTIONS_ID_TOKEN_REQUEST_URL and ACTIONS_ID_TOKEN_REQUEST_TOKEN are not set")
                .with_hint("give the job permissions: id-token: write; a pull request from a fork never has it"),
            false => Failure::input("sign: keyless signs as a job of GitHub Actions, and this process does not run in one")
                .with_hint("sign with a key (sign: key)"),
        });
    };
    let url = Url::parse(url)
        .ok()
        .filter(is_confidential)
        .ok_or_else(|| {
            Failure::input("ACTIONS_ID_TOKEN_REQUEST_URL is not an https address")
                .with_reason("the token that is shown there must not be read on the way")
        })?;
    let log = invocation.log.clone();
    Ok(IdTokenSource {
        url,
        request_token: token.into(),
        audience: invocation
            .arguments
            .text(Input::OidcAudience)
            .unwrap_or("sigstore")
            .to_owned(),
        issuer: invocation
            .arguments
            .text(Input::OidcIssuer)
            .map(str::to_owned),
        masker: SecretMasker::new(move |token| {
            let mut secrets = SecretTexts::default();
            secrets.add(token);
            log.add_secrets(&secrets);
        }),
    })
}
