//! Platforms, as users and registries write them.

use std::fmt;
use std::str::FromStr;

use serde::Deserialize;
use thiserror::Error;

use super::Platform;

/// A platform as a user names it: `linux/arm64`, `linux/arm/v7`. Without a variant it means all
/// variants.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlatformName {
    os: String,
    architecture: String,
    variant: Option<String>,
}

/// Why a text names no platform.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("is no platform: write os/architecture or os/architecture/variant, as linux/arm64")]
pub struct PlatformError;

impl PlatformName {
    /// Whether an image of `platform` is meant.
    pub fn means(&self, platform: &Platform) -> bool {
        let there = Self::normal(
            &platform.os,
            &platform.architecture,
            platform.variant.as_deref(),
        );
        self.os == there.os
            && self.architecture == there.architecture
            && (self.variant.is_none() || self.variant == there.variant)
    }

    /// With the one name that an architecture of several has: `amd64` for `x86_64`, `arm64` for
    /// `aarch64` and for its only variant.
    fn normal(os: &str, architecture: &str, variant: Option<&str>) -> Self {
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
            architecture,
            variant: variant.filter(|_| !only),
        }
    }
}

impl FromStr for PlatformName {
    type Err = PlatformError;

    fn from_str(text: &str) -> Result<Self, PlatformError> {
        let fine = |part: &&str| {
            let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
            !part.is_empty() && part.chars().all(allowed)
        };
        let parts: Vec<&str> = text.split('/').collect();
        match parts.as_slice() {
            [os, architecture, variant @ ..] if variant.len() < 2 && parts.iter().all(fine) => {
                Ok(Self::normal(os, architecture, variant.first().copied()))
            }
            _ => Err(PlatformError),
        }
    }
}

impl fmt::Display for PlatformName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.os, self.architecture)?;
        match &self.variant {
            Some(variant) => write!(f, "/{variant}"),
            None => Ok(()),
        }
    }
}

impl Platform {
    /// The platform that an image's config says that it is for; `None` where it says none.
    pub fn from_config(config: &[u8]) -> Option<Self> {
        #[derive(Deserialize)]
        struct Config {
            os: String,
            architecture: String,
            variant: Option<String>,
        }
        let config: Config = serde_json::from_slice(config).ok()?;
        let known = !config.os.is_empty() && !config.architecture.is_empty();
        known.then_some(Self {
            os: config.os,
            architecture: config.architecture,
            variant: config.variant,
        })
    }
}

impl fmt::Display for Platform {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = PlatformName::normal(&self.os, &self.architecture, self.variant.as_deref());
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
        }
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
            ("windows/amd64", "linux/amd64", false),
            ("linux/amd64", "unknown/unknown", false),
        ] {
            let name: PlatformName = name.parse().unwrap();
            assert_eq!(name.means(&platform(there)), means, "{name} {there}");
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
        ] {
            assert_eq!(text.parse::<PlatformName>(), Err(PlatformError), "{text}");
        }
    }
}
