//! The inputs that say which instance of Sigstore takes part in signing.

use std::sync::Arc;

use url::Url;

use super::{Given, trust};
use crate::cli::InputError;
use crate::release::{Failure, Form};
use crate::signing::{Configured, Endpoints, Instance, Logs, TrustRoot};

/// The inputs that name an instance of one's own, as far as it logs signatures.
pub(super) const LOG_INPUTS: [&str; 4] = ["rekor-url", "tsa-url", "signing-config", "trusted-root"];
/// The one that gives certificates.
pub(super) const FULCIO: &str = "fulcio-url";

/// The one that gives certificates and logs signatures of these forms.
pub(super) fn of_keyless(given: &Given, forms: &[Form]) -> Result<Instance<Endpoints>, Failure> {
    let inputs: Vec<_> = [FULCIO].into_iter().chain(LOG_INPUTS).collect();
    own(given, &inputs, |said| {
        let (fulcio, rekor) = (address(given, FULCIO)?, address(given, "rekor-url")?);
        let endpoints = match (config::<Endpoints>(given)?, fulcio, rekor) {
            (Some(config), fulcio, _) => Endpoints {
                fulcio: fulcio.unwrap_or(config.fulcio),
                logs: config.logs,
            },
            (None, Some(fulcio), Some(_)) => Endpoints {
                fulcio,
                logs: NO_LOGS,
            },
            (None, ..) => {
                return Err(Failure::input(format!(
                    "{said} is given, and not where to sign: signing-config, or fulcio-url and rekor-url"
                )));
            }
        };
        Ok(Endpoints {
            logs: named(given, endpoints.logs, forms)?,
            ..endpoints
        })
    })
}

/// The one that logs what a key signs in these forms.
pub(super) fn of_key(given: &Given, forms: &[Form]) -> Result<Instance<Logs>, Failure> {
    own(given, &LOG_INPUTS, |said| {
        let rekor = address(given, "rekor-url")?;
        let logs = match (config::<Logs>(given)?, rekor) {
            (Some(config), _) => config,
            (None, Some(_)) => NO_LOGS,
            (None, None) => {
                return Err(Failure::input(format!(
                    "{said} is given, and not where to log: signing-config or rekor-url"
                )));
            }
        };
        named(given, logs, forms)
    })
}

const NO_LOGS: Logs = Logs {
    v1: None,
    v2: None,
    authority: None,
};

/// The public instance, unless one of `inputs` names another.
fn own<S>(
    given: &Given,
    inputs: &[&'static str],
    services: impl FnOnce(&str) -> Result<S, Failure>,
) -> Result<Instance<S>, Failure> {
    let Some(said) = inputs.iter().find(|name| text(given, name).is_some()) else {
        return Ok(Instance::Public(Box::new(trust::repository(given))));
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
    let root = TrustRoot::read(root.as_bytes()).map_err(|error| {
        let reason = format!("is no trusted root: {error}");
        given.arguments.error("trusted-root", None, reason)
    })?;
    Ok(Instance::Own {
        services: services(said)?,
        root: Arc::new(root),
    })
}

fn config<S: Configured>(given: &Given) -> Result<Option<S>, Failure> {
    let config = file(given, "signing-config")?;
    let config = config.map(|json| S::read(&json)).transpose();
    config.map_err(|error| {
        let error = given
            .arguments
            .error("signing-config", None, error.to_string());
        error.into()
    })
}

/// These logs, as far as no input names others, where they do for the forms.
fn named(given: &Given, mut logs: Logs, forms: &[Form]) -> Result<Logs, Failure> {
    if let Some(rekor) = address(given, "rekor-url")? {
        (logs.v1, logs.v2) = (Some(rekor), None);
    }
    logs.authority = address(given, "tsa-url")?.or(logs.authority);
    match forms.contains(&Form::Legacy) && logs.v1.is_none() {
        true => Err(Failure::input(
            "signature-format: legacy and both need a Rekor v1, and the instance has none",
        )
        .why("the older form holds the log's signed timestamp, which Rekor v2 does not give")
        .hint("say signature-format: bundle, or give rekor-url")),
        false => Ok(logs),
    }
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
