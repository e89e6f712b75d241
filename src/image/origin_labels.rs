use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use serde::Deserialize;
use thiserror::Error;

/// A full commit id: 40 hex digits (SHA-1) or 64 (SHA-256).
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct CommitId(String);

/// Why a text is no [`CommitId`].
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("is not a full commit id (40 or 64 hex digits)")]
pub struct CommitIdError;

impl CommitId {
    /// The whole id, in lower case.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The first seven digits, as in `git-9f3c2a1`.
    pub fn short(&self) -> &str {
        &self.0[..7]
    }

    /// Whether `prefix`, an abbreviated id of at least seven digits, names this commit.
    pub fn begins_with(&self, prefix: &str) -> bool {
        prefix.len() >= 7 && self.0.starts_with(&prefix.to_ascii_lowercase())
    }
}

impl FromStr for CommitId {
    type Err = CommitIdError;

    fn from_str(text: &str) -> Result<Self, CommitIdError> {
        let hex = text.bytes().all(|b| b.is_ascii_hexdigit());
        // All zeroes is how a push event says "there is no commit".
        if !hex || !matches!(text.len(), 40 | 64) || text.bytes().all(|b| b == b'0') {
            return Err(CommitIdError);
        }
        Ok(Self(text.to_ascii_lowercase()))
    }
}

impl fmt::Display for CommitId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for CommitId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

/// What an image's labels (or an index's annotations) say of its origin, by the keys of the OCI
/// image specification (annotations.md). Text from outside: it is believed nowhere unchecked.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ImageLabels(BTreeMap<String, String>);

impl ImageLabels {
    /// The labels of an image config, the JSON document that a manifest's `config` names.
    pub fn from_config(bytes: &[u8]) -> Result<Self, serde_json::Error> {
        #[derive(Deserialize)]
        struct ImageConfigJson {
            config: Option<ConfigJson>,
        }
        #[derive(Deserialize)]
        struct ConfigJson {
            #[serde(rename = "Labels")]
            labels: Option<BTreeMap<String, String>>,
        }
        let config: ImageConfigJson = serde_json::from_slice(bytes)?;
        Ok(Self(
            config
                .config
                .and_then(|inner| inner.labels)
                .unwrap_or_default(),
        ))
    }

    /// Returns the value of a label, as written; `None` if there is no such label.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }

    /// Returns names and values, in the order of names; an address of the source without user and password.
    pub fn printable_values(&self) -> impl Iterator<Item = (&str, String)> {
        self.0.iter().map(|(name, value)| match name.as_str() {
            SOURCE => (SOURCE, without_login(value)),
            name => (name, value.clone()),
        })
    }

    /// `org.opencontainers.image.revision`, where it is a full commit id.
    pub fn revision(&self) -> Option<CommitId> {
        self.written_revision()?.parse().ok()
    }

    /// `org.opencontainers.image.revision`, as written.
    pub fn written_revision(&self) -> Option<&str> {
        self.0
            .get("org.opencontainers.image.revision")
            .map(String::as_str)
    }

    /// Returns `org.opencontainers.image.source` without user and password: a checkout with a token in its address
    /// labels its images with it.
    pub fn source(&self) -> Option<String> {
        let source = self.0.get(SOURCE)?;
        Some(without_login(source))
    }

    /// Returns the Dockerfile by the label `dev.shipmark.dockerfile`, as written.
    pub fn dockerfile(&self) -> Option<&str> {
        self.0.get("dev.shipmark.dockerfile").map(String::as_str)
    }

    /// Returns the target of the Dockerfile by the label `dev.shipmark.target`, as written.
    pub fn target(&self) -> Option<&str> {
        self.0.get("dev.shipmark.target").map(String::as_str)
    }

    /// `org.opencontainers.image.version`, as written.
    pub fn version(&self) -> Option<&str> {
        self.0
            .get("org.opencontainers.image.version")
            .map(String::as_str)
    }
}

const SOURCE: &str = "org.opencontainers.image.source";

/// Returns an address without user and password.
fn without_login(address: &str) -> String {
    let (scheme, rest) = match address.find("://") {
        Some(at) => address.split_at(at + "://".len()),
        None => ("", address),
    };
    let end = rest.find(['/', '?', '#', '\\']).unwrap_or(rest.len());
    match rest[..end].rfind('@') {
        Some(at) => format!("{scheme}{}", &rest[at + 1..]),
        None => address.to_owned(),
    }
}

impl From<BTreeMap<String, String>> for ImageLabels {
    fn from(map: BTreeMap<String, String>) -> Self {
        Self(map)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn promise_7_a_source_label_has_no_login() {
        for (written, read) in [
            ("https://github.com/acme/web", "https://github.com/acme/web"),
            (
                "https://github.com/acme/web@v1",
                "https://github.com/acme/web@v1",
            ),
            (
                "https://octo:made-up@github.com/acme/web",
                "https://github.com/acme/web",
            ),
            (
                "https://made-up@github.com:8443/acme/web",
                "https://github.com:8443/acme/web",
            ),
            ("https://octo:made@up@github.com", "https://github.com"),
            (
                "https://octo:made-up@github.com?x=@",
                "https://github.com?x=@",
            ),
            ("octo:made-up@github.com/acme/web", "github.com/acme/web"),
            ("git@github.com:acme/web.git", "github.com:acme/web.git"),
            ("", ""),
        ] {
            let label = (
                "org.opencontainers.image.source".to_owned(),
                written.to_owned(),
            );
            let labels = ImageLabels::from(BTreeMap::from([label]));
            assert_eq!(labels.source().as_deref(), Some(read), "{written}");
        }
    }

    #[test]
    fn a_commit_is_a_full_id() {
        let id = "860C1904a1ce19322e91ac35af1ab07466440c37";
        assert_eq!(id.parse::<CommitId>().unwrap().short(), "860c190");
        for text in [
            "",
            "860c190",
            &"0".repeat(40),
            &"g".repeat(40),
            &format!("{id}0"),
        ] {
            assert_eq!(text.parse::<CommitId>(), Err(CommitIdError), "{text}");
        }
    }

    #[test]
    fn an_abbreviation_needs_seven_digits() {
        let commit: CommitId = "860c1904a1ce19322e91ac35af1ab07466440c37".parse().unwrap();
        assert!(commit.begins_with("860c190") && commit.begins_with("860C1904"));
        assert!(!commit.begins_with("860c19") && !commit.begins_with("860c191"));
    }

    #[test]
    fn labels_come_from_the_config() {
        let labels = ImageLabels::from_config(
            br#"{"config":{"Labels":{"org.opencontainers.image.version":"1.4.0"}}}"#,
        );
        assert_eq!(labels.unwrap().version(), Some("1.4.0"));
        for bare in [
            &b"{}"[..],
            br#"{"config":null}"#,
            br#"{"config":{"Labels":null}}"#,
        ] {
            assert_eq!(
                ImageLabels::from_config(bare).unwrap(),
                ImageLabels::default()
            );
        }
        assert!(ImageLabels::from_config(b"[").is_err());
    }
}
