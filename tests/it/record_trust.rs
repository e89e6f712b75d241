//! Stored release records: whose signature makes one count, for which actions, and until when.

use std::sync::Arc;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use serde_json::{Value, json};
use shipmark::notices::Notices;
use shipmark::record::{
    RECORD_PREDICATE_TYPE, RecordAction, RecordError, RecordId, RecordTime, ReleaseRecord,
};
use shipmark::release::{
    RECORD_BLOB_LIMIT, RecordRejection, RecordSigner, RecordTrust, VerifiedRecord, read_record,
};
use shipmark::signing::{
    CertificateCondition, Identity, ImageClaim, PrivateKey, Requirement, Signer, StatementBundle,
    VerificationError, WildcardPattern,
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

#[tokio::test]
async fn promise_6_a_signer_records_its_actions_only() {
    let [deploys, releases] = [keys::key(), keys::key()];
    let marks = vec![RecordAction::Deployed, RecordAction::Failed];
    let trust = trust([
        RecordSigner {
            actions: Some(marks),
            ..any_action(of_key(&deploys))
        },
        RecordSigner {
            actions: Some(vec![RecordAction::Promote]),
            ..any_action(of_key(&releases))
        },
    ]);
    let mark = sign(&key_signer(&deploys), statement("failed")).await;
    let mark = trust.verify(&mark).unwrap();
    // Whoever may only mark says nothing of the releases before.
    assert!(mark.vouches_for(&RecordAction::Deployed));
    assert!(!mark.vouches_for(&RecordAction::Promote));
    let promotion = sign(&key_signer(&releases), statement("promote")).await;
    let promotion = trust.verify(&promotion).unwrap();
    assert!(promotion.vouches_for(&RecordAction::Promote));
    assert!(!promotion.vouches_for(&RecordAction::Failed));
    for (key, action, expected) in [
        (
            &deploys,
            "promote",
            "its signer may record deployed and failed only, got promote",
        ),
        (
            &deploys,
            "pruned",
            "its signer may record deployed and failed only, got pruned",
        ),
        (
            &releases,
            "rollback",
            "its signer may record promote only, got rollback",
        ),
    ] {
        let blob = sign(&key_signer(key), statement(action)).await;
        assert_eq!(rejection(trust.verify(&blob)), expected);
    }
}

#[tokio::test]
async fn promise_6_a_signer_counts_until_its_time_ends() {
    let (sigstore, key) = (Sigstore::start().await, keys::key());
    let until = |requirement: Requirement, until: &str| {
        let signer = RecordSigner {
            until: Some(time(until)),
            ..any_action(requirement)
        };
        trust([signer])
    };
    const BEFORE: &str = "2026-11-20T21:48:08.124Z";
    const LATER: &str = "9999-01-01T00:00:00.000Z";
    // What a key signs is as old as it claims.
    let blob = sign(&key_signer(&key), statement("promote")).await;
    assert!(until(of_key(&key), BEFORE).verify(&blob).is_ok());
    let ended = until(of_key(&key), PLANNED_AT).verify(&blob);
    assert_eq!(
        rejection(ended),
        format!("its signer counts until {PLANNED_AT}, got a signature of {PLANNED_AT}")
    );
    // Where something proves when it was signed, the claim does not count: the record claims to be older.
    for signer in [
        Signer::Keyless(Arc::new(sigstore.signer(Rekor::V1))),
        Signer::Keyless(Arc::new(sigstore.signer(Rekor::V2))),
        Signer::LoggedKey(Arc::new(sigstore.logged(key.clone(), Rekor::V1))),
        Signer::LoggedKey(Arc::new(sigstore.logged(key.clone(), Rekor::V2))),
    ] {
        let mut old = statement("promote");
        old["predicate"]["plannedAt"] = json!("2020-01-01T00:00:00.000Z");
        let blob = sign(&signer, old).await;
        let requirement = own(&signer).await;
        assert!(until(requirement.clone(), LATER).verify(&blob).is_ok());
        let until_2021 = until(requirement, "2021-01-01T00:00:00.000Z");
        let error = until_2021.verify(&blob).unwrap_err();
        let RecordRejection::Until { at: Some(at), .. } = error else {
            panic!("{signer:?}: {error}");
        };
        assert!(at > time("2021-01-01T00:00:00.000Z"), "{signer:?}");
    }
}

#[tokio::test]
async fn promise_6_one_signature_is_of_one_whole_record() {
    let key = keys::key();
    let trust = trust([any_action(of_key(&key))]);
    let signer = key_signer(&key);
    let good = statement("promote");
    let mut two = good.clone();
    let subject = two["subject"][0].clone();
    two["subject"].as_array_mut().unwrap().push(subject);
    let mut other_type = good.clone();
    other_type["predicateType"] = json!("https://slsa.dev/provenance/v1");
    let twice = good
        .to_string()
        .replacen("\"action\":", "\"action\":\"push\",\"action\":", 1);
    let mut long = good.clone();
    long["predicate"]["reason"] = json!("");
    let missing = (1 << 20) + 1 - long.to_string().len();
    long["predicate"]["reason"] = json!("x".repeat(missing));
    for (statement, expected) in [
        (
            two.to_string(),
            "the statement has 2 subjects, expected one",
        ),
        (other_type.to_string(), "predicateType is"),
        (twice, "twice"),
        (long.to_string(), "1048577"),
        ("{}".to_owned(), "missing field"),
        (String::new(), "it is not a release record"),
    ] {
        let blob = sign(&signer, statement).await;
        for trust in [Some(&trust), None] {
            let read = read_record(trust, &blob);
            let is_record_error = matches!(read, Err(RecordRejection::Record(_)));
            let text = rejection(read);
            assert!(is_record_error && text.contains(expected), "{text}");
        }
    }
    long["predicate"]["reason"] = json!("x".repeat(missing - 1));
    let largest = sign(&signer, &long).await;
    assert!(trust.verify(&largest).is_ok());
    let mut padded = largest;
    padded.resize(usize::try_from(RECORD_BLOB_LIMIT).unwrap(), b' ');
    assert!(trust.verify(&padded).is_ok());
    padded.push(b' ');
    for trust in [Some(&trust), None] {
        let error = read_record(trust, &padded).unwrap_err();
        assert_eq!(error, RecordRejection::Size(RECORD_BLOB_LIMIT + 1));
    }
}

#[tokio::test]
async fn promise_6_a_changed_record_does_not_count() {
    let key = keys::key();
    let trust = trust([any_action(of_key(&key))]);
    let signer = key_signer(&key);
    let blob = sign(&signer, statement("promote")).await;
    for end in (0..blob.len()).step_by(7) {
        assert!(trust.verify(&blob[..end]).is_err(), "{end}");
        assert!(read_record(None, &blob[..end]).is_err(), "{end}");
    }
    let bundle: Value = serde_json::from_slice(&blob).unwrap();
    let changed = |path: &str, value: Value| {
        let mut changed = bundle.clone();
        *changed.pointer_mut(path).unwrap() = value;
        changed.to_string()
    };
    let other = statement("rollback");
    let signed_other: Value = serde_json::from_slice(&sign(&signer, &other).await).unwrap();
    // The payload of one record with the signature of another.
    let rewrapped = changed(
        "/dsseEnvelope/payload",
        signed_other["dsseEnvelope"]["payload"].clone(),
    );
    let tampered = RecordRejection::Signature(VerificationError::Tampered);
    assert_eq!(trust.verify(rewrapped.as_bytes()), Err(tampered));
    let other_payload = changed("/dsseEnvelope/payloadType", json!("application/json"));
    let other_key = changed(
        "/verificationMaterial/publicKey/hint",
        json!(BASE64_STANDARD.encode([7; 32])),
    );
    let twice = bundle
        .to_string()
        .replacen("\"payload\":", "\"payload\":\"\",\"payload\":", 1);
    let twice_wrapped = {
        let payload = json!({"dsseEnvelope": bundle["dsseEnvelope"]}).to_string();
        changed(
            "/dsseEnvelope/payload",
            json!(BASE64_STANDARD.encode(payload)),
        )
    };
    for wrong in [other_payload, twice, twice_wrapped] {
        assert!(trust.verify(wrong.as_bytes()).is_err(), "{wrong}");
        assert!(read_record(None, wrong.as_bytes()).is_err(), "{wrong}");
    }
    // The hint is not signed: it finds a key and proves nothing.
    assert!(trust.verify(other_key.as_bytes()).is_ok());
    // The statement without its envelope.
    let bare = payload_of(&blob);
    let name = key.public().fingerprint();
    assert_eq!(
        rejection(trust.verify(&bare)),
        format!("it is not signed, expected a signature of the key {name}")
    );
    assert!(matches!(
        trust.verify(b"junk"),
        Err(RecordRejection::Record(RecordError::Json(_)))
    ));
}

#[tokio::test]
async fn promise_6_a_record_under_another_id_has_the_same_statement() {
    let key = keys::key();
    let trust = trust([any_action(of_key(&key))]);
    let blob = sign(&key_signer(&key), statement("rollback")).await;
    let spaced = [blob.as_slice(), b" "].concat();
    let [record, replayed] = [&blob, &spaced].map(|blob| trust.verify(blob).unwrap());
    assert_ne!(record.id, replayed.id);
    assert_eq!(record.statement, replayed.statement);
}

#[tokio::test]
async fn an_unsigned_environment_reads_statements_bare_and_in_bundles() {
    let bare = statement("promote").to_string();
    let bundle = sign(&key_signer(&keys::key()), &bare).await;
    let [bare, bundle] = [bare.as_bytes(), &bundle].map(|blob| read_record(None, blob).unwrap());
    assert_eq!(bare.record, bundle.record);
    assert_eq!(bare.statement, bundle.statement);
    assert_eq!(bare.id.digest(), bare.statement);
    assert_ne!(bundle.id, bare.id);
    for read in [bare, bundle] {
        assert_eq!(read.signer, None);
        assert!(read.vouches_for(&RecordAction::Promote));
    }
}

#[tokio::test]
async fn a_run_that_may_not_record_is_refused_before_it_signs() {
    let (sigstore, keys) = (Sigstore::start().await, [keys::key(), keys::key()]);
    let now = time(PLANNED_AT);
    let release = || of_workflow(&sigstore, "release.yml");
    let keyless = Signer::Keyless(Arc::new(sigstore.signer(Rekor::V1)));
    let (by_key, keyless) = (own(&key_signer(&keys[0])).await, own(&keyless).await);
    let require = |own: &Requirement, signer: RecordSigner, action: RecordAction| {
        let refused = trust([signer]).require_own(own, &action, now);
        refused.err().map(|error| error.to_string())
    };
    let promote = RecordAction::Promote;
    let own_name = format!(
        "https://*/{} (issuer {})",
        sigstore::WORKFLOW,
        sigstore::ISSUER
    );
    for requirement in [release(), called_from(release(), "acme/web")] {
        let signer = any_action(requirement);
        assert_eq!(require(&keyless, signer, promote.clone()), None);
    }
    assert_eq!(
        require(&by_key, any_action(of_key(&keys[0])), promote.clone()),
        None
    );
    for (own, requirement) in [
        (&keyless, of_workflow(&sigstore, "deploy.yml")),
        (&keyless, called_from(release(), "acme/api")),
        (&keyless, of_key(&keys[0])),
        (&by_key, of_key(&keys[1])),
        (&by_key, release()),
    ] {
        let expected = format!("expected {requirement}");
        let refused = require(own, any_action(requirement), promote.clone()).unwrap();
        let is = match own.identity() {
            Some(_) => format!("this run signs as {own_name}, repository acme/web"),
            None => format!(
                "this run signs as the key {}",
                keys[0].public().fingerprint()
            ),
        };
        assert_eq!(refused, format!("{is}, {expected}"));
    }
    let marks = RecordSigner {
        actions: Some(vec![RecordAction::Deployed]),
        ..any_action(release())
    };
    assert_eq!(
        require(&keyless, marks.clone(), promote.clone()).unwrap(),
        "its signer may record deployed only, got promote"
    );
    assert_eq!(require(&keyless, marks, RecordAction::Deployed), None);
    let ended = RecordSigner {
        until: Some(now),
        ..any_action(release())
    };
    assert_eq!(
        require(&keyless, ended, promote).unwrap(),
        format!("its signer counts until {now}, got a signature of {now}")
    );
}
