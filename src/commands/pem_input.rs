//! Inputs that hold PEM text or the path of a file with it.

use crate::actions::SecretTexts;
use crate::signing::key_reference_error;

/// What the input `signing-key` holds, unless it is the path of a file. A long text is none.
pub(super) fn add_key_secrets(secrets: &mut SecretTexts, text: &str) {
    if !is_path(text) || text.len() > 100 {
        secrets.add(text);
    }
}

/// Whether an input holds the path of a file.
pub(super) fn is_path(text: &str) -> bool {
    !text.contains("-----BEGIN")
}

/// The text of an input that may name a file.
pub(super) fn text_or_file(text: &str) -> Result<String, String> {
    if !is_path(text) {
        return Ok(text.to_owned());
    }
    if let Some(reference) = key_reference_error(text) {
        return Err(reference.to_string());
    }
    // What is neither may be a key that lost its lines, so it is not repeated.
    std::fs::read_to_string(text).map_err(|error| {
        format!("is not PEM text, and as the path of a file cannot be read: {error}")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_path_of_a_key_is_no_secret() {
        let mut secrets = SecretTexts::default();
        add_key_secrets(&mut secrets, "keys/cosign.key");
        assert_eq!(secrets.iter().count(), 0);
        secrets.add("pass/word.1");
        assert!(secrets.iter().any(|mask| mask == "pass/word.1"));
    }
}
