//! Telling by a repository's releases whether a tag is the one of a version line.

use std::collections::BTreeSet;

use super::{
    ExcludedVersions, NamedRelease, ReleaseSeries, SeriesReleases, TaggedRelease, VersionLine,
};
use crate::image::Tag;

/// Name of a line in a tag (`1`, `1.4` or `latest`), and the series that the tag belongs to.
struct LineName<'a> {
    name: &'a str,
    series: ReleaseSeries,
}

/// Returns the ways in which `tag` can be the tag of a line: `1`, `v1.4-alpine`, `web-1.4`, `latest`.
fn line_names(tag: &Tag) -> impl Iterator<Item = LineName<'_>> {
    let text = tag.as_str();
    let starts = text.char_indices().map(|(at, _)| at);
    starts.filter_map(|at| {
        let (prefix, rest) = text.split_at(at);
        let name = match rest.strip_prefix("latest") {
            Some(_) if !prefix.ends_with(|c: char| c.is_ascii_alphanumeric()) => "latest",
            Some(_) => return None,
            None => leading_number(prefix, rest)?,
        };
        let suffix = &rest[name.len()..];
        (suffix.is_empty() || suffix.starts_with(['-', '_'])).then(|| LineName {
            name,
            series: ReleaseSeries::from_affixes(prefix, suffix),
        })
    })
}

/// Returns the one or two numbers that `rest` begins with, where no number ends before them.
fn leading_number<'a>(prefix: &str, rest: &'a str) -> Option<&'a str> {
    let is_digit = |c: char| c.is_ascii_digit();
    if prefix.ends_with(|c: char| is_digit(c) || c == '.') || !rest.starts_with(is_digit) {
        return None;
    }
    let end = rest.find(|c: char| !is_digit(c) && c != '.');
    let numbers = &rest[..end.unwrap_or(rest.len())];
    let parts = numbers.split('.');
    let are_numbers = parts.clone().all(|part| !part.is_empty());
    (are_numbers && parts.count() <= 2).then_some(numbers)
}

/// Returns whether `tag` may be the tag of a line, or of a release of a component.
pub(super) fn may_be_line(tag: &Tag) -> bool {
    line_names(tag).next().is_some() || component_release(tag).is_some()
}

/// Returns whether `tag` may be `latest` of a series.
pub(super) fn may_be_latest(tag: &Tag) -> bool {
    line_names(tag).any(|line| line.name == "latest")
}

/// Finds the highest release of the version line that `tag` is the tag of, among the tags of a
/// repository.
pub fn release_on_line<'a>(
    tag: &Tag,
    tags: impl IntoIterator<Item = &'a Tag> + Clone,
) -> Option<TaggedRelease> {
    line_names(tag).find_map(|LineName { name, series }| {
        let releases = series_releases(tags.clone(), &series);
        let mut on_line = releases
            .on_line(&VersionLine::Latest)
            .filter(|release| VersionLine::named(name, &release.version).is_some());
        on_line.next().cloned()
    })
}

/// Line that a tag follows, with the series of its releases.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FollowedLine {
    /// Line.
    pub line: VersionLine,
    /// Series of the releases that the line compares.
    pub series: ReleaseSeries,
}

impl FollowedLine {
    /// Returns the line that `tag` follows as the tag of the line of a release, which `release` names:
    /// `1.4` with `1.4.0`, `web-rc` with `web-1.4.0-rc.1`. `None` if it is the tag of no line of that release.
    pub fn of_release(tag: &Tag, release: &Tag) -> Option<Self> {
        let of_number = line_names(tag).find_map(|LineName { name, series }| {
            let version = series.version(release)?;
            let line = VersionLine::named(name, &version)?;
            Some(Self { line, series })
        });
        of_number.or_else(|| Self::of_channel(tag, release))
    }

    fn of_channel(tag: &Tag, release: &Tag) -> Option<Self> {
        let text = tag.as_str();
        let starts = text.char_indices().map(|(at, _)| at);
        let ways = starts.flat_map(|start| (start + 1..=text.len()).map(move |end| (start, end)));
        let mut named = ways.filter_map(|(start, end)| {
            let (prefix, name) = (text.get(..start)?, text.get(start..end)?);
            let series = ReleaseSeries::from_affixes(prefix, text.get(end..)?);
            let version = series.version(release)?;
            (version.channel() == Some(name)).then(|| Self {
                line: VersionLine::Channel(name.to_owned()),
                series,
            })
        });
        named.next()
    }
}

/// Finds another release of the series that `tag` reads as a release of: `web-1.4.0` where there is
/// `web-1.3.0`.
pub(super) fn sibling_release<'a>(
    tag: &Tag,
    tags: impl IntoIterator<Item = &'a Tag>,
) -> Option<TaggedRelease> {
    let series = component_release(tag)?.series();
    let releases = series_releases(tags, &series);
    let mut others = releases.on_line(&VersionLine::Latest);
    others.find(|release| release.tag != *tag).cloned()
}

/// Returns the release of a component that `tag` reads as, a pre-release included.
pub(super) fn component_release(tag: &Tag) -> Option<NamedRelease> {
    let named = NamedRelease::parse(tag.as_str())?;
    (!named.component.is_empty()).then_some(named)
}

fn series_releases<'a>(
    tags: impl IntoIterator<Item = &'a Tag>,
    series: &ReleaseSeries,
) -> SeriesReleases {
    SeriesReleases::from_tags(tags, series, &BTreeSet::new(), &ExcludedVersions::default())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tags(tags: &[&str]) -> BTreeSet<Tag> {
        tags.iter().map(|tag| tag.parse().unwrap()).collect()
    }

    #[test]
    fn promise_4_a_line_is_known_by_its_releases() {
        let there = tags(&[
            "1.4.0",
            "1.10.0",
            "v2.1.0",
            "3.0.0-rc.1",
            "1.2.0-bookworm-slim",
            "0.4.0",
            "web-1.4.0",
            "web-v1.5.0",
            "rel1.2.3",
            "2026.02.1",
        ]);
        let on_line = |tag: &str| {
            let found = release_on_line(&tag.parse().unwrap(), &there);
            found.map(|release| release.tag.to_string())
        };
        for (tag, release) in [
            ("1", Some("1.10.0")),
            ("v1", Some("1.10.0")),
            ("1.4", Some("1.4.0")),
            ("v1.4", Some("1.4.0")),
            ("2", Some("v2.1.0")),
            ("v2", Some("v2.1.0")),
            ("0", Some("0.4.0")),
            ("latest", Some("2026.02.1")),
            ("1-bookworm-slim", Some("1.2.0-bookworm-slim")),
            ("latest-bookworm-slim", Some("1.2.0-bookworm-slim")),
            ("web-1.4", Some("web-1.4.0")),
            ("web-v1.4", Some("web-1.4.0")),
            ("web-1", Some("web-v1.5.0")),
            ("web-latest", Some("web-v1.5.0")),
            ("rel1", Some("rel1.2.3")),
            ("2026.02", Some("2026.02.1")),
            ("3", None),
            ("1.5", None),
            ("1-alpine", None),
            ("api-1.4", None),
            ("1-fix-the-login", None),
            ("01", None),
            ("main", None),
            ("v", None),
            ("1.4.0", None),
            ("vlatest", None),
        ] {
            assert_eq!(on_line(tag).as_deref(), release, "{tag}");
        }
    }

    #[test]
    fn promise_4_a_line_is_known_by_one_of_its_releases() {
        let followed = |tag: &str, release: &str| {
            let found = FollowedLine::of_release(&tag.parse().unwrap(), &release.parse().unwrap());
            found.map(|found| format!("{} of {}", found.line, found.series.tag_text("*")))
        };
        for (tag, release, line) in [
            ("1", "1.4.0", Some("1 of *")),
            ("v1.4", "v1.4.0", Some("1.4 of *")),
            ("latest", "1.4.0", Some("latest of *")),
            ("1.4-alpine", "1.4.0-alpine", Some("1.4 of *-alpine")),
            ("web-latest", "web-v1.5.0", Some("latest of web-*")),
            ("rc", "1.4.0-rc.1", Some("rc of *")),
            ("web-rc", "web-1.4.0-rc.1", Some("rc of web-*")),
            ("1.3", "1.4.0", None),
            ("latest", "1.4.0-rc.1", None),
            ("rc", "1.4.0", None),
            ("web-1", "1.4.0", None),
            ("main", "1.4.0", None),
        ] {
            assert_eq!(followed(tag, release).as_deref(), line, "{tag} {release}");
        }
    }

    #[test]
    fn promise_4_a_release_of_a_component_is_known_by_the_others() {
        let sibling = |tag: &str| {
            let there = tags(&["web-1.4.0", "web-1.3.0", "fix-1.2.3"]);
            let found = sibling_release(&tag.parse().unwrap(), &there);
            found.map(|release| release.tag.to_string())
        };
        assert_eq!(sibling("web-1.4.0").as_deref(), Some("web-1.3.0"));
        assert_eq!(sibling("web-v1.5.0").as_deref(), Some("web-1.4.0"));
        assert_eq!(sibling("web-1.4.0-rc.1").as_deref(), Some("web-1.4.0"));
        for tag in ["fix-1.2.3", "api-1.4.0", "1.4.0", "main"] {
            assert_eq!(sibling(tag), None, "{tag}");
        }
    }
}
