//! The certificate authorities: Fulcio's, with the log of certificates it writes to, and the
//! timestamp authority's.

use std::time::{Duration, SystemTime};

use rcgen::{
    BasicConstraints, CertificateParams, CustomExtension, DnType, ExtendedKeyUsagePurpose, IsCa,
    Issuer, KeyPair, KeyUsagePurpose, PublicKeyData, SanType, SerialNumber, SignatureAlgorithm,
};
use serde_json::{Value, json};

use super::clock::Clock;
use super::der::{self, INTEGER, OCTETS, OID, SEQUENCE, SET, TIME, UTF8};
use super::key::Key;
use super::{base64, sha256};

/// Fulcio's chain: a root, and the one below it that issues.
pub struct Fulcio {
    root: Vec<u8>,
    issuing: Vec<u8>,
    issuer: Issuer<'static, KeyPair>,
    issuer_key: Vec<u8>,
    ct: Key,
    /// What the log of certificates says beside the time.
    pub ct_extensions: Vec<u8>,
    /// Whether somebody else signs in the name of that log.
    pub ct_forged: bool,
    pub clock: Clock,
    lifetime: Duration,
}

/// The key that a certificate is for: what SPKI has of it, and its kind.
pub struct Subject {
    pub key: Vec<u8>,
    pub kind: &'static SignatureAlgorithm,
}

impl Subject {
    /// A point of P-256.
    fn of_point(point: &[u8]) -> Self {
        Self {
            key: point.to_vec(),
            kind: &rcgen::PKCS_ECDSA_P256_SHA256,
        }
    }
}

impl PublicKeyData for Subject {
    fn der_bytes(&self) -> &[u8] {
        &self.key
    }

    fn algorithm(&self) -> &'static SignatureAlgorithm {
        self.kind
    }
}

/// A time in which something holds.
pub type Period = std::ops::Range<SystemTime>;

const ISSUER: [u64; 9] = [1, 3, 6, 1, 4, 1, 57264, 1, 8];
const SCTS: [u64; 10] = [1, 3, 6, 1, 4, 1, 11129, 2, 4, 2];

impl Fulcio {
    pub fn new(lifetime: Duration) -> Self {
        let (root, above) = authority("root", None);
        let (issuing, issuer) = authority("issuing", Some(&above));
        let issuer_key = issuer.key().subject_public_key_info();
        Self {
            root,
            issuing,
            issuer_key,
            issuer,
            ct: Key::new(),
            ct_extensions: Vec::new(),
            ct_forged: false,
            clock: Clock::default(),
            lifetime,
        }
    }

    /// A certificate for a key (its point) with `more` extensions, and the chain above it, as PEM.
    pub fn issue(
        &self,
        point: &[u8],
        identity: &str,
        issuer: &str,
        more: Vec<CustomExtension>,
    ) -> Vec<String> {
        let now = self.clock.now();
        // A clock that goes a little behind is no reason to refuse.
        let period = now - Duration::from_secs(5)..now + self.lifetime;
        let subject = Subject::of_point(point);
        let mut params = self.params(&subject, identity, issuer, &period);
        params.custom_extensions.extend(more);
        let leaf = self.log_and_sign(params, &subject);
        vec![pem(&leaf), pem(&self.issuing), pem(&self.root)]
    }

    /// A certificate.
    pub fn certify(
        &self,
        subject: &Subject,
        identity: &str,
        issuer: &str,
        period: &Period,
    ) -> Vec<u8> {
        let params = self.params(subject, identity, issuer, period);
        self.log_and_sign(params, subject)
    }

    fn log_and_sign(&self, mut params: CertificateParams, subject: &Subject) -> Vec<u8> {
        let before = params.signed_by(subject, &self.issuer).unwrap();
        let logged = self.sct(der::first(der::content(before.der())));
        params
            .custom_extensions
            .push(CustomExtension::from_oid_content(&SCTS, logged));
        let leaf = params.signed_by(subject, &self.issuer).unwrap();
        leaf.der().to_vec()
    }

    /// One that is in no log.
    pub fn certify_unlogged(
        &self,
        subject: &Subject,
        identity: &str,
        issuer: &str,
        period: &Period,
    ) -> Vec<u8> {
        let params = self.params(subject, identity, issuer, period);
        let leaf = params.signed_by(subject, &self.issuer).unwrap();
        leaf.der().to_vec()
    }

    fn params(
        &self,
        subject: &Subject,
        identity: &str,
        issuer: &str,
        period: &Period,
    ) -> CertificateParams {
        let mut params = CertificateParams::default();
        params.serial_number = Some(SerialNumber::from_slice(&sha256(&subject.key)[..8]));
        params.not_before = period.start.into();
        params.not_after = period.end.into();
        params.subject_alt_names = vec![SanType::URI(identity.try_into().unwrap())];
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::CodeSigning];
        let vouched = der::element(UTF8, issuer.as_bytes());
        params.custom_extensions = vec![CustomExtension::from_oid_content(&ISSUER, vouched)];
        params
    }

    /// The log's word for a certificate without it (RFC 6962, 3.2 and 3.3).
    fn sct(&self, certificate: &[u8]) -> Vec<u8> {
        let now = self.clock.since_1970();
        let time = (now.as_millis() as u64).to_be_bytes();
        let length = (certificate.len() as u32).to_be_bytes();
        let count = (self.ct_extensions.len() as u16).to_be_bytes();
        let extensions = [&count[..], &self.ct_extensions].concat();
        let signed = [
            &[0, 0][..],
            &time,
            &[0, 1],
            &sha256(&self.issuer_key),
            &length[1..],
            certificate,
            &extensions,
        ]
        .concat();
        let signature = match self.ct_forged {
            true => Key::new().sign(&signed),
            false => self.ct.sign(&signed),
        };
        let one = [
            &[0][..],
            &self.ct.id(),
            &time,
            &extensions,
            &[4, 3],
            &(signature.len() as u16).to_be_bytes(),
            &signature,
        ]
        .concat();
        let (one, count) = (one.as_slice(), (one.len() as u16).to_be_bytes());
        let all = [&(one.len() as u16 + 2).to_be_bytes()[..], &count, one].concat();
        der::element(OCTETS, &all)
    }

    /// The entries of a trusted root.
    pub fn trusted(&self) -> (Value, Value) {
        let chain = [&self.issuing, &self.root].map(|der| json!({"rawBytes": base64(der)}));
        let authority = json!({
            "subject": {"organization": "test", "commonName": "fulcio"},
            "uri": "https://fulcio.example",
            "certChain": {"certificates": chain},
            "validFor": {"start": "2020-01-01T00:00:00Z"},
        });
        (authority, self.ct.trusted("https://ct.example"))
    }
}

/// An authority below another, or by itself: its certificate, and what issues with it.
fn authority(
    name: &str,
    above: Option<&Issuer<'static, KeyPair>>,
) -> (Vec<u8>, Issuer<'static, KeyPair>) {
    let mut params = CertificateParams::default();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    params.distinguished_name.push(DnType::CommonName, name);
    let key = KeyPair::generate().unwrap();
    let certificate = match above {
        Some(above) => params.signed_by(&key, above),
        None => params.self_signed(&key),
    };
    let certificate = certificate.unwrap().der().to_vec();
    (certificate, Issuer::new(params, key))
}

/// A timestamp authority (RFC 3161).
pub struct Stamper {
    key: Key,
    chain: [Vec<u8>; 2],
    pub clock: Clock,
}

const KEY_ID: &[u8] = b"stamp";
const SHA256: &[u8] = &[0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01];
const ECDSA_SHA256: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x02];
const SIGNED_DATA: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x07, 0x02];
const CONTENT_TYPE: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x09, 0x03];
const MESSAGE_DIGEST: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x09, 0x04];
const TST_INFO: &[u8] = &[
    0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x09, 0x10, 0x01, 0x04,
];

impl Stamper {
    pub fn new() -> Self {
        let decade = Duration::from_secs(10 * 365 * 24 * 3600);
        let now = SystemTime::now();
        Self::with(&(now - decade..now + decade))
    }

    /// With a certificate that holds for a time.
    pub fn with(period: &Period) -> Self {
        let (root, above) = authority("timestamps", None);
        let key = Key::new();
        let mut params = CertificateParams::default();
        params.not_before = period.start.into();
        params.not_after = period.end.into();
        params
            .distinguished_name
            .push(DnType::CommonName, "timestamp");
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::TimeStamping];
        let id = der::element(OCTETS, KEY_ID);
        params.custom_extensions = vec![CustomExtension::from_oid_content(&[2, 5, 29, 14], id)];
        let leaf = params
            .signed_by(&Subject::of_point(&key.point()), &above)
            .unwrap();
        Self {
            key,
            chain: [leaf.der().to_vec(), root],
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
            der::element(0x80, KEY_ID),
            sha256_algorithm.clone(),
            der::element(0xa0, &attributes),
            der::sequence(&[oid(ECDSA_SHA256)]),
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
        let chain = self.chain.each_ref();
        let chain = chain.map(|der| json!({"rawBytes": base64(der)}));
        json!({
            "subject": {"organization": "test", "commonName": "timestamps"},
            "uri": "https://timestamps.example",
            "certChain": {"certificates": chain},
            "validFor": {"start": "2020-01-01T00:00:00Z"},
        })
    }
}

pub fn pem(der: &[u8]) -> String {
    labelled("CERTIFICATE", der)
}

pub fn labelled(label: &str, der: &[u8]) -> String {
    let digits = base64(der);
    let lines: Vec<_> = digits
        .as_bytes()
        .chunks(64)
        .map(|line| std::str::from_utf8(line).unwrap())
        .collect();
    format!(
        "-----BEGIN {label}-----\n{}\n-----END {label}-----\n",
        lines.join("\n")
    )
}
