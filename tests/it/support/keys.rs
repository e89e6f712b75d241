//! Keys to sign with, made for one test.

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair};
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use shipmark::release::{
    CheckedSignature, Failure, ImageCheck, ReleaseContext, RequiredEvidence, SignatureFormat,
    SigningOptions, VerifyRequest, verify,
};
use shipmark::signing::{PrivateKey, PublicKey, Requirement, Signer};

/// A new key as PEM.
pub fn pem() -> String {
    let random = SystemRandom::new();
    let key = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, &random).unwrap();
    let digits = BASE64_STANDARD.encode(key.as_ref());
    let lines: Vec<_> = digits.as_bytes().chunks(64).collect();
    let lines = lines.iter().map(|line| std::str::from_utf8(line).unwrap());
    let lines = lines.collect::<Vec<_>>().join("\n");
    format!("-----BEGIN PRIVATE KEY-----\n{lines}\n-----END PRIVATE KEY-----\n")
}

pub fn key() -> PrivateKey {
    PrivateKey::parse(&pem(), "").unwrap()
}

/// Signing in both forms.
pub fn signing(key: &PrivateKey) -> SigningOptions {
    SigningOptions {
        allows_unbound: true,
        assigns_reports: false,
        signer: Signer::Key(key.clone().into()),
        recursive: false,
        attestations: Vec::new(),
        github: None,
        formats: vec![SignatureFormat::Bundle, SignatureFormat::Legacy],
        annotations: Default::default(),
        created: "2026-11-20T21:48:08Z".to_owned(),
    }
}

/// That an image has a signature of a key.
pub fn signed_by(key: &PublicKey) -> ImageCheck {
    ImageCheck {
        requirement: Requirement::Key {
            key: key.clone(),
            log: None,
        },
        wanted: vec![RequiredEvidence::Signature],
    }
}

/// Every signature of an image, checked with a key.
pub async fn checked(
    image: &str,
    key: &PrivateKey,
    context: &ReleaseContext,
) -> Result<Vec<CheckedSignature>, Failure> {
    let request = VerifyRequest {
        source: image.parse().unwrap(),
        recursive: false,
    };
    let check = async { Ok(signed_by(key.public())) };
    let found = verify(&request, check, context).await;
    found.map(|found| found.signatures)
}

/// The forms in which the key has signed an image, once for each signature.
pub async fn good(image: &str, key: &PrivateKey, context: &ReleaseContext) -> Vec<SignatureFormat> {
    let all = checked(image, key, context).await.unwrap();
    let good = all.iter().filter(|checked| checked.result.is_ok());
    good.map(|checked| checked.format).collect()
}
