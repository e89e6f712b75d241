//! Tags that no prune rule matches: those of records, holds and evidence.

use crate::image::{Digest, Tag};
use crate::record::ENTRY_PREFIX;
use crate::tagging::TagPattern;

/// Prefix of the tags that hold an image.
pub const HOLD_PREFIX: &str = "hold.";
/// `artifactType` of the empty manifest to which a lifted hold points where no tag can be deleted alone.
pub const UNHOLD_TYPE: &str = "application/vnd.shipmark.unhold.v0.1";

/// Algorithms of digests whose hex digits begin tags of evidence (OCI distribution specification 1.1,
/// "Referrers Tag Schema").
const DIGEST_PREFIXES: [&str; 3] = ["sha256-", "sha384-", "sha512-"];
const DIGEST_DIGITS: usize = 64;

/// Meaning of a tag that no prune rule matches, not even `*`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ReservedTag {
    /// Entry of a timeline.
    Record,
    /// Hold, with its name.
    Hold(String),
    /// Evidence about a manifest: its referrers, its signatures, attestations or SBOM.
    Evidence(Digest),
    /// Evidence about a manifest that the tag does not name in full.
    OtherEvidence,
}

impl ReservedTag {
    /// Returns the meaning of a reserved tag; `None` of every other tag.
    pub fn parse(tag: &Tag) -> Option<Self> {
        let text = tag.as_str();
        if text.starts_with(ENTRY_PREFIX) {
            return Some(Self::Record);
        }
        if let Some(name) = text.strip_prefix(HOLD_PREFIX) {
            return Some(Self::Hold(name.to_owned()));
        }
        let mut prefixes = DIGEST_PREFIXES.iter();
        let hex = prefixes.find_map(|prefix| text.strip_prefix(prefix))?;
        if !hex.starts_with(|c: char| c.is_ascii_hexdigit()) {
            return None;
        }
        let subject = hex.get(..DIGEST_DIGITS).filter(|_| {
            // More digits are those of another algorithm.
            text.starts_with(DIGEST_PREFIXES[0])
                && !hex[DIGEST_DIGITS..].starts_with(|c: char| c.is_ascii_hexdigit())
        });
        let subject = subject.and_then(|hex| format!("sha256:{hex}").parse().ok());
        Some(subject.map_or(Self::OtherEvidence, Self::Evidence))
    }
}

/// Returns whether the text before the first wildcard of a pattern is that of reserved tags.
pub fn names_reserved_tags(pattern: &TagPattern) -> bool {
    let text = pattern.as_str();
    let end = text.find(['*', '?', '[']).unwrap_or(text.len());
    let mut prefixes = DIGEST_PREFIXES.iter().chain([&ENTRY_PREFIX, &HOLD_PREFIX]);
    prefixes.any(|prefix| text[..end].starts_with(prefix))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_of_records_holds_and_evidence_are_reserved() {
        let digest = Digest::from_bytes(b"x");
        let hex = digest.to_hex();
        let parse = |text: &str| ReservedTag::parse(&text.parse().unwrap());
        for ending in ["", ".sig", ".att", ".sbom", "-later"] {
            let text = format!("sha256-{hex}{ending}");
            assert_eq!(parse(&text), Some(ReservedTag::Evidence(digest)), "{text}");
        }
        for text in [
            &format!("sha256-{}", &hex[..12]),
            &format!("sha256-{hex}0"),
            &format!("sha256-{}.sig", hex.to_uppercase()),
            &format!("sha512-{hex}"),
            "sha256-f",
        ] {
            assert_eq!(parse(text), Some(ReservedTag::OtherEvidence), "{text}");
        }
        assert_eq!(
            parse("hold.case-7"),
            Some(ReservedTag::Hold("case-7".to_owned()))
        );
        assert_eq!(parse("shipmark.prod.x"), Some(ReservedTag::Record));
        for text in ["sha256-xyz", "sha-9f3c2a1", "holds", "shipmark", "1.4.0"] {
            assert_eq!(parse(text), None, "{text}");
        }
    }

    #[test]
    fn a_pattern_names_reserved_tags_by_its_beginning() {
        for (pattern, expected) in [
            ("sha256-*", true),
            ("hold.*", true),
            ("shipmark.prod.*", true),
            ("*", false),
            ("sha*", false),
            ("[s]ha256-*", false),
        ] {
            let pattern = TagPattern::parse(pattern).unwrap();
            assert_eq!(
                names_reserved_tags(&pattern),
                expected,
                "{}",
                pattern.as_str()
            );
        }
    }
}
