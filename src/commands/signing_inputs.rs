//! The inputs that say how to sign.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use super::invocation::Invocation;
use super::{attestation_inputs, github_inputs, keyless_inputs, pem_input, sigstore_inputs};
use crate::actions::{ProcessEnvironment, SecretTexts};
use crate::cli::InputError;
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
const KEY_INPUT: &str = "COSIGN_PRIVATE_KEY";
const PASSWORD_VARIABLE: &str = "COSIGN_PASSWORD";

/// Reads how to sign, if at all.
pub(super) async fn read_signing(
    invocation: &Invocation,
) -> Result<Option<SigningOptions>, Failure> {
    let arguments = &invocation.arguments;
    let keeps = arguments.switch(GITHUB_ATTESTATIONS_INPUT)?;
    let Some(way) = arguments.choice("sign")?.filter(|way| *way != "off") else {
        let any = [
            &KEY_INPUTS[..],
            &keyless_inputs::KEYLESS_INPUTS,
            &sigstore_inputs::LOG_INPUTS,
            &BOTH_INPUTS,
        ];
        refuse_unused(
            invocation,
            &any.concat(),
            "nothing is signed",
            "say how: sign: key or sign: keyless",
        )?;
        if keeps {
            return Err(Failure::input(format!(
                "{GITHUB_ATTESTATIONS_INPUT} is given, and nothing is signed"
            ))
            .with_hint("say sign: keyless, or leave it out"));
        }
        return Ok(None);
    };
    let is_keyless = way == "keyless";
    let forms = match arguments.choice("signature-format")? {
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
        recursive: arguments.switch("recursive")?,
        attestations,
        github,
        created: current_time(),
    }))
}

/// What a file is signed with, in the one form that there is for files.
pub(super) async fn file_signer(invocation: &Invocation) -> Result<Signer, Failure> {
    let way = invocation
        .arguments
        .choice("sign")?
        .filter(|way| *way != "off");
    let way = way.ok_or_else(|| {
        Failure::input("nothing says how to sign").with_hint("say sign: key or sign: keyless")
    })?;
    let signer = signer(invocation, way == "keyless", &[SignatureFormat::Bundle]).await?;
    match signer {
        Signer::Key(_) => Err(Failure::input("sign: key needs transparency-log: on for a file")
            .why("verify-bundle wants a proof of when a file was signed, and a key alone gives none")
            .with_hint("say transparency-log: on, or sign: keyless")),
        signer => Ok(signer),
    }
}

/// What is signed with.
async fn signer(
    invocation: &Invocation,
    is_keyless: bool,
    forms: &[SignatureFormat],
) -> Result<Signer, Failure> {
    if !is_keyless {
        return key_signer(invocation, forms);
    }
    refuse_unused(
        invocation,
        &KEY_INPUTS,
        "keyless signs without it",
        "say sign: key",
    )?;
    Ok(Signer::Keyless(Arc::new(
        keyless_inputs::read_keyless(invocation, forms).await?,
    )))
}

/// A key says all by itself, so that it is logged only where that is asked for.
fn key_signer(invocation: &Invocation, forms: &[SignatureFormat]) -> Result<Signer, Failure> {
    refuse_unused(
        invocation,
        &keyless_inputs::KEYLESS_INPUTS,
        "a key signs without it",
        "say sign: keyless",
    )?;
    if invocation.arguments.choice("transparency-log")? == Some("on") {
        let instance = sigstore_inputs::key_instance(invocation, forms)?;
        return Ok(Signer::LoggedKey(Arc::new(LoggedKeySigner::new(
            load_key(invocation)?,
            instance,
        ))));
    }
    refuse_unused(
        invocation,
        &sigstore_inputs::LOG_INPUTS,
        "what a key signs is not logged",
        "say transparency-log: on or sign: keyless",
    )?;
    Ok(Signer::Key(load_key(invocation)?))
}

const GITHUB_ATTESTATIONS_INPUT: &str = "github-attestations";

/// Where GitHub keeps attestations, where there are any that it takes: bundles with a certificate, which
/// is how it knows the repository that they are of.
fn github_attestation_store(
    invocation: &Invocation,
    is_keyless: bool,
    forms: &[SignatureFormat],
    attestations: &[Predicate],
) -> Result<github::AttestationStore, Failure> {
    let refused =
        |why: &str| Failure::input(format!("{GITHUB_ATTESTATIONS_INPUT} is given, and {why}"));
    if !is_keyless {
        return Err(refused("a key signs")
            .why("GitHub and gh go by the certificate in a bundle, and a key's has none")
            .with_hint("say sign: keyless, or leave it out"));
    }
    if !forms.contains(&SignatureFormat::Bundle) {
        return Err(refused("signature-format: legacy makes no bundles")
            .with_hint("say signature-format: bundle or both, or leave it out"));
    }
    if attestations.is_empty() {
        return Err(refused("nothing is attested").with_hint(
            "give sbom, scan-report, provenance or verification-summary, or leave it out",
        ));
    }
    github_inputs::open_attestation_store(invocation)
}

/// The secrets that the environment holds by itself, whatever the verb.
pub fn environment_secrets(environment: &ProcessEnvironment) -> SecretTexts {
    let mut secrets = SecretTexts::default();
    let variables = [
        KEY_INPUT,
        PASSWORD_VARIABLE,
        keyless_inputs::REQUEST_TOKEN_VARIABLE,
    ];
    for text in variables.iter().filter_map(|name| environment.get(name)) {
        secrets.add(text);
    }
    secrets
}

/// The inputs that only signing with a key takes, and those that either way does.
const KEY_INPUTS: [&str; 1] = ["signing-key"];
const BOTH_INPUTS: [&str; 6] = [
    "transparency-log",
    "sign-annotations",
    "sbom",
    "scan-report",
    "provenance",
    "verification-summary",
];

/// What is given and not used is a mistake, which would leave an image unsigned or signed otherwise.
fn refuse_unused(
    invocation: &Invocation,
    unused: &[&'static str],
    why: &str,
    instead: &str,
) -> Result<(), Failure> {
    let mut unused = unused.iter();
    let arguments = &invocation.arguments;
    // Checking the source goes by it as well.
    let checks = arguments.is_accepted("verify-source") && arguments.switch("verify-source")?;
    let is_used = |name: &str| checks && name == "trusted-root";
    match unused.find(|name| !is_used(name) && !arguments.entries(name).is_empty()) {
        Some(name) => Err(Failure::input(format!("{name} is given, and {why}"))
            .with_hint(format!("{instead}, or leave it out"))),
        None => Ok(()),
    }
}

/// It opens while other things are done.
fn load_key(invocation: &Invocation) -> Result<LazyPrivateKey, Failure> {
    let entry = invocation.arguments.entries("signing-key").first();
    let text = match (entry, invocation.environment.get(KEY_INPUT)) {
        (Some(entry), _) => {
            let wrong = |reason: String| {
                invocation
                    .arguments
                    .entry_error("signing-key", entry, reason)
            };
            pem_input::text_or_file(&entry.text).map_err(wrong)?
        }
        (None, Some(text)) => text.to_owned(),
        (None, None) => {
            return Err(
                Failure::input("sign: key needs a key, and none is given").with_hint(format!(
                    "give signing-key as text or file, or set {KEY_INPUT}"
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
        let place = if entry.is_some() {
            "signing-key"
        } else {
            KEY_INPUT
        };
        invocation
            .arguments
            .error(place, None, error.to_string())
            .into()
    })
}

fn parse_annotations(invocation: &Invocation) -> Result<BTreeMap<String, String>, InputError> {
    let mut annotations = run_annotations(&invocation.environment);
    for entry in invocation.arguments.entries("sign-annotations") {
        let wrong = |reason| {
            invocation
                .arguments
                .entry_error("sign-annotations", entry, reason)
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
    let run = || {
        let (server, repository) = (get("GITHUB_SERVER_URL")?, get("GITHUB_REPOSITORY")?);
        let id = get("GITHUB_RUN_ID")?;
        Some(format!("{server}/{repository}/actions/runs/{id}"))
    };
    let workflow = get("GITHUB_WORKFLOW_REF").or_else(|| get("GITHUB_WORKFLOW"));
    let variables = [
        ("workflow", workflow.map(str::to_owned)),
        (ImageClaim::RUN_ANNOTATION, run()),
    ];
    let variables = variables.into_iter().filter(|_| environment.is_in_runner());
    variables
        .filter_map(|(name, value)| Some((name.to_owned(), value?)))
        .collect()
}

#[expect(clippy::disallowed_methods, reason = "the surface reads the clock")]
fn current_time() -> String {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    to_rfc3339(since.map_or(0, |since| since.as_secs()))
}

/// Seconds since 1970 as `2026-11-20T21:48:08Z` (days to a date: Howard Hinnant's algorithm).
fn to_rfc3339(seconds: u64) -> String {
    let (days, second) = (seconds / 86_400 + 719_468, seconds % 86_400);
    let (era, day) = (days / 146_097, days % 146_097);
    let year = (day - day / 1460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    let march = (5 * day + 2) / 153;
    let (month, day) = ((march + 2) % 12 + 1, day - (153 * march + 2) / 5 + 1);
    let year = era * 400 + year + u64::from(month <= 2);
    format!(
        "{year:04}-{month:02}-{day:02}T{:02}:{:02}:{:02}Z",
        second / 3600,
        second / 60 % 60,
        second % 60
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_written_as_rfc_3339_says() {
        for (seconds, text) in [
            (0, "1970-01-01T00:00:00Z"),
            (951_782_399, "2000-02-28T23:59:59Z"),
            (951_782_400, "2000-02-29T00:00:00Z"),
            (951_868_800, "2000-03-01T00:00:00Z"),
            (1_795_211_288, "2026-11-20T21:48:08Z"),
            (4_107_542_399, "2100-02-28T23:59:59Z"),
        ] {
            assert_eq!(to_rfc3339(seconds), text);
        }
    }
}
