//! Platforms, as users and registries write them.

use std::fmt;
use std::str::FromStr;

use serde::Deserialize;
use thiserror::Error;

use super::Platform;

/// A platform as a user names it, in containerd's grammar: `linux/arm64`, `linux/arm/v7`,
/// `windows(10.0.17763)/amd64`. Without a variant or a version it means all of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlatformName {
    os: String,
    os_version: Option<String>,
    architecture: String,
    variant: Option<String>,
}

/// Why a text names no platform.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error(
    "is not a platform: expected os/architecture or os/architecture/variant, such as linux/arm64, with the version after the os, such as windows(10.0.17763)/amd64"
)]
pub struct PlatformError;

impl PlatformName {
    /// Whether an image of `platform` is meant.
    pub fn matches(&self, platform: &Platform) -> bool {
        let there = Self::from_platform(platform);
        let version = there.os_version.as_deref().unwrap_or_default();
        // As containerd has it.
        let unsaid = match there.architecture.as_str() {
            "amd64" => Some("v1"),
            "arm" => Some("v7"),
            _ => None,
        };
        let variant = there.variant.as_deref().or(unsaid);
        self.os == there.os
            && self.architecture == there.architecture
            && (self.variant.is_none() || self.variant.as_deref() == variant)
            && self
                .os_version
                .as_deref()
                .is_none_or(|requested| is_version_match(version, requested))
    }

    fn from_platform(platform: &Platform) -> Self {
        let variant = platform.variant.as_deref();
        Self {
            os_version: platform.os_version.clone().filter(|it| !it.is_empty()),
            ..Self::normalise(&platform.os, &platform.architecture, variant)
        }
    }

    /// With the one name that an architecture of several has: `amd64` for `x86_64`, `arm64` for
    /// `aarch64` and for its only variant.
    fn normalise(os: &str, architecture: &str, variant: Option<&str>) -> Self {
        let [os, architecture] = [os, architecture].map(str::to_ascii_lowercase);
        let architecture = match architecture.as_str() {
            "x86_64" | "x86-64" => "amd64".to_owned(),
            "aarch64" => "arm64".to_owned(),
            _ => architecture,
        };
        let variant = variant.filter(|variant| !variant.is_empty());
        let variant = variant.map(str::to_ascii_lowercase);
        let only = architecture == "arm64" && variant.as_deref().is_some_and(|it| it == "v8");
        Self {
            os,
            os_version: None,
            architecture,
            variant: variant.filter(|_| !only),
        }
    }
}

/// Whether a version is the one asked for, or one of those that it begins: Windows runs an image of its
/// own build whatever the revision after it.
fn is_version_match(version: &str, requested: &str) -> bool {
    let rest = version.strip_prefix(requested);
    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
}

impl FromStr for PlatformName {
    type Err = PlatformError;

    fn from_str(text: &str) -> Result<Self, PlatformError> {
        let fine = |part: &&str| {
            let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
            !part.is_empty() && part.chars().all(allowed)
        };
        let (os, rest) = text.split_once('/').ok_or(PlatformError)?;
        let (os, os_version) = match os.strip_suffix(')') {
            Some(os) => os.split_once('(').map(|(os, version)| (os, Some(version))),
            None => Some((os, None)),
        }
        .ok_or(PlatformError)?;
        let parts: Vec<&str> = rest.split('/').collect();
        let [architecture, variant @ ..] = parts.as_slice() else {
            return Err(PlatformError);
        };
        let mut all = [os].into_iter().chain(os_version).chain(parts.clone());
        if variant.len() > 1 || !all.all(|part| fine(&part)) {
            return Err(PlatformError);
        }
        Ok(Self {
            os_version: os_version.map(str::to_owned),
            ..Self::normalise(os, architecture, variant.first().copied())
        })
    }
}

impl fmt::Display for PlatformName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.os)?;
        if let Some(version) = &self.os_version {
            write!(f, "({version})")?;
        }
        write!(f, "/{}", self.architecture)?;
        match &self.variant {
            Some(variant) => write!(f, "/{variant}"),
            None => Ok(()),
        }
    }
}

impl Platform {
    /// Whether it says that the content is for no platform (`unknown/unknown`): attestations.
    pub fn is_unknown(&self) -> bool {
        self.os == "unknown" && self.architecture == "unknown"
    }

    /// The platform that an image's config says that it is for; `None` where it says none.
    pub fn from_config(config: &[u8]) -> Option<Self> {
        #[derive(Deserialize)]
        struct PlatformConfigJson {
            os: String,
            architecture: String,
            variant: Option<String>,
            #[serde(rename = "os.version")]
            os_version: Option<String>,
        }
        let config: PlatformConfigJson = serde_json::from_slice(config).ok()?;
        let known = !config.os.is_empty() && !config.architecture.is_empty();
        known.then_some(Self {
            os: config.os,
            architecture: config.architecture,
            variant: config.variant,
            os_version: config.os_version,
        })
    }
}

impl fmt::Display for Platform {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = PlatformName::from_platform(self);
        // Text from outside: no platform's name has anything but these.
        let name = name.to_string();
        let plain = name.chars().filter(char::is_ascii_graphic);
        plain.take(80).try_for_each(|c| write!(f, "{c}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn platform(text: &str) -> Platform {
        let mut parts = text.split('/').map(str::to_owned);
        Platform {
            os: parts.next().unwrap(),
            architecture: parts.next().unwrap(),
            variant: parts.next(),
            os_version: None,
        }
    }

    #[test]
    fn a_version_means_itself_and_all_that_it_begins() {
        let windows = Platform {
            os_version: Some("10.0.17763.4974".to_owned()),
            ..platform("windows/amd64")
        };
        assert_eq!(windows.to_string(), "windows(10.0.17763.4974)/amd64");
        for (name, means) in [
            ("windows/amd64", true),
            ("windows(10.0.17763)/amd64", true),
            ("Windows(10.0.17763.4974)/x86_64", true),
            ("windows(10.0.1776)/amd64", false),
            ("windows(10.0.20348)/amd64", false),
            ("windows(10.0.17763)/arm64", false),
            ("linux(10.0.17763)/amd64", false),
        ] {
            let name: PlatformName = name.parse().unwrap();
            assert_eq!(name.matches(&windows), means, "{name}");
            assert_eq!(name.to_string().parse(), Ok(name));
        }
        let name: PlatformName = "windows(10.0.17763)/amd64".parse().unwrap();
        assert!(
            !name.matches(&platform("windows/amd64")),
            "which version is not known"
        );
    }

    #[test]
    fn a_name_means_what_it_says() {
        for (name, there, means) in [
            ("linux/amd64", "linux/amd64", true),
            ("linux/x86_64", "linux/amd64", true),
            ("Linux/AMD64", "linux/amd64", true),
            ("linux/amd64", "linux/amd64/v3", true),
            ("linux/amd64/v3", "linux/amd64", false),
            ("linux/arm64", "linux/arm64/v8", true),
            ("linux/arm64/v8", "linux/arm64", true),
            ("linux/aarch64", "linux/arm64", true),
            ("linux/arm", "linux/arm/v7", true),
            ("linux/arm/v6", "linux/arm/v7", false),
            ("linux/arm/v7", "linux/arm", true),
            ("linux/arm/v6", "linux/arm", false),
            ("linux/amd64/v1", "linux/amd64", true),
            ("windows/amd64", "linux/amd64", false),
            ("linux/amd64", "unknown/unknown", false),
        ] {
            let name: PlatformName = name.parse().unwrap();
            assert_eq!(name.matches(&platform(there)), means, "{name} {there}");
        }
    }

    #[test]
    fn what_is_no_platform_is_refused() {
        for text in [
            "",
            "linux",
            "linux/",
            "/amd64",
            "a/b/c/d",
            "linux/am d64",
            "linux/amd64\n",
            "windows()/amd64",
            "windows(10.0/amd64",
            "(10.0)/amd64",
            "windows/amd64(10.0)",
            "windows(10(0))/amd64",
        ] {
            assert_eq!(text.parse::<PlatformName>(), Err(PlatformError), "{text}");
        }
    }
}
