//! What cosign signed with real servers (tests/data/sigstore, made by its record.py), as it is and
//! with one thing wrong: each wrong thing is refused with a reason of its own.

use std::path::Path;
use std::sync::Arc;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use serde_json::{Value, json};

use super::super::{
    CertificateCondition, FileRequirement, FileSigner, Identity, LegacySignature, PublicKey,
    Requirement, SignatureEvidence, SignedArtifact, TrustRoot, VerificationError,
};
use crate::gate::{AttestationRule, WildcardPattern};
use crate::image::Digest;

fn file(name: &str) -> Vec<u8> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/sigstore");
    std::fs::read(folder.join(name)).unwrap()
}

fn json_file(name: &str) -> Value {
    serde_json::from_slice(&file(name)).unwrap()
}

/// What was recorded of one image.
struct Recorded {
    name: &'static str,
    digest: Digest,
    json: Value,
}

fn recorded(name: &'static str) -> Recorded {
    let json = json_file(&format!("{name}.json"));
    Recorded {
        name,
        digest: json["digest"].as_str().unwrap().parse().unwrap(),
        json,
    }
}

fn identity() -> Identity {
    let signer = json_file("signer.json");
    let text = |name: &str| signer[name].as_str().unwrap().to_owned();
    Identity {
        subject: WildcardPattern::new(text("identity")),
        issuer: text("issuer"),
        conditions: Vec::new(),
    }
}

fn root(change: impl Fn(&mut Value)) -> Arc<TrustRoot> {
    let mut json = json_file("trusted_root.json");
    change(&mut json);
    Arc::new(TrustRoot::parse(json.to_string().as_bytes()).unwrap())
}

fn keyless() -> Requirement {
    Requirement::Identity {
        identity: identity(),
        trust: root(|_| ()),
        logged: true,
    }
}

fn key(logged: bool) -> Requirement {
    let key = String::from_utf8(file("cosign.pub")).unwrap();
    Requirement::Key {
        key: PublicKey::parse(&key).unwrap(),
        log: logged.then(|| root(|_| ())),
    }
}

impl Recorded {
    fn changed(mut self, change: impl Fn(&mut Value)) -> Self {
        change(&mut self.json);
        self
    }

    fn check(&self, requirement: &Requirement) -> Result<SignatureEvidence, VerificationError> {
        self.check_as(requirement, self.digest)
    }

    fn check_as(
        &self,
        requirement: &Requirement,
        image: Digest,
    ) -> Result<SignatureEvidence, VerificationError> {
        let attestation = self.name.ends_with("attestation");
        let Some(payload) = self.json["payload"].as_str() else {
            let bundle = self.json["bundle"].to_string();
            let opened = requirement.verify_bundle(bundle.as_bytes(), image)?;
            return match attestation {
                true => Ok(opened.into_attestation().evidence),
                false => opened.into_signature().map(|found| found.evidence),
            };
        };
        let payload = BASE64_STANDARD.decode(payload).unwrap();
        let annotations = serde_json::from_value(self.json["annotations"].clone()).unwrap();
        let signed = LegacySignature::from_layer(payload, &annotations);
        match attestation {
            true => {
                let found = requirement.check_legacy_attestation(&signed, image)?;
                Ok(found.evidence)
            }
            false => Ok(requirement.check_legacy(&signed, image)?.evidence),
        }
    }
}

/// Changes a text that is base64.
fn reencode(text: &mut Value, change: impl Fn(&mut [u8])) {
    let mut bytes = BASE64_STANDARD.decode(text.as_str().unwrap()).unwrap();
    change(&mut bytes);
    *text = json!(BASE64_STANDARD.encode(bytes));
}

/// Turns over the last bit.
fn flip(bytes: &mut [u8]) {
    *bytes.last_mut().unwrap() ^= 1;
}

fn material(json: &mut Value) -> &mut Value {
    &mut json["bundle"]["verificationMaterial"]
}

fn entry(json: &mut Value) -> &mut Value {
    &mut material(json)["tlogEntries"][0]
}

fn timestamps(json: &mut Value) -> &mut Value {
    &mut material(json)["timestampVerificationData"]["rfc3161Timestamps"]
}

/// As bundles were before version 0.3: with a chain of certificates.
fn older(json: &mut Value, version: &str) {
    json["bundle"]["mediaType"] = json!(format!(
        "application/vnd.dev.sigstore.bundle+json;version={version}"
    ));
    let certificate = material(json)["certificate"].take();
    material(json)
        .as_object_mut()
        .unwrap()
        .remove("certificate");
    material(json)["x509CertificateChain"] = json!({"certificates": [certificate]});
}

#[test]
fn what_cosign_signed_is_good() {
    for (name, requirement, times, logged) in [
        ("keyless-rekor2", keyless(), 1, true),
        ("keyless-rekor1", keyless(), 2, true),
        ("keyless-attestation", keyless(), 1, true),
        ("key", key(false), 0, false),
        ("key-rekor2", key(false), 0, false),
        ("key-rekor2", key(true), 1, true),
        ("key-rekor1", key(true), 2, true),
        ("legacy-keyless", keyless(), 1, true),
        ("legacy-keyless-timestamp", keyless(), 2, true),
        ("legacy-key", key(false), 0, false),
        ("legacy-key", key(true), 1, true),
        ("legacy-keyless-attestation", keyless(), 1, true),
        ("legacy-key-attestation", key(false), 0, false),
        ("legacy-key-attestation", key(true), 1, true),
    ] {
        let evidence = recorded(name)
            .check(&requirement)
            .unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(
            (evidence.times.len(), evidence.logged),
            (times, logged),
            "{name}"
        );
        let by_certificate = matches!(requirement, Requirement::Identity { .. });
        assert_eq!(evidence.certificate.is_some(), by_certificate, "{name}");
    }
}

#[test]
fn older_bundles_are_good() {
    let promised = recorded("keyless-rekor1").changed(|json| {
        older(json, "0.1");
        entry(json)
            .as_object_mut()
            .unwrap()
            .remove("inclusionProof");
    });
    let proven = recorded("keyless-rekor1").changed(|json| older(json, "0.2"));
    for bundle in [promised, proven] {
        assert!(bundle.check(&keyless()).unwrap().logged);
    }
}

#[test]
fn without_a_log_a_timestamp_proves_when() {
    let no_log = Requirement::Identity {
        identity: identity(),
        trust: root(|_| ()),
        logged: false,
    };
    for recorded in [
        recorded("legacy-keyless-no-log"),
        recorded("keyless-rekor2").changed(|json| material(json)["tlogEntries"] = json!([])),
    ] {
        let evidence = recorded.check(&no_log).unwrap();
        assert_eq!((evidence.times.len(), evidence.logged), (1, false));
        assert_eq!(recorded.check(&keyless()), Err(VerificationError::NotInLog));
    }
}

#[test]
fn certificate_conditions_are_checked() {
    let require = |condition: CertificateCondition, wanted: &str| {
        let identity = Identity {
            conditions: vec![(condition, wanted.to_owned())],
            ..identity()
        };
        let requirement = Requirement::Identity {
            identity,
            trust: root(|_| ()),
            logged: true,
        };
        recorded("keyless-rekor2").check(&requirement)
    };
    let verified = recorded("keyless-rekor2").check(&keyless()).unwrap();
    let run = verified.certificate.unwrap().run;
    let named: Vec<CertificateCondition> = run.iter().map(|(condition, _)| *condition).collect();
    assert_eq!(named, CertificateCondition::ALL);
    for (condition, is) in run {
        require(condition, &is).unwrap();
        let expected = format!("{is}x");
        let error = require(condition, &expected);
        let other_run = VerificationError::OtherRun {
            condition,
            is,
            expected,
        };
        assert_eq!(error, Err(other_run));
    }
}

type BundleEdit = fn(&mut Value);
type ExpectedError = fn(&VerificationError) -> bool;

/// What is wrong with a bundle, and why it is refused.
const WRONG: &[(&str, &str, BundleEdit, ExpectedError)] = &[
    (
        "the payload is of another image",
        "keyless-rekor2",
        |json| {
            let other = recorded("keyless-rekor2-other-image").json;
            json["bundle"]["dsseEnvelope"]["payload"] =
                other["bundle"]["dsseEnvelope"]["payload"].clone();
        },
        |error| matches!(error, VerificationError::KeyMismatch),
    ),
    (
        "the payload's type is another",
        "keyless-rekor2",
        |json| json["bundle"]["dsseEnvelope"]["payloadType"] = json!("text/plain"),
        |error| matches!(error, VerificationError::Malformed(_)),
    ),
    (
        "the signature is another",
        "keyless-rekor2",
        |json| {
            let other = recorded("keyless-rekor2-other-image").json;
            json["bundle"]["dsseEnvelope"]["signatures"] =
                other["bundle"]["dsseEnvelope"]["signatures"].clone();
        },
        // The timestamp is of the signature.
        |error| matches!(error, VerificationError::Timestamp(_)),
    ),
    (
        "the certificate is changed",
        "keyless-rekor2",
        |json| {
            reencode(&mut material(json)["certificate"]["rawBytes"], |bytes| {
                flip(bytes)
            })
        },
        |error| matches!(error, VerificationError::Chain(_)),
    ),
    (
        "the certificate is another",
        "keyless-rekor2-other-image",
        |json| {
            let mut other = recorded("keyless-rekor2").json;
            material(json)["certificate"] = material(&mut other)["certificate"].clone();
        },
        |error| matches!(error, VerificationError::KeyMismatch),
    ),
    (
        "the certificate was made after the signature",
        "keyless-rekor2",
        |json| {
            let mut other = recorded("keyless-rekor1").json;
            material(json)["certificate"] = material(&mut other)["certificate"].clone();
        },
        |error| matches!(error, VerificationError::Validity(reason) if reason.contains("made later")),
    ),
    (
        "the certificate is none",
        "keyless-rekor2",
        |json| material(json)["certificate"]["rawBytes"] = json!("AAAA"),
        |error| matches!(error, VerificationError::Malformed(_)),
    ),
    (
        "the log's promise is changed",
        "keyless-rekor1",
        |json| {
            reencode(
                &mut entry(json)["inclusionPromise"]["signedEntryTimestamp"],
                flip,
            )
        },
        |error| matches!(error, VerificationError::Promise(_)),
    ),
    (
        "the time of the log's promise is changed",
        "keyless-rekor1",
        |json| {
            let time: i64 = entry(json)["integratedTime"]
                .as_str()
                .unwrap()
                .parse()
                .unwrap();
            entry(json)["integratedTime"] = json!((time + 1).to_string());
        },
        |error| matches!(error, VerificationError::Promise(_)),
    ),
    (
        "the log's name is another",
        "keyless-rekor1",
        |json| reencode(&mut entry(json)["logId"]["keyId"], flip),
        |error| matches!(error, VerificationError::UnknownLog(_)),
    ),
    (
        "the log's name is that of another trusted one",
        "keyless-rekor2",
        |json| {
            let mut other = recorded("keyless-rekor1").json;
            entry(json)["logId"] = entry(&mut other)["logId"].clone();
        },
        |error| matches!(error, VerificationError::Checkpoint(reason) if reason.contains("did not sign it")),
    ),
    (
        "the log's name is nobody's",
        "keyless-rekor2",
        |json| reencode(&mut entry(json)["logId"]["keyId"], flip),
        |error| matches!(error, VerificationError::UnknownLog(_)),
    ),
    (
        "the proof of inclusion has another hash",
        "keyless-rekor1",
        |json| {
            reencode(&mut entry(json)["inclusionProof"]["hashes"][0], |bytes| {
                flip(bytes)
            })
        },
        |error| matches!(error, VerificationError::Inclusion(_)),
    ),
    (
        "the proof of inclusion has a hash too many",
        "keyless-rekor2",
        |json| {
            let hashes = &mut entry(json)["inclusionProof"]["hashes"];
            let more = json!(BASE64_STANDARD.encode([0; 32]));
            match hashes.as_array_mut() {
                Some(hashes) => hashes.push(more),
                None => *hashes = json!([more]),
            }
        },
        |error| matches!(error, VerificationError::Inclusion(_)),
    ),
    (
        "the proof of inclusion is for another place",
        "keyless-rekor1",
        |json| entry(json)["inclusionProof"]["logIndex"] = json!("4000"),
        |error| matches!(error, VerificationError::Inclusion(_)),
    ),
    (
        "the proof of inclusion is missing",
        "keyless-rekor2",
        |json| {
            drop(
                entry(json)
                    .as_object_mut()
                    .unwrap()
                    .remove("inclusionProof"),
            )
        },
        |error| matches!(error, VerificationError::NoInclusionProof(_)),
    ),
    (
        "the checkpoint's signature is changed",
        "keyless-rekor2",
        |json| {
            let payload = &mut entry(json)["inclusionProof"]["checkpoint"]["envelope"];
            let (body, signature) = payload
                .as_str()
                .unwrap()
                .trim_end()
                .rsplit_once(' ')
                .unwrap();
            let mut signature = json!(signature);
            reencode(&mut signature, flip);
            *payload = json!(format!("{body} {}\n", signature.as_str().unwrap()));
        },
        |error| matches!(error, VerificationError::Checkpoint(_)),
    ),
    (
        "the checkpoint is of another log",
        "keyless-rekor2",
        |json| {
            let mut other = recorded("keyless-rekor1").json;
            entry(json)["inclusionProof"]["checkpoint"] =
                entry(&mut other)["inclusionProof"]["checkpoint"].clone();
        },
        |error| {
            matches!(
                error,
                VerificationError::Inclusion(_) | VerificationError::Checkpoint(_)
            )
        },
    ),
    (
        "the checkpoint is missing",
        "keyless-rekor2",
        |json| {
            let proof = entry(json)["inclusionProof"].as_object_mut().unwrap();
            proof.remove("checkpoint");
        },
        |error| matches!(error, VerificationError::Checkpoint(_)),
    ),
    (
        "what the log holds is changed",
        "keyless-rekor2",
        |json| reencode(&mut entry(json)["canonicalizedBody"], flip),
        |error| matches!(error, VerificationError::Inclusion(_)),
    ),
    (
        "the log's entry is of another signature",
        "keyless-rekor2",
        |json| {
            let mut other = recorded("keyless-rekor2-other-image").json;
            *entry(json) = entry(&mut other).clone();
        },
        |error| matches!(error, VerificationError::OtherEntry(_)),
    ),
    (
        "a second entry of the log has no proof",
        "keyless-rekor2",
        |json| {
            let mut second = entry(json).clone();
            second.as_object_mut().unwrap().remove("inclusionProof");
            second["logIndex"] = json!("77");
            material(json)["tlogEntries"]
                .as_array_mut()
                .unwrap()
                .push(second);
        },
        |error| matches!(error, VerificationError::NoInclusionProof(_)),
    ),
    (
        "the log's entry is there twice",
        "keyless-rekor2",
        |json| {
            let again = entry(json).clone();
            material(json)["tlogEntries"]
                .as_array_mut()
                .unwrap()
                .push(again);
        },
        |error| matches!(error, VerificationError::Malformed(_)),
    ),
    (
        "the log's entry is missing",
        "keyless-rekor2",
        |json| material(json)["tlogEntries"] = json!([]),
        |error| matches!(error, VerificationError::NotInLog),
    ),
    (
        "the log's entry is of a kind that is not known",
        "keyless-rekor2",
        |json| entry(json)["kindVersion"]["kind"] = json!("rekord"),
        |error| matches!(error, VerificationError::Malformed(_)),
    ),
    (
        "the timestamp is changed",
        "keyless-rekor2",
        |json| {
            reencode(&mut timestamps(json)[0]["signedTimestamp"], |bytes| {
                flip(bytes)
            })
        },
        |error| matches!(error, VerificationError::Timestamp(_)),
    ),
    (
        "the timestamp is of another signature",
        "keyless-rekor2",
        |json| {
            let mut other = recorded("keyless-rekor2-other-image").json;
            *timestamps(json) = timestamps(&mut other).clone();
        },
        |error| matches!(error, VerificationError::Timestamp(_)),
    ),
    (
        "the timestamp is there twice",
        "keyless-rekor2",
        |json| {
            let again = timestamps(json)[0].clone();
            timestamps(json).as_array_mut().unwrap().push(again);
        },
        |error| matches!(error, VerificationError::Malformed(_)),
    ),
    (
        // The certificate has expired since, and nothing says that it was used before.
        "the timestamp is missing",
        "keyless-rekor2",
        |json| *timestamps(json) = json!([]),
        |error| matches!(error, VerificationError::NoTrustedTime),
    ),
    (
        "there are two signatures",
        "keyless-rekor2",
        |json| {
            let signatures = json["bundle"]["dsseEnvelope"]["signatures"]
                .as_array_mut()
                .unwrap();
            signatures.push(signatures[0].clone());
        },
        |error| matches!(error, VerificationError::Malformed(_)),
    ),
    (
        "there is no signature",
        "keyless-rekor2",
        |json| json["bundle"]["dsseEnvelope"]["signatures"] = json!([]),
        |error| matches!(error, VerificationError::Malformed(_)),
    ),
    (
        "there is something that is not known",
        "keyless-rekor2",
        |json| json["bundle"]["extra"] = json!(1),
        |error| matches!(error, VerificationError::Malformed(_)),
    ),
    (
        "there is something that is not known, further down",
        "keyless-rekor2",
        |json| entry(json)["extra"] = json!(1),
        |error| matches!(error, VerificationError::Malformed(_)),
    ),
    (
        "there is a key in addition to the certificate",
        "keyless-rekor2",
        |json| material(json)["publicKey"] = json!({"hint": ""}),
        |error| matches!(error, VerificationError::Malformed(_)),
    ),
    (
        "there is a file's signature in addition to the envelope",
        "keyless-rekor2",
        |json| json["bundle"]["messageSignature"] = json!({"signature": "AAAA"}),
        |error| matches!(error, VerificationError::Malformed(_)),
    ),
    (
        "the version is none",
        "keyless-rekor2",
        |json| {
            json["bundle"]["mediaType"] = json!("application/vnd.dev.sigstore.bundle.v0.9+json");
        },
        |error| matches!(error, VerificationError::Malformed(_)),
    ),
    (
        "version 0.1 has no promise",
        "keyless-rekor2",
        |json| older(json, "0.1"),
        |error| matches!(error, VerificationError::NoInclusionProof(_)),
    ),
    (
        "signed with a key",
        "key-rekor2",
        |_| (),
        |error| matches!(error, VerificationError::Key),
    ),
    (
        "it is an attestation",
        "keyless-rekor2",
        |json| *json = recorded("keyless-attestation").json,
        |error| matches!(error, VerificationError::OtherImage(_)),
    ),
    (
        "the payload is another",
        "legacy-keyless",
        |json| reencode(&mut json["payload"], |payload| payload[0] = b' '),
        |error| matches!(error, VerificationError::KeyMismatch),
    ),
    (
        "the legacy signature is another",
        "legacy-keyless",
        |json| {
            let signature = &mut json["annotations"]["dev.cosignproject.cosign/signature"];
            reencode(signature, flip);
        },
        |error| matches!(error, VerificationError::KeyMismatch),
    ),
    (
        "the legacy promise is changed",
        "legacy-keyless",
        |json| of_log(json, |log| reencode(&mut log["SignedEntryTimestamp"], flip)),
        |error| matches!(error, VerificationError::Promise(_)),
    ),
    (
        "the legacy entry's time is changed",
        "legacy-keyless",
        |json| {
            of_log(json, |log| {
                log["Payload"]["integratedTime"] = json!(1_800_000_000)
            })
        },
        |error| matches!(error, VerificationError::Promise(_)),
    ),
    (
        "the legacy entry is of another signature",
        "legacy-keyless",
        |json| {
            let other = recorded("legacy-keyless-other-image").json;
            json["annotations"][LOG] = other["annotations"][LOG].clone();
        },
        |error| matches!(error, VerificationError::OtherEntry(_)),
    ),
    (
        "the legacy entry is missing",
        "legacy-keyless",
        |json| drop(json["annotations"].as_object_mut().unwrap().remove(LOG)),
        |error| matches!(error, VerificationError::NotInLog),
    ),
    (
        "the legacy entry has something that is not known",
        "legacy-keyless",
        |json| of_log(json, |log| log["Extra"] = json!(1)),
        |error| matches!(error, VerificationError::Malformed(_)),
    ),
    (
        "the legacy timestamp is of another signature",
        "legacy-keyless",
        |json| {
            let name = "dev.sigstore.cosign/rfc3161timestamp";
            let other = recorded("legacy-keyless-timestamp").json;
            json["annotations"][name] = other["annotations"][name].clone();
        },
        |error| matches!(error, VerificationError::Timestamp(_)),
    ),
    (
        "the legacy certificate is another",
        "legacy-keyless-other-image",
        |json| {
            let name = "dev.sigstore.cosign/certificate";
            let other = recorded("legacy-keyless").json;
            json["annotations"][name] = other["annotations"][name].clone();
        },
        |error| matches!(error, VerificationError::KeyMismatch),
    ),
    (
        "the legacy certificate is missing",
        "legacy-keyless",
        |json| {
            let annotations = json["annotations"].as_object_mut().unwrap();
            annotations.remove("dev.sigstore.cosign/certificate");
        },
        |error| matches!(error, VerificationError::Key),
    ),
    (
        "the legacy signature is missing",
        "legacy-keyless",
        |json| {
            let annotations = json["annotations"].as_object_mut().unwrap();
            annotations.remove("dev.cosignproject.cosign/signature");
        },
        |error| matches!(error, VerificationError::Unsigned),
    ),
    (
        "the legacy attestation says something else",
        "legacy-keyless-attestation",
        |json| {
            let envelope = recorded("legacy-key-attestation").json;
            json["payload"] = envelope["payload"].clone();
        },
        |error| matches!(error, VerificationError::KeyMismatch),
    ),
];

const LOG: &str = "dev.sigstore.cosign/bundle";

/// Changes the entry in the log that stands beside a legacy signature.
fn of_log(json: &mut Value, change: impl Fn(&mut Value)) {
    let text = &mut json["annotations"][LOG];
    let mut log: Value = serde_json::from_str(text.as_str().unwrap()).unwrap();
    change(&mut log);
    *text = json!(log.to_string());
}

#[test]
fn each_wrong_thing_is_refused_for_what_it_is() {
    for (what, name, change, expected) in WRONG {
        let found = recorded(name).changed(change).check(&keyless());
        let error = found.expect_err(what);
        assert!(expected(&error), "{what}: {error:?}");
    }
}

#[test]
fn who_signed_what_is_refused_for_what_it_is() {
    let with = |change: fn(&mut Identity)| {
        let mut identity = identity();
        change(&mut identity);
        Requirement::Identity {
            identity,
            trust: root(|_| ()),
            logged: true,
        }
    };
    let other_key = super::super::PrivateKey::parse(
        include_str!("../../../tests/data/keys/cosign.key"),
        "not a secret",
    )
    .unwrap();
    let by_other_key = |logged: bool| Requirement::Key {
        key: other_key.public().clone(),
        log: logged.then(|| root(|_| ())),
    };
    let is = identity();
    let other_identity = with(|identity| {
        identity.subject = WildcardPattern::new("https://github.com/octo-org/demo")
    });
    let other_issuer = with(|identity| identity.issuer = "https://accounts.example".to_owned());
    for name in ["keyless-rekor2", "keyless-rekor1", "legacy-keyless"] {
        let recorded = recorded(name);
        assert_eq!(
            recorded.check(&other_identity),
            Err(VerificationError::OtherIdentity {
                is: is.subject.to_string(),
                expected: "https://github.com/octo-org/demo".to_owned(),
            })
        );
        assert_eq!(
            recorded.check(&other_issuer),
            Err(VerificationError::OtherIssuer {
                is: is.issuer.clone(),
                expected: "https://accounts.example".to_owned(),
            })
        );
        assert_eq!(
            recorded.check_as(&keyless(), Digest::from_bytes(b"another image")),
            Err(VerificationError::OtherImage(recorded.digest))
        );
        assert_eq!(
            recorded.check(&key(false)),
            Err(VerificationError::SignedWithCertificate)
        );
    }
    for logged in [false, true] {
        let error = recorded("key-rekor2")
            .check(&by_other_key(logged))
            .unwrap_err();
        assert!(matches!(error, VerificationError::OtherKey(_)), "{error:?}");
        let error = recorded("legacy-key")
            .check(&by_other_key(logged))
            .unwrap_err();
        assert_eq!(error, VerificationError::SignatureMismatch);
        let other =
            recorded("key-rekor2").check_as(&key(logged), Digest::from_bytes(b"another image"));
        assert!(
            matches!(other, Err(VerificationError::OtherImage(_))),
            "{other:?}"
        );
    }
    assert_eq!(
        recorded("key").check(&key(true)),
        Err(VerificationError::NotInLog)
    );
    assert_eq!(
        recorded("legacy-key").check(&keyless()),
        Err(VerificationError::Key)
    );
}

#[test]
fn only_the_word_of_whom_the_root_names_counts() {
    let by = |name: &'static str, change: fn(&mut Value)| {
        let requirement = Requirement::Identity {
            identity: identity(),
            trust: root(change),
            logged: true,
        };
        recorded(name).check(&requirement).unwrap_err()
    };
    for name in ["keyless-rekor2", "keyless-rekor1", "legacy-keyless"] {
        let error = by(name, |root| root["certificateAuthorities"] = json!([]));
        assert!(
            matches!(error, VerificationError::Chain(_)),
            "{name}: {error:?}"
        );
        // A log of another key under the same name.
        let error = by(name, |root| {
            let logs = root["tlogs"].as_array().unwrap().iter();
            let mut keys = logs.map(|log| log["publicKey"].clone());
            let ecdsa = keys.find(|key| key["keyDetails"] == "PKIX_ECDSA_P256_SHA_256");
            root["ctlogs"][0]["publicKey"] = ecdsa.unwrap();
        });
        assert!(
            matches!(error, VerificationError::Sct(_)),
            "{name}: {error:?}"
        );
        let error = by(name, |root| root["tlogs"] = json!([]));
        let log = |error: &VerificationError| {
            matches!(
                error,
                VerificationError::Promise(_)
                    | VerificationError::Checkpoint(_)
                    | VerificationError::UnknownLog(_)
            )
        };
        assert!(log(&error), "{name}: {error:?}");
        // Nobody's word counts outside of the time in which it does.
        let error = by(name, |root| {
            for authority in root["certificateAuthorities"].as_array_mut().unwrap() {
                authority["validFor"] =
                    json!({"start": "2020-01-01T00:00:00Z", "end": "2020-01-02T00:00:00Z"});
            }
        });
        assert!(
            matches!(error, VerificationError::Chain(_)),
            "{name}: {error:?}"
        );
    }
    let error = by("keyless-rekor2", |root| {
        root["timestampAuthorities"] = json!([])
    });
    assert!(
        matches!(error, VerificationError::Timestamp(_)),
        "{error:?}"
    );
}

#[test]
fn what_cannot_be_a_bundle_is_refused_without_being_read_in_whole() {
    let good = recorded("keyless-rekor2");
    let text = good.json["bundle"].to_string();
    let reason = |bytes: &[u8]| match keyless().check_bundle(bytes, good.digest) {
        Err(VerificationError::Malformed(reason)) => reason,
        other => panic!("{other:?}"),
    };
    assert_eq!(reason(&vec![b' '; 100 << 20]), "it has 104857600 bytes");
    assert!(reason("[".repeat(100_000).as_bytes()).contains("object"));
    let deep = format!("{{\"mediaType\":{}", "[".repeat(100_000));
    assert!(reason(deep.as_bytes()).contains("recursion limit"));
    assert_eq!(reason(b"{\"mediaType\":\"\xff\"}"), "it is not UTF-8");
    let twice = text.replacen('{', "{\"mediaType\":\"\",", 1);
    assert!(reason(twice.as_bytes()).contains("\"mediaType\" twice"));
    let hidden = text.replacen(
        "\"payloadType\"",
        "\"payloadTyp\\u0065\":\"\",\"payloadType\"",
        1,
    );
    assert!(reason(hidden.as_bytes()).contains("\"payloadType\" twice"));
    assert!(reason(&text.as_bytes()[..text.len() - 1]).contains("EOF"));
    assert!(reason(format!("{text}{text}").as_bytes()).contains("trailing"));
    assert!(reason(b"").contains("EOF"));
    assert!(reason(b"null").contains("expected"), "{}", reason(b"null"));
}

/// What nobody can read in two ways, or without end.
const AMBIGUOUS: [(&[u8], &str); 4] = [
    (b"{\"a\":\"\xff\"}", "it is not UTF-8"),
    (b"{\"a\":1,\"a\":2}", "\"a\" twice"),
    (b"{\"a\":{\"b\":1,\"\\u0062\":2}}", "\"b\" twice"),
    (b"{\"a\":1} {}", "trailing"),
];

#[test]
fn payloads_and_trusted_roots_are_read_as_strictly() {
    let deep = format!("{{\"a\":{}", "[".repeat(100_000)).into_bytes();
    let long = vec![b' '; 100 << 20];
    let others = [
        (deep.as_slice(), "recursion limit"),
        (&long, "it has 104857600 bytes"),
    ];
    let key = super::super::PrivateKey::parse(
        include_str!("../../../tests/data/keys/cosign.key"),
        "not a secret",
    )
    .unwrap();
    let requirement = Requirement::Key {
        key: key.public().clone(),
        log: None,
    };
    for (text, part) in AMBIGUOUS.into_iter().chain(others) {
        let root = TrustRoot::parse(text).unwrap_err().to_string();
        assert!(root.contains(part), "{root}");
        // Signed by whom it should be, as a layer and as an envelope's statement.
        let signature = BASE64_STANDARD.encode(key.sign(text));
        let annotations = [("dev.cosignproject.cosign/signature".to_owned(), signature)];
        let layer = LegacySignature::from_layer(text.to_vec(), &annotations.into());
        let error = requirement.check_legacy(&layer, Digest::from_bytes(b"image"));
        assert!(
            matches!(&error, Err(VerificationError::Malformed(reason)) if reason.contains(part)),
            "{error:?}"
        );
        if text.len() < 1 << 20 {
            let bundle = key.sign_statement(text.to_vec());
            let error = requirement.check_bundle(&bundle, Digest::from_bytes(b"image"));
            assert!(
                matches!(&error, Err(VerificationError::Malformed(reason)) if reason.contains(part)),
                "{error:?}"
            );
        }
    }
}

#[test]
fn an_attestation_is_checked_against_its_rules() {
    let recorded = recorded("keyless-attestation");
    let bundle = recorded.json["bundle"].to_string();
    let opened = keyless()
        .verify_bundle(bundle.as_bytes(), recorded.digest)
        .unwrap();
    assert_eq!(
        keyless().check_bundle(bundle.as_bytes(), recorded.digest),
        Err(VerificationError::Attestation(
            "https://example.com/tested".to_owned()
        ))
    );
    let attested = opened.into_attestation();
    for (rule, good) in [
        ("https://example.com/tested,/result=passed", true),
        ("https://example.com/tested,/result=failed", false),
        ("https://example.com/other", false),
    ] {
        let rule: AttestationRule = rule.parse().unwrap();
        let checked = attested.check_rule(&rule);
        assert_eq!(checked.is_ok(), good, "{checked:?} {}", attested.predicate);
    }
}

#[test]
fn a_trusted_root_that_cannot_be_used_says_why() {
    let wrong = |change: fn(&mut Value)| {
        let mut json = json_file("trusted_root.json");
        change(&mut json);
        TrustRoot::parse(json.to_string().as_bytes())
            .unwrap_err()
            .to_string()
    };
    assert!(TrustRoot::load_embedded().is_ok());
    for (reason, part) in [
        (
            wrong(|root| root["mediaType"] = json!("text/plain")),
            "media type",
        ),
        (
            wrong(|root| root["tlogs"][0]["publicKey"]["rawBytes"] = json!("AAAA")),
            "key",
        ),
        (
            wrong(|root| {
                let again = root["tlogs"][0].clone();
                root["tlogs"].as_array_mut().unwrap().push(again);
            }),
            "duplicate trusted log",
        ),
        (
            wrong(|root| {
                root["certificateAuthorities"][0]["certChain"]["certificates"] = json!([]);
            }),
            "empty certificate chain",
        ),
        (
            TrustRoot::parse(b"{}").unwrap_err().to_string(),
            "mediaType",
        ),
        (TrustRoot::parse(b"").unwrap_err().to_string(), "EOF"),
    ] {
        assert!(
            reason.to_lowercase().contains(&part.to_lowercase()),
            "{reason}"
        );
    }
}

#[test]
fn a_bundle_of_a_file_is_checked_by_key_and_identity() {
    let recorded = recorded("keyless-rekor1");
    let bundle = recorded.json["bundle"].to_string();
    let key = PublicKey::parse(&String::from_utf8(file("cosign.pub")).unwrap()).unwrap();
    let check = |signer: FileSigner, digest: Digest| {
        let requirement = FileRequirement {
            signer,
            trust_root: root(|_| ()),
            requires_log: true,
        };
        requirement.check(bundle.as_bytes(), &mut SignedArtifact::Digest(digest))
    };
    let by_identity = FileSigner::Identity(identity());
    assert!(check(by_identity.clone(), recorded.digest).unwrap().logged);
    let other = check(by_identity, Digest::from_bytes(b"another"));
    assert!(
        matches!(other, Err(VerificationError::OtherArtifact(_))),
        "{other:?}"
    );
    assert_eq!(
        check(FileSigner::Key(key), recorded.digest),
        Err(VerificationError::SignedWithCertificate)
    );
}
