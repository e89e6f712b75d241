//! Signature of a timestamp token (CMS, RFC 5652), with the keys and hashes that cosign takes.

use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_ASN1, ECDSA_P256_SHA384_ASN1, ECDSA_P256_SHA512_ASN1, ECDSA_P384_SHA256_ASN1,
    ECDSA_P384_SHA384_ASN1, ECDSA_P384_SHA512_ASN1, ECDSA_P521_SHA256_ASN1, ECDSA_P521_SHA384_ASN1,
    ECDSA_P521_SHA512_ASN1, ED25519, RSA_PKCS1_2048_8192_SHA256, RSA_PKCS1_2048_8192_SHA384,
    RSA_PKCS1_2048_8192_SHA512, UnparsedPublicKey, VerificationAlgorithm,
};
use cms::signed_data::{SignedAttributes, SignerIdentifier};
use x509_cert::Certificate;
use x509_cert::der::asn1::{Any, ObjectIdentifier, OctetStringRef, SetOfVec};
use x509_cert::der::{Encode, Tagged};
use x509_cert::ext::pkix::SubjectKeyIdentifier;

use super::super::super::key_algorithm::{self, KeyAlgorithm};
use super::stamp_hash::{StampHash, oid};
use super::stamp_token::{StampToken, TST_INFO, unreadable};

/// Signature algorithms, with the hash that they name; `rsaEncryption` and Ed25519 (RFC 8419) name none.
const SIGNATURES: [(ObjectIdentifier, Option<StampHash>); 8] = [
    (oid("1.2.840.113549.1.1.1"), None),
    (oid("1.3.101.112"), None),
    (oid("1.2.840.113549.1.1.11"), Some(StampHash::Sha256)),
    (oid("1.2.840.113549.1.1.12"), Some(StampHash::Sha384)),
    (oid("1.2.840.113549.1.1.13"), Some(StampHash::Sha512)),
    (oid("1.2.840.10045.4.3.2"), Some(StampHash::Sha256)),
    (oid("1.2.840.10045.4.3.3"), Some(StampHash::Sha384)),
    (oid("1.2.840.10045.4.3.4"), Some(StampHash::Sha512)),
];
const CONTENT_TYPE: ObjectIdentifier = oid("1.2.840.113549.1.9.3");
const MESSAGE_DIGEST: ObjectIdentifier = oid("1.2.840.113549.1.9.4");

impl StampToken {
    /// Returns whether the signature names a certificate as its signer's.
    pub(super) fn names(&self, certificate: &Certificate) -> bool {
        let signed = &certificate.tbs_certificate;
        match &self.signer.sid {
            SignerIdentifier::IssuerAndSerialNumber(named) => {
                named.issuer == signed.issuer && named.serial_number == signed.serial_number
            }
            SignerIdentifier::SubjectKeyIdentifier(named) => {
                let own = signed.get::<SubjectKeyIdentifier>();
                matches!(own, Ok(Some((_, own))) if own == *named)
            }
        }
    }

    /// Refuses a token that the key of `certificate` did not sign.
    pub(super) fn check_signature(&self, certificate: &Certificate) -> Result<(), String> {
        let hash = self.signature_hash()?;
        let attributes = self.signer.signed_attrs.as_ref();
        let attributes = attributes.ok_or("it has no signed attributes")?;
        let content_type: ObjectIdentifier = single_value(attributes, CONTENT_TYPE)?
            .decode_as()
            .map_err(unreadable)?;
        let digest = single_value(attributes, MESSAGE_DIGEST)?;
        let digest: OctetStringRef<'_> = digest.decode_as().map_err(unreadable)?;
        if content_type != TST_INFO || digest.as_bytes() != hash.digest(&self.content) {
            return Err("its content is not what was signed".to_owned());
        }
        // Signed is the set itself, which stands in the token under another tag.
        let signed: Vec<_> = attributes.iter().cloned().collect();
        let signed = SetOfVec::try_from(signed).and_then(|set| set.to_der());
        let key = &certificate.tbs_certificate.subject_public_key_info;
        let key = key.to_der().map_err(unreadable)?;
        let kind = key_algorithm::public_key_algorithm(&key);
        let kind = kind.map_err(|error| format!("the key of its authority {error}"))?;
        let algorithm = verification_algorithm(kind, hash);
        let signature = self.signer.signature.as_bytes();
        UnparsedPublicKey::new(algorithm, &key)
            .verify(&signed.map_err(unreadable)?, signature)
            .map_err(|_| "its authority did not sign what is there".to_owned())
    }

    /// Returns the one hash that the signature is made with.
    fn signature_hash(&self) -> Result<StampHash, String> {
        let stated = self.signer.digest_alg.oid;
        let stated = StampHash::of_oid(stated)
            .ok_or_else(|| format!("it is signed with the hash {stated}"))?;
        let algorithm = self.signer.signature_algorithm.oid;
        let named = SIGNATURES.iter().find(|(known, _)| *known == algorithm);
        match named.ok_or_else(|| format!("it is signed by the algorithm {algorithm}"))? {
            (_, Some(named)) if *named != stated => Err("it names two hashes".to_owned()),
            _ => Ok(stated),
        }
    }
}

/// Returns the only value of the only attribute of a type.
fn single_value(attributes: &SignedAttributes, kind: ObjectIdentifier) -> Result<&Any, String> {
    let mut found = attributes
        .iter()
        .filter(|attribute| attribute.oid == kind)
        .flat_map(|attribute| attribute.values.iter());
    match (found.next(), found.next()) {
        (Some(value), None) if !value.tag().is_context_specific() => Ok(value),
        _ => Err(format!("it has not exactly one attribute {kind}")),
    }
}

/// Returns how a key of a kind signs with a hash. Ed25519 hashes by itself.
fn verification_algorithm(
    kind: KeyAlgorithm,
    hash: StampHash,
) -> &'static dyn VerificationAlgorithm {
    let by_hash: [&'static dyn VerificationAlgorithm; 3] = match kind {
        KeyAlgorithm::P256 => [
            &ECDSA_P256_SHA256_ASN1,
            &ECDSA_P256_SHA384_ASN1,
            &ECDSA_P256_SHA512_ASN1,
        ],
        KeyAlgorithm::P384 => [
            &ECDSA_P384_SHA256_ASN1,
            &ECDSA_P384_SHA384_ASN1,
            &ECDSA_P384_SHA512_ASN1,
        ],
        KeyAlgorithm::P521 => [
            &ECDSA_P521_SHA256_ASN1,
            &ECDSA_P521_SHA384_ASN1,
            &ECDSA_P521_SHA512_ASN1,
        ],
        KeyAlgorithm::Rsa => [
            &RSA_PKCS1_2048_8192_SHA256,
            &RSA_PKCS1_2048_8192_SHA384,
            &RSA_PKCS1_2048_8192_SHA512,
        ],
        KeyAlgorithm::Ed25519 => return &ED25519,
    };
    by_hash[hash as usize]
}
