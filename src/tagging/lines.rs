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

/// The releases that a repository holds, as its tags tell: full versions, with an optional `v`, that
/// are no pre-releases. Caches, commits, lines and branches never count.
#[derive(Debug, Clone, Default)]
pub struct Releases(Vec<Version>);

/// Whether a line's tag moves to a new release.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Move {
    /// It does.
    Moves,
    /// It stays where it is.
    Stays {
        /// The highest release of the line, if it has any.
        highest: Option<Version>,
        /// Why, for people: `latest stays at 2.1.0: 1.4.3 is lower`.
        why: String,
    },
}

impl Releases {
    /// The releases among `tags`, which must be all tags of the repository.
    pub fn among<'a>(tags: impl IntoIterator<Item = &'a Tag>) -> Self {
        let release = |tag: &Tag| version(tag.as_str()).filter(|version| version.pre.is_empty());
        Self(tags.into_iter().filter_map(release).collect())
    }

    /// The highest release of `line`.
    pub fn highest(&self, line: Line) -> Option<&Version> {
        let of_line = self.0.iter().filter(|version| line.holds(version));
        of_line.max_by(|a, b| a.cmp_precedence(b))
    }

    /// Whether the tag of `line` moves to `candidate`: only forward, so that it ends at the line's
    /// highest release. A line moves to a release that it already has if that is its highest.
    pub fn line_move(&self, line: Line, candidate: &Version) -> Move {
        let highest = self.highest(line);
        let reason = if !candidate.pre.is_empty() {
            "is a pre-release"
        } else if !line.holds(candidate) {
            "is not of that line"
        } else if highest.is_some_and(|highest| candidate.cmp_precedence(highest).is_lt()) {
            "is lower"
        } else {
            return Move::Moves;
        };
        let at = highest.map_or_else(String::new, |highest| format!(" at {highest}"));
        Move::Stays {
            highest: highest.cloned(),
            why: format!("{line} stays{at}: {candidate} {reason}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn releases(tags: &[&str]) -> Releases {
        let tags: Vec<Tag> = tags.iter().map(|tag| tag.parse().unwrap()).collect();
        Releases::among(&tags)
    }

    fn of(text: &str) -> Version {
        Version::parse(text).unwrap()
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
        ]);
        assert_eq!(none.highest(Line::Latest), None);
        let some = releases(&["v1.4.0", "1.10.0", "1.9.0", "2.0.0-rc.1"]);
        assert_eq!(some.highest(Line::Latest), Some(&of("1.10.0")));
        assert_eq!(some.highest(Line::Minor(1, 4)), Some(&of("1.4.0")));
        assert_eq!(some.highest(Line::Major(2)), None);
    }

    #[test]
    fn lines_go_only_forward() {
        let there = releases(&["2.1.0", "1.4.2", "1.4.3"]);
        let stays = |line, candidate| match there.line_move(line, &of(candidate)) {
            Move::Moves => None,
            Move::Stays { why, .. } => Some(why),
        };
        for (line, candidate) in [
            (Line::Latest, "2.1.0"),
            (Line::Latest, "2.1.1"),
            (Line::Major(1), "1.4.3+build.7"),
            (Line::Major(3), "3.0.0"),
        ] {
            assert_eq!(stays(line, candidate), None, "{line} to {candidate}");
        }
        for (line, candidate, why) in [
            (
                Line::Latest,
                "1.4.4",
                "latest stays at 2.1.0: 1.4.4 is lower",
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
            assert_eq!(stays(line, candidate).as_deref(), Some(why));
        }
    }
}
