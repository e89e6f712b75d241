//! Timestamp authority that exists only in this process, for `sigstore-verify`: it states times that were
//! verified here, in the only form in which that crate takes one.

use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, KeyPair};
use jiff::Timestamp;
use serde_json::json;
use sigstore_trust_root::{TimestampAuthority, TrustedRoot};
use sigstore_types::{
    Bundle, DerCertificate, Rfc3161Timestamp, TimestampToken, TimestampVerificationData,
};

use super::stamper::VerifiedTimes;

/// Authority with a key that leaves this process never.
pub(crate) struct StandInStamper {
    key: EcdsaKeyPair,
    certificate: Vec<u8>,
}

const SEQUENCE: u8 = 0x30;
const SET: u8 = 0x31;
const INTEGER: u8 = 0x02;
const OCTET_STRING: u8 = 0x04;
const OID: u8 = 0x06;
const GENERALIZED_TIME: u8 = 0x18;

const ECDSA_SHA256: [u8; 12] = [
    0x30, 0x0a, 0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x02,
];
const SHA256_ALGORITHM: [u8; 13] = [
    0x30, 0x0b, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01,
];
/// `id-signedData`, `id-ct-TSTInfo`, and the attributes content type and message digest.
const SIGNED_DATA: [u8; 9] = [0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x07, 0x02];
const TST_INFO: [u8; 11] = [
    0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x09, 0x10, 0x01, 0x04,
];
const CONTENT_TYPE: [u8; 9] = [0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x09, 0x03];
const MESSAGE_DIGEST: [u8; 9] = [0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x09, 0x04];
/// Subject and issuer: the common name `shipmark`.
const NAME: [u8; 21] = *b"\x30\x13\x31\x11\x30\x0f\x06\x03\x55\x04\x03\x0c\x08shipmark";
/// From 1970 to the end of GeneralizedTime.
const VALIDITY: [u8; 34] = *b"\x30\x20\x17\x0d700101000000Z\x18\x0f99991231235959Z";
/// Extended key usage, critical: for timestamps alone.
const EXTENSIONS: [u8; 28] = [
    0xa3, 0x1a, 0x30, 0x18, 0x30, 0x16, 0x06, 0x03, 0x55, 0x1d, 0x25, 0x01, 0x01, 0xff, 0x04, 0x0c,
    0x30, 0x0a, 0x06, 0x08, 0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x03, 0x08,
];
/// Policy of the timestamps, `1.2.3.4`, which says nothing.
const POLICY: [u8; 5] = [OID, 0x03, 0x2a, 0x03, 0x04];
const ONE: [u8; 3] = [INTEGER, 0x01, 0x01];
const THREE: [u8; 3] = [INTEGER, 0x01, 0x03];

impl StandInStamper {
    /// Generates an authority.
    pub(crate) fn generate() -> Self {
        // As with signing, it fails without random numbers alone.
        let key = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_ASN1_SIGNING)
            .expect("the system gives random numbers");
        let signed = tlv(
            SEQUENCE,
            &[
                &[0xa0, 0x03, INTEGER, 0x01, 0x02],
                &ONE,
                &ECDSA_SHA256,
                &NAME,
                &VALIDITY,
                &NAME,
                &subject_key(&key),
                &EXTENSIONS,
            ],
        );
        let signature = [&[0][..], &sign(&key, &signed)].concat();
        let certificate = tlv(
            SEQUENCE,
            &[&signed, &ECDSA_SHA256, &tlv(0x03, &[&signature])],
        );
        Self { key, certificate }
    }

    /// Returns a trusted root with this authority in place of its timestamp authorities.
    pub(crate) fn replace_authorities(&self, root: &TrustedRoot) -> TrustedRoot {
        let certificate = DerCertificate::new(self.certificate.clone());
        let authority = json!({"certChain": {"certificates": [{"rawBytes": certificate}]}});
        let authority: Option<TimestampAuthority> = serde_json::from_value(authority).ok();
        let mut root = root.clone();
        root.timestamp_authorities = authority.into_iter().collect();
        root
    }

    /// Returns a bundle with timestamps of this authority in place of its own: at the times that were
    /// verified, over the signature that they were verified for.
    pub(crate) fn restamp(&self, bundle: &Bundle, verified: &VerifiedTimes<'_>) -> Bundle {
        let stamps = verified.times.iter().map(|time| {
            let token = self.stamp(verified.signature, *time);
            Rfc3161Timestamp::new(TimestampToken::new(token))
        });
        let mut bundle = bundle.clone();
        bundle.verification_material.timestamp_verification_data =
            TimestampVerificationData::new(stamps.collect());
        bundle
    }

    /// Returns the token of a timestamp (RFC 3161, 2.4.2).
    fn stamp(&self, message: &[u8], time: Timestamp) -> Vec<u8> {
        let time = time.strftime("%Y%m%d%H%M%SZ").to_string();
        let imprint = tlv(OCTET_STRING, &[digest(&SHA256, message).as_ref()]);
        let info = tlv(
            SEQUENCE,
            &[
                &ONE,
                &POLICY,
                &tlv(SEQUENCE, &[&SHA256_ALGORITHM, &imprint]),
                &ONE,
                &tlv(GENERALIZED_TIME, &[time.as_bytes()]),
            ],
        );
        let content = tlv(
            SEQUENCE,
            &[
                &tlv(OID, &[&TST_INFO]),
                &tlv(0xa0, &[&tlv(OCTET_STRING, &[&info])]),
            ],
        );
        let signed = tlv(
            SEQUENCE,
            &[
                &THREE,
                &tlv(SET, &[&SHA256_ALGORITHM]),
                &content,
                &tlv(SET, &[&self.signer_info(&info)]),
            ],
        );
        tlv(
            SEQUENCE,
            &[&tlv(OID, &[&SIGNED_DATA]), &tlv(0xa0, &[&signed])],
        )
    }

    fn signer_info(&self, info: &[u8]) -> Vec<u8> {
        let attribute =
            |kind: &[u8], value: &[u8]| tlv(SEQUENCE, &[&tlv(OID, &[kind]), &tlv(SET, &[value])]);
        let message_digest = tlv(OCTET_STRING, &[digest(&SHA256, info).as_ref()]);
        // In the order of DER: the shorter first.
        let attributes = [
            attribute(&CONTENT_TYPE, &tlv(OID, &[&TST_INFO])),
            attribute(&MESSAGE_DIGEST, &message_digest),
        ]
        .concat();
        let signature = sign(&self.key, &tlv(SET, &[&attributes]));
        tlv(
            SEQUENCE,
            &[
                &ONE,
                &tlv(SEQUENCE, &[&NAME, &ONE]),
                &SHA256_ALGORITHM,
                &tlv(0xa0, &[&attributes]),
                &ECDSA_SHA256,
                &tlv(OCTET_STRING, &[&signature]),
            ],
        )
    }
}

fn sign(key: &EcdsaKeyPair, message: &[u8]) -> Vec<u8> {
    let signature = key.sign(&SystemRandom::new(), message);
    let signature = signature.expect("the system gives random numbers");
    signature.as_ref().to_vec()
}

/// Returns the SubjectPublicKeyInfo of a key over P-256.
fn subject_key(key: &EcdsaKeyPair) -> Vec<u8> {
    const ALGORITHM: [u8; 21] = [
        0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a, 0x86,
        0x48, 0xce, 0x3d, 0x03, 0x01, 0x07,
    ];
    let point = [&[0][..], key.public_key().as_ref()].concat();
    tlv(SEQUENCE, &[&ALGORITHM, &tlv(0x03, &[&point])])
}

/// Returns an element of DER (X.690): tag, length, content.
fn tlv(tag: u8, parts: &[&[u8]]) -> Vec<u8> {
    let content = parts.concat();
    let length = content.len().to_be_bytes();
    let length = &length[length.iter().take_while(|byte| **byte == 0).count()..];
    let mut element = vec![tag];
    match length {
        [] => element.push(0),
        [short] if *short < 0x80 => element.push(*short),
        long => {
            element.push(0x80 | u8::try_from(long.len()).unwrap_or_default());
            element.extend_from_slice(long);
        }
    }
    element.extend(content);
    element
}

#[cfg(test)]
mod tests {
    use sigstore_types::{SignatureBytes, TsaAuthority};

    use super::*;

    #[test]
    fn sigstore_reads_the_times() {
        let stamper = StandInStamper::generate();
        let certificate = DerCertificate::new(stamper.certificate.clone());
        let authority = TsaAuthority::new(certificate.clone(), Vec::new(), certificate, None);
        for seconds in [0, 1_795_000_000, 253_402_207_200] {
            let time = Timestamp::from_second(seconds).unwrap();
            let stamp = TimestampToken::new(stamper.stamp(b"signature", time));
            let read = |signature: &[u8]| {
                let signature = SignatureBytes::from_bytes(signature);
                sigstore_tsa::verify_timestamp_for_authority(&stamp, &signature, &authority)
            };
            assert_eq!(read(b"signature").unwrap(), time);
            assert!(read(b"another").is_err());
        }
    }
}
