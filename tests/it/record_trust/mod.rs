//! Stored release records: whose signature makes one count, for which actions, and until when.

mod damaged;
mod limits;
mod own_signer;
mod releases;
mod sig_only;

use std::sync::Arc;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use serde_json::{Value, json};
use shipmark::gate::WildcardPattern;
use shipmark::notices::Notices;
use shipmark::record::{
    RECORD_PREDICATE_TYPE, RecordAction, RecordError, RecordId, RecordTime, ReleaseRecord,
};
use shipmark::release::{
    RECORD_BLOB_LIMIT, RecordRejection, RecordSigner, RecordTrust, VerifiedRecord, read_record,
};
use shipmark::signing::{
    CertificateCondition, Identity, ImageClaim, PrivateKey, Requirement, Signer, StatementBundle,
    VerificationError,
};

use crate::sigstore::{self, Rekor, Sigstore};
use crate::support::{context, keys};

const ROOT: &str = "4813494d137e1631bba301d5acab6e7bb7aa74ce1185d456565ef51d737677b2";
const PLANNED_AT: &str = "2026-11-20T21:48:08.123Z";

fn statement(action: &str) -> Value {
    json!({
        "_type": "https://in-toto.io/Statement/v1",
        "subject": [{"name": "prod.example.com/web", "digest": {"sha256": ROOT}}],
        "predicateType": RECORD_PREDICATE_TYPE,
        "predicate": {
            "environment": "prod",
            "destination": "prod.example.com/web",
            "action": action,
            "tool": "shipmark 0.1.0",
            "plannedAt": PLANNED_AT,
            "previous": [],
        },
    })
}

fn time(text: &str) -> RecordTime {
    text.parse().unwrap()
}

async fn sign(signer: &Signer, statement: impl ToString) -> Vec<u8> {
    let (context, notices) = (context(), Notices::new(|_| ()));
    let statement = statement.to_string().into_bytes();
    let signed = signer.sign_record(context.registry.http(), &notices, statement);
    signed.await.unwrap()
}

/// Who a run with this signer is.
async fn own(signer: &Signer) -> Requirement {
    let (context, notices) = (context(), Notices::new(|_| ()));
    let own = signer.run_requirement(context.registry.http(), &notices);
    own.await.unwrap()
}

fn of_key(key: &PrivateKey) -> Requirement {
    Requirement::Key {
        key: key.public().clone(),
        log: None,
    }
}

fn key_signer(key: &PrivateKey) -> Signer {
    Signer::Key(key.clone().into())
}

/// A workflow of this name, in any branch.
fn of_workflow(sigstore: &Sigstore, workflow: &str) -> Requirement {
    let workflow = format!("https://github.com/acme/web/.github/workflows/{workflow}@*");
    Requirement::Identity {
        identity: Identity {
            subject: WildcardPattern::new(workflow),
            issuer: sigstore::ISSUER.to_owned(),
            conditions: Vec::new(),
        },
        trust: sigstore.root(),
        logged: true,
    }
}

fn called_from(mut requirement: Requirement, repository: &str) -> Requirement {
    if let Requirement::Identity { identity, .. } = &mut requirement {
        let condition = (CertificateCondition::Repository, repository.to_owned());
        identity.conditions.push(condition);
    }
    requirement
}

/// May record everything, forever.
fn any_action(requirement: Requirement) -> RecordSigner {
    RecordSigner {
        requirement,
        actions: None,
        until: None,
    }
}

fn trust(signers: impl IntoIterator<Item = RecordSigner>) -> RecordTrust {
    RecordTrust::new(signers.into_iter().collect())
}

fn rejection(read: Result<VerifiedRecord, RecordRejection>) -> String {
    read.unwrap_err().to_string()
}

fn payload_of(blob: &[u8]) -> Vec<u8> {
    StatementBundle::parse(blob).unwrap().payload().to_vec()
}

#[tokio::test]
async fn promise_6_a_record_of_each_kind_of_signer_counts() {
    let (sigstore, key) = (Sigstore::start().await, keys::key());
    let logged_key = |rekor| Signer::LoggedKey(Arc::new(sigstore.logged(key.clone(), rekor)));
    let keyless = |rekor| Signer::Keyless(Arc::new(sigstore.signer(rekor)));
    let name = format!("the key {}", key.public().fingerprint());
    let workflow = format!("https://github.com/{}", sigstore::WORKFLOW);
    for (signer, name) in [
        (key_signer(&key), &name),
        (logged_key(Rekor::V1), &name),
        (logged_key(Rekor::V2), &name),
        (keyless(Rekor::V1), &workflow),
        (keyless(Rekor::V2), &workflow),
    ] {
        let statement = statement("promote").to_string();
        let blob = sign(&signer, &statement).await;
        let trust = trust([any_action(own(&signer).await)]);
        let read = read_record(Some(&trust), &blob).unwrap();
        let record = ReleaseRecord::parse_statement(statement.as_bytes());
        assert_eq!(Ok(&read.record), record.as_ref());
        assert_eq!(read.id, RecordId::from_blob(&blob));
        assert_eq!(read.signer.as_ref(), Some(name));
        assert_eq!(payload_of(&blob), statement.as_bytes());
        assert!(read.vouches_for(&RecordAction::Rollback));
    }
}

#[tokio::test]
async fn a_record_is_signed_with_the_certificate_of_the_other_signatures() {
    let sigstore = Sigstore::start().await;
    let signer = Signer::Keyless(Arc::new(sigstore.signer(Rekor::V1)));
    let (context, notices) = (context(), Notices::new(|_| ()));
    let claim = ImageClaim {
        repository: "prod.example.com/web".to_owned(),
        digest: format!("sha256:{ROOT}").parse().unwrap(),
        annotations: Default::default(),
    };
    own(&signer).await;
    let signed = signer.sign_bundle(context.registry.http(), &notices, &claim);
    signed.await.unwrap();
    sign(&signer, statement("promote")).await;
    assert_eq!(sigstore.counts(), [1, 1, 2, 0]);
}

#[tokio::test]
async fn a_record_is_logged_only_where_attestations_are() {
    let (sigstore, key) = (Sigstore::start().await, keys::key());
    let keyless = sigstore.signer(Rekor::V2).without_logged_attestations();
    let logged = sigstore.logged(key, Rekor::V2);
    let logged = logged.without_logged_attestations();
    for signer in [
        Signer::Keyless(Arc::new(keyless)),
        Signer::LoggedKey(Arc::new(logged)),
    ] {
        let blob = sign(&signer, statement("promote")).await;
        assert_eq!(sigstore.entries(), 0);
        let trust = trust([any_action(own(&signer).await)]);
        assert!(trust.verify(&blob).is_ok());
        let Requirement::LoggedSignatures(strict) = own(&signer).await else {
            panic!("the requirement of {signer:?}");
        };
        let strict = RecordTrust::new(vec![any_action(*strict)]);
        assert_eq!(
            strict.verify(&blob),
            Err(RecordRejection::Signature(VerificationError::NotInLog))
        );
    }
}

#[tokio::test]
async fn promise_6_a_record_of_another_signer_does_not_count() {
    let (sigstore, key, other) = (Sigstore::start().await, keys::key(), keys::key());
    let signer = Signer::Keyless(Arc::new(sigstore.signer(Rekor::V1)));
    let by_key = sign(&key_signer(&key), statement("promote")).await;
    let keyless = sign(&signer, statement("promote")).await;
    let issuer = sigstore::ISSUER;
    let workflow = format!("https://github.com/{}", sigstore::WORKFLOW);
    let names = [&key, &other].map(|key| key.public().fingerprint());
    let deploy = || of_workflow(&sigstore, "deploy.yml");
    let deploy_name =
        format!("https://github.com/acme/web/.github/workflows/deploy.yml@* (issuer {issuer})");
    for (signers, blob, expected) in [
        (
            vec![of_key(&other)],
            &by_key,
            format!(
                "it is signed by another key ({}), expected the key {}",
                names[0], names[1]
            ),
        ),
        (
            vec![deploy()],
            &keyless,
            format!("it is signed by {workflow}, expected {deploy_name}"),
        ),
        (
            vec![of_key(&other), deploy()],
            &keyless,
            format!(
                "it is signed by {workflow}, expected the key {} or {deploy_name}",
                names[1]
            ),
        ),
        (
            vec![deploy()],
            &by_key,
            format!("it is signed by a key, expected {deploy_name}"),
        ),
        (
            vec![of_key(&other)],
            &keyless,
            format!(
                "it is signed by a certificate (keyless), expected the key {}",
                names[1]
            ),
        ),
        (
            vec![called_from(
                of_workflow(&sigstore, "release.yml"),
                "acme/api",
            )],
            &keyless,
            "the repository in its certificate is acme/web, expected acme/api".to_owned(),
        ),
        (
            Vec::new(),
            &by_key,
            "it is signed by somebody, expected a signer, and the environment has none".to_owned(),
        ),
    ] {
        let trust = trust(signers.into_iter().map(any_action));
        assert_eq!(rejection(read_record(Some(&trust), blob)), expected);
    }
    // Another instance of Sigstore may name anybody.
    let forger = Sigstore::start().await;
    let forged = Signer::Keyless(Arc::new(forger.signer(Rekor::V1)));
    let forged = sign(&forged, statement("promote")).await;
    let trust = trust([any_action(of_workflow(&sigstore, "release.yml"))]);
    assert!(trust.verify(&keyless).is_ok());
    assert!(trust.verify(&forged).is_err());
}

#[tokio::test]
async fn a_record_of_any_of_the_signers_counts() {
    let (sigstore, keys) = (Sigstore::start().await, [keys::key(), keys::key()]);
    let trust = trust([
        any_action(of_key(&keys[0])),
        any_action(of_key(&keys[1])),
        any_action(called_from(
            of_workflow(&sigstore, "release.yml"),
            "acme/web",
        )),
    ]);
    for signer in [
        key_signer(&keys[0]),
        key_signer(&keys[1]),
        Signer::Keyless(Arc::new(sigstore.signer(Rekor::V2))),
    ] {
        let blob = sign(&signer, statement("promote")).await;
        assert!(trust.verify(&blob).is_ok(), "{signer:?}");
    }
}
