//! Bundles made by hand: every part by itself, so that each can be another one's, of another time or of
//! another kind. What is left as [`Forge::bundle`] makes it stands up to the trusted root that goes
//! with it.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};

use shipmark::signing::LegacySignature;

pub use super::authority::Issuing;
use super::authority::{Fulcio, Period, labelled, pem};
use super::ledger::{Ledger, hex};
use super::stamper::Stamper;
pub use super::stamper::{CODE_SIGNING, Stamping, TIME_STAMPING};
use super::{ISSUER, Leaf, WORKFLOW, base64, bytes, sha256};

/// An instance of Sigstore.
pub struct Forge {
    pub fulcio: Fulcio,
    pub ledger: Ledger,
    pub stamper: Stamper,
}

/// What signs: a key, and in a certificate, if there is one, for how long.
pub struct Signer {
    pub leaf: Leaf,
    pub certificate: Option<Vec<u8>>,
}

/// What is signed.
#[derive(Debug, Clone)]
pub enum Content {
    /// A file, by the digest of an algorithm as sigstore names it.
    Message(&'static str),
    /// A statement in an envelope.
    Statement(Value),
}

/// A kind of entry in a log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Record {
    Hashed1,
    Hashed2,
    Dsse1,
    Intoto1,
    Intoto2,
}

/// What signatures are made of.
pub struct Signed {
    pub content: Content,
    /// What the key signed: the file, or the envelope's encoding.
    pub message: Vec<u8>,
    pub signature: Vec<u8>,
}

/// When the forged things are made: some while ago, so that what has expired since is told from what
/// had then.
pub fn then() -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(1_780_000_000)
}

/// So many minutes after [`then`].
pub fn minutes(count: u64) -> SystemTime {
    then() + Duration::from_secs(60 * count)
}

/// Ten minutes from [`then`] on: what Fulcio's certificates have.
pub fn valid() -> Period {
    then()..minutes(10)
}

pub const PAYLOAD: &str = "application/vnd.in-toto+json";

pub fn identity() -> String {
    format!("https://github.com/{WORKFLOW}")
}

/// A timestamp authority whose certificate holds for a time.
pub fn stamper(period: &Period) -> Stamper {
    Stamper::with(&Stamping::during(period))
}

/// A time around [`then`] in which authorities hold.
pub fn decades() -> Period {
    let year = Duration::from_secs(365 * 24 * 3600);
    then() - year..then() + 20 * year
}

/// A statement about a file.
pub fn statement(file: &[u8]) -> Value {
    json!({
        "_type": "https://in-toto.io/Statement/v1",
        "subject": [{"name": "file", "digest": {"sha256": hex(&sha256(file))}}],
        "predicateType": "https://example.com/predicate",
        "predicate": {},
    })
}

impl Default for Forge {
    fn default() -> Self {
        Self::with(
            &Issuing::default(),
            &Issuing::default(),
            &Stamping::during(&decades()),
        )
    }
}

impl Forge {
    /// An instance whose authorities' certificates say something else: Fulcio's root, the one that issues,
    /// and the timestamp authority's.
    pub fn with(root: &Issuing, issuing: &Issuing, stamping: &Stamping) -> Self {
        Self {
            fulcio: Fulcio::with(Duration::from_secs(600), root, issuing),
            ledger: Ledger::new(),
            stamper: Stamper::with(stamping),
        }
    }

    pub fn trusted_root(&self) -> Value {
        let (authority, ct) = self.fulcio.trusted();
        json!({
            "mediaType": "application/vnd.dev.sigstore.trustedroot+json;version=0.1",
            "tlogs": [self.ledger.trusted()],
            "certificateAuthorities": [authority],
            "ctlogs": [ct],
            "timestampAuthorities": [self.stamper.trusted()],
        })
    }

    /// A key with a certificate.
    pub fn certified(&self, leaf: Leaf, period: &Period) -> Signer {
        let certificate = self
            .fulcio
            .certify(&leaf.subject(), &identity(), ISSUER, period);
        Signer {
            leaf,
            certificate: Some(certificate),
        }
    }

    /// An entry of the log, with a promise where a time is given.
    pub fn entry(
        &self,
        record: Record,
        signer: &Signer,
        signed: &Signed,
        at: Option<SystemTime>,
    ) -> Value {
        self.ledger.hold(&record.body(signer, signed), at)
    }

    pub fn timestamp(&self, signed: &Signed, at: SystemTime) -> Value {
        let token = self.stamper.stamp_bytes(&signed.signature, at, false);
        json!({"signedTimestamp": base64(&token)})
    }

    /// A bundle v0.3 that is good: with an entry, which is promised where it is one of Rekor v1, and a
    /// timestamp where it is not.
    pub fn bundle(&self, record: Record, signer: &Signer, signed: &Signed) -> Value {
        let is_v1 = record != Record::Hashed2;
        let entry = self.entry(record, signer, signed, is_v1.then(|| minutes(1)));
        let timestamps = match is_v1 {
            true => vec![],
            false => vec![self.timestamp(signed, minutes(1))],
        };
        bundle(signer, signed, &[entry], &timestamps)
    }
}

/// A bundle v0.3 of its parts.
pub fn bundle(signer: &Signer, signed: &Signed, entries: &[Value], timestamps: &[Value]) -> Value {
    let mut material = json!({
        "tlogEntries": entries,
        "timestampVerificationData": {"rfc3161Timestamps": timestamps},
    });
    match &signer.certificate {
        Some(certificate) => material["certificate"] = json!({"rawBytes": base64(certificate)}),
        None => material["publicKey"] = json!({"hint": base64(&sha256(&signer.leaf.spki()))}),
    }
    let mut bundle = json!({
        "mediaType": "application/vnd.dev.sigstore.bundle.v0.3+json",
        "verificationMaterial": material,
    });
    let signature = base64(&signed.signature);
    match &signed.content {
        Content::Message(algorithm) => {
            bundle["messageSignature"] = json!({
                "messageDigest": {
                    "algorithm": algorithm,
                    "digest": base64(&digest(algorithm, &signed.message)),
                },
                "signature": signature,
            });
        }
        Content::Statement(statement) => {
            bundle["dsseEnvelope"] = json!({
                "payload": base64(statement.to_string().as_bytes()),
                "payloadType": PAYLOAD,
                "signatures": [{"sig": signature}],
            });
        }
    }
    bundle
}

/// An attestation in the legacy form: the envelope of a bundle, and its promised entry in a log.
pub fn legacy_attestation(signer: &Signer, bundle: &Value) -> LegacySignature {
    let envelope = bundle["dsseEnvelope"].to_string().into_bytes();
    let mut annotations = vec![(
        "dev.cosignproject.cosign/signature".to_owned(),
        String::new(),
    )];
    if let Some(certificate) = &signer.certificate {
        annotations.push((
            "dev.sigstore.cosign/certificate".to_owned(),
            pem(certificate),
        ));
    }
    let entry = &bundle["verificationMaterial"]["tlogEntries"][0];
    if let Some(promise) = entry.pointer("/inclusionPromise/signedEntryTimestamp") {
        let number = |name: &str| entry[name].as_str().unwrap().parse::<u64>().unwrap();
        let logged = json!({
            "SignedEntryTimestamp": promise,
            "Payload": {
                "body": entry["canonicalizedBody"],
                "integratedTime": number("integratedTime"),
                "logIndex": number("logIndex"),
                "logID": hex(&bytes(entry["logId"]["keyId"].as_str().unwrap())),
            },
        });
        annotations.push(("dev.sigstore.cosign/bundle".to_owned(), logged.to_string()));
    }
    LegacySignature::from_layer(envelope, &annotations.into_iter().collect())
}

fn digest(algorithm: &str, message: &[u8]) -> Vec<u8> {
    let algorithm = match algorithm {
        "SHA2_384" => &aws_lc_rs::digest::SHA384,
        "SHA2_512" => &aws_lc_rs::digest::SHA512,
        _ => &aws_lc_rs::digest::SHA256,
    };
    aws_lc_rs::digest::digest(algorithm, message)
        .as_ref()
        .to_vec()
}

impl Signer {
    /// A key by itself.
    pub fn key(leaf: Leaf) -> Self {
        Self {
            leaf,
            certificate: None,
        }
    }

    pub fn sign_file(&self, file: &[u8], algorithm: &'static str) -> Signed {
        Signed {
            content: Content::Message(algorithm),
            signature: self.leaf.sign(file),
            message: file.to_vec(),
        }
    }

    pub fn sign(&self, statement: &Value) -> Signed {
        self.sign_as(PAYLOAD, statement)
    }

    /// Signs a statement in an envelope that says another type.
    pub fn sign_as(&self, kind: &str, statement: &Value) -> Signed {
        let payload = statement.to_string();
        let message = format!("DSSEv1 {} {kind} {} {payload}", kind.len(), payload.len());
        Signed {
            content: Content::Statement(statement.clone()),
            signature: self.leaf.sign(message.as_bytes()),
            message: message.into_bytes(),
        }
    }

    /// What verifies, as logs of Rekor v1 hold it.
    fn verifier(&self) -> String {
        let pem = match &self.certificate {
            Some(certificate) => pem(certificate),
            None => labelled("PUBLIC KEY", &self.leaf.spki()),
        };
        base64(pem.as_bytes())
    }
}

impl Record {
    /// What a log keeps.
    pub fn body(self, signer: &Signer, signed: &Signed) -> Value {
        let hash = |bytes: &[u8]| json!({"algorithm": "sha256", "value": hex(&sha256(bytes))});
        let signature = base64(&signed.signature);
        let payload = match &signed.content {
            Content::Statement(statement) => statement.to_string().into_bytes(),
            Content::Message(_) => Vec::new(),
        };
        let (version, kind, spec) = match self {
            Self::Hashed1 => (
                "0.0.1",
                "hashedrekord",
                json!({
                    "data": {"hash": hash(&signed.message)},
                    "signature": {
                        "content": signature,
                        "publicKey": {"content": signer.verifier()},
                    },
                }),
            ),
            Self::Hashed2 => {
                let mut verifier = json!({"keyDetails": signer.leaf.details()});
                match &signer.certificate {
                    Some(certificate) => {
                        verifier["x509Certificate"] = json!({"rawBytes": base64(certificate)});
                    }
                    None => {
                        verifier["publicKey"] = json!({"rawBytes": base64(&signer.leaf.spki())});
                    }
                }
                (
                    "0.0.2",
                    "hashedrekord",
                    json!({"hashedRekordV002": {
                        "data": {
                            "algorithm": signer.leaf.log_hash(),
                            "digest": base64(&digest(signer.leaf.log_hash(), &signed.message)),
                        },
                        "signature": {"content": signature, "verifier": verifier},
                    }}),
                )
            }
            Self::Dsse1 => (
                "0.0.1",
                "dsse",
                json!({
                    "envelopeHash": hash(b"whatever was sent"),
                    "payloadHash": hash(&payload),
                    "signatures": [{"signature": signature, "verifier": signer.verifier()}],
                }),
            ),
            Self::Intoto1 => (
                "0.0.1",
                "intoto",
                json!({
                    "content": {"hash": hash(b"the envelope"), "payloadHash": hash(&payload)},
                    "publicKey": signer.verifier(),
                }),
            ),
            Self::Intoto2 => (
                "0.0.2",
                "intoto",
                json!({"content": {
                    "envelope": {
                        "payloadType": PAYLOAD,
                        "signatures": [{
                            "publicKey": signer.verifier(),
                            "sig": base64(signature.as_bytes()),
                        }],
                    },
                    "hash": hash(b"the envelope"),
                    "payloadHash": hash(&payload),
                }}),
            ),
        };
        json!({"apiVersion": version, "kind": kind, "spec": spec})
    }
}
