//! Certificate authorities: Fulcio's, with the log of certificates it writes to.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use rcgen::{
    BasicConstraints, CertificateParams, CustomExtension, DnType, ExtendedKeyUsagePurpose, IsCa,
    Issuer, KeyPair, KeyUsagePurpose, PublicKeyData, SanType, SerialNumber, SignatureAlgorithm,
};
use serde_json::{Value, json};

use super::clock::Clock;
use super::der::{self, OCTETS, UTF8};
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
    pub fn of_point(point: &[u8]) -> Self {
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

/// What a certificate that issues others says.
#[derive(Debug, Clone)]
pub struct Issuing {
    pub period: Period,
    pub is_ca: IsCa,
    pub key_usages: Vec<KeyUsagePurpose>,
    pub purposes: Vec<ExtendedKeyUsagePurpose>,
    /// Whether it has a critical extension that nobody knows.
    pub unknown: bool,
}

impl Default for Issuing {
    fn default() -> Self {
        let century = Duration::from_secs(100 * 365 * 24 * 3600);
        Self {
            period: UNIX_EPOCH..UNIX_EPOCH + century,
            is_ca: IsCa::Ca(BasicConstraints::Unconstrained),
            key_usages: vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign],
            purposes: Vec::new(),
            unknown: false,
        }
    }
}

impl Fulcio {
    pub fn new(lifetime: Duration) -> Self {
        Self::with(lifetime, &Issuing::default(), &Issuing::default())
    }

    /// With certificates that say something else: the root, and the one that issues.
    pub fn with(lifetime: Duration, root: &Issuing, issuing: &Issuing) -> Self {
        let (root, above) = authority("root", root, None);
        let (issuing, issuer) = authority("issuing", issuing, Some(&above));
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
pub fn authority(
    name: &str,
    says: &Issuing,
    above: Option<&Issuer<'static, KeyPair>>,
) -> (Vec<u8>, Issuer<'static, KeyPair>) {
    let mut params = CertificateParams::default();
    params.not_before = says.period.start.into();
    params.not_after = says.period.end.into();
    params.is_ca = says.is_ca;
    params.key_usages = says.key_usages.clone();
    params.extended_key_usages = says.purposes.clone();
    params.distinguished_name.push(DnType::CommonName, name);
    if says.unknown {
        let content = der::element(OCTETS, b"?");
        let mut unknown = CustomExtension::from_oid_content(&[1, 2, 3, 4], content);
        unknown.set_criticality(true);
        params.custom_extensions.push(unknown);
    }
    let key = KeyPair::generate().unwrap();
    let certificate = match above {
        Some(above) => params.signed_by(&key, above),
        None => params.self_signed(&key),
    };
    let certificate = certificate.unwrap().der().to_vec();
    (certificate, Issuer::new(params, key))
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
