//! Tags that name something else than the records say.

use std::collections::{BTreeMap, HashSet};

use super::readings::ReadEntry;
use crate::image::{Digest, Tag};
use crate::record::action::RecordAction;
use crate::record::release_predicate::RecordedTagKind;
use crate::record::timeline::Timeline;
use crate::tagging::{EnvironmentName, ReleaseVersion, VersionLine};

/// Tag that names something else than the records say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TagDrift {
    /// The tag.
    pub tag: Tag,
    /// Root that it has by the records; `None` if they say that nothing is current.
    pub expected: Option<Digest>,
    /// Root that it names; `None` if the tag is not there.
    pub found: Option<Digest>,
    /// Version of the expected root, if a record says it.
    pub expected_version: Option<String>,
    /// Version of the root that it names, if a record says it.
    pub found_version: Option<String>,
    /// Whether the tag names one root forever, so that no release moves it back.
    pub is_immutable: bool,
}

impl TagDrift {
    /// Returns the drift of a tag between the records of `timeline` and the registry.
    pub fn new(
        tag: Tag,
        expected: Option<ExpectedRoot>,
        found: Option<Digest>,
        timeline: &Timeline,
    ) -> Self {
        let version = |root: Option<Digest>| timeline.version_of(root?);
        Self {
            tag,
            expected_version: version(expected.map(|expected| expected.root)),
            found_version: version(found),
            expected: expected.map(|expected| expected.root),
            found,
            is_immutable: expected.is_some_and(|expected| expected.is_immutable),
        }
    }
}

/// Root that a tag has by the records.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ExpectedRoot {
    /// The root.
    pub root: Digest,
    /// Whether the tag names it forever.
    pub is_immutable: bool,
}

/// Returns the roots of the tags that records wrote, other than that of the environment. A version line names the
/// highest version that is not withdrawn, any other tag the newest release that wrote it. Tags are left out where
/// entries that are not known could decide otherwise.
pub fn expected_tags(
    read: &[&ReadEntry],
    timeline: &Timeline,
    is_complete: bool,
) -> BTreeMap<String, ExpectedRoot> {
    let mut writers: BTreeMap<&str, Vec<TagWriter<'_>>> = BTreeMap::new();
    for entry in read {
        let tags = entry.tags.iter();
        let tags = tags.filter(|tag| tag.kind != RecordedTagKind::Environment);
        for tag in tags.filter(|tag| tag.name != entry.environment.as_str()) {
            let kind = tag.kind;
            let of_tag = writers.entry(&tag.name).or_default();
            of_tag.push(TagWriter { entry, kind });
        }
    }
    let known = KnownReleases::new(timeline, is_complete);
    let expected = writers
        .into_iter()
        .filter_map(|(tag, writers)| Some((tag.to_owned(), known.expected_root(tag, &writers)?)));
    expected.collect()
}

/// Returns the root that a tag has by a timeline whose releases are known as far as they may decide: a version that
/// of its newest release, a version line the highest version that is not withdrawn, and the environment's own tag
/// the current root. `None` for other tags, and where no record says it.
pub fn expected_root(
    tag: &Tag,
    environment: &EnvironmentName,
    read: &[&ReadEntry],
    timeline: &Timeline,
) -> Option<ExpectedRoot> {
    if tag == environment.tag() {
        let (_, root) = timeline.current()?;
        return Some(ExpectedRoot {
            root,
            is_immutable: false,
        });
    }
    let releases = timeline.entries().iter().rev();
    let mut releases = releases.filter(|entry| entry.action.is_release());
    let of_version = releases.find(|entry| entry.version.as_deref() == Some(tag.as_str()));
    if let Some(release) = of_version {
        return Some(ExpectedRoot {
            root: release.root,
            is_immutable: true,
        });
    }
    let is_line = |entry: &&ReadEntry| {
        let mut tags = entry.tags.iter();
        tags.any(|it| it.name == tag.as_str() && it.kind == RecordedTagKind::Line)
    };
    let writers: Vec<&ReadEntry> = read.iter().copied().filter(is_line).collect();
    expected_tags(&writers, timeline, true).remove(tag.as_str())
}

/// Record that wrote a tag.
struct TagWriter<'a> {
    entry: &'a ReadEntry,
    kind: RecordedTagKind,
}

/// Releases of a timeline, as far as they are known.
struct KnownReleases {
    /// Versions and roots of those that are not withdrawn.
    in_effect: Vec<(ReleaseVersion, Digest)>,
    withdrawn: HashSet<Digest>,
    is_complete: bool,
}

impl KnownReleases {
    fn new(timeline: &Timeline, is_complete: bool) -> Self {
        let withdrawn = timeline.withdrawn_roots();
        let releases = timeline
            .entries()
            .iter()
            .filter(|entry| entry.action.is_release() && !withdrawn.contains(&entry.root));
        let in_effect = releases.filter_map(|entry| {
            let version = ReleaseVersion::parse(entry.version.as_deref()?)?;
            Some((version, entry.root))
        });
        Self {
            in_effect: in_effect.collect(),
            withdrawn,
            is_complete,
        }
    }

    fn expected_root(&self, tag: &str, writers: &[TagWriter<'_>]) -> Option<ExpectedRoot> {
        let releases = writers.iter().rev();
        let mut releases = releases.filter(|writer| writer.entry.entry.action.is_release());
        let is_immutable = writers.last()?.kind == RecordedTagKind::Immutable;
        let root = match is_immutable {
            true => releases.next()?.entry.entry.root,
            false => self.moving_root(tag, writers)?,
        };
        Some(ExpectedRoot { root, is_immutable })
    }

    fn moving_root(&self, tag: &str, writers: &[TagWriter<'_>]) -> Option<Digest> {
        let newest = &writers.last()?.entry.entry;
        let is_certain =
            newest.action != RecordAction::Rollback && !self.withdrawn.contains(&newest.root);
        if !is_certain && !self.is_complete {
            return None;
        }
        let line = writers.iter().find_map(|writer| {
            let version = ReleaseVersion::parse(writer.entry.entry.version.as_deref()?)?;
            VersionLine::named(tag, &version)
        });
        match line {
            Some(line) => {
                let on_line = self.in_effect.iter();
                let on_line = on_line.filter(|(version, _)| line.contains(version));
                let highest = on_line.max_by(|(one, _), (other, _)| one.cmp_precedence(other));
                highest.map(|(_, root)| *root)
            }
            // After a rollback the tag is where it was before, which the next writer's record says.
            None if !is_certain => None,
            None => Some(newest.root),
        }
    }
}
