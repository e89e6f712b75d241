//! Texts that are given for a key and are none: references to keys elsewhere, and mangled PEM.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use secrecy::zeroize::Zeroizing;

use super::KeyError;

/// References to keys that cosign takes, by their beginning.
const REFERENCES: [(&str, &str); 11] = [
    ("awskms://", "a key in AWS KMS"),
    ("gcpkms://", "a key in Google Cloud KMS"),
    ("azurekms://", "a key in Azure Key Vault"),
    ("hashivault://", "a key in HashiCorp Vault"),
    ("openbao://", "a key in OpenBao"),
    ("k8s://", "a Kubernetes secret"),
    ("gitlab://", "a GitLab project"),
    ("github://", "a GitHub repository"),
    ("pkcs11:", "a key in a PKCS #11 token"),
    ("https://", "a web address"),
    ("http://", "a web address"),
];
/// The reference to a variable, which the shell resolves as well.
const VARIABLE: &str = "env://";

/// Returns what a text is that is neither PEM nor the path of a file; `None` if it may be a path.
pub fn key_reference_error(text: &str) -> Option<KeyError> {
    let text = text.trim();
    let named = REFERENCES.iter().find(|(begin, _)| text.starts_with(begin));
    if let Some((_, what)) = named {
        return Some(KeyError::Reference(what));
    }
    if text.starts_with(VARIABLE) {
        return Some(KeyError::VariableReference);
    }
    is_encoded_pem(text).then_some(KeyError::EncodedTwice)
}

/// Returns the reason why a text has no PEM block.
pub(super) fn explain_missing_pem(text: &str) -> KeyError {
    key_reference_error(text).unwrap_or(KeyError::NoPem)
}

/// Whether this is base64 of a PEM text, as some stores of secrets keep it.
fn is_encoded_pem(text: &str) -> bool {
    let digits: Zeroizing<String> = Zeroizing::new(text.split_whitespace().collect());
    let content = BASE64_STANDARD.decode(digits.as_bytes());
    let content = Zeroizing::new(content.unwrap_or_default());
    content.starts_with(b"-----BEGIN ")
}
