//! The inputs that say how to sign with the identity of the job.

use std::sync::Arc;

use url::Url;

use super::Given;
use super::signing::add;
use crate::actions::Secrets;
use crate::cli::InputError;
use crate::event::Workflow;
use crate::release::{Failure, Form};
use crate::signing::{Conceal, Endpoints, Instance, Keyless, TokenSource, TrustRoot};

/// The inputs that only signing so takes.
pub(super) const INPUTS: [&str; 7] = [
    "fulcio-url",
    "rekor-url",
    "tsa-url",
    "oidc-issuer",
    "oidc-audience",
    "signing-config",
    "trusted-root",
];

/// The inputs that name a private instance.
const OWN: [&str; 5] = [
    "fulcio-url",
    "rekor-url",
    "tsa-url",
    "signing-config",
    "trusted-root",
];

/// Signing as the job that runs, in these forms.
pub(super) fn read(given: &Given, workflow: &Workflow, forms: &[Form]) -> Result<Keyless, Failure> {
    let tokens = tokens(given)?;
    let instance = instance(given)?;
    let agreed = logged(given)?;
    match &instance {
        Instance::Public { .. } if workflow.repository.private == Some(true) && !agreed => {
            return Err(private());
        }
        Instance::Own { endpoints, .. }
            if forms.contains(&Form::Legacy) && endpoints.log_v1.is_none() =>
        {
            return Err(Failure::input(
                "signature-format: legacy and both need a Rekor v1, and the instance has none",
            )
            .why("the older form holds the log's signed timestamp, which Rekor v2 does not give")
            .hint("say signature-format: bundle, or give rekor-url"));
        }
        _ => {}
    }
    Ok(Keyless::new(tokens, instance))
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
        audience: text(given, "oidc-audience")
            .unwrap_or("sigstore")
            .to_owned(),
        issuer: text(given, "oidc-issuer").map(str::to_owned),
        conceal: Conceal::new(move |token| {
            let mut secrets = Secrets::default();
            add(&mut secrets, token);
            log.hide(&secrets);
        }),
    })
}

fn instance(given: &Given) -> Result<Instance, Failure> {
    let Some(said) = OWN.into_iter().find(|name| text(given, name).is_some()) else {
        return Ok(Instance::Public {
            private: logged(given)?,
        });
    };
    let Some(root) = file(given, "trusted-root")? else {
        return Err(
            Failure::input(format!("{said} is given without trusted-root"))
                .why("what a private instance gives is checked before it is written")
                .hint(
                    "give the instance's trusted_root.json (cosign trusted-root create writes one)",
                ),
        );
    };
    let wrong = |name: &'static str, reason: String| given.arguments.error(name, None, reason);
    let root = TrustRoot::read(root.as_bytes())
        .map_err(|error| wrong("trusted-root", format!("is no trusted root: {error}")))?;
    let config = file(given, "signing-config")?;
    let config = config.map(|json| Endpoints::read(&json)).transpose();
    let config = config.map_err(|error| wrong("signing-config", error.to_string()))?;
    let (fulcio, rekor, tsa) = (
        address(given, "fulcio-url")?,
        address(given, "rekor-url")?,
        address(given, "tsa-url")?,
    );
    let mut endpoints = match (config, &fulcio, &rekor) {
        (Some(config), ..) => config,
        (None, Some(fulcio), Some(_)) => Endpoints {
            fulcio: fulcio.clone(),
            log_v1: None,
            log_v2: None,
            authority: None,
        },
        (None, ..) => {
            return Err(Failure::input(format!(
                "{said} is given, and not where to sign: signing-config, or fulcio-url and rekor-url"
            )));
        }
    };
    endpoints.fulcio = fulcio.unwrap_or(endpoints.fulcio);
    endpoints.authority = tsa.or(endpoints.authority);
    if let Some(rekor) = rekor {
        (endpoints.log_v1, endpoints.log_v2) = (Some(rekor), None);
    }
    Ok(Instance::Own {
        endpoints: Box::new(endpoints),
        root: Arc::new(root),
    })
}

fn text<'a>(given: &'a Given, name: &'static str) -> Option<&'a str> {
    given.arguments.text(name)
}

fn file(given: &Given, name: &'static str) -> Result<Option<String>, InputError> {
    let path = text(given, name);
    let read = path.map(std::fs::read_to_string).transpose();
    read.map_err(|error| {
        let reason = format!("{:?} cannot be read: {error}", path.unwrap_or_default());
        given.arguments.error(name, None, reason)
    })
}

fn address(given: &Given, name: &'static str) -> Result<Option<Url>, InputError> {
    let Some(entry) = given.arguments.entries(name).first() else {
        return Ok(None);
    };
    let url = Url::parse(&entry.text).ok().filter(is_safe);
    let wrong = || given.arguments.wrong(name, entry, "is no https address");
    url.map(Some).ok_or_else(wrong)
}

/// Whether what goes there can be read by nobody else: plain HTTP stays on this machine.
pub(super) fn is_safe(url: &Url) -> bool {
    match (url.scheme(), url.host()) {
        ("https", Some(_)) => true,
        ("http", Some(url::Host::Domain(name))) => name == "localhost",
        ("http", Some(url::Host::Ipv4(address))) => address.is_loopback(),
        ("http", Some(url::Host::Ipv6(address))) => address.is_loopback(),
        _ => false,
    }
}
