//! Signers of an environment's records: the policy's rules to requirements on signatures.

use std::sync::Arc;

use super::invocation::Invocation;
use super::load_policy::LoadedPolicy;
use super::{pem_input, policy_trust};
use crate::gate::WildcardPattern;
use crate::notices::{FileLocation, to_printable};
use crate::policy::{EnvironmentGates, EnvironmentRules, PolicyIdentity, PolicySigner, SignerRule};
use crate::release::{Failure, RecordSigner};
use crate::signing::{
    CertificateCondition, Identity, PublicKey, Requirement, TrustRoot, key_reference_error,
};

/// List of signers in the policy, for messages.
#[derive(Clone, Copy)]
pub(super) struct SignerPlace<'a> {
    stage: &'a EnvironmentRules,
    /// Key of the list below the environment: `signers`, `gates.signature.signers`.
    key: &'static str,
    /// What its signers do, after the name of the file.
    purpose: &'static str,
    /// Entry of the list.
    rule: Option<&'a SignerRule>,
}

impl<'a> SignerPlace<'a> {
    /// Returns the key `signers` of an environment.
    fn of_records(stage: &'a EnvironmentRules) -> Self {
        Self {
            stage,
            key: "signers",
            purpose: "names who may write its records",
            rule: None,
        }
    }

    /// Returns the signers of a gate of an environment.
    pub(super) fn of_gate(stage: &'a EnvironmentRules, key: &'static str) -> Self {
        Self {
            stage,
            key,
            purpose: "names whose signatures the gate accepts",
            rule: None,
        }
    }

    /// Returns the place of the entry in the policy file, as far as it is known.
    fn location(self, loaded: &LoadedPolicy) -> FileLocation {
        let rule = self.rule.filter(|_| !loaded.policy.is_added(self.stage));
        let position = rule
            .map(SignerRule::position)
            .map(|at| (at.line, at.column));
        FileLocation {
            position,
            ..loaded.location.clone()
        }
    }
}

/// Returns who may write the records of an environment, in the order of the policy; nobody where the
/// environment demands no signatures. `stage` may be any environment of the policy: the records of the one that
/// images come from are read as well.
///
/// # Errors
/// A key or a trusted root that cannot be read.
pub(super) async fn record_signers(
    invocation: &Invocation,
    stage: &EnvironmentRules,
    loaded: &LoadedPolicy,
) -> Result<Vec<RecordSigner>, Failure> {
    signers_of_rules(
        invocation,
        SignerPlace::of_records(stage),
        loaded,
        stage.signers(),
    )
    .await
}

/// Returns the signers of a list of the policy that `stage` has, in the order of the policy.
///
/// # Errors
/// A key or a trusted root that cannot be read.
pub(super) async fn signers_of_rules(
    invocation: &Invocation,
    place: SignerPlace<'_>,
    loaded: &LoadedPolicy,
    rules: &[SignerRule],
) -> Result<Vec<RecordSigner>, Failure> {
    let is_identity = |rule: &SignerRule| matches!(rule.signer, PolicySigner::Identity(_));
    let roots = match rules.iter().any(is_identity) {
        true => policy_trust::load_policy_roots(invocation, loaded).await?,
        false => Vec::new(),
    };
    let mut signers = Vec::with_capacity(rules.len());
    for rule in rules {
        let requirement = match &rule.signer {
            PolicySigner::Identity(identity) => identity_requirement(loaded, identity, &roots),
            PolicySigner::Key(key) => {
                let place = SignerPlace {
                    rule: Some(rule),
                    ..place
                };
                key_requirement(invocation, place, loaded, key).await?
            }
        };
        signers.push(RecordSigner {
            requirement,
            actions: rule.actions.clone(),
            until: rule.until.as_ref().map(|until| until.end()),
        });
    }
    Ok(signers)
}

/// Checks that the keys among the signers of an environment can be used.
///
/// # Errors
/// The first one that cannot.
pub(super) async fn check_keys(
    invocation: &Invocation,
    stage: &EnvironmentRules,
    loaded: &LoadedPolicy,
) -> Result<(), Failure> {
    let records = (SignerPlace::of_records(stage), stage.signers());
    let gates = stage.all_gates().flat_map(gate_signer_lists);
    let gates = gates.map(|(key, rules)| (SignerPlace::of_gate(stage, key), rules));
    for (place, rules) in [records].into_iter().chain(gates) {
        for rule in rules {
            if let PolicySigner::Key(key) = &rule.signer {
                let place = SignerPlace {
                    rule: Some(rule),
                    ..place
                };
                key_requirement(invocation, place, loaded, key).await?;
            }
        }
    }
    Ok(())
}

/// Returns the lists of signers that gates name themselves, each with its key below the environment.
pub(super) fn gate_signer_lists(
    gates: &EnvironmentGates,
) -> impl Iterator<Item = (&'static str, &[SignerRule])> {
    let scan = gates.scan();
    let attested = scan.and_then(|scan| scan.attested.as_ref());
    let vex = scan.map_or(&[][..], |scan| &scan.vex_signers);
    let signature = gates.signature();
    let attestations = gates.attestations().iter().map(|gate| &gate.signers);
    let signature = signature.map(|it| ("gates.signature.signers", it.own()));
    let attested = attested.map(|it| ("gates.scan.attested.signers", it.own()));
    let attestations = attestations.map(|it| ("signers of gates.attestations", it.own()));
    let lists = signature.into_iter().chain(attested).chain(attestations);
    let lists = lists.chain([("gates.scan.vex-signers", vex)]);
    lists.filter(|(_, rules)| !rules.is_empty())
}

/// A record is an attestation: where `transparency-log: attestations` of the policy keeps those out of the log, a
/// timestamp is enough.
fn identity_requirement(
    loaded: &LoadedPolicy,
    identity: &PolicyIdentity,
    roots: &[Arc<TrustRoot>],
) -> Requirement {
    let repository = identity.repository.iter();
    let repository = repository.map(|name| (CertificateCondition::Repository, name.clone()));
    let identity = Identity {
        subject: WildcardPattern::new(&identity.subject),
        issuer: identity.issuer.clone(),
        conditions: repository.collect(),
    };
    let each = roots.iter().map(|trust| Requirement::Identity {
        identity: identity.clone(),
        trust: trust.clone(),
        logged: true,
    });
    let required = Requirement::any_of(each.collect());
    match loaded.policy.logs_attestations() {
        false => Requirement::LoggedSignatures(Box::new(required)),
        true => required,
    }
}

/// A key proves by itself who signed, so that no log is required. Of a file with several keys any counts.
async fn key_requirement(
    invocation: &Invocation,
    place: SignerPlace<'_>,
    loaded: &LoadedPolicy,
    key: &str,
) -> Result<Requirement, Failure> {
    let text = match pem_input::is_path(key) {
        true => read_key_file(invocation, place, loaded, key).await?,
        false => key.to_owned(),
    };
    let keys = PublicKey::parse_all(&text)
        .map_err(|error| unusable_key(place, loaded, key, &error.to_string()))?;
    let each = keys
        .into_iter()
        .map(|key| Requirement::Key { key, log: None });
    Ok(Requirement::any_of(each.collect()))
}

async fn read_key_file(
    invocation: &Invocation,
    place: SignerPlace<'_>,
    loaded: &LoadedPolicy,
    path: &str,
) -> Result<String, Failure> {
    let unusable = |reason: &str| unusable_key(place, loaded, path, reason);
    if let Some(reference) = key_reference_error(path) {
        return Err(unusable(&reference.to_string()));
    }
    let bytes = loaded.read_named_file(invocation, path).await?;
    let bytes = bytes.ok_or_else(|| unusable("the file is not there"))?;
    String::from_utf8(bytes).map_err(|_| unusable("the file is not text"))
}

fn unusable_key(place: SignerPlace<'_>, loaded: &LoadedPolicy, key: &str, reason: &str) -> Failure {
    let name = match pem_input::is_path(key) {
        true => format!("the key {}", to_printable(key, PATH_LIMIT)),
        false => "a key".to_owned(),
    };
    Failure::input(format!(
        "{name} in {} of the environment {} cannot be used: {reason}",
        place.key,
        place.stage.name()
    ))
    .with_reason(format!("{} {}", loaded.file, place.purpose))
    .with_hint(
        "write the public key in PEM, or the path of its file from the root of the repository",
    )
    .at_file(place.location(loaded))
}

/// The most characters of a path that a message names.
const PATH_LIMIT: usize = 200;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::commands::load_policy::load_policy;
    use crate::commands::tests::{given, wait};

    const KEY: &str = include_str!("../../tests/data/sigstore/cosign.pub");

    /// The signers of the environment `prod` of a policy, with further flags of a promotion.
    fn signers(keys: &str, flags: &[&str]) -> Result<Vec<RecordSigner>, String> {
        let folder = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &str| {
            let path = folder.path().join(name);
            std::fs::write(&path, text).unwrap();
            path.display().to_string()
        };
        for (name, text) in [
            ("one.pub", KEY.to_owned()),
            ("two.pub", format!("{KEY}{KEY}")),
            ("other.txt", "text".to_owned()),
        ] {
            write(name, &text);
        }
        let keys = keys.replace("DIR", &folder.path().display().to_string());
        let policy = format!("environments:\n  prod:\n    repository: oci:prod\n{keys}");
        let policy = format!("--policy={}", write("policy.yml", &policy));
        let invocation = given(&[&[policy.as_str(), "--offline"], flags].concat());
        wait(async {
            let loaded = load_policy(&invocation).await.unwrap().unwrap();
            let stage = &loaded.policy.environments()[0];
            let signers = record_signers(&invocation, stage, &loaded).await;
            signers.map_err(|failure| format!("{failure:?}"))
        })
    }

    #[test]
    fn an_identity_is_required_with_its_repository() {
        let keys = "    sign: keyless\n    signers:\n    - identity: https://github.com/acme/ci/.github/workflows/release.yml@refs/tags/*\n      repository: acme/web\n      actions: [promote]\n      until: 2027-01-31\n";
        let signers = signers(keys, &[]).unwrap();
        let [signer] = signers.as_slice() else {
            panic!("{signers:?}");
        };
        let Requirement::Identity {
            identity, logged, ..
        } = &signer.requirement
        else {
            panic!("{:?}", signer.requirement);
        };
        assert!(*logged);
        assert_eq!(
            identity.to_string(),
            "https://github.com/acme/ci/.github/workflows/release.yml@refs/tags/* (issuer https://token.actions.githubusercontent.com), repository acme/web"
        );
        assert_eq!(signer.actions.as_ref().unwrap()[0].as_str(), "promote");
        assert_eq!(
            signer.until.unwrap().to_string(),
            "2027-02-01T00:00:00.000Z"
        );
        let unlogged = format!("{keys}transparency-log: attestations\n");
        for flags in [&[][..], &["--transparency-log=attestations"]] {
            let signers = self::signers(&unlogged, flags).unwrap();
            let requirement = &signers[0].requirement;
            assert!(matches!(requirement, Requirement::LoggedSignatures(_)));
        }
        for flag in [
            "--transparency-log=attestations",
            "--trusted-root=root.json",
        ] {
            let refusal = self::signers(keys, &[flag]).unwrap_err();
            assert!(
                refusal.contains("with keyless signers of a policy"),
                "{refusal}"
            );
        }
    }

    #[test]
    fn a_key_is_read_from_the_policy_or_its_file() {
        let lines: String = KEY
            .lines()
            .map(|line| format!("        {line}\n"))
            .collect();
        let keys = format!(
            "    sign: key\n    signers:\n    - key: DIR/one.pub\n    - key: |\n{lines}    - key: DIR/two.pub\n"
        );
        let signers = signers(&keys, &[]).unwrap();
        let [file, text, several] = signers.as_slice() else {
            panic!("{signers:?}");
        };
        let fingerprint = format!("the key {}", PublicKey::parse(KEY).unwrap().fingerprint());
        for signer in [file, text, several] {
            assert_eq!(signer.requirement.to_string(), fingerprint);
            assert!(signer.actions.is_none() && signer.until.is_none());
        }
        assert!(matches!(&several.requirement, Requirement::Any(keys) if keys.len() == 2));
    }

    #[test]
    fn a_key_that_cannot_be_used_is_named() {
        for (key, reason) in [
            (
                "DIR/none.pub",
                "none.pub in signers of the environment prod cannot be used: the file is not there",
            ),
            (
                "DIR/other.txt",
                "other.txt in signers of the environment prod cannot be used: ",
            ),
            ("'awskms:///alias/x'", "a key in AWS KMS"),
        ] {
            let keys = format!("    sign: key\n    signers: [{{key: {key}}}]\n");
            let error = signers(&keys, &[]).unwrap_err();
            assert!(error.contains(reason), "{error}");
        }
    }

    #[test]
    fn an_environment_without_signatures_has_no_signers() {
        assert_eq!(signers("", &[]).unwrap().len(), 0);
    }
}
