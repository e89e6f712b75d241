use std::fmt;
use std::str::FromStr;

use thiserror::Error;

use super::action::RecordAction;
use super::record_id::RecordId;
use super::record_time::RecordTime;
use crate::image::{Digest, Tag};
use crate::tagging::EnvironmentName;

/// Prefix of every tag of a timeline entry.
pub const ENTRY_PREFIX: &str = "shipmark.";

/// Tag of a timeline entry, read:
/// `shipmark.<environment>.<time>.<action>.<12 hex of the root>.<12 hex of the record id>`.
///
/// A name says enough for a first answer. It proves nothing: whoever may push can write one.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct EntryName {
    /// Environment whose timeline has the entry.
    pub environment: EnvironmentName,
    /// Time at which the run planned it.
    pub planned_at: RecordTime,
    /// What the record says of its subject.
    pub action: RecordAction,
    /// Beginning of the digest of the record's subject.
    pub root: DigestPrefix,
    /// Beginning of the record's id.
    pub record: DigestPrefix,
}

/// The first twelve hex digits of a digest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct DigestPrefix([u8; 6]);

/// Reason why a tag is not an [`EntryName`].
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error(
    "expected shipmark.<environment>.<time>.<action>.<12 hex of the root>.<12 hex of the record>"
)]
pub struct EntryNameError;

/// Hex digits of a [`DigestPrefix`].
const PREFIX_DIGITS: usize = 12;

impl EntryName {
    /// Returns the name of the entry of a record.
    pub fn new(
        environment: EnvironmentName,
        planned_at: RecordTime,
        action: RecordAction,
        root: Digest,
        record: RecordId,
    ) -> Self {
        Self {
            environment,
            planned_at,
            action,
            root: DigestPrefix::from_digest(root),
            record: DigestPrefix::from_digest(record.digest()),
        }
    }

    /// Returns the prefix of the tags of an environment's entries.
    pub fn environment_prefix(environment: &EnvironmentName) -> String {
        format!("{ENTRY_PREFIX}{environment}.")
    }

    /// Returns the tag.
    ///
    /// # Panics
    /// Never: all parts are characters of tags, and together at most 120.
    pub fn to_tag(&self) -> Tag {
        self.to_string()
            .parse()
            .unwrap_or_else(|_| unreachable!("the parts of an entry's name form a tag"))
    }
}

impl DigestPrefix {
    /// Returns the beginning of `digest`.
    pub fn from_digest(digest: Digest) -> Self {
        let mut prefix = [0; PREFIX_DIGITS / 2];
        prefix.copy_from_slice(&digest.as_bytes()[..PREFIX_DIGITS / 2]);
        Self(prefix)
    }

    /// Returns whether `digest` begins with it.
    pub fn is_of(self, digest: Digest) -> bool {
        Self::from_digest(digest) == self
    }
}

impl FromStr for DigestPrefix {
    type Err = EntryNameError;

    fn from_str(text: &str) -> Result<Self, EntryNameError> {
        let is_digit = |byte: u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
        if text.len() != PREFIX_DIGITS || !text.bytes().all(is_digit) {
            return Err(EntryNameError);
        }
        let mut prefix = [0; PREFIX_DIGITS / 2];
        for (index, byte) in prefix.iter_mut().enumerate() {
            let digits = &text[2 * index..2 * index + 2];
            *byte = u8::from_str_radix(digits, 16).map_err(|_| EntryNameError)?;
        }
        Ok(Self(prefix))
    }
}

impl fmt::Display for DigestPrefix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl FromStr for EntryName {
    type Err = EntryNameError;

    fn from_str(text: &str) -> Result<Self, EntryNameError> {
        let parts: Vec<&str> = text
            .strip_prefix(ENTRY_PREFIX)
            .ok_or(EntryNameError)?
            .split('.')
            .collect();
        let [environment, time, action, root, record] = parts[..] else {
            return Err(EntryNameError);
        };
        let name = Self {
            environment: environment.parse().map_err(|_| EntryNameError)?,
            planned_at: RecordTime::parse_tag_part(time).map_err(|_| EntryNameError)?,
            action: action.parse().map_err(|_| EntryNameError)?,
            root: root.parse()?,
            record: record.parse()?,
        };
        // One name has one spelling: capitals of an environment would be a second.
        (name.to_string() == text)
            .then_some(name)
            .ok_or(EntryNameError)
    }
}

impl fmt::Display for EntryName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{ENTRY_PREFIX}{}.{}.{}.{}.{}",
            self.environment,
            self.planned_at.to_tag_part(),
            self.action,
            self.root,
            self.record
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NAME: &str = "shipmark.prod.20261120t214808123z.promote.0123456789ab.cdef01234567";

    #[test]
    fn a_name_is_read_back() {
        let name: EntryName = NAME.parse().unwrap();
        assert_eq!(name.environment.as_str(), "prod");
        assert_eq!(name.planned_at.to_string(), "2026-11-20T21:48:08.123Z");
        assert_eq!(name.action, RecordAction::Promote);
        assert_eq!(name.root.to_string(), "0123456789ab");
        assert_eq!(name.to_tag().as_str(), NAME);
    }

    #[test]
    fn a_name_of_a_record_has_the_beginnings_of_its_digests() {
        let root = Digest::from_bytes(b"root");
        let record = RecordId::from_blob(b"record");
        let name: EntryName = NAME.parse().unwrap();
        let name = EntryName::new(name.environment, name.planned_at, name.action, root, record);
        assert!(name.root.is_of(root));
        assert!(!name.root.is_of(record.digest()));
        assert!(root.to_hex().starts_with(&name.root.to_string()));
        assert_eq!(name.to_string().parse(), Ok(name));
    }

    #[test]
    fn the_longest_name_is_a_tag() {
        let environment = "e".repeat(32);
        let action = "a".repeat(16);
        let name = format!(
            "shipmark.{environment}.20261120t214808123z.{action}.0123456789ab.cdef01234567"
        );
        let name: EntryName = name.parse().unwrap();
        assert!(name.to_tag().as_str().len() <= Tag::MAX);
    }

    #[test]
    fn anything_else_is_no_name() {
        for other in [
            "1.4.0".to_owned(),
            "shipmark.prod".to_owned(),
            NAME.to_uppercase(),
            NAME.replace("prod", "Prod"),
            NAME.replace("prod", "latest"),
            NAME.replace("promote", "pro.mote"),
            NAME.replace("0123456789ab", "0123456789aB"),
            NAME.replace("0123456789ab", "0123456789a"),
            format!("{NAME}.x"),
            format!("x{NAME}"),
        ] {
            assert_eq!(other.parse::<EntryName>(), Err(EntryNameError), "{other}");
        }
    }
}
