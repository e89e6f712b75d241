//! Series of releases: what image tags have around their version.

use super::release_version::ReleaseVersion;
use super::tag_name::{is_reserved, replace_invalid_characters};
use crate::image::Tag;

/// Releases that are numbered together: their tags have the same text before and after the version.
/// `1.4.0-alpine` belongs to another series than `1.4.0`, and never moves its lines.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct ReleaseSeries {
    /// Text before the version, without the version's `v`.
    pub prefix: String,
    /// Text after the version.
    pub suffix: String,
    /// Whether the tags of this run spell the version with `v`. The series contains both spellings;
    /// of equal versions the one that is spelled like this run's tags counts.
    pub has_v: bool,
    /// Name of the builds of a version, where its releases have a build part: `k3s` for `+k3s1`.
    pub build_word: Option<String>,
}

/// Release that a name from git names: `v1.4.0`, `api/v1.2.3`, `web-v1.2.3`, `@acme/web@1.2.3`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NamedRelease {
    /// Component as the prefix of a tag, such as `api-`; empty for releases of the whole repository.
    pub component: String,
    /// Whether a `v` stands before the version.
    pub has_v: bool,
    /// Version.
    pub version: ReleaseVersion,
}

/// Words for kinds of branches, after which a version is part of a branch's name.
const BRANCH_WORDS: [&str; 14] = [
    "branch",
    "bugfix",
    "chore",
    "dependabot",
    "develop",
    "feat",
    "feature",
    "fix",
    "hotfix",
    "main",
    "master",
    "release",
    "renovate",
    "support",
];

impl ReleaseSeries {
    /// Returns the series of tags with this text around the version. A `v` at the end of the prefix
    /// belongs to the version.
    pub fn from_affixes(prefix: &str, suffix: &str) -> Self {
        let (prefix, has_v) = match prefix.strip_suffix('v') {
            Some(rest) if !rest.ends_with(|c: char| c.is_ascii_alphanumeric()) => (rest, true),
            _ => (prefix, false),
        };
        Self {
            prefix: prefix.to_owned(),
            suffix: suffix.to_owned(),
            has_v,
            build_word: None,
        }
    }

    /// Returns the series with the builds of `version`.
    pub fn with_builds_of(mut self, version: &ReleaseVersion) -> Self {
        self.build_word = version.build_word().map(str::to_owned);
        self
    }

    /// Returns the version that `tag` names in this series: of any form, a pre-release included. Caches,
    /// commits, numbers alone and branches are none.
    pub fn version(&self, tag: &Tag) -> Option<ReleaseVersion> {
        let text = self.version_text(tag)?;
        let build = self.build_word.as_deref();
        build
            .and_then(|word| ReleaseVersion::parse_build(text, word))
            .or_else(|| ReleaseVersion::parse(text))
    }

    /// Returns whether the tag spells its version as the tags of this run do.
    pub(super) fn is_own_spelling(&self, tag: &Tag) -> bool {
        let text = self.version_text(tag);
        text.is_some_and(|text| text.starts_with('v') == self.has_v)
    }

    /// Returns the tag's text for a part of the version, or for `latest` and the name of a channel.
    pub fn tag_text(&self, part: &str) -> String {
        let is_number = part.starts_with(|c: char| c.is_ascii_digit());
        let v = if self.has_v && is_number { "v" } else { "" };
        format!("{}{v}{part}{}", self.prefix, self.suffix)
    }

    /// Returns whether two tags of these series are numbered together.
    pub fn is_same_as(&self, other: &Self) -> bool {
        (&self.prefix, &self.suffix) == (&other.prefix, &other.suffix)
    }

    fn version_text<'a>(&self, tag: &'a Tag) -> Option<&'a str> {
        if is_reserved(tag.as_str()) {
            return None;
        }
        let text = tag.as_str().strip_prefix(self.prefix.as_str())?;
        text.strip_suffix(self.suffix.as_str())
    }
}

impl NamedRelease {
    /// Parses a name from git. After the last `/` or `@`, the version begins at the first place at
    /// which all that follows is one, so that a name is read in one way only.
    pub fn parse(name: &str) -> Option<Self> {
        let first = name.rfind(['/', '@']).map_or(0, |at| at + 1);
        let after_separator = name[first..]
            .match_indices(['-', '_'])
            .map(|(at, _)| first + at + 1);
        let at = std::iter::once(first)
            .chain(after_separator)
            .find(|at| ReleaseVersion::parse(&name[*at..]).is_some())?;
        let (component, version) = name.split_at(at);
        let component = replace_invalid_characters(component);
        Some(Self {
            component: component.trim_start_matches(['.', '-']).to_owned(),
            has_v: version.starts_with('v'),
            version: ReleaseVersion::parse(version)?,
        })
    }

    /// Returns the release of a version without a component.
    pub(super) fn from_version(version: ReleaseVersion) -> Self {
        Self {
            component: String::new(),
            has_v: false,
            version,
        }
    }

    /// Parses the release that a tag or a label of an image names: a full version. What has the name of a
    /// kind of branch before the version (`hotfix-1.4.1`) is the name of a branch. Tags of signatures and records
    /// name no release.
    pub(super) fn parse_image_name(text: &str) -> Option<Self> {
        let named = Self::parse(text).filter(Self::is_full)?;
        (!named.has_branch_word() && !is_reserved(text)).then_some(named)
    }

    /// Returns whether the text before the version has a word for a kind of branch, as in `hotfix-1.4.1`, or
    /// is that of a full ref, as in `refs/tags/v1.4.0`.
    pub fn has_branch_word(&self) -> bool {
        let mut words = self.component.split(['-', '_', '.']);
        let is_word = |word: &str| BRANCH_WORDS.contains(&word.to_ascii_lowercase().as_str());
        self.component.starts_with("refs-") || words.any(is_word)
    }

    /// Returns whether the version is full: of three or four numbers. One of two numbers may be the name
    /// of a version line.
    pub fn is_full(&self) -> bool {
        self.version.numbers().len() > 2
    }

    /// Returns the release as a tag spells it, without `v`.
    pub fn to_tag_text(&self) -> String {
        self.series().tag_text(&self.version.to_tag_text())
    }

    /// Returns the series of the release, spelled without `v`.
    pub fn series(&self) -> ReleaseSeries {
        ReleaseSeries {
            prefix: self.component.clone(),
            ..ReleaseSeries::default()
        }
        .with_builds_of(&self.version)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn promise_4_components_have_versions_of_their_own() {
        for (name, component, has_v, version) in [
            ("v1.4.0", "", true, "1.4.0"),
            ("2026.02.0", "", false, "2026.02.0"),
            ("api/v1.2.3", "api-", true, "1.2.3"),
            ("web-v1.2.3", "web-", true, "1.2.3"),
            ("web-v2.0.0-beta.1", "web-", true, "2.0.0-beta.1"),
            ("@acme/web@1.2.3", "acme-web-", false, "1.2.3"),
            ("services/web-api/v0.29", "services-web-api-", true, "0.29"),
            ("node-18-v1.2.3", "node-18-", true, "1.2.3"),
            ("release-1.2.0-rc1", "release-", false, "1.2.0-rc1"),
            ("1.4.0-web-2.0.0", "", false, "1.4.0-web-2.0.0"),
        ] {
            let named = NamedRelease::parse(name).unwrap();
            assert_eq!(named.component, component, "{name}");
            assert_eq!(named.has_v, has_v, "{name}");
            assert_eq!(named.version.to_string(), version, "{name}");
        }
        for name in [
            "main",
            "v1",
            "api/v1",
            "node-18.2-alpine",
            "v1.4.0/x",
            "api1.2.3",
            "",
        ] {
            assert_eq!(NamedRelease::parse(name), None, "{name}");
        }
    }

    #[test]
    fn a_v_at_the_end_of_a_prefix_belongs_to_the_version() {
        for (prefix, rest, has_v) in [
            ("v", "", true),
            ("web-v", "web-", true),
            ("dev", "dev", false),
            ("", "", false),
        ] {
            let series = ReleaseSeries::from_affixes(prefix, "");
            assert_eq!((series.prefix.as_str(), series.has_v), (rest, has_v));
            assert_eq!(series.tag_text("1.4"), format!("{prefix}1.4"));
        }
        assert_eq!(
            ReleaseSeries::from_affixes("v", "").tag_text("latest"),
            "latest"
        );
    }

    #[test]
    fn tags_of_builds_are_no_prereleases_in_their_series() {
        let version = ReleaseVersion::parse("1.28.3+k3s1").unwrap();
        let series = ReleaseSeries::default().with_builds_of(&version);
        let read = |tag: &str| series.version(&tag.parse().unwrap()).unwrap();
        assert_eq!(read("v1.28.3-k3s1"), version);
        assert!(read("v1.28.3-k3s2").is_higher_than(&version));
        assert!(read("v1.28.3-rc1").is_prerelease());
        assert!(!read("v1.28.4").is_prerelease());
    }

    proptest! {
        #[test]
        fn a_component_and_its_version_come_back_from_their_tag(
            component in "([a-z]{1,5}-){0,2}",
            version in "[0-9]{1,3}([.][0-9]{1,3}){1,3}(-rc[.][0-9])?",
        ) {
            let name = format!("{component}{version}");
            let named = NamedRelease::parse(&name).unwrap();
            prop_assert_eq!(&named.component, &component);
            let tag = named.series().tag_text(&named.version.to_tag_text()).parse().unwrap();
            prop_assert_eq!(named.series().version(&tag), Some(named.version));
        }
    }
}
