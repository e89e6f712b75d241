//! PEM (RFC 7468): the first block of a text.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use secrecy::zeroize::Zeroizing;

use super::KeyError;

/// A block: what it says it is, and its bytes.
pub(super) struct PemBlock {
    pub(super) label: String,
    pub(super) content: Zeroizing<Vec<u8>>,
}

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

/// A block of a label, in lines of 64 characters.
pub(super) fn write_pem(label: &str, content: &[u8]) -> String {
    let digits = BASE64_STANDARD.encode(content);
    let mut text = format!("-----BEGIN {label}-----\n");
    for line in digits.as_bytes().chunks(64) {
        text += &String::from_utf8_lossy(line);
        text.push('\n');
    }
    text + &format!("-----END {label}-----\n")
}
