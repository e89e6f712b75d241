use std::collections::BTreeSet;
use std::fmt;

use semver::Version;

use crate::event::version;
use crate::image::Tag;

/// A version line: the tags that follow its highest release.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Line {
    /// `1`: every 1.x.y.
    Major(u64),
    /// `1.4`: every 1.4.x.
    Minor(u64, u64),
    /// `latest`: every release.
    Latest,
}

impl Line {
    /// The lines that a release of `version` is on. A pre-release is on none; 0.x has no line of
    /// its major version, since every 0.x may break what the one before promised.
    pub fn all_of(version: &Version) -> Vec<Self> {
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

    fn holds(&self, version: &Version) -> bool {
        match *self {
            Self::Major(major) => version.major == major,
            Self::Minor(major, minor) => (version.major, version.minor) == (major, minor),
            Self::Latest => true,
        }
    }
}

/// The tag's text.
impl fmt::Display for Line {
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
pub struct Series {
    /// What stands before the version.
    pub prefix: String,
    /// What stands after it.
    pub suffix: String,
}

impl Series {
    /// The release that `tag` names: a full version, with an optional `v`. A pre-release is none,
    /// nor are caches, commits, lines and branches.
    pub fn release(&self, tag: &Tag) -> Option<Version> {
        let text = tag.as_str().strip_prefix(self.prefix.as_str())?;
        let text = text.strip_suffix(self.suffix.as_str())?;
        version(text).filter(|version| version.pre.is_empty())
    }
}

/// A release that a repository holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Release {
    /// Its version.
    pub version: Version,
    /// The tag that names it.
    pub tag: Tag,
}

/// The releases of a series that a repository holds, as its tags tell, those taken back left out.
#[derive(Debug, Clone, Default)]
pub struct Releases {
    there: Vec<Release>,
    withdrawn: Vec<Version>,
}

/// Whether a line's tag moves to a new release.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Move {
    /// It does: the release is the highest of its line.
    Moves,
    /// It is not for this release.
    Stays {
        /// The highest release of the line, if it has any.
        highest: Option<Release>,
        /// Why, for people: `latest stays at 2.1.0: 1.4.3 is a backport`.
        why: String,
    },
}

impl Releases {
    /// The releases of `series` among `tags`, which must be all tags of the repository. Those whose
    /// tag is `withdrawn` do not count.
    pub fn among<'a>(
        tags: impl IntoIterator<Item = &'a Tag>,
        series: &Series,
        withdrawn: &BTreeSet<Tag>,
    ) -> Self {
        let release = |tag: &Tag| {
            let version = series.release(tag)?;
            let tag = tag.clone();
            Some(Release { version, tag })
        };
        let withdrawn: Vec<Version> = withdrawn
            .iter()
            .filter_map(|tag| series.release(tag))
            .collect();
        let counts = |release: &Release| !withdrawn.contains(&release.version);
        Self {
            there: tags
                .into_iter()
                .filter_map(release)
                .filter(counts)
                .collect(),
            withdrawn,
        }
    }

    /// The highest release of `line`. Where `1.4.0` and `v1.4.0` are both there, the first is meant.
    pub fn highest(&self, line: Line) -> Option<&Release> {
        let of_line = self
            .there
            .iter()
            .filter(|release| line.holds(&release.version));
        of_line.max_by(|a, b| {
            let order = a.version.cmp_precedence(&b.version);
            order.then_with(|| b.tag.as_str().len().cmp(&a.tag.as_str().len()))
        })
    }

    /// Whether the tag of `line` is for `candidate`, which need not be among these releases yet:
    /// only if none of them is higher, so that the line ends at its highest release.
    pub fn line_move(&self, line: Line, candidate: &Version) -> Move {
        let highest = self.highest(line);
        let Some(reason) = self.reason_against(line, candidate, highest) else {
            return Move::Moves;
        };
        let at = highest.map_or_else(String::new, |highest| format!(" at {}", highest.version));
        Move::Stays {
            highest: highest.cloned(),
            why: format!("{line} stays{at}: {candidate} {reason}"),
        }
    }

    fn reason_against(
        &self,
        line: Line,
        candidate: &Version,
        highest: Option<&Release>,
    ) -> Option<&'static str> {
        if !candidate.pre.is_empty() {
            return Some("is a pre-release");
        }
        if !line.holds(candidate) {
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

    fn releases(there: &[&str]) -> Releases {
        Releases::among(&tags(there), &Series::default(), &BTreeSet::new())
    }

    fn highest(releases: &Releases, line: Line) -> Option<&str> {
        releases.highest(line).map(|release| release.tag.as_str())
    }

    fn of(text: &str) -> Version {
        Version::parse(text).unwrap()
    }

    fn stays(releases: &Releases, line: Line, candidate: &str) -> Option<String> {
        match releases.line_move(line, &of(candidate)) {
            Move::Moves => None,
            Move::Stays { why, .. } => Some(why),
        }
    }

    #[test]
    fn a_release_is_on_its_lines() {
        for (version, lines) in [
            ("1.4.0", &["1.4", "1", "latest"][..]),
            ("0.4.0", &["0.4", "latest"]),
            ("1.4.0-rc.1", &[]),
        ] {
            let all = Line::all_of(&of(version));
            let all: Vec<_> = all.iter().map(Line::to_string).collect();
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
        assert_eq!(none.highest(Line::Latest), None);
        let some = releases(&["v1.4.0", "1.10.0", "1.9.0", "2.0.0-rc.1"]);
        assert_eq!(highest(&some, Line::Latest), Some("1.10.0"));
        assert_eq!(highest(&some, Line::Minor(1, 4)), Some("v1.4.0"));
        assert_eq!(highest(&some, Line::Major(2)), None);
        let both = releases(&["v1.4.0", "1.4.0"]);
        assert_eq!(highest(&both, Line::Latest), Some("1.4.0"));
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
            let releases = Releases::among(&there, &Series { prefix, suffix }, &BTreeSet::new());
            highest(&releases, Line::Latest).map(str::to_owned)
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
        let releases = Releases::among(&there, &Series::default(), &withdrawn);
        assert_eq!(highest(&releases, Line::Latest), Some("1.4.0"));
        assert_eq!(
            stays(&releases, Line::Latest, "1.4.1").as_deref(),
            Some("latest stays at 1.4.0: 1.4.1 is withdrawn")
        );
        assert_eq!(stays(&releases, Line::Latest, "1.4.3"), None);
    }

    #[test]
    fn lines_go_only_forward() {
        let there = releases(&["2.1.0", "1.4.2", "1.4.3"]);
        for (line, candidate) in [
            (Line::Latest, "2.1.0"),
            (Line::Latest, "2.1.1"),
            (Line::Major(1), "1.4.3+build.7"),
            (Line::Major(3), "3.0.0"),
        ] {
            assert_eq!(
                stays(&there, line, candidate),
                None,
                "{line} to {candidate}"
            );
        }
        for (line, candidate, why) in [
            (
                Line::Latest,
                "1.4.4",
                "latest stays at 2.1.0: 1.4.4 is a backport",
            ),
            (
                Line::Major(1),
                "1.3.9",
                "1 stays at 1.4.3: 1.3.9 is a backport",
            ),
            (
                Line::Minor(1, 4),
                "1.4.2",
                "1.4 stays at 1.4.3: 1.4.2 is lower",
            ),
            (
                Line::Latest,
                "3.0.0-rc.1",
                "latest stays at 2.1.0: 3.0.0-rc.1 is a pre-release",
            ),
            (
                Line::Major(3),
                "2.1.1",
                "3 stays: 2.1.1 is not of that line",
            ),
        ] {
            assert_eq!(stays(&there, line, candidate).as_deref(), Some(why));
        }
    }
}
