//! Versions that never count for version lines: the input or policy key `exclude-versions`.

use thiserror::Error;

use super::release_version::ReleaseVersion;
use super::star_match::matches_pattern;
use crate::image::Tag;

/// Patterns of versions that do not count, such as `1.10.6` or `2024.*`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ExcludedVersions {
    patterns: Vec<String>,
}

/// Reason why a pattern is not valid.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error(
    "{0:?} is not a pattern of versions: expected one version or pattern, such as 1.10.6, 1.10.* or 2024.*"
)]
pub struct ExcludedVersionsError(String);

impl ExcludedVersions {
    /// Parses patterns, in which `*` matches any characters and `?` one.
    ///
    /// # Errors
    /// A pattern with characters that no version has, one that no version matches, and one that matches every
    /// version.
    pub fn parse<'a>(
        patterns: impl IntoIterator<Item = &'a str>,
    ) -> Result<Self, ExcludedVersionsError> {
        let patterns = patterns.into_iter().map(str::trim);
        let patterns = patterns.filter(|pattern| !pattern.is_empty());
        let parsed = patterns.map(|pattern| match is_pattern(pattern) {
            true => Ok(pattern.to_owned()),
            false => Err(ExcludedVersionsError(pattern.to_owned())),
        });
        Ok(Self {
            patterns: parsed.collect::<Result<_, _>>()?,
        })
    }

    /// Returns these patterns and those of `other`.
    pub fn with(mut self, other: &Self) -> Self {
        self.patterns.extend(other.patterns.iter().cloned());
        self
    }

    /// Returns the patterns, in the order in which they were given.
    pub fn patterns(&self) -> &[String] {
        &self.patterns
    }

    /// Returns whether no version is excluded.
    pub fn is_empty(&self) -> bool {
        self.patterns.is_empty()
    }

    /// Returns the pattern that excludes the version, in a tag of that name: a pattern matches the
    /// whole tag, or the version with or without `v` and its build part.
    pub fn excluding(&self, version: &ReleaseVersion, tag: Option<&Tag>) -> Option<&str> {
        let plain = version.to_string();
        let built = plain.split('+').next().unwrap_or_default();
        let names = [
            version.to_tag_text(),
            format!("v{plain}"),
            built.to_owned(),
            format!("v{built}"),
            plain,
        ];
        let matches = |pattern: &&String| {
            let is_tag = tag.is_some_and(|tag| matches_pattern(pattern, tag.as_str()));
            is_tag || names.iter().any(|name| matches_pattern(pattern, name))
        };
        self.patterns.iter().find(matches).map(String::as_str)
    }
}

fn is_pattern(pattern: &str) -> bool {
    let is_allowed = |b: u8| b.is_ascii_alphanumeric() || b".-_+*?".contains(&b);
    let can_be_version = pattern.bytes().any(|b| b.is_ascii_digit())
        || (pattern.contains(['*', '?']) && pattern.bytes().any(|b| b.is_ascii_alphabetic()));
    // `1.10.x` is meant as `1.10.*`.
    let has_placeholder = pattern
        .split(['.', '-'])
        .any(|part| part.eq_ignore_ascii_case("x"));
    pattern.bytes().all(is_allowed) && can_be_version && !has_placeholder
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn promise_4_patterns_exclude_versions() {
        let excluded = |patterns: &[&str], version: &str, tag: &str| {
            let patterns = ExcludedVersions::parse(patterns.iter().copied()).unwrap();
            let version = ReleaseVersion::parse(version).unwrap();
            let tag = tag.parse().unwrap();
            patterns.excluding(&version, Some(&tag)).map(str::to_owned)
        };
        for (pattern, version, tag) in [
            ("1.10.6", "1.10.6", "1.10.6"),
            ("1.10.6", "1.10.6", "v1.10.6"),
            ("v1.10.6", "1.10.6", "1.10.6"),
            ("1.10.*", "1.10.6", "web-v1.10.6"),
            ("web-*", "1.10.6", "web-v1.10.6"),
            ("20??.*", "2024.05.01", "2024.05.01"),
            ("1.28.3+k3s1", "1.28.3+k3s1", "1.28.3-k3s1"),
            ("1.28.9", "1.28.9+k3s1", "1.28.9-k3s1"),
            ("v1.28.9", "1.28.9+k3s1", "1.28.9-k3s1"),
        ] {
            assert!(excluded(&[pattern], version, tag).is_some(), "{pattern}");
        }
        for (pattern, version) in [
            ("1.10.6", "1.10.60"),
            ("1.1.*", "1.10.6"),
            ("2?.*", "2024.1"),
        ] {
            assert_eq!(excluded(&[pattern], version, "x"), None, "{pattern}");
        }
    }

    #[test]
    fn patterns_that_are_no_versions_are_refused() {
        for pattern in [
            "*",
            "1.4.0 1.5.0",
            "[0-9]*",
            "1.4.0,1.5.0",
            "**?",
            "1.10.x",
            "v1.X",
        ] {
            assert!(ExcludedVersions::parse([pattern]).is_err(), "{pattern}");
        }
        assert!(ExcludedVersions::parse([" ", ""]).unwrap().is_empty());
    }
}
