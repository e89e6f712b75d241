//! What is tried with signatures, by cargo-fuzz and by tests/it/verify/mutation.rs alike: whatever is
//! given, it is refused, or says what was signed.

use std::sync::{Arc, OnceLock};

use serde_json::Value;
use shipmark::gate::WildcardPattern;
use shipmark::image::Digest;
use shipmark::signing::{Identity, LegacySignature, PublicKey, Requirement, TrustRoot};

const ROOT: &[u8] = include_bytes!("../tests/data/sigstore/trusted_root.json");
const KEY: &str = include_str!("../tests/data/sigstore/cosign.pub");
const SIGNER: &str = include_str!("../tests/data/sigstore/signer.json");
const KEYLESS: &str = include_str!("../tests/data/sigstore/keyless-rekor1.json");
const LEGACY: &str = include_str!("../tests/data/sigstore/legacy-keyless.json");

/// By identity, by key, and by key with a log.
fn requirements() -> &'static [Requirement; 3] {
    static READ: OnceLock<[Requirement; 3]> = OnceLock::new();
    READ.get_or_init(|| {
        let trust = Arc::new(TrustRoot::parse(ROOT).expect("it was recorded"));
        let signer: Value = serde_json::from_str(SIGNER).expect("it was recorded");
        let said = |name: &str| signer[name].as_str().unwrap_or_default().to_owned();
        let key = || PublicKey::parse(KEY).expect("it was recorded");
        [
            Requirement::Identity {
                identity: Identity {
                    subject: WildcardPattern::new(said("identity")),
                    issuer: said("issuer"),
                    conditions: Vec::new(),
                },
                trust: trust.clone(),
                logged: true,
            },
            Requirement::Key {
                key: key(),
                log: None,
            },
            Requirement::Key {
                key: key(),
                log: Some(trust),
            },
        ]
    })
}

/// The image of a record.
fn image(record: &str) -> Digest {
    let record: Value = serde_json::from_str(record).expect("it was recorded");
    let digest = record["digest"].as_str().unwrap_or_default();
    digest.parse().expect("it was recorded")
}

/// Takes bytes for a bundle beside the image of the recorded one.
pub fn bundle(bytes: &[u8]) {
    let image = image(KEYLESS);
    for requirement in requirements() {
        if let Ok(found) = requirement.check_bundle(bytes, image) {
            assert_eq!(found.claim.digest, image);
        }
    }
}

/// Takes bytes for the payload of the recorded legacy signature, and for the log's entry beside it.
pub fn payload(bytes: &[u8]) {
    let record: Value = serde_json::from_str(LEGACY).expect("it was recorded");
    let annotations =
        serde_json::from_value(record["annotations"].clone()).expect("it was recorded");
    let signed = LegacySignature::from_layer(bytes.to_vec(), &annotations);
    let with_entry = LegacySignature {
        log_entry: Some(String::from_utf8_lossy(bytes).into_owned()),
        ..signed.clone()
    };
    for requirement in requirements() {
        for signed in [&signed, &with_entry] {
            if let Ok(found) = requirement.check_legacy(signed, image(LEGACY)) {
                assert_eq!(found.claim.digest, image(LEGACY));
            }
            let _ = requirement.check_legacy_attestation(signed, image(LEGACY));
        }
    }
}

/// Takes bytes for a trusted root.
pub fn trusted_root(bytes: &[u8]) {
    let _ = TrustRoot::parse(bytes);
}
