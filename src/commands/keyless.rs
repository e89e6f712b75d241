//! The inputs that say how to sign with the identity of the job.

use url::Url;

use super::Given;
use super::instance::{self, is_safe};
use crate::actions::Secrets;
use crate::event::Workflow;
use crate::release::{Failure, Form};
use crate::signing::{Conceal, Instance, Keyless, TokenSource};

/// The inputs that only signing so takes, whatever else is said.
pub(super) const INPUTS: [&str; 3] = [instance::FULCIO, "oidc-issuer", "oidc-audience"];

/// Signing as the job that runs, in these forms.
pub(super) fn read(given: &Given, workflow: &Workflow, forms: &[Form]) -> Result<Keyless, Failure> {
    let tokens = tokens(given)?;
    let instance = instance::of_keyless(given, forms)?;
    let agreed = logged(given)?;
    if matches!(instance, Instance::Public(_))
        && workflow.repository.private == Some(true)
        && !agreed
    {
        return Err(private());
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

/// That the public log is not for a private repository unless somebody says so.
fn private() -> Failure {
    Failure::input("sign: keyless in a repository that is not public needs transparency-log: on")
        .why("the log of Sigstore's public instance is for everybody to read, and shows the names of the repository, its workflow and its branch")
        .hint("say transparency-log: on if that is meant; else sign with a key, or with an instance of your own (signing-config, trusted-root)")
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
