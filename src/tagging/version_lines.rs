use std::collections::BTreeSet;
use std::fmt;

use semver::Version;

use crate::event::parse_version;
use crate::image::Tag;

/// A version line: the tags that follow its highest release.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum VersionLine {
    /// `1`: every 1.x.y.
    Major(u64),
    /// `1.4`: every 1.4.x.
    Minor(u64, u64),
    /// `latest`: every release.
    Latest,
}

impl VersionLine {
    /// The lines that a release of `version` is on. A pre-release is on none; 0.x has no line of
    /// its major version, since every 0.x may break what the one before promised.
    pub fn lines_of(version: &Version) -> Vec<Self> {
        if !version.pre.is_empty() {
            return Vec::new();
        }
        let minor = Self::Minor(version.major, version.minor);
        let major = (version.major > 0).then_some(Self::Major(version.major));
        [Some(minor), major, Some(Self::Latest)]
            .into_iter()
            .flatten()
            .collect()
    }

    fn contains(&self, version: &Version) -> bool {
        match *self {
            Self::Major(major) => version.major == major,
            Self::Minor(major, minor) => (version.major, version.minor) == (major, minor),
            Self::Latest => true,
        }
    }
}

/// The tag's text.
impl fmt::Display for VersionLine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Major(major) => write!(f, "{major}"),
            Self::Minor(major, minor) => write!(f, "{major}.{minor}"),
            Self::Latest => f.write_str("latest"),
        }
    }
}

/// Releases that are numbered together: those whose tags have the same text around the version.
/// `1.4.0-alpine` is of another series than `1.4.0`, and never moves its lines.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct ReleaseSeries {
    /// What stands before the version.
    pub prefix: String,
    /// What stands after it.
    pub suffix: String,
}

impl ReleaseSeries {
    /// The release that `tag` names: a full version, with an optional `v`. A pre-release is none,
    /// nor are caches, commits, lines and branches.
    pub fn release(&self, tag: &Tag) -> Option<Version> {
        let text = tag.as_str().strip_prefix(self.prefix.as_str())?;
        let text = text.strip_suffix(self.suffix.as_str())?;
        parse_version(text).filter(|version| version.pre.is_empty())
    }
}

/// A release that a repository holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TaggedRelease {
    /// Its version.
    pub version: Version,
    /// The tag that names it.
    pub tag: Tag,
}

/// The releases of a series that a repository holds, as its tags tell, those taken back left out.
#[derive(Debug, Clone, Default)]
pub struct SeriesReleases {
    releases: Vec<TaggedRelease>,
    withdrawn: Vec<Version>,
}

/// Whether a line's tag moves to a new release.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LineMove {
    /// It does: the release is the highest of its line.
    Moves,
    /// It is not for this release.
    Stays {
        /// The highest release of the line, if it has any.
        highest: Option<TaggedRelease>,
        /// Why, for people: `latest stays at 2.1.0: 1.4.3 is a backport`.
        why: String,
    },
}

impl SeriesReleases {
    /// The releases of `series` among `tags`, which must be all tags of the repository. Those whose
    /// tag is `withdrawn` do not count.
    pub fn from_tags<'a>(
        tags: impl IntoIterator<Item = &'a Tag>,
        series: &ReleaseSeries,
        withdrawn: &BTreeSet<Tag>,
    ) -> Self {
        let release = |tag: &Tag| {
            let version = series.release(tag)?;
            let tag = tag.clone();
            Some(TaggedRelease { version, tag })
        };
        let withdrawn: Vec<Version> = withdrawn
            .iter()
            .filter_map(|tag| series.release(tag))
            .collect();
        let counts = |release: &TaggedRelease| !withdrawn.contains(&release.version);
        Self {
            releases: tags
                .into_iter()
                .filter_map(release)
                .filter(counts)
                .collect(),
            withdrawn,
        }
    }

    /// The highest release of `line`. Where `1.4.0` and `v1.4.0` are both there, the first is meant.
    pub fn highest(&self, line: VersionLine) -> Option<&TaggedRelease> {
        let of_line = self
            .releases
            .iter()
            .filter(|release| line.contains(&release.version));
        of_line.max_by(|a, b| {
            let order = a.version.cmp_precedence(&b.version);
            order.then_with(|| b.tag.as_str().len().cmp(&a.tag.as_str().len()))
        })
    }

    /// Whether the tag of `line` is for `candidate`, which need not be among these releases yet:
    /// only if none of them is higher, so that the line ends at its highest release.
    pub fn line_move(&self, line: VersionLine, candidate: &Version) -> LineMove {
        let highest = self.highest(line);
        let Some(reason) = self.reason_to_stay(line, candidate, highest) else {
            return LineMove::Moves;
        };
        let at = highest.map_or_else(String::new, |highest| format!(" at {}", highest.version));
        LineMove::Stays {
            highest: highest.cloned(),
            why: format!("{line} stays{at}: {candidate} {reason}"),
        }
    }

    fn reason_to_stay(
        &self,
        line: VersionLine,
        candidate: &Version,
        highest: Option<&TaggedRelease>,
    ) -> Option<&'static str> {
        if !candidate.pre.is_empty() {
            return Some("is a pre-release");
        }
        if !line.contains(candidate) {
            return Some("is not of that line");
        }
        if self.withdrawn.contains(candidate) {
            return Some("is withdrawn");
        }
        let higher = &highest?.version;
        if candidate.cmp_precedence(higher).is_ge() {
            None
        } else if (candidate.major, candidate.minor) == (higher.major, higher.minor) {
            Some("is lower")
        } else {
            Some("is a backport")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tags(tags: &[&str]) -> BTreeSet<Tag> {
        tags.iter().map(|tag| tag.parse().unwrap()).collect()
    }

    fn releases(there: &[&str]) -> SeriesReleases {
        SeriesReleases::from_tags(&tags(there), &ReleaseSeries::default(), &BTreeSet::new())
    }

    fn highest(releases: &SeriesReleases, line: VersionLine) -> Option<&str> {
        releases.highest(line).map(|release| release.tag.as_str())
    }

    fn of(text: &str) -> Version {
        Version::parse(text).unwrap()
    }

    fn stays(releases: &SeriesReleases, line: VersionLine, candidate: &str) -> Option<String> {
        match releases.line_move(line, &of(candidate)) {
            LineMove::Moves => None,
            LineMove::Stays { why, .. } => Some(why),
        }
    }

    #[test]
    fn a_release_is_on_its_lines() {
        for (version, lines) in [
            ("1.4.0", &["1.4", "1", "latest"][..]),
            ("0.4.0", &["0.4", "latest"]),
            ("1.4.0-rc.1", &[]),
        ] {
            let all = VersionLine::lines_of(&of(version));
            let all: Vec<_> = all.iter().map(VersionLine::to_string).collect();
            assert_eq!(all, lines, "{version}");
        }
    }

    #[test]
    fn only_full_versions_count_as_releases() {
        let none = releases(&[
            "buildcache",
            "git-2b2e927",
            "9.9",
            "9",
            "latest",
            "pr-99",
            "9.0.0-rc.1",
            "09.0.0",
            "x-9.0.0",
            "9.0.0.0",
            "V9.0.0",
            "9-0-0",
            "9.0.0-alpine",
        ]);
        assert_eq!(none.highest(VersionLine::Latest), None);
        let some = releases(&["v1.4.0", "1.10.0", "1.9.0", "2.0.0-rc.1"]);
        assert_eq!(highest(&some, VersionLine::Latest), Some("1.10.0"));
        assert_eq!(highest(&some, VersionLine::Minor(1, 4)), Some("v1.4.0"));
        assert_eq!(highest(&some, VersionLine::Major(2)), None);
        let both = releases(&["v1.4.0", "1.4.0"]);
        assert_eq!(highest(&both, VersionLine::Latest), Some("1.4.0"));
    }

    #[test]
    fn each_series_has_its_own_history() {
        let there = tags(&[
            "2.0.0",
            "1.4.0-alpine",
            "1.4.1-alpine",
            "web-3.0.0",
            "x-alpine",
        ]);
        let highest = |prefix: &str, suffix: &str| {
            let (prefix, suffix) = (prefix.to_owned(), suffix.to_owned());
            let releases = SeriesReleases::from_tags(
                &there,
                &ReleaseSeries { prefix, suffix },
                &BTreeSet::new(),
            );
            highest(&releases, VersionLine::Latest).map(str::to_owned)
        };
        assert_eq!(highest("", "").as_deref(), Some("2.0.0"));
        assert_eq!(highest("", "-alpine").as_deref(), Some("1.4.1-alpine"));
        assert_eq!(highest("web-", "").as_deref(), Some("web-3.0.0"));
        assert_eq!(highest("api-", ""), None);
    }

    #[test]
    fn what_is_withdrawn_does_not_count() {
        let (there, withdrawn) = (
            tags(&["1.4.0", "1.4.1", "v1.4.2"]),
            tags(&["1.4.2", "v1.4.1"]),
        );
        let releases = SeriesReleases::from_tags(&there, &ReleaseSeries::default(), &withdrawn);
        assert_eq!(highest(&releases, VersionLine::Latest), Some("1.4.0"));
        assert_eq!(
            stays(&releases, VersionLine::Latest, "1.4.1").as_deref(),
            Some("latest stays at 1.4.0: 1.4.1 is withdrawn")
        );
        assert_eq!(stays(&releases, VersionLine::Latest, "1.4.3"), None);
    }

    #[test]
    fn lines_go_only_forward() {
        let there = releases(&["2.1.0", "1.4.2", "1.4.3"]);
        for (line, candidate) in [
            (VersionLine::Latest, "2.1.0"),
            (VersionLine::Latest, "2.1.1"),
            (VersionLine::Major(1), "1.4.3+build.7"),
            (VersionLine::Major(3), "3.0.0"),
        ] {
            assert_eq!(
                stays(&there, line, candidate),
                None,
                "{line} to {candidate}"
            );
        }
        for (line, candidate, why) in [
            (
                VersionLine::Latest,
                "1.4.4",
                "latest stays at 2.1.0: 1.4.4 is a backport",
            ),
            (
                VersionLine::Major(1),
                "1.3.9",
                "1 stays at 1.4.3: 1.3.9 is a backport",
            ),
            (
                VersionLine::Minor(1, 4),
                "1.4.2",
                "1.4 stays at 1.4.3: 1.4.2 is lower",
            ),
            (
                VersionLine::Latest,
                "3.0.0-rc.1",
                "latest stays at 2.1.0: 3.0.0-rc.1 is a pre-release",
            ),
            (
                VersionLine::Major(3),
                "2.1.1",
                "3 stays: 2.1.1 is not of that line",
            ),
        ] {
            assert_eq!(stays(&there, line, candidate).as_deref(), Some(why));
        }
    }
}
