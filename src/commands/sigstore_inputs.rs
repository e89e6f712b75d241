//! The inputs that say which instance of Sigstore takes part in signing.

use std::sync::Arc;

use url::Url;

use super::{Invocation, verification_inputs};
use crate::cli::InputError;
use crate::release::{Failure, SignatureFormat};
use crate::signing::{
    FromSigningConfig, InstanceEndpoints, InstanceSource, LogEndpoints, TrustRoot,
};

/// The inputs that name an instance of one's own, as far as it logs signatures.
pub(super) const LOG_INPUTS: [&str; 4] = ["rekor-url", "tsa-url", "signing-config", "trusted-root"];
/// The one that gives certificates.
pub(super) const FULCIO_INPUT: &str = "fulcio-url";

/// The one that gives certificates and logs signatures of these forms.
pub(super) fn keyless_instance(
    given: &Invocation,
    forms: &[SignatureFormat],
) -> Result<InstanceSource<InstanceEndpoints>, Failure> {
    let inputs: Vec<_> = [FULCIO_INPUT].into_iter().chain(LOG_INPUTS).collect();
    select_instance(given, &inputs, |input| {
        let (fulcio, rekor) = (
            parse_address(given, FULCIO_INPUT)?,
            parse_address(given, "rekor-url")?,
        );
        let endpoints = match (
            load_signing_config::<InstanceEndpoints>(given)?,
            fulcio,
            rekor,
        ) {
            (Some(config), fulcio, _) => InstanceEndpoints {
                fulcio: fulcio.unwrap_or(config.fulcio),
                logs: config.logs,
            },
            (None, Some(fulcio), Some(_)) => InstanceEndpoints {
                fulcio,
                logs: NO_LOG_ENDPOINTS,
            },
            (None, ..) => {
                return Err(Failure::input(format!(
                    "{input} is given, and not where to sign: signing-config, or fulcio-url and rekor-url"
                )));
            }
        };
        Ok(InstanceEndpoints {
            logs: override_endpoints(given, endpoints.logs, forms)?,
            ..endpoints
        })
    })
}

/// The one that logs what a key signs in these forms.
pub(super) fn key_instance(
    given: &Invocation,
    forms: &[SignatureFormat],
) -> Result<InstanceSource<LogEndpoints>, Failure> {
    select_instance(given, &LOG_INPUTS, |input| {
        let rekor = parse_address(given, "rekor-url")?;
        let logs = match (load_signing_config::<LogEndpoints>(given)?, rekor) {
            (Some(config), _) => config,
            (None, Some(_)) => NO_LOG_ENDPOINTS,
            (None, None) => {
                return Err(Failure::input(format!(
                    "{input} is given, and not where to log: signing-config or rekor-url"
                )));
            }
        };
        override_endpoints(given, logs, forms)
    })
}

const NO_LOG_ENDPOINTS: LogEndpoints = LogEndpoints {
    v1: None,
    v2: None,
    authority: None,
};

/// The public instance, unless one of `inputs` names another.
fn select_instance<S>(
    given: &Invocation,
    inputs: &[&'static str],
    services: impl FnOnce(&str) -> Result<S, Failure>,
) -> Result<InstanceSource<S>, Failure> {
    let Some(input) = inputs.iter().find(|name| input_text(given, name).is_some()) else {
        return Ok(InstanceSource::Public(Box::new(
            verification_inputs::tuf_repository(given),
        )));
    };
    let Some(root) = read_input_file(given, "trusted-root")? else {
        return Err(
            Failure::input(format!("{input} is given without trusted-root"))
                .why("what a private instance gives is checked before it is written")
                .with_hint(
                    "give the instance's trusted_root.json (cosign trusted-root create writes one)",
                ),
        );
    };
    let root = TrustRoot::parse(root.as_bytes()).map_err(|error| {
        let reason = format!("is no trusted root: {error}");
        given.arguments.error("trusted-root", None, reason)
    })?;
    Ok(InstanceSource::Private {
        services: services(input)?,
        root: Arc::new(root),
    })
}

fn load_signing_config<S: FromSigningConfig>(given: &Invocation) -> Result<Option<S>, Failure> {
    let config = read_input_file(given, "signing-config")?;
    let config = config.map(|json| S::read(&json)).transpose();
    config.map_err(|error| {
        let error = given
            .arguments
            .error("signing-config", None, error.to_string());
        error.into()
    })
}

/// These logs, as far as no input names others, where they do for the forms.
fn override_endpoints(
    given: &Invocation,
    mut logs: LogEndpoints,
    forms: &[SignatureFormat],
) -> Result<LogEndpoints, Failure> {
    if let Some(rekor) = parse_address(given, "rekor-url")? {
        (logs.v1, logs.v2) = (Some(rekor), None);
    }
    logs.authority = parse_address(given, "tsa-url")?.or(logs.authority);
    match forms.contains(&SignatureFormat::Legacy) && logs.v1.is_none() {
        true => Err(Failure::input(
            "signature-format: legacy and both need a Rekor v1, and the instance has none",
        )
        .why("the older form holds the log's signed timestamp, which Rekor v2 does not give")
        .with_hint("say signature-format: bundle, or give rekor-url")),
        false => Ok(logs),
    }
}

fn input_text<'a>(given: &'a Invocation, name: &'static str) -> Option<&'a str> {
    given.arguments.text(name)
}

fn read_input_file(given: &Invocation, name: &'static str) -> Result<Option<String>, InputError> {
    let path = input_text(given, name);
    let read = path.map(std::fs::read_to_string).transpose();
    read.map_err(|error| {
        let reason = format!("{:?} cannot be read: {error}", path.unwrap_or_default());
        given.arguments.error(name, None, reason)
    })
}

fn parse_address(given: &Invocation, name: &'static str) -> Result<Option<Url>, InputError> {
    let Some(entry) = given.arguments.entries(name).first() else {
        return Ok(None);
    };
    let url = Url::parse(&entry.text).ok().filter(is_confidential);
    let wrong = || {
        given
            .arguments
            .entry_error(name, entry, "is no https address")
    };
    url.map(Some).ok_or_else(wrong)
}

/// Whether what goes there can be read by nobody else: plain HTTP stays on this machine.
pub(super) fn is_confidential(url: &Url) -> bool {
    match (url.scheme(), url.host()) {
        ("https", Some(_)) => true,
        ("http", Some(url::Host::Domain(name))) => name == "localhost",
        ("http", Some(url::Host::Ipv4(address))) => address.is_loopback(),
        ("http", Some(url::Host::Ipv6(address))) => address.is_loopback(),
        _ => false,
    }
}
