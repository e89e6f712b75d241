//! Timestamps of ordinary authorities (RFC 3161): every kind of key and hash that cosign takes, with the
//! authority's certificates in the trusted root or in the timestamp.

mod interop;
mod recorded;
mod stack;

use std::path::Path;
use std::sync::Arc;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use serde::Deserialize;
use serde_json::{Value, json};
use shipmark::gate::WildcardPattern;
use shipmark::image::Digest;
use shipmark::signing::{FileRequirement, FileSigner, Identity, SignedArtifact, TrustRoot};

const SIGNER: &str = "https://github.com/acme/web/.github/workflows/release.yml@refs/heads/main";
const ISSUER: &str = "https://token.actions.githubusercontent.com";

/// Timestamps over one signature (`tests/data/sigstore/timestamps/record.py`).
#[derive(Deserialize)]
struct Recorded {
    artifact: String,
    bundle: Value,
    root: Value,
    chains: std::collections::BTreeMap<String, Vec<String>>,
    cases: Vec<Case>,
}

/// A timestamp with the authority that the trusted root names.
#[derive(Deserialize)]
struct Case {
    name: String,
    chain: String,
    /// The first certificate of the chain that the trusted root has.
    from: usize,
    token: String,
    #[serde(rename = "validFor")]
    valid_for: Option<Value>,
    /// Part of the reason, where the timestamp proves nothing.
    refused: Option<String>,
}

/// A signature with a timestamp, and the trusted root to check it with.
struct Stamped {
    artifact: String,
    bundle: Value,
    root: Value,
}

impl Recorded {
    fn load() -> Self {
        let file = "tests/data/sigstore/timestamps/tokens.json";
        let text = std::fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join(file)).unwrap();
        serde_json::from_slice(&text).unwrap()
    }

    /// Returns the signature that the timestamps are over.
    fn signature(&self) -> Vec<u8> {
        let signature = self.bundle["messageSignature"]["signature"].as_str();
        decode(signature.unwrap())
    }

    fn stamped(&self, case: &Case) -> Stamped {
        let chain = &self.chains[&case.chain][case.from..];
        self.with(&case.token, chain, case.valid_for.clone())
    }

    /// Adds a timestamp to the bundle, and an authority to the trusted root, both in base64.
    fn with(&self, token: &str, chain: &[String], valid_for: Option<Value>) -> Stamped {
        let (mut bundle, mut root) = (self.bundle.clone(), self.root.clone());
        bundle["verificationMaterial"]["timestampVerificationData"] =
            json!({"rfc3161Timestamps": [{"signedTimestamp": token}]});
        let chain: Vec<_> = chain.iter().map(|der| json!({"rawBytes": der})).collect();
        root["timestampAuthorities"] = json!([{
            "subject": {"organization": "test", "commonName": "timestamps"},
            "uri": "https://timestamps.example",
            "certChain": {"certificates": chain},
            "validFor": valid_for.unwrap_or_else(|| json!({"start": "2020-01-01T00:00:00Z"})),
        }]);
        Stamped {
            artifact: self.artifact.clone(),
            bundle,
            root,
        }
    }
}

impl Stamped {
    /// Verifies the bundle with its timestamp as the only proof of the time.
    fn check(&self) -> Result<(), String> {
        let trust = TrustRoot::parse(self.root.to_string().as_bytes()).unwrap();
        let requirement = FileRequirement {
            signer: FileSigner::Identity(Identity {
                subject: WildcardPattern::new(SIGNER),
                issuer: ISSUER.to_owned(),
                conditions: Vec::new(),
            }),
            trust_root: Arc::new(trust),
            requires_log: false,
        };
        let digest = Digest::from_bytes(self.artifact.as_bytes());
        let bundle = self.bundle.to_string();
        let checked = requirement.check(bundle.as_bytes(), &mut SignedArtifact::Digest(digest));
        checked.map(drop).map_err(|error| error.to_string())
    }
}

fn decode(text: &str) -> Vec<u8> {
    BASE64_STANDARD.decode(text).unwrap()
}

fn encode(bytes: &[u8]) -> String {
    BASE64_STANDARD.encode(bytes)
}
