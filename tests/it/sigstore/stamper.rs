//! A timestamp authority.

use std::time::{Duration, SystemTime};

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

/// A timestamp authority (RFC 3161).
pub struct Stamper {
    key: Key,
    chain: Vec<Vec<u8>>,
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
        Self::with(&Stamping::during(&(now - decade..now + decade)))
    }

    /// With certificates that say something.
    pub fn with(says: &Stamping) -> Self {
        let (root, mut above) = authority("timestamps", &says.root, None);
        let mut chain = vec![root];
        if let Some(between) = &says.between {
            let (certificate, issuer) = authority("timestamps below", between, Some(&above));
            chain.insert(0, certificate);
            above = issuer;
        }
        let key = Key::new();
        let mut params = CertificateParams::default();
        params.not_before = says.period.start.into();
        params.not_after = says.period.end.into();
        params
            .distinguished_name
            .push(DnType::CommonName, "timestamp");
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        let id = der::element(OCTETS, KEY_ID);
        params.custom_extensions = vec![
            CustomExtension::from_oid_content(&[2, 5, 29, 14], id),
            says.extended_key_usage(),
        ];
        let leaf = params
            .signed_by(&Subject::of_point(&key.point()), &above)
            .unwrap();
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
