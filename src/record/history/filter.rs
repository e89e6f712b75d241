use std::fmt;
use std::str::FromStr;

use thiserror::Error;

use super::line::HistoryLine;
use crate::image::Digest;
use crate::notices::to_printable;
use crate::record::record_time::RecordTime;

/// Most characters of a version in a text.
const TEXT_LIMIT: usize = 100;

/// Which entries of a history are shown. An entry must meet all that is given.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct HistoryFilter {
    /// Oldest time.
    pub since: Option<RecordTime>,
    /// Version of the release, as recorded.
    pub version: Option<String>,
    /// Commit of the release.
    pub commit: Option<CommitPrefix>,
    /// Root that the record is about, or that a rollback puts back.
    pub digest: Option<DigestPattern>,
}

/// Beginning of the id of a commit: at least seven hex digits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CommitPrefix(String);

/// Digest, or its beginning: at least twelve hex digits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DigestPattern(String);

/// Reason why a text is no filter.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum HistoryFilterError {
    /// No beginning of a commit id.
    #[error("is not a commit: use 7 to 64 hex digits")]
    Commit,
    /// No digest.
    #[error("is not a digest: use sha256:… or 12 to 64 hex digits of it")]
    Digest,
}

impl HistoryFilter {
    /// Returns whether every entry is shown.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Returns whether an entry is shown. Of one that does not count only time and digest are known.
    pub fn accepts(&self, line: &HistoryLine) -> bool {
        let entry = line.entry.as_ref();
        let is_version =
            |wanted: &String| entry.is_some_and(|e| e.version.as_ref() == Some(wanted));
        let is_commit = |wanted: &CommitPrefix| {
            let commit = entry.and_then(|entry| entry.commit.as_ref());
            commit.is_some_and(|commit| commit.to_ascii_lowercase().starts_with(&wanted.0))
        };
        let is_digest = |wanted: &DigestPattern| match entry {
            Some(entry) => {
                let mut roots = [Some(entry.root), entry.restores].into_iter().flatten();
                roots.any(|root| wanted.is_of(root))
            }
            None => wanted.0.starts_with(&line.name.root.to_string()),
        };
        self.since.is_none_or(|since| line.name.planned_at >= since)
            && self.version.as_ref().is_none_or(is_version)
            && self.commit.as_ref().is_none_or(is_commit)
            && self.digest.as_ref().is_none_or(is_digest)
    }
}

impl fmt::Display for HistoryFilter {
    /// Writes what an entry must meet, such as `version 1.4.0 and commit 860c190`; nothing if all are shown.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let version = self
            .version
            .as_deref()
            .map(|it| to_printable(it, TEXT_LIMIT));
        let since = self.since.map(|since| format!("a time since {since}"));
        let conditions = [
            version.map(|version| format!("version {version}")),
            self.commit.as_ref().map(|it| format!("commit {}", it.0)),
            self.digest.as_ref().map(|it| format!("digest {}", it.0)),
            since,
        ];
        let conditions: Vec<String> = conditions.into_iter().flatten().collect();
        f.write_str(&conditions.join(" and "))
    }
}

impl DigestPattern {
    /// Returns whether `digest` begins with it.
    pub fn is_of(&self, digest: Digest) -> bool {
        digest.to_hex().starts_with(&self.0)
    }
}

fn hex(text: &str, least: usize) -> Option<String> {
    let is_hex = text.bytes().all(|byte| byte.is_ascii_hexdigit());
    ((least..=64).contains(&text.len()) && is_hex).then(|| text.to_ascii_lowercase())
}

impl FromStr for CommitPrefix {
    type Err = HistoryFilterError;

    fn from_str(text: &str) -> Result<Self, HistoryFilterError> {
        hex(text, 7).map(Self).ok_or(HistoryFilterError::Commit)
    }
}

impl FromStr for DigestPattern {
    type Err = HistoryFilterError;

    fn from_str(text: &str) -> Result<Self, HistoryFilterError> {
        let digits = text.strip_prefix("sha256:").unwrap_or(text);
        hex(digits, 12).map(Self).ok_or(HistoryFilterError::Digest)
    }
}
