use std::fmt;
use std::str::FromStr;

use thiserror::Error;

/// A SHA-256 content digest, written `sha256:<64 lower-case hex digits>`.
///
/// The grammar is that of the OCI image specification (descriptor.md, "Digests"). Other registered
/// algorithms are refused by name: no registry in use serves them, and a digest that cannot be
/// checked is worth nothing here.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Digest([u8; 32]);

/// Why a text is no [`Digest`].
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum DigestError {
    /// There is no `algorithm:` in front, or no well-formed one.
    #[error("is not of the form sha256:<64 hex digits>")]
    Malformed,
    /// Well-formed, but of an algorithm that is not supported.
    #[error("uses the digest algorithm {0}; only sha256 is supported")]
    Unsupported(String),
    /// The encoded part is not 64 lower-case hexadecimal digits.
    #[error("needs 64 lower-case hex digits after sha256:")]
    Encoding,
}

impl Digest {
    /// The digest of `bytes`.
    pub fn from_bytes(bytes: &[u8]) -> Self {
        let mut hasher = DigestHasher::new();
        hasher.update(bytes);
        hasher.finish()
    }

    /// The digest whose 32 bytes these are.
    pub fn from_array(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The digest itself.
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// The encoded part: 64 hex digits.
    pub fn to_hex(&self) -> String {
        // Not by the formatter: large repositories have tens of thousands of digests.
        let digit = |half: u8| char::from(b"0123456789abcdef"[usize::from(half)]);
        let digits = self.0.iter().flat_map(|byte| [byte >> 4, byte & 15]);
        digits.map(digit).collect()
    }

    /// `sha256:` and the first twelve hex digits: enough for a person to tell two apart.
    pub fn short(&self) -> String {
        format!("sha256:{}", &self.to_hex()[..12])
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "sha256:{}", self.to_hex())
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

impl FromStr for Digest {
    type Err = DigestError;

    fn from_str(text: &str) -> Result<Self, DigestError> {
        let (algorithm, encoded) = text.split_once(':').ok_or(DigestError::Malformed)?;
        if algorithm != "sha256" {
            return Err(if is_algorithm(algorithm) && !encoded.is_empty() {
                DigestError::Unsupported(algorithm.to_owned())
            } else {
                DigestError::Malformed
            });
        }
        decode_hex(encoded).map(Self).ok_or(DigestError::Encoding)
    }
}

fn is_algorithm(text: &str) -> bool {
    !text.is_empty()
        && text.len() <= 32
        && text
            .bytes()
            .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b"+._-".contains(&b))
}

fn decode_hex(encoded: &str) -> Option<[u8; 32]> {
    let nibble = |byte: u8| match byte {
        b'0'..=b'9' => Some(byte - b'0'),
        b'a'..=b'f' => Some(byte - b'a' + 10),
        _ => None,
    };
    let bytes = encoded.as_bytes();
    if bytes.len() != 64 {
        return None;
    }
    let mut out = [0; 32];
    for (pair, byte) in bytes.chunks_exact(2).zip(&mut out) {
        *byte = nibble(pair[0])? << 4 | nibble(pair[1])?;
    }
    Some(out)
}

/// Computes a [`Digest`] over bytes that pass by.
#[derive(Clone)]
pub struct DigestHasher(aws_lc_rs::digest::Context);

impl DigestHasher {
    /// A hasher that has seen nothing yet.
    pub fn new() -> Self {
        Self(aws_lc_rs::digest::Context::new(&aws_lc_rs::digest::SHA256))
    }

    /// Takes in the next bytes.
    pub fn update(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    /// The digest of everything taken in.
    pub fn finish(self) -> Digest {
        let mut out = [0; 32];
        out.copy_from_slice(self.0.finish().as_ref());
        Digest(out)
    }
}

impl Default for DigestHasher {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const EMPTY: &str = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

    #[test]
    fn digest_of_nothing_is_the_known_one() {
        assert_eq!(Digest::from_bytes(b"").to_string(), EMPTY);
        assert_eq!(EMPTY.parse(), Ok(Digest::from_bytes(b"")));
    }

    #[test]
    fn malformed_digests_are_refused_with_their_reason() {
        let unsupported = |name: &str| DigestError::Unsupported(name.to_owned());
        for (text, error) in [
            ("", DigestError::Malformed),
            ("sha256", DigestError::Malformed),
            ("SHA256:00", DigestError::Malformed),
            ("sha256:", DigestError::Encoding),
            ("sha256:00", DigestError::Encoding),
            (
                &EMPTY.to_uppercase().replace("SHA", "sha"),
                DigestError::Encoding,
            ),
            (&format!("{EMPTY}0"), DigestError::Encoding),
            ("sha512:00", unsupported("sha512")),
            ("blake3:00", unsupported("blake3")),
            ("sha\n512:00", DigestError::Malformed),
        ] {
            assert_eq!(text.parse::<Digest>(), Err(error), "{text:?}");
        }
    }
}
