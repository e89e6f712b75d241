//! Versions that are counted together: those of one component and variant, pre-releases apart.

use crate::image::Tag;
use crate::tagging::{NamedRelease, ReleaseVersion, is_prerelease_word};

/// Versions that are counted together.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct VersionClass {
    component: String,
    variant: String,
    is_prerelease: bool,
}

/// Returns the full version that a tag names, and the versions with which it is counted. A tag of a version line
/// or branch names none.
pub(super) fn read_version(tag: &Tag) -> Option<(VersionClass, ReleaseVersion)> {
    let named = NamedRelease::parse(tag.as_str()).filter(NamedRelease::is_full)?;
    if named.has_branch_word() {
        return None;
    }
    let (_, suffix) = named.version.split_prerelease();
    let variant = find_variant(suffix);
    let class = VersionClass {
        component: named.component,
        is_prerelease: variant.is_none() && !suffix.is_empty(),
        variant: variant.unwrap_or_default(),
    };
    Some((class, named.version))
}

/// Returns the variant that the text after a version names, without its numbers: `alpine` of `alpine3.20`. A commit,
/// a number and the usual words begin a pre-release.
fn find_variant(suffix: &str) -> Option<String> {
    let first = suffix.split(['.', '-', '_']).next().unwrap_or_default();
    let word = first.trim_end_matches(|c: char| c.is_ascii_digit());
    let is_hex = |text: &str| text.len() >= 7 && text.bytes().all(|b| b.is_ascii_hexdigit());
    let is_commit = is_hex(first) || first.strip_prefix('g').is_some_and(is_hex);
    let is_prerelease = is_prerelease_word(word) || is_commit;
    if is_prerelease || !first.starts_with(|c: char| c.is_ascii_alphabetic()) {
        return None;
    }
    let is_letter = |c: &char| c.is_ascii_alphabetic() || *c == '-';
    Some(suffix.chars().filter(is_letter).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn class(tag: &str) -> Option<(String, String, bool)> {
        let (class, _) = read_version(&tag.parse().unwrap())?;
        Some((class.component, class.variant, class.is_prerelease))
    }

    #[test]
    fn components_variants_and_prereleases_are_counted_apart() {
        for (tag, component, variant, is_prerelease) in [
            ("1.10.0", "", "", false),
            ("v1.10.0", "", "", false),
            ("0.9.2.5", "", "", false),
            ("api-1.2.3", "api-", "", false),
            ("1.4.0-alpine3.20", "", "alpine", false),
            ("1.4.0-slim-bookworm", "", "slim-bookworm", false),
            ("1.4.0-rc.1", "", "", true),
            ("1.4.0-beta2", "", "", true),
            ("1.4.0-3-g2b2e927", "", "", true),
            ("1.4.0-2b2e927", "", "", true),
            ("1.4.0-abcdef0", "", "", true),
            ("1.4.0-g2b2e927", "", "", true),
            ("1.28.3-k3s1", "", "ks", false),
        ] {
            let expected = (component.to_owned(), variant.to_owned(), is_prerelease);
            assert_eq!(class(tag), Some(expected), "{tag}");
        }
        for tag in [
            "1.4",
            "latest",
            "1",
            "main",
            "release-1.4.0",
            "pr-1",
            "sha-9f3c2a1",
        ] {
            assert_eq!(class(tag), None, "{tag}");
        }
    }
}
