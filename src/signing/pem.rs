//! PEM (RFC 7468): reads the blocks of a text, and writes blocks.
//!
//! Reading is more lenient than the crate `pem-rfc7468`: lines may have any length and surrounding
//! blanks, as keys that are pasted into secrets do.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use secrecy::zeroize::Zeroizing;
use x509_cert::der::pem::{LineEnding, encode_string};

use super::KeyError;
use super::key_reference;

/// PEM block: its label and its decoded content.
pub(super) struct PemBlock {
    pub(super) label: String,
    pub(super) content: Zeroizing<Vec<u8>>,
}

/// Block that openssl writes before an EC key; it says nothing that the key does not say.
const EC_PARAMETERS: &str = "EC PARAMETERS";
/// Header of a block that openssl has encrypted in the form before PKCS#8 (RFC 1421).
const ENCRYPTED_HEADER: &str = "Proc-Type: 4,ENCRYPTED";
const BEGIN: &str = "-----BEGIN ";

/// Returns the first PEM block of a text.
pub(super) fn parse_pem(text: &str) -> Result<PemBlock, KeyError> {
    let mut blocks = parse_pem_blocks(text)?;
    Ok(blocks.swap_remove(0))
}

/// Returns all PEM blocks of a text, at least one.
pub(super) fn parse_pem_blocks(text: &str) -> Result<Vec<PemBlock>, KeyError> {
    if !text.contains(BEGIN) {
        return Err(key_reference::explain_missing_pem(text));
    }
    if text.contains("\\n") && !text.trim().contains('\n') {
        return Err(KeyError::LiteralLineBreaks);
    }
    let (mut blocks, mut rest) = (Vec::new(), text);
    while let Some((_, begun)) = rest.split_once(BEGIN) {
        let (block, after) = parse_block(begun)?;
        blocks.extend(Some(block).filter(|block| block.label != EC_PARAMETERS));
        rest = after;
    }
    match blocks.is_empty() {
        true => Err(KeyError::Damaged),
        false => Ok(blocks),
    }
}

/// Returns the block whose `BEGIN` was read, and the text after it.
fn parse_block(begun: &str) -> Result<(PemBlock, &str), KeyError> {
    let (label, rest) = begun.split_once("-----").ok_or(KeyError::Damaged)?;
    let (body, after) = rest
        .split_once(&format!("-----END {label}-----"))
        .ok_or(KeyError::Damaged)?;
    if body.trim_start().starts_with(ENCRYPTED_HEADER) {
        return Err(KeyError::TraditionalEncryption);
    }
    let digits: Zeroizing<String> = Zeroizing::new(body.split_whitespace().collect());
    let content = BASE64_STANDARD
        .decode(digits.as_bytes())
        .map_err(|_| KeyError::Damaged)?;
    let block = PemBlock {
        label: label.to_owned(),
        content: Zeroizing::new(content),
    };
    Ok((block, after))
}

/// Returns a PEM block (RFC 7468) in lines of 64 characters.
pub(super) fn write_pem(label: &str, content: &[u8]) -> String {
    // Labels are constants of this crate, which are valid: this cannot fail.
    encode_string(label, LineEnding::LF, content).unwrap_or_default()
}
