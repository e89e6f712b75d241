//! The image that gates judge, as facts.

use jiff::Timestamp;
use serde::Deserialize;

use crate::image::{Digest, ImageLabels, Platform, exact_names};

/// Image that is to be released.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JudgedImage {
    /// Digest of the root: an index, or an image manifest.
    pub root: Digest,
    /// Image manifests of the root, or the root itself. Manifests of attestations are not among them.
    pub platforms: Vec<JudgedPlatform>,
}

/// Image of one platform.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JudgedPlatform {
    /// Platform, by the index, else by the config; `None` if neither says it, or both say another.
    pub platform: Option<Platform>,
    /// Digest of the image manifest.
    pub manifest: Digest,
    /// Digest of the config, which engines call the ID of the image.
    pub config: Digest,
    /// Sum of the sizes of the compressed layers, in bytes.
    pub layers_size: u64,
    /// What index and config say of the platform, if they contradict each other: `linux/arm64 by the index and
    /// linux/amd64 by its config`. The platform is unknown then.
    pub platform_conflict: Option<String>,
    /// Content of the config; `None` if it was not read.
    pub content: Option<JudgedConfig>,
    /// Whether it is released. Of an index, a release can copy some platforms only.
    pub is_released: bool,
}

/// What the config of an image says, as far as the image gate judges it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct JudgedConfig {
    /// User of the process, as written; empty if the config names none.
    pub user: String,
    /// Time at which the image was made; `None` if the config does not say it, or says 1970, as builds do that
    /// are reproducible.
    pub created: Option<Timestamp>,
    /// Labels.
    pub labels: ImageLabels,
}

/// First moment that counts as the time at which an image was made. Reproducible builds write 1970 or the year 1.
const FIRST_CREATION: Timestamp = Timestamp::constant(365 * 86_400, 0);

impl JudgedConfig {
    /// Reads the config of an image; `None` if it is not one, or means another user, label or time to a program
    /// that ignores the case of names.
    pub fn parse(bytes: &[u8]) -> Option<Self> {
        #[derive(Deserialize)]
        struct ImageConfigJson {
            created: Option<String>,
            config: Option<ConfigJson>,
        }
        #[derive(Deserialize)]
        struct ConfigJson {
            #[serde(rename = "User")]
            user: Option<String>,
        }
        exact_names::check(bytes, exact_names::IMAGE_CONFIG).ok()?;
        let json: ImageConfigJson = serde_json::from_slice(bytes).ok()?;
        let created: Option<Timestamp> = json.created.and_then(|text| text.parse().ok());
        Some(Self {
            user: json
                .config
                .and_then(|config| config.user)
                .unwrap_or_default(),
            created: created.filter(|time| *time >= FIRST_CREATION),
            labels: ImageLabels::from_config(bytes).ok()?,
        })
    }
}

impl JudgedImage {
    /// Returns the platforms that are released.
    pub fn released_platforms(&self) -> impl Iterator<Item = &JudgedPlatform> {
        self.platforms
            .iter()
            .filter(|platform| platform.is_released)
    }
}

impl JudgedPlatform {
    /// Returns the name of the platform for a reader.
    pub fn name(&self) -> String {
        match &self.platform {
            Some(platform) => platform.to_string(),
            None => format!("{} (no platform)", self.manifest.short()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_config_is_read_as_every_engine_reads_it() {
        let config = JudgedConfig::parse(
            br#"{"created":"2026-11-01T08:00:00.5Z","config":{"User":"65532:65532","Labels":{"a":"b"}}}"#,
        )
        .unwrap();
        assert_eq!(config.user, "65532:65532");
        assert_eq!(config.labels.get("a"), Some("b"));
        assert_eq!(
            config.created,
            Some("2026-11-01T08:00:00.5Z".parse().unwrap())
        );
        for empty in [
            "{}",
            r#"{"config":null,"created":null}"#,
            r#"{"config":{}}"#,
        ] {
            assert_eq!(
                JudgedConfig::parse(empty.as_bytes()),
                Some(JudgedConfig::default())
            );
        }
        for other in [
            "",
            "[]",
            r#"{"config":{"User":1}}"#,
            r#"{"config":{"User":"app","User":"root"}}"#,
            r#"{"config":{"User":"app","user":"root"}}"#,
            r#"{"config":{"User":"app"},"Config":{}}"#,
            r#"{"created":"2026-11-01T08:00:00Z","CREATED":"2020-11-01T08:00:00Z"}"#,
        ] {
            assert_eq!(JudgedConfig::parse(other.as_bytes()), None, "{other}");
        }
    }

    #[test]
    fn a_reproducible_build_says_no_time() {
        for time in [
            "1970-01-01T00:00:00Z",
            "1970-12-31T23:59:59Z",
            "0001-01-01T00:00:00Z",
            "yesterday",
            "",
        ] {
            let config = format!(r#"{{"created":"{time}"}}"#);
            let config = JudgedConfig::parse(config.as_bytes()).unwrap();
            assert_eq!(config.created, None, "{time}");
        }
        let config = JudgedConfig::parse(br#"{"created":"1971-01-01T00:00:00Z"}"#).unwrap();
        assert!(config.created.is_some());
    }
}
