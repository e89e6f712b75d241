//! Tags that name something else than the records say.

use std::collections::{BTreeMap, HashSet};

use super::readings::ReadEntry;
use crate::image::{Digest, Tag};
use crate::record::action::RecordAction;
use crate::record::release_predicate::RecordedTagKind;
use crate::record::timeline::Timeline;
use crate::tagging::{ReleaseVersion, VersionLine};

/// Tag that names something else than the records say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TagDrift {
    /// The tag.
    pub tag: Tag,
    /// Root that it has by the records; `None` if they say that nothing is current.
    pub expected: Option<Digest>,
    /// Root that it names; `None` if the tag is not there.
    pub found: Option<Digest>,
}

/// Returns the roots of the moving tags that records wrote, other than that of the environment. A version line
/// names the highest version that is not withdrawn, any other tag the newest release that wrote it. Tags are left
/// out where entries that are not known could decide otherwise.
pub fn expected_lines(
    read: &[&ReadEntry],
    timeline: &Timeline,
    is_complete: bool,
) -> BTreeMap<String, Digest> {
    let mut writers: BTreeMap<&str, Vec<&ReadEntry>> = BTreeMap::new();
    for entry in read {
        let moving = entry.tags.iter();
        let kinds = [RecordedTagKind::Line, RecordedTagKind::Moving];
        let moving = moving.filter(|tag| kinds.contains(&tag.kind));
        for tag in moving.filter(|tag| tag.name != entry.environment.as_str()) {
            writers.entry(&tag.name).or_default().push(entry);
        }
    }
    let known = KnownReleases::new(timeline, is_complete);
    let expected = writers
        .into_iter()
        .filter_map(|(tag, writers)| Some((tag.to_owned(), known.expected_root(tag, &writers)?)));
    expected.collect()
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

    fn expected_root(&self, tag: &str, writers: &[&ReadEntry]) -> Option<Digest> {
        let newest = writers.last()?;
        let is_certain = newest.entry.action != RecordAction::Rollback
            && !self.withdrawn.contains(&newest.entry.root);
        if !is_certain && !self.is_complete {
            return None;
        }
        let line = writers.iter().find_map(|writer| {
            let version = ReleaseVersion::parse(writer.entry.version.as_deref()?)?;
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
            None => Some(newest.entry.root),
        }
    }
}
