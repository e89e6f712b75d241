//! The inputs that say how to sign.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;

use super::invocation::Invocation;
use super::unused_inputs::refuse_unused_inputs;
use super::verification_inputs::refuse_cosign_repository;
use super::{
    attestation_inputs, credential_inputs, github_inputs, keyless_inputs, pem_input,
    sigstore_inputs,
};
use crate::actions::{ProcessEnvironment, SecretTexts};
use crate::cli::{Input, InputCondition, InputError};
use crate::github;
use crate::release::{Failure, SignatureFormat, SigningOptions};
use crate::signing::{ImageClaim, LazyPrivateKey, LoggedKeySigner, Predicate, Signer};

/// What a signature says by itself, which the user cannot say otherwise.
const RESERVED_ANNOTATIONS: [&str; 5] = [
    "commit",
    "ref",
    "version",
    "workflow",
    ImageClaim::RUN_ANNOTATION,
];
const KEY_VARIABLE: &str = "COSIGN_PRIVATE_KEY";
const PASSWORD_VARIABLE: &str = "COSIGN_PASSWORD";

/// Reads how to sign, if at all.
pub(super) async fn read_signing(
    invocation: &Invocation,
) -> Result<Option<SigningOptions>, Failure> {
    let arguments = &invocation.arguments;
    let keeps = arguments.switch(Input::GithubAttestations)?;
    let Some(way) = arguments.choice(Input::Sign)?.filter(|way| *way != "off") else {
        refuse_unused_inputs(arguments, &SIGNING_CONDITIONS)?;
        if keeps {
            return Err(Failure::input(format!(
                "{} is given, and nothing is signed",
                Input::GithubAttestations
            ))
            .with_hint("set sign: keyless, or remove the input"));
        }
        return Ok(None);
    };
    refuse_cosign_repository(invocation)?;
    let is_keyless = way == "keyless";
    let forms = match arguments.choice(Input::SignatureFormat)? {
        Some("bundle") => vec![SignatureFormat::Bundle],
        Some("legacy") => vec![SignatureFormat::Legacy],
        None if is_keyless => vec![SignatureFormat::Bundle],
        _ => vec![SignatureFormat::Bundle, SignatureFormat::Legacy],
    };
    let signer = signer(invocation, is_keyless, &forms).await?;
    let attestations = attestation_inputs::load_predicates(invocation)?;
    let github = match keeps {
        true => Some(github_attestation_store(
            invocation,
            is_keyless,
            &forms,
            &attestations,
        )?),
        false => None,
    };
    Ok(Some(SigningOptions {
        signer,
        formats: forms,
        annotations: parse_annotations(invocation)?,
        recursive: arguments.switch(Input::Recursive)?,
        attestations,
        allows_unbound: false,
        assigns_reports: false,
        github,
        created: current_time(),
    }))
}

/// Reads what a record is signed with, if at all.
///
/// # Errors
/// Inputs that contradict each other, and a key that cannot be read.
pub(super) async fn record_signer(invocation: &Invocation) -> Result<Option<Signer>, Failure> {
    let way = invocation.arguments.choice(Input::Sign)?;
    let Some(way) = way.filter(|way| *way != "off") else {
        refuse_unused_inputs(&invocation.arguments, &SIGNING_CONDITIONS)?;
        return Ok(None);
    };
    signer(invocation, way == "keyless", &[SignatureFormat::Bundle])
        .await
        .map(Some)
}

/// What a file is signed with, in the one form that there is for files.
pub(super) async fn file_signer(invocation: &Invocation) -> Result<Signer, Failure> {
    let way = invocation
        .arguments
        .choice(Input::Sign)?
        .filter(|way| *way != "off");
    let way = way.ok_or_else(|| {
        Failure::input("nothing says how to sign").with_hint("set sign: key or sign: keyless")
    })?;
    if invocation.arguments.choice(Input::TransparencyLog)? == Some("attestations") {
        return Err(
            Failure::input("transparency-log: attestations is for attestations of images")
                .with_reason("the bundle of a file has one signature")
                .with_hint("set transparency-log: on"),
        );
    }
    let signer = signer(invocation, way == "keyless", &[SignatureFormat::Bundle]).await?;
    match signer {
        Signer::Key(_) => Err(Failure::input("sign: key needs transparency-log: on for a file")
            .with_reason("verify-bundle requires proof of the time of signing, and a key alone gives none")
            .with_hint("set transparency-log: on, or sign: keyless")),
        signer => Ok(signer),
    }
}

/// What is signed with.
async fn signer(
    invocation: &Invocation,
    is_keyless: bool,
    forms: &[SignatureFormat],
) -> Result<Signer, Failure> {
    refuse_unused_inputs(&invocation.arguments, &SIGNING_CONDITIONS)?;
    if !is_keyless {
        return key_signer(invocation, forms);
    }
    Ok(Signer::Keyless(Arc::new(
        keyless_inputs::read_keyless(invocation, forms).await?,
    )))
}

/// A key says all by itself, so that it is logged only where that is asked for.
fn key_signer(invocation: &Invocation, forms: &[SignatureFormat]) -> Result<Signer, Failure> {
    let log_mode = invocation.arguments.choice(Input::TransparencyLog)?;
    let Some(mode @ ("on" | "attestations")) = log_mode else {
        return Ok(Signer::Key(load_key(invocation)?));
    };
    let instance = sigstore_inputs::key_instance(invocation, forms)?;
    let signer = LoggedKeySigner::new(load_key(invocation)?, instance);
    Ok(Signer::LoggedKey(Arc::new(match mode {
        "attestations" => signer.without_logged_attestations(),
        _ => signer,
    })))
}

/// Where GitHub keeps attestations, where there are any that it takes: bundles with a certificate, which
/// is how it knows the repository that they are of.
fn github_attestation_store(
    invocation: &Invocation,
    is_keyless: bool,
    forms: &[SignatureFormat],
    attestations: &[Predicate],
) -> Result<github::AttestationStore, Failure> {
    let refused =
        |why: &str| Failure::input(format!("{} is given, and {why}", Input::GithubAttestations));
    if !is_keyless {
        return Err(refused("a key signs")
            .with_reason("GitHub and gh check the certificate in a bundle, and the bundle of a key contains none")
            .with_hint("set sign: keyless, or remove the input"));
    }
    if !forms.contains(&SignatureFormat::Bundle) {
        return Err(refused("signature-format: legacy makes no bundles")
            .with_hint("set signature-format: bundle or both, or remove the input"));
    }
    if attestations.is_empty() {
        return Err(refused("nothing is attested").with_hint(
            "give sbom, scan-report, provenance or verification-summary, or remove the input",
        ));
    }
    github_inputs::open_attestation_store(invocation)
}

/// The secrets that the environment holds by itself, whatever the verb.
pub fn environment_secrets(environment: &ProcessEnvironment) -> SecretTexts {
    let mut secrets = SecretTexts::default();
    credential_inputs::add_variable_secrets(&mut secrets, environment);
    let variables = [
        KEY_VARIABLE,
        PASSWORD_VARIABLE,
        keyless_inputs::REQUEST_TOKEN_VARIABLE,
    ];
    for text in variables.iter().filter_map(|name| environment.get(name)) {
        secrets.add(text);
    }
    secrets
}

/// Conditions under which inputs of signing have an effect.
const SIGNING_CONDITIONS: [InputCondition; 4] = [
    InputCondition::Signs,
    InputCondition::SignsWithKey,
    InputCondition::SignsKeyless,
    InputCondition::LogsSignature,
];

/// It opens while other things are done.
fn load_key(invocation: &Invocation) -> Result<LazyPrivateKey, Failure> {
    let entry = invocation.arguments.entries(Input::SigningKey).first();
    let text = match (entry, invocation.environment.get(KEY_VARIABLE)) {
        (Some(entry), _) => {
            let wrong = |reason: String| {
                invocation
                    .arguments
                    .entry_error(Input::SigningKey, entry, reason)
            };
            pem_input::text_or_file(&entry.text).map_err(wrong)?
        }
        (None, Some(text)) => text.to_owned(),
        (None, None) => {
            return Err(
                Failure::input("sign: key needs a key, and none is given").with_hint(format!(
                    "give signing-key as text or file, or set {KEY_VARIABLE}; a secret that this job cannot read is empty"
                )),
            );
        }
    };
    let mut secrets = SecretTexts::default();
    secrets.add(&text);
    invocation.log.add_secrets(&secrets);
    let password = invocation
        .environment
        .get(PASSWORD_VARIABLE)
        .unwrap_or_default();
    LazyPrivateKey::load(&text, password).map_err(|error| {
        if let Some(entry) = entry {
            let (arguments, reason) = (&invocation.arguments, error.to_string());
            return match pem_input::is_path(&entry.text) {
                true => arguments.file_error(Input::SigningKey, reason).into(),
                false => arguments.error(Input::SigningKey, None, reason).into(),
            };
        }
        Failure::input(format!("{KEY_VARIABLE}: {error}"))
    })
}

fn parse_annotations(invocation: &Invocation) -> Result<BTreeMap<String, String>, InputError> {
    let mut annotations = run_annotations(&invocation.environment);
    for entry in invocation.arguments.entries(Input::SignAnnotations) {
        let wrong = |reason| {
            invocation
                .arguments
                .entry_error(Input::SignAnnotations, entry, reason)
        };
        let (name, value) = entry
            .text
            .split_once('=')
            .ok_or_else(|| wrong("is not of the form NAME=VALUE"))?;
        let name = name.trim();
        if name.is_empty() {
            return Err(wrong("has no name before the ="));
        }
        if RESERVED_ANNOTATIONS.contains(&name) {
            return Err(wrong("is what every signature says by itself"));
        }
        if annotations
            .insert(name.to_owned(), value.trim().to_owned())
            .is_some()
        {
            return Err(wrong("is said twice"));
        }
    }
    Ok(annotations)
}

/// The workflow and the run. A re-run is the same run.
fn run_annotations(environment: &ProcessEnvironment) -> BTreeMap<String, String> {
    let get = |name| environment.get(name);
    let workflow = get("GITHUB_WORKFLOW_REF").or_else(|| get("GITHUB_WORKFLOW"));
    let variables = [
        ("workflow", workflow.map(str::to_owned)),
        (ImageClaim::RUN_ANNOTATION, environment.run_uri()),
    ];
    let variables = variables.into_iter().filter(|_| environment.is_in_runner());
    variables
        .filter_map(|(name, value)| Some((name.to_owned(), value?)))
        .collect()
}

/// Returns the time as `2026-11-20T21:48:08Z` (RFC 3339, in whole seconds).
#[expect(clippy::disallowed_methods, reason = "the surface reads the clock")]
fn current_time() -> String {
    format!("{:.0}", Timestamp::now())
}
