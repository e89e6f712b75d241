//! Files of several JSON texts, one a line, as `gh attestation download` and `trusted-root` write them.

use serde::de::IgnoredAny;

use super::super::VerificationError;

/// Most texts that a file may have.
const TEXTS_LIMIT: usize = 1000;

/// Returns the JSON texts in a file, one or several after one another.
///
/// # Errors
/// A file that has none, too many, or something else.
pub fn split_json_lines(content: &[u8]) -> Result<Vec<&[u8]>, VerificationError> {
    let mut texts = Vec::new();
    let mut values = serde_json::Deserializer::from_slice(content).into_iter::<IgnoredAny>();
    let mut begin = 0;
    while let Some(value) = values.next() {
        value.map_err(VerificationError::malformed)?;
        let end = values.byte_offset();
        texts.push(content[begin..end].trim_ascii());
        begin = end;
        if texts.len() > TEXTS_LIMIT {
            return Err(VerificationError::malformed(format!(
                "it has more than {TEXTS_LIMIT} JSON texts"
            )));
        }
    }
    match texts.is_empty() {
        true => Err(VerificationError::malformed("it is empty")),
        false => Ok(texts),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_text_stands_by_itself() {
        let texts = split_json_lines(b"{\"a\":1}\n\n {\"b\": {}}\n").unwrap();
        assert_eq!(texts, [&b"{\"a\":1}"[..], b"{\"b\": {}}"]);
        assert_eq!(split_json_lines(b" {\n}\n").unwrap(), [b"{\n}"]);
        for damaged in [&b""[..], b"\n", b"{", b"{}x", b"<html>"] {
            assert!(split_json_lines(damaged).is_err(), "{damaged:?}");
        }
    }
}
