//! The inputs that say how to sign with the identity of the job.

use url::Url;

use super::instance::{self, is_safe};
use super::{Given, visibility};
use crate::actions::Secrets;
use crate::release::{Failure, Form};
use crate::signing::{Conceal, Keyless, TokenSource};

/// The inputs that only signing so takes, whatever else is said.
pub(super) const INPUTS: [&str; 3] = [instance::FULCIO, "oidc-issuer", "oidc-audience"];

/// Reads how to sign as the job that runs, in these forms.
pub(super) async fn read(given: &Given, forms: &[Form]) -> Result<Keyless, Failure> {
    let tokens = tokens(given)?;
    let instance = instance::of_keyless(given, forms)?;
    let agreed = logged(given)?;
    if instance.is_public() && !agreed {
        visibility::require_public(given).await?;
    }
    Ok(Keyless::new(tokens, instance, agreed))
}

/// Whether it is said that a log is meant. Nothing is signed keyless without one.
fn logged(given: &Given) -> Result<bool, Failure> {
    match given.arguments.choice("transparency-log")? {
        Some("off") => Err(Failure::input(
            "transparency-log: off is given, and a keyless signature is always logged",
        )
        .hint("sign with a key (sign: key), or leave it out")),
        said => Ok(said.is_some()),
    }
}

/// The variable with what the runner asks for before it gives an identity token.
pub(super) const REQUEST_TOKEN: &str = "ACTIONS_ID_TOKEN_REQUEST_TOKEN";

fn tokens(given: &Given) -> Result<TokenSource, Failure> {
    let environment = &given.environment;
    let url = environment.get("ACTIONS_ID_TOKEN_REQUEST_URL");
    let token = environment.get(REQUEST_TOKEN);
    let (Some(url), Some(token)) = (url, token) else {
        return Err(match environment.in_runner() {
            true => Failure::input("sign: keyless needs the identity token of the job, and the runner gives none")
                .why("ACTIONS_ID_TOKEN_REQUEST_URL and ACTIONS_ID_TOKEN_REQUEST_TOKEN are not set")
                .hint("give the job permissions: id-token: write; a pull request from a fork never has it"),
            false => Failure::input("sign: keyless signs as a job of GitHub Actions, and this is none")
                .hint("sign with a key (sign: key)"),
        });
    };
    let url = Url::parse(url).ok().filter(is_safe).ok_or_else(|| {
        Failure::input("ACTIONS_ID_TOKEN_REQUEST_URL is no https address")
            .why("the token that is shown there must not be read on the way")
    })?;
    let log = given.log.clone();
    Ok(TokenSource {
        url,
        request_token: token.into(),
        audience: given
            .arguments
            .text("oidc-audience")
            .unwrap_or("sigstore")
            .to_owned(),
        issuer: given.arguments.text("oidc-issuer").map(str::to_owned),
        conceal: Conceal::new(move |token| {
            let mut secrets = Secrets::default();
            secrets.add(token);
            log.hide(&secrets);
        }),
    })
}
