//! A timestamp authority.

use std::time::{Duration, SystemTime};

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{KeyPair, RSA_PKCS1_SHA256, RsaKeyPair};
use rcgen::{CertificateParams, CustomExtension, DnType, KeyUsagePurpose};
use serde_json::{Value, json};

use super::authority::{Issuing, Period, Subject, authority};
use super::clock::Clock;
use super::der::{self, INTEGER, OCTETS, OID, SEQUENCE, SET, TIME};
use super::key::Key;
use super::{base64, sha256};

/// What a timestamp authority's certificates say.
#[derive(Debug, Clone)]
pub struct Stamping {
    pub period: Period,
    /// The object identifiers in its extended key usage.
    pub purposes: Vec<&'static [u8]>,
    /// Whether that is critical.
    pub critical: bool,
    pub root: Issuing,
    pub between: Option<Issuing>,
}

impl Stamping {
    pub fn during(period: &Period) -> Self {
        Self {
            period: period.clone(),
            purposes: vec![TIME_STAMPING],
            critical: true,
            root: Issuing::default(),
            between: None,
        }
    }

    fn extended_key_usage(&self) -> CustomExtension {
        let purposes: Vec<_> = self
            .purposes
            .iter()
            .map(|oid| der::element(OID, oid))
            .collect();
        let content = der::sequence(&purposes);
        let mut extension = CustomExtension::from_oid_content(&[2, 5, 29, 37], content);
        extension.set_criticality(self.critical);
        extension
    }
}

pub const TIME_STAMPING: &[u8] = &[0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x03, 0x08];
pub const CODE_SIGNING: &[u8] = &[0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x03, 0x03];

/// What an authority signs with.
enum StampKey {
    P256(Key),
    Rsa(RsaKeyPair),
}

impl StampKey {
    fn subject(&self) -> Subject {
        match self {
            Self::P256(key) => Subject::of_point(&key.point()),
            Self::Rsa(pair) => Subject {
                key: pair.public_key().as_ref().to_vec(),
                kind: &rcgen::PKCS_RSA_SHA256,
            },
        }
    }

    /// The identifier of the key, in its certificate and its timestamps.
    fn id(&self) -> [u8; 32] {
        sha256(&self.subject().key)
    }

    fn sign(&self, message: &[u8]) -> Vec<u8> {
        match self {
            Self::P256(key) => key.sign(message),
            Self::Rsa(pair) => {
                let mut signature = vec![0; pair.public_modulus_len()];
                let random = SystemRandom::new();
                pair.sign(&RSA_PKCS1_SHA256, &random, message, &mut signature)
                    .unwrap();
                signature
            }
        }
    }

    fn algorithm(&self) -> &'static [u8] {
        match self {
            Self::P256(_) => ECDSA_SHA256,
            Self::Rsa(_) => RSA,
        }
    }
}

/// A timestamp authority (RFC 3161).
pub struct Stamper {
    key: StampKey,
    chain: Vec<Vec<u8>>,
    pub clock: Clock,
}

const SHA256: &[u8] = &[0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01];
const ECDSA_SHA256: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x02];
const RSA: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01];
const SIGNED_DATA: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x07, 0x02];
const CONTENT_TYPE: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x09, 0x03];
const MESSAGE_DIGEST: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x09, 0x04];
const TST_INFO: &[u8] = &[
    0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x09, 0x10, 0x01, 0x04,
];

/// Ten years before and after now.
fn decade() -> Period {
    let decade = Duration::from_secs(10 * 365 * 24 * 3600);
    SystemTime::now() - decade..SystemTime::now() + decade
}

impl Stamper {
    pub fn new() -> Self {
        Self::with(&Stamping::during(&decade()))
    }

    /// One like those of ordinary certificate authorities: with a key of RSA 2048.
    pub fn rsa() -> Self {
        let key = RsaKeyPair::generate(KeySize::Rsa2048).unwrap();
        Self::of_key(&Stamping::during(&decade()), StampKey::Rsa(key))
    }

    /// With certificates that say something.
    pub fn with(says: &Stamping) -> Self {
        Self::of_key(says, StampKey::P256(Key::new()))
    }

    fn of_key(says: &Stamping, key: StampKey) -> Self {
        let (root, mut above) = authority("timestamps", &says.root, None);
        let mut chain = vec![root];
        if let Some(between) = &says.between {
            let (certificate, issuer) = authority("timestamps below", between, Some(&above));
            chain.insert(0, certificate);
            above = issuer;
        }
        let mut params = CertificateParams::default();
        params.not_before = says.period.start.into();
        params.not_after = says.period.end.into();
        params
            .distinguished_name
            .push(DnType::CommonName, "timestamp");
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        let id = der::element(OCTETS, &key.id());
        params.custom_extensions = vec![
            CustomExtension::from_oid_content(&[2, 5, 29, 14], id),
            says.extended_key_usage(),
        ];
        let leaf = params.signed_by(&key.subject(), &above).unwrap();
        chain.insert(0, leaf.der().to_vec());
        Self {
            key,
            chain,
            clock: Clock::default(),
        }
    }

    /// The answer to a request, whose imprint it repeats.
    pub fn stamp(&self, request: &[u8]) -> Vec<u8> {
        let imprint = der::first(&der::content(request)[3..]);
        self.stamp_imprint(imprint, self.clock.now(), false)
    }

    /// The answer to a request about some bytes, perhaps with the certificate that it is signed by.
    pub fn stamp_bytes(&self, bytes: &[u8], at: SystemTime, certified: bool) -> Vec<u8> {
        let algorithm = der::sequence(&[der::element(OID, SHA256)]);
        let imprint = der::sequence(&[algorithm, der::element(OCTETS, &sha256(bytes))]);
        self.stamp_imprint(&imprint, at, certified)
    }

    fn stamp_imprint(&self, imprint: &[u8], at: SystemTime, certified: bool) -> Vec<u8> {
        let oid = |oid: &[u8]| der::element(OID, oid);
        let at = jiff::Timestamp::try_from(at).unwrap();
        let time = at.strftime("%Y%m%d%H%M%SZ").to_string();
        let info = der::sequence(&[
            der::element(INTEGER, &[1]),
            oid(&[0x2a, 0x03, 0x04]),
            imprint.to_vec(),
            der::element(INTEGER, &[1]),
            der::element(TIME, time.as_bytes()),
        ]);
        let sha256_algorithm = der::sequence(&[oid(SHA256)]);
        let attribute =
            |name: &[u8], value: Vec<u8>| der::sequence(&[oid(name), der::element(SET, &value)]);
        let attributes = [
            attribute(CONTENT_TYPE, oid(TST_INFO)),
            attribute(MESSAGE_DIGEST, der::element(OCTETS, &sha256(&info))),
        ]
        .concat();
        let signature = self.key.sign(&der::element(SET, &attributes));
        let signer = der::sequence(&[
            der::element(INTEGER, &[3]),
            der::element(0x80, &self.key.id()),
            sha256_algorithm.clone(),
            der::element(0xa0, &attributes),
            der::sequence(&[oid(self.key.algorithm())]),
            der::element(OCTETS, &signature),
        ]);
        let content = der::sequence(&[
            oid(TST_INFO),
            der::element(0xa0, &der::element(OCTETS, &info)),
        ]);
        let certificates = match certified {
            true => der::element(0xa0, &self.chain[0]),
            false => Vec::new(),
        };
        let signed = der::sequence(&[
            der::element(INTEGER, &[3]),
            der::element(SET, &sha256_algorithm),
            content,
            certificates,
            der::element(SET, &signer),
        ]);
        let granted = der::element(SEQUENCE, &der::element(INTEGER, &[0]));
        let token = der::sequence(&[oid(SIGNED_DATA), der::element(0xa0, &signed)]);
        der::sequence(&[granted, token])
    }

    /// The entry of a trusted root.
    pub fn trusted(&self) -> Value {
        let chain = self.chain.iter();
        let chain: Vec<_> = chain.map(|der| json!({"rawBytes": base64(der)})).collect();
        json!({
            "subject": {"organization": "test", "commonName": "timestamps"},
            "uri": "https://timestamps.example",
            "certChain": {"certificates": chain},
            "validFor": {"start": "2020-01-01T00:00:00Z"},
        })
    }
}
