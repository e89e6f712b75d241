//! Envelopes of another type than in-toto's: what is signed in them is no statement, however it reads.

use std::sync::Arc;

use serde_json::{Value, json};
use shipmark::gate::WildcardPattern;
use shipmark::image::Digest;
use shipmark::release::{Failure, ImageCheck, RequiredEvidence};
use shipmark::signing::{
    FileRequirement, FileSigner, Identity, PublicKey, Requirement, SignedArtifact, TrustRoot,
};
use shipmark::tagging::TagRules;

use super::images::{SBOM, SIGNATURE, Signed};
use crate::registry::{Profile, Registry};
use crate::sigstore::forge::*;
use crate::sigstore::{ISSUER, Kind, Leaf};
use crate::support::*;

const KINDS: [&str; 14] = [
    "",
    "text/plain",
    "application/json",
    "application/vnd.in-toto",
    "application/vnd.in-toto+JSON",
    "Application/vnd.in-toto+json",
    "application/vnd.in-toto+json ",
    " application/vnd.in-toto+json",
    "application/vnd.in-toto+json; charset=utf-8",
    "application/vnd.in-toto+json\u{0}",
    "application/vnd.in-toto.provenance+json",
    "application/vnd.dsse.envelope.v1+json",
    "application/vnd.cyclonedx+json",
    "https://in-toto.io/Statement/v1",
];

const IMAGE: &[u8] = b"an image";
const RECORDS: [Record; 4] = [
    Record::Dsse1,
    Record::Hashed1,
    Record::Hashed2,
    Record::Intoto2,
];

/// A good bundle, but for the type that its envelope has and its key signed.
fn bundle_as(kind: &str, said: &Value, forge: &Forge, signer: &Signer, record: Record) -> Value {
    let mut bundle = forge.bundle(record, signer, &signer.sign_as(kind, said));
    bundle["dsseEnvelope"]["payloadType"] = json!(kind);
    bundle
}

/// Every way in which the bundle of a signer is opened, with its name and whether it counts.
fn ways(forge: &Forge, signer: &Signer, bundle: &Value) -> Vec<(&'static str, Option<String>)> {
    let trust = TrustRoot::parse(forge.trusted_root().to_string().as_bytes());
    let (trust, image) = (Arc::new(trust.unwrap()), Digest::from_bytes(IMAGE));
    let key = PublicKey::parse(&signer.leaf.pem()).unwrap();
    let identity = Identity {
        subject: WildcardPattern::new(identity()),
        issuer: ISSUER.to_owned(),
        conditions: Vec::new(),
    };
    let requirements = match &signer.certificate {
        Some(_) => [true, false]
            .map(|logged| Requirement::Identity {
                identity: identity.clone(),
                trust: trust.clone(),
                logged,
            })
            .to_vec(),
        None => [None, Some(trust.clone())]
            .map(|log| Requirement::Key {
                key: key.clone(),
                log,
            })
            .to_vec(),
    };
    let text = bundle.to_string();
    let mut ways = Vec::new();
    for requirement in &requirements {
        let opened = requirement.verify_bundle(text.as_bytes(), image);
        ways.push(("open", opened.err().map(|flaw| flaw.to_string())));
        let layer = legacy_attestation(signer, bundle);
        let entry = &bundle["verificationMaterial"]["tlogEntries"][0];
        if entry["inclusionPromise"].is_object() {
            let opened = requirement.check_legacy_attestation(&layer, image);
            ways.push(("layer", opened.err().map(|flaw| flaw.to_string())));
        }
    }
    for logged in [true, false] {
        let requirement = FileRequirement {
            signer: match &signer.certificate {
                Some(_) => FileSigner::Identity(identity.clone()),
                None => FileSigner::Key(key.clone()),
            },
            trust_root: trust.clone(),
            requires_log: logged,
        };
        let found = requirement.check(text.as_bytes(), &mut SignedArtifact::Digest(image));
        ways.push(("file", found.err().map(|flaw| flaw.to_string())));
    }
    ways
}

#[test]
fn promise_6_an_envelope_of_another_type_counts_in_no_path() {
    let (mut refused, mut held) = (0, 0);
    for predicate in [
        "https://sigstore.dev/cosign/sign/v1",
        "https://slsa.dev/provenance/v1",
    ] {
        let mut said = statement(IMAGE);
        said["predicateType"] = json!(predicate);
        for record in RECORDS {
            for is_certified in [true, false] {
                let forge = Forge::default();
                let leaf = Leaf::new(Kind::P256);
                let signer = match is_certified {
                    true => forge.certified(leaf, &valid()),
                    false => Signer::key(leaf),
                };
                let good = bundle_as(PAYLOAD, &said, &forge, &signer, record);
                for (way, flaw) in ways(&forge, &signer, &good) {
                    assert_eq!(flaw, None, "{record:?} {way}");
                    held += 1;
                }
                for kind in KINDS {
                    let bundle = bundle_as(kind, &said, &forge, &signer, record);
                    for (way, flaw) in ways(&forge, &signer, &bundle) {
                        assert!(flaw.is_some(), "{record:?} {way} {kind:?}");
                        refused += 1;
                    }
                }
            }
        }
    }
    assert_eq!((refused, held), (1232, 88));
}

/// A source that a key signed so is not promoted.
#[tokio::test]
async fn promise_6_a_source_with_an_envelope_of_another_type_is_not_promoted() {
    let signed = Signed {
        registry: Registry::start(Profile::plain()).await,
        key: keys::key(),
    };
    put_example(&signed.registry, "web", "it");
    let signer = Signer::key(Leaf::new(Kind::P256));
    let to = format!("{}/prod", signed.registry.host());
    let wanted = [
        (SIGNATURE, RequiredEvidence::Signature),
        (SBOM, RequiredEvidence::Attestation(SBOM.parse().unwrap())),
    ];
    for (predicate, wanted) in wanted {
        let mut said = statement(b"");
        said["subject"][0]["digest"]["sha256"] = json!(example_root().to_hex());
        said["predicateType"] = json!(predicate);
        let attempt = async |kind: &str| {
            let sealed = signer.sign_as(kind, &said);
            let mut bundle = bundle(&signer, &sealed, &[], &[]);
            bundle["dsseEnvelope"]["payloadType"] = json!(kind);
            signed.attach(Some(example_root()), predicate, &bundle.to_string());
            let source = format!("{}:it", signed.place());
            let mut request = promote(&source, &[&to], "refs/heads/main");
            request.rules = TagRules::parse(["it"]).unwrap();
            request.check = Some(ImageCheck {
                requirement: Requirement::Key {
                    key: PublicKey::parse(&signer.leaf.pem()).unwrap(),
                    log: None,
                },
                wanted: vec![wanted.clone()],
            });
            request
        };
        for kind in ["text/plain", "application/json"] {
            let (failure, _) = failed(attempt(kind).await, &context()).await;
            assert!(matches!(failure, Failure::Refused(_)), "{failure:?}");
        }
        done(attempt(PAYLOAD).await, &context()).await;
    }
}
