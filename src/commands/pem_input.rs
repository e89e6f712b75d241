//! Inputs that hold PEM text or the path of a file with it.

use crate::actions::SecretTexts;
use crate::notices::to_printable;
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
    std::fs::read_to_string(text).map_err(|error| match has_extension(text) {
        true => format!(
            "names the file {}, which cannot be read: {error}",
            to_printable(text, PATH_LIMIT)
        ),
        // It may be a key that lost its lines, so it is not repeated.
        false => format!("is not PEM text, and as the path of a file cannot be read: {error}"),
    })
}

/// The most characters of a path that a message names.
const PATH_LIMIT: usize = 100;

/// Returns whether a text ends like the name of a file, as no PEM text or base64 does.
fn has_extension(text: &str) -> bool {
    let extension = text.rsplit_once('.').map_or("", |(_, extension)| extension);
    let is_word = extension.bytes().all(|byte| byte.is_ascii_lowercase());
    is_word && (2..=4).contains(&extension.len()) && text.len() <= PATH_LIMIT
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_file_is_named_and_a_key_is_not() {
        for (text, is_named) in [
            ("keys/cosign.key", true),
            ("MIGHAgEAMBMGByqGSM49/AgEGCCqGSM49", false),
            ("eyJhbGciOi.eyJzdWIiOi.SflKxwRJSMeKKF2QT4", false),
            ("hunter2", false),
        ] {
            let error = text_or_file(text).unwrap_err();
            assert_eq!(error.contains(text), is_named, "{error}");
        }
    }

    #[test]
    fn the_path_of_a_key_is_no_secret() {
        let mut secrets = SecretTexts::default();
        add_key_secrets(&mut secrets, "keys/cosign.key");
        assert_eq!(secrets.iter().count(), 0);
        secrets.add("pass/word.1");
        assert!(secrets.iter().any(|mask| mask == "pass/word.1"));
    }
}
