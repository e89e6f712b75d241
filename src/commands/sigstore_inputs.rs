//! The inputs that say which instance of Sigstore takes part in signing.

use std::path::Path;
use std::sync::Arc;

use super::invocation::Invocation;
use super::local_files::read_text_file;
use super::service_address::parse_address;
use super::trust_inputs;
use crate::cli::{Input, InputError};
use crate::release::{Failure, SignatureFormat};
use crate::signing::{
    FromSigningConfig, InstanceEndpoints, InstanceSource, LogEndpoints, TrustRoot,
};

/// Inputs that name a private instance, as far as it logs signatures.
const LOG_INPUTS: [Input; 4] = [
    Input::RekorUrl,
    Input::TsaUrl,
    Input::SigningConfig,
    Input::TrustedRoot,
];

/// The one that gives certificates and logs signatures of these forms.
pub(super) fn keyless_instance(
    invocation: &Invocation,
    forms: &[SignatureFormat],
) -> Result<InstanceSource<InstanceEndpoints>, Failure> {
    let inputs: Vec<_> = [Input::FulcioUrl].into_iter().chain(LOG_INPUTS).collect();
    select_instance(invocation, &inputs, |input| {
        let (fulcio, rekor) = (
            parse_address(invocation, Input::FulcioUrl)?,
            parse_address(invocation, Input::RekorUrl)?,
        );
        let endpoints = match (
            load_signing_config::<InstanceEndpoints>(invocation)?,
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
            logs: override_endpoints(invocation, endpoints.logs, forms)?,
            ..endpoints
        })
    })
}

/// The one that logs what a key signs in these forms.
pub(super) fn key_instance(
    invocation: &Invocation,
    forms: &[SignatureFormat],
) -> Result<InstanceSource<LogEndpoints>, Failure> {
    select_instance(invocation, &LOG_INPUTS, |input| {
        let rekor = parse_address(invocation, Input::RekorUrl)?;
        let logs = match (load_signing_config::<LogEndpoints>(invocation)?, rekor) {
            (Some(config), _) => config,
            (None, Some(_)) => NO_LOG_ENDPOINTS,
            (None, None) => {
                return Err(Failure::input(format!(
                    "{input} is given, and not where to log: signing-config or rekor-url"
                )));
            }
        };
        override_endpoints(invocation, logs, forms)
    })
}

const NO_LOG_ENDPOINTS: LogEndpoints = LogEndpoints {
    v1: None,
    v2: None,
    authority: None,
};

/// The public instance, unless one of `inputs` names another.
fn select_instance<S>(
    invocation: &Invocation,
    inputs: &[Input],
    services: impl FnOnce(Input) -> Result<S, Failure>,
) -> Result<InstanceSource<S>, Failure> {
    let Some(input) = inputs
        .iter()
        .find(|input| invocation.arguments.text(**input).is_some())
    else {
        return Ok(InstanceSource::Public(Box::new(
            trust_inputs::tuf_repository(invocation),
        )));
    };
    let Some(root) = read_input_file(invocation, Input::TrustedRoot)? else {
        return Err(
            Failure::input(format!("{input} is given without trusted-root"))
                .with_reason("what a private instance gives is checked before it is written")
                .with_hint(
                    "give the instance's trusted_root.json (cosign trusted-root create writes one)",
                ),
        );
    };
    let root = TrustRoot::parse(root.as_bytes()).map_err(|error| {
        let reason = format!("is not a trusted root: {error}");
        invocation.arguments.file_error(Input::TrustedRoot, reason)
    })?;
    Ok(InstanceSource::Private {
        services: services(*input)?,
        root: Arc::new(root),
    })
}

fn load_signing_config<S: FromSigningConfig>(
    invocation: &Invocation,
) -> Result<Option<S>, Failure> {
    let config = read_input_file(invocation, Input::SigningConfig)?;
    let config = config.map(|json| S::read(&json)).transpose();
    config.map_err(|error| {
        let error = invocation
            .arguments
            .file_error(Input::SigningConfig, error.to_string());
        error.into()
    })
}

/// These logs, as far as no input names others, where they do for the forms.
fn override_endpoints(
    invocation: &Invocation,
    mut logs: LogEndpoints,
    forms: &[SignatureFormat],
) -> Result<LogEndpoints, Failure> {
    if let Some(rekor) = parse_address(invocation, Input::RekorUrl)? {
        (logs.v1, logs.v2) = (Some(rekor), None);
    }
    logs.authority = parse_address(invocation, Input::TsaUrl)?.or(logs.authority);
    match forms.contains(&SignatureFormat::Legacy) && logs.v1.is_none() {
        true => Err(Failure::input(
            "signature-format: legacy and both need a Rekor v1, and the instance has none",
        )
        .with_reason(
            "the legacy format contains the log's signed timestamp, which Rekor v2 does not give",
        )
        .with_hint("set signature-format: bundle, or give rekor-url")),
        false => Ok(logs),
    }
}

fn read_input_file(invocation: &Invocation, input: Input) -> Result<Option<String>, InputError> {
    let path = invocation.arguments.text(input);
    let read = path.map(|path| {
        read_text_file(Path::new(path)).map_err(|error| {
            let reason = format!("{path:?} {error:#}");
            invocation.arguments.file_error(input, reason)
        })
    });
    read.transpose()
}
