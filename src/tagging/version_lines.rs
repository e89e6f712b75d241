//! Version lines: tags that follow the highest release of a series.

use std::collections::BTreeSet;
use std::fmt;

use super::ExcludedVersions;
use super::release_series::ReleaseSeries;
use super::release_version::{ReleaseVersion, VersionNumber};
use crate::image::Tag;

/// Version line.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum VersionLine {
    /// `1`: every 1.x.y.
    Major(VersionNumber),
    /// `1.4`: every 1.4.x.
    Minor(VersionNumber, VersionNumber),
    /// `latest`: every release.
    Latest,
    /// `rc`: every pre-release of that channel.
    Channel(String),
}

impl VersionLine {
    /// Returns the lines that a release of `version` is on, in its spelling. A pre-release is on none;
    /// 0.x has no line of its major version, since every 0.x may break what the one before promised.
    /// A version of two numbers is no line of itself.
    pub fn lines_of(version: &ReleaseVersion) -> Vec<Self> {
        if version.is_prerelease() {
            return Vec::new();
        }
        let [major, minor, rest @ ..] = version.numbers() else {
            return Vec::new();
        };
        let minor = (!rest.is_empty()).then(|| Self::Minor(major.clone(), minor.clone()));
        let major = (!major.is_zero()).then(|| Self::Major(major.clone()));
        [minor, major, Some(Self::Latest)]
            .into_iter()
            .flatten()
            .collect()
    }

    /// Returns the line of `version` that is called `name`, `0` for 0.x included; a `v` before a number
    /// does not matter.
    pub fn named(name: &str, version: &ReleaseVersion) -> Option<Self> {
        let numbers = version.numbers();
        let mut lines = match version.is_prerelease() {
            true => vec![Self::Channel(version.channel()?.to_owned())],
            false => Self::lines_of(version),
        };
        if !version.is_prerelease() {
            lines.extend(numbers.first().cloned().map(Self::Major));
        }
        let bare = name.strip_prefix('v').unwrap_or(name);
        lines.into_iter().find(|line| {
            let text = line.to_string();
            text == name || (text == bare && line.has_number())
        })
    }

    fn has_number(&self) -> bool {
        matches!(self, Self::Major(_) | Self::Minor(..))
    }

    /// Returns whether the line counts `version`, by the values of its numbers.
    pub fn contains(&self, version: &ReleaseVersion) -> bool {
        match self {
            Self::Channel(word) => version.channel() == Some(word),
            _ => !version.is_prerelease() && self.counts_numbers_of(version),
        }
    }

    /// Returns whether the line counts versions of these numbers, releases or not. A channel counts by
    /// its word alone.
    pub fn counts_numbers_of(&self, version: &ReleaseVersion) -> bool {
        let is_number = |number: &VersionNumber, at: usize| {
            let numbers = version.numbers();
            numbers
                .get(at)
                .is_some_and(|it| it.cmp_value(number).is_eq())
        };
        match self {
            Self::Channel(_) => false,
            Self::Major(major) => is_number(major, 0),
            Self::Minor(major, minor) => is_number(major, 0) && is_number(minor, 1),
            Self::Latest => true,
        }
    }
}

/// Writes the name of the line's tag, without the text around it.
impl fmt::Display for VersionLine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Major(major) => write!(f, "{major}"),
            Self::Minor(major, minor) => write!(f, "{major}.{minor}"),
            Self::Latest => f.write_str("latest"),
            Self::Channel(word) => f.write_str(word),
        }
    }
}

/// Release that a repository contains.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TaggedRelease {
    /// Its version.
    pub version: ReleaseVersion,
    /// The tag that names it.
    pub tag: Tag,
}

/// Versions of a series that a repository contains, as its tags tell, without those that never count.
#[derive(Debug, Clone, Default)]
pub struct SeriesReleases {
    /// From the highest to the lowest, each version once.
    releases: Vec<TaggedRelease>,
    excluded: ExcludedVersions,
}

impl SeriesReleases {
    /// Returns the versions of `series` among `tags`, which must be all tags of the repository. Tags that are
    /// `withdrawn` and versions that are `excluded` do not count. A tag of two numbers is a
    /// release only if there is no version of three or four numbers on the line of that name.
    pub fn from_tags<'a>(
        tags: impl IntoIterator<Item = &'a Tag>,
        series: &ReleaseSeries,
        withdrawn: &BTreeSet<Tag>,
        excluded: &ExcludedVersions,
    ) -> Self {
        let versions = tags.into_iter().filter_map(|tag| {
            let version = series.version(tag)?;
            let tag = tag.clone();
            Some(TaggedRelease { version, tag })
        });
        let mut releases: Vec<TaggedRelease> = versions.collect();
        remove_line_tags(&mut releases);
        releases.retain(|it| {
            !withdrawn.contains(&it.tag) && excluded.excluding(&it.version, Some(&it.tag)).is_none()
        });
        releases.sort_by(|a, b| {
            let order = b.version.cmp_precedence(&a.version);
            let is_own = |it: &TaggedRelease| series.is_own_spelling(&it.tag);
            order
                .then_with(|| is_own(b).cmp(&is_own(a)))
                .then_with(|| a.tag.as_str().len().cmp(&b.tag.as_str().len()))
        });
        releases.dedup_by(|a, b| a.version.cmp_precedence(&b.version).is_eq());
        Self {
            releases,
            excluded: excluded.clone(),
        }
    }

    /// Returns whether the series has a release that counts, pre-releases apart.
    pub fn has_releases(&self) -> bool {
        self.highest(&VersionLine::Latest).is_some()
    }

    /// Returns the highest release of `line`.
    pub fn highest(&self, line: &VersionLine) -> Option<&TaggedRelease> {
        let mut releases = self.releases.iter();
        releases.find(|it| line.contains(&it.version))
    }

    /// Returns the releases of `line` that are higher than `candidate`, from the highest.
    pub fn higher_than<'a>(
        &'a self,
        line: &'a VersionLine,
        candidate: &'a ReleaseVersion,
    ) -> impl Iterator<Item = &'a TaggedRelease> {
        let on_line = self.on_line(line);
        on_line.take_while(|it| it.version.is_higher_than(candidate))
    }

    /// Returns the releases of `line` that are lower than `candidate`, from the highest.
    pub fn lower_than<'a>(
        &'a self,
        line: &'a VersionLine,
        candidate: &'a ReleaseVersion,
    ) -> impl Iterator<Item = &'a TaggedRelease> {
        let on_line = self.on_line(line);
        on_line.filter(|it| candidate.is_higher_than(&it.version))
    }

    /// Returns the releases of `line`, from the highest.
    pub fn on_line<'a>(&'a self, line: &'a VersionLine) -> impl Iterator<Item = &'a TaggedRelease> {
        let releases = self.releases.iter();
        releases.filter(|it| line.contains(&it.version))
    }

    /// Returns the tags with higher numbers than `candidate` that read as pre-releases, though not by a
    /// usual word (`1.4.1-k3s1`), from the highest.
    pub fn odd_tags_above<'a>(
        &'a self,
        line: &'a VersionLine,
        candidate: &'a ReleaseVersion,
    ) -> impl Iterator<Item = &'a TaggedRelease> {
        let odd = self.releases.iter().filter(|it| {
            it.version.is_prerelease()
                && !it.version.has_prerelease_word()
                && it.version.numbers().len() > 2
        });
        odd.filter(|it| line.counts_numbers_of(&it.version))
            .filter(|it| it.version.cmp_numbers(candidate).is_gt())
    }

    /// Returns why `candidate` never moves `line`, whatever else there is.
    pub fn unmovable_reason(
        &self,
        line: &VersionLine,
        candidate: &ReleaseVersion,
    ) -> Option<&'static str> {
        if candidate.is_prerelease() && !matches!(line, VersionLine::Channel(_)) {
            Some("is a pre-release")
        } else if !line.contains(candidate) {
            Some("is not of that line")
        } else if self.excluded.excluding(candidate, None).is_some() {
            Some("is excluded")
        } else {
            None
        }
    }
}

/// Removes tags of two numbers that are the tags of a line, since the line has releases.
fn remove_line_tags(releases: &mut Vec<TaggedRelease>) {
    let on_minor_lines: Vec<ReleaseVersion> = releases
        .iter()
        .map(|it| it.version.clone())
        .filter(|version| version.numbers().len() > 2 && !version.is_prerelease())
        .collect();
    let is_line = |version: &ReleaseVersion| {
        let [major, minor] = version.numbers() else {
            return false;
        };
        let line = VersionLine::Minor(major.clone(), minor.clone());
        !version.is_prerelease() && on_minor_lines.iter().any(|it| line.contains(it))
    };
    releases.retain(|it| !is_line(&it.version));
}

#[cfg(test)]
mod tests;
