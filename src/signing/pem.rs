//! PEM (RFC 7468): reads the first block of a text, and writes blocks.
//!
//! Reading is more lenient than the crate `pem-rfc7468`: lines may have any length and surrounding
//! blanks, as keys that are pasted into secrets do.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use secrecy::zeroize::Zeroizing;
use x509_cert::der::pem::{LineEnding, encode_string};

use super::KeyError;

/// PEM block: its label and its decoded content.
pub(super) struct PemBlock {
    pub(super) label: String,
    pub(super) content: Zeroizing<Vec<u8>>,
}

/// Returns the first PEM block of a text.
pub(super) fn parse_pem(text: &str) -> Result<PemBlock, KeyError> {
    let (_, rest) = text.split_once("-----BEGIN ").ok_or(KeyError::NoPem)?;
    let (label, rest) = rest.split_once("-----").ok_or(KeyError::Damaged)?;
    let (body, _) = rest
        .split_once(&format!("-----END {label}-----"))
        .ok_or(KeyError::Damaged)?;
    let digits: Zeroizing<String> = Zeroizing::new(body.split_whitespace().collect());
    let content = BASE64_STANDARD
        .decode(digits.as_bytes())
        .map_err(|_| KeyError::Damaged)?;
    Ok(PemBlock {
        label: label.to_owned(),
        content: Zeroizing::new(content),
    })
}

/// Returns a PEM block (RFC 7468) in lines of 64 characters.
pub(super) fn write_pem(label: &str, content: &[u8]) -> String {
    // Labels are constants of this crate, which are valid: this cannot fail.
    encode_string(label, LineEnding::LF, content).unwrap_or_default()
}
