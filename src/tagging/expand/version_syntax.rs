//! Versions as rules of `type=semver` and `type=pep440` read and write them.

use semver::Version;
use serde_json::Value;

use super::pep440::Pep440Version;
use super::recorded_differences::RecordedDifferences;
use super::template::{TemplateExpression, TemplateLanguage};
use crate::tagging::ReleaseVersion;

/// The largest number that JavaScript's semver takes.
const LARGEST_NUMBER: u64 = 9_007_199_254_740_991;

/// Semantic versions as JavaScript's semver reads them: a `v` before and blanks around are no
/// matter.
pub(super) fn parse_semver(text: &str) -> Option<Version> {
    let text = text.trim();
    if text.len() > 256 {
        return None;
    }
    let version = Version::parse(text.strip_prefix('v').unwrap_or(text)).ok()?;
    let parts = [version.major, version.minor, version.patch];
    parts
        .iter()
        .all(|part| *part <= LARGEST_NUMBER)
        .then_some(version)
}

/// `version` without what comes behind the `+`.
pub(super) fn without_build(version: &Version) -> String {
    let mut version = version.clone();
    version.build = semver::BuildMetadata::EMPTY;
    version.to_string()
}

/// What a pattern may say of a semantic version that was written as `raw`.
pub(super) fn semver_language(
    raw: &str,
    version: &Version,
    steps: &RecordedDifferences,
) -> TemplateLanguage {
    let list = |text: &str| -> Value {
        text.split('.')
            .filter(|part| !part.is_empty())
            .map(Value::from)
            .collect()
    };
    let expressions = vec![
        TemplateExpression::new("raw", raw),
        TemplateExpression::new("version", without_build(version)),
        TemplateExpression::new("major", version.major),
        TemplateExpression::new("minor", version.minor),
        TemplateExpression::new("patch", version.patch),
        TemplateExpression::new("prerelease", list(&version.pre)),
        TemplateExpression::new("build", list(&version.build)),
        TemplateExpression::new("channel", channel(version)),
    ];
    TemplateLanguage::for_values(expressions, steps)
}

fn channel(version: &Version) -> String {
    let version = ReleaseVersion::from_semver(version);
    version.channel().unwrap_or_default().to_owned()
}

/// What a pattern may say of a Python version.
pub(super) fn pep440_language(
    raw: &str,
    version: &Pep440Version,
    local: &str,
    steps: &RecordedDifferences,
) -> TemplateLanguage {
    let expressions = vec![
        TemplateExpression::new("raw", raw),
        TemplateExpression::new("version", version.to_normalised(local)),
        TemplateExpression::new("major", version.release_part(0)),
        TemplateExpression::new("minor", version.release_part(1)),
        TemplateExpression::new("patch", version.release_part(2)),
    ];
    TemplateLanguage::for_values(expressions, steps)
}

/// Whether the pattern is the expression `raw` and nothing else.
pub(super) fn is_raw(pattern: &str) -> bool {
    let inner = only_expression(pattern);
    matches!(inner, Some("raw" | "this.raw" | "this/raw" | "./raw"))
}

/// Returns whether the pattern names the channel of a pre-release.
pub(super) fn names_channel(pattern: &str) -> bool {
    only_expression(pattern) == Some("channel")
}

/// Returns the expression that is all of the pattern.
fn only_expression(pattern: &str) -> Option<&str> {
    let inner = pattern.strip_prefix("{{")?.strip_suffix("}}")?;
    Some(inner.trim_matches(|c: char| c.is_whitespace() || "{}~&".contains(c)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_read_as_in_javascript() {
        for text in [
            "1.2.3",
            "v1.2.3",
            " v1.2.3 ",
            "1.2.3-rc.1+build.7",
            "9007199254740991.0.0",
        ] {
            assert!(parse_semver(text).is_some(), "{text}");
        }
        for text in [
            "=v1.2.3",
            "V1.2.3",
            "1.2",
            "01.2.3",
            "vv1.2.3",
            "9007199254740992.0.0",
            "",
        ] {
            assert!(parse_semver(text).is_none(), "{text}");
        }
    }

    #[test]
    fn a_pattern_may_be_raw_alone() {
        for pattern in ["{{raw}}", "{{ raw }}", "{{{raw}}}", "{{~raw~}}", "{{&raw}}"] {
            assert!(is_raw(pattern), "{pattern}");
        }
        for pattern in ["{{raw}}.", "{{version}}", "raw", "{{raw}}{{raw}}"] {
            assert!(!is_raw(pattern), "{pattern}");
        }
    }
}
