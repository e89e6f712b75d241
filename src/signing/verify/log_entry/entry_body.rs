//! Body of a log entry: what the log says of a signature.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use serde_json::Value;
use sigstore_types::{KindVersion, TransparencyLogEntry};

use super::super::super::hash_function::HashFunction;
use super::super::super::{VerificationError, pem};

/// What a log says of a signature.
pub(super) struct EntryBody {
    /// Whether the digest is that of an envelope's payload, and not that of the signed message.
    pub(super) is_of_payload: bool,
    pub(super) hash: HashFunction,
    pub(super) digest: Vec<u8>,
    pub(super) signature: Vec<u8>,
    /// Certificate or public key in DER.
    pub(super) verifier: Vec<u8>,
    /// `keyDetails` of Rekor v2: how the key signs.
    pub(super) key_details: Option<String>,
}

impl EntryBody {
    /// Reads the body of an entry.
    pub(super) fn parse(entry: &TransparencyLogEntry) -> Result<Self, VerificationError> {
        let wrong = |reason: &str| VerificationError::malformed(format!("its log entry: {reason}"));
        let body: Value = serde_json::from_slice(entry.canonicalized_body.as_bytes())
            .map_err(|error| wrong(&error.to_string()))?;
        let kind = entry.kind_version;
        if body["kind"] != kind.kind() || body["apiVersion"] != kind.version() {
            return Err(wrong("its body is of another kind"));
        }
        let spec = &body["spec"];
        let read = match kind {
            KindVersion::HashedRekordV001 => Self::read_hashedrekord(spec),
            KindVersion::HashedRekordV002 => Self::read_hashedrekord_v2(&spec["hashedRekordV002"]),
            KindVersion::DsseV001 => Self::read_dsse(spec),
            KindVersion::IntotoV002 => Self::read_intoto(&spec["content"]),
            _ => None,
        };
        read.ok_or_else(|| wrong("its body lacks a part, or has one that is unknown"))
    }

    fn read_hashedrekord(spec: &Value) -> Option<Self> {
        let (hash, signed) = (&spec["data"]["hash"], &spec["signature"]);
        Some(Self {
            is_of_payload: false,
            hash: HashFunction::of_name(hash["algorithm"].as_str()?)?,
            digest: decode_hex(hash["value"].as_str()?)?,
            signature: decode_base64(&signed["content"])?,
            verifier: decode_pem(&signed["publicKey"]["content"])?,
            key_details: None,
        })
    }

    fn read_hashedrekord_v2(spec: &Value) -> Option<Self> {
        let (data, signed) = (&spec["data"], &spec["signature"]);
        let verifier = &signed["verifier"];
        let raw = match (&verifier["x509Certificate"], &verifier["publicKey"]) {
            (Value::Object(_), Value::Object(_)) => return None,
            (certificate @ Value::Object(_), _) => certificate,
            (_, key) => key,
        };
        Some(Self {
            is_of_payload: false,
            hash: HashFunction::of_name(data["algorithm"].as_str()?)?,
            digest: decode_base64(&data["digest"])?,
            signature: decode_base64(&signed["content"])?,
            verifier: decode_base64(&raw["rawBytes"])?,
            key_details: Some(verifier["keyDetails"].as_str()?.to_owned()),
        })
    }

    fn read_dsse(spec: &Value) -> Option<Self> {
        let (hash, signed) = (&spec["payloadHash"], only(&spec["signatures"])?);
        Some(Self {
            is_of_payload: true,
            hash: HashFunction::of_name(hash["algorithm"].as_str()?)?,
            digest: decode_hex(hash["value"].as_str()?)?,
            signature: decode_base64(&signed["signature"])?,
            verifier: decode_pem(&signed["verifier"])?,
            key_details: None,
        })
    }

    fn read_intoto(content: &Value) -> Option<Self> {
        let hash = &content["payloadHash"];
        let signed = only(&content["envelope"]["signatures"])?;
        // This kind encodes the signature twice.
        let signature = String::from_utf8(decode_base64(&signed["sig"])?).ok()?;
        Some(Self {
            is_of_payload: true,
            hash: HashFunction::of_name(hash["algorithm"].as_str()?)?,
            digest: decode_hex(hash["value"].as_str()?)?,
            signature: BASE64_STANDARD.decode(signature).ok()?,
            verifier: decode_pem(&signed["publicKey"])?,
            key_details: None,
        })
    }
}

/// Returns the only element of a list.
fn only(list: &Value) -> Option<&Value> {
    match list.as_array()?.as_slice() {
        [one] => Some(one),
        _ => None,
    }
}

fn decode_base64(text: &Value) -> Option<Vec<u8>> {
    BASE64_STANDARD.decode(text.as_str()?).ok()
}

fn decode_hex(text: &str) -> Option<Vec<u8>> {
    let pairs = text.as_bytes().chunks(2);
    let byte = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok();
    pairs
        .map(|pair| byte(pair).filter(|_| pair.len() == 2))
        .collect()
}

fn decode_pem(text: &Value) -> Option<Vec<u8>> {
    let text = String::from_utf8(decode_base64(text)?).ok()?;
    let block = pem::parse_pem(&text).ok()?;
    matches!(block.label.as_str(), "CERTIFICATE" | "PUBLIC KEY").then(|| block.content.to_vec())
}
