//! Signatures and records of an environment, as `policy` shows them.

use serde_json::{Value, json};

use super::policy_places::{TEXT_LIMIT, place_lines};
use crate::image::{Destination, Digest};
use crate::notices::to_printable;
use crate::policy::{EnvironmentRules, PolicySigner, Service, SignerRule};

/// Value of `signers` without one.
pub(super) const NO_SIGNERS: &str = "none (default)";
/// Value of `records` without one.
pub(super) const DEFAULT_RECORDS: &str = "repository of the images (default)";

/// Returns the value of the key `sign`.
pub(super) fn sign_phrase(environment: &EnvironmentRules) -> String {
    let word = environment.signing().as_str();
    match environment.states("sign") {
        true => word.to_owned(),
        false => format!("{word} (default)"),
    }
}

/// Returns the value of the key `adopt-until`.
pub(super) fn adopt_until_phrase(environment: &EnvironmentRules) -> String {
    match environment.adopt_until() {
        Some(last) => last.to_string(),
        None => "adopt is refused (default)".to_owned(),
    }
}

/// Returns the lines of the key `signers`: one for each key of each signer.
pub(super) fn signer_lines(environment: &EnvironmentRules) -> Vec<String> {
    let mut lines = Vec::new();
    for rule in environment.signers() {
        match &rule.signer {
            PolicySigner::Identity(identity) => {
                lines.push(signer_line("identity", &identity.subject));
                lines.push(signer_line("issuer", &identity.issuer));
                let repository = identity.repository.as_deref();
                lines.extend(repository.map(|name| signer_line("repository", name)));
            }
            PolicySigner::Key(_) => lines.push(signer_line("key", &signer_name(&rule.signer))),
        }
        lines.push(signer_line("actions", &actions_phrase(rule)));
        lines.push(signer_line("until", &until_phrase(rule)));
    }
    match lines.is_empty() {
        true => vec![NO_SIGNERS.to_owned()],
        false => lines,
    }
}

fn signer_line(name: &str, value: &str) -> String {
    format!("{name:<10}  {}", to_printable(value, TEXT_LIMIT))
}

/// Returns the subject of a certificate or the path of a key.
pub(super) fn signer_name(signer: &PolicySigner) -> String {
    match signer {
        PolicySigner::Identity(identity) => identity.subject.clone(),
        PolicySigner::Key(key) if key.contains("-----BEGIN") => "in PEM in the policy".to_owned(),
        PolicySigner::Key(path) => path.clone(),
    }
}

/// Returns a signer with all that its certificate must have, or the digest of its key in the policy, and its limits.
pub(super) fn full_signer_phrase(rule: &SignerRule) -> String {
    let limits = limits_phrase(rule);
    match &rule.signer {
        PolicySigner::Identity(identity) => {
            let repository = identity.repository.as_deref();
            let repository = repository.map(|name| format!(", repository {name}"));
            let (subject, issuer) = (&identity.subject, &identity.issuer);
            let repository = repository.unwrap_or_default();
            format!("{subject} (issuer {issuer}{repository}; actions {limits})")
        }
        PolicySigner::Key(key) if key.contains("-----BEGIN") => {
            let digest = Digest::from_bytes(key.as_bytes());
            format!("key {digest} in PEM (actions {limits})")
        }
        PolicySigner::Key(path) => format!("{path} (actions {limits})"),
    }
}

/// Returns what a signer may record, and until when.
pub(super) fn limits_phrase(rule: &SignerRule) -> String {
    let until = rule.until.as_ref();
    let until = until.map(|until| format!(", until {until}"));
    format!("{}{}", actions_phrase(rule), until.unwrap_or_default())
}

fn actions_phrase(rule: &SignerRule) -> String {
    match &rule.actions {
        Some(actions) => {
            let words: Vec<&str> = actions.iter().map(|action| action.as_str()).collect();
            words.join(", ")
        }
        None => "all (default)".to_owned(),
    }
}

fn until_phrase(rule: &SignerRule) -> String {
    match &rule.until {
        Some(until) => until.to_string(),
        None => "without end (default)".to_owned(),
    }
}

/// Returns the lines of the key `records`.
pub(super) fn records_lines(environment: &EnvironmentRules) -> Vec<String> {
    match environment.records_places() {
        [] => vec![DEFAULT_RECORDS.to_owned()],
        places => place_lines(places),
    }
}

/// Returns the repositories that have the records: those of the images where the policy names no others.
pub(super) fn records_places(environment: &EnvironmentRules) -> &[(Option<Service>, Destination)] {
    match environment.records_places() {
        [] => environment.destinations(),
        places => places,
    }
}

/// Returns the signers as JSON. Members of the other kind of signer are null.
pub(super) fn signers_json(environment: &EnvironmentRules) -> Vec<Value> {
    let signers = environment.signers().iter();
    signers.map(signer_json).collect()
}

/// Returns a signer as JSON.
pub(super) fn signer_json(rule: &SignerRule) -> Value {
    let (identity, key) = match &rule.signer {
        PolicySigner::Identity(identity) => (Some(identity), None),
        PolicySigner::Key(key) => (None, Some(key)),
    };
    let actions = rule.actions.as_ref();
    let actions: Option<Vec<&str>> =
        actions.map(|actions| actions.iter().map(|action| action.as_str()).collect());
    json!({
        "identity": identity.map(|identity| &identity.subject),
        "issuer": identity.map(|identity| &identity.issuer),
        "repository": identity.and_then(|identity| identity.repository.as_ref()),
        "key": key,
        "actions": actions,
        "until": rule.until.as_ref().map(ToString::to_string),
    })
}

/// Returns the names of signers and repositories, which are not secret.
pub(super) fn names(environment: &EnvironmentRules) -> Vec<String> {
    let signers = environment.signers().iter();
    let signers = signers.map(|rule| signer_name(&rule.signer));
    signers.chain(environment.records_repository()).collect()
}
