//! Telling by a repository's releases whether a tag is the one of a version line.

use std::collections::BTreeSet;

use super::{ReleaseSeries, SeriesReleases, TaggedRelease, VersionLine};
use crate::image::Tag;

/// Returns the line that `tag` may be the tag of (`1`, `v1.4-alpine`, `latest`), and its series.
pub(super) fn line_of(tag: &Tag) -> Option<(VersionLine, ReleaseSeries)> {
    let text = tag.as_str();
    let (name, suffix) = text.split_at(text.find('-').unwrap_or(text.len()));
    let line = match name {
        "latest" => VersionLine::Latest,
        number => numbered(number.strip_prefix('v').unwrap_or(number))?,
    };
    let series = ReleaseSeries {
        prefix: String::new(),
        suffix: suffix.to_owned(),
    };
    Some((line, series))
}

fn numbered(text: &str) -> Option<VersionLine> {
    let line = match text.split_once('.') {
        Some((major, minor)) => VersionLine::Minor(major.parse().ok()?, minor.parse().ok()?),
        None => VersionLine::Major(text.parse().ok()?),
    };
    // `01` is no line's tag.
    (line.to_string() == text).then_some(line)
}

/// Finds the highest release of the version line that `tag` is the tag of, among the tags of a
/// repository.
pub fn release_on_line<'a>(
    tag: &Tag,
    tags: impl IntoIterator<Item = &'a Tag>,
) -> Option<TaggedRelease> {
    let (line, series) = line_of(tag)?;
    let releases = SeriesReleases::from_tags(tags, &series, &BTreeSet::new());
    releases.highest(line).cloned()
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
            ("latest", Some("v2.1.0")),
            ("1-bookworm-slim", Some("1.2.0-bookworm-slim")),
            ("latest-bookworm-slim", Some("1.2.0-bookworm-slim")),
            ("3", None),
            ("1.5", None),
            ("1-alpine", None),
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
}
