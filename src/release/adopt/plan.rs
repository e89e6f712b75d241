//! Decides which releases an adoption records, as a pure function of the tags and what is recorded.

use std::collections::BTreeMap;

use crate::image::{Digest, Tag};
use crate::record::{EntryName, RecordAction, RecordedTag, RecordedTagKind, Timeline};
use crate::tagging::{ExcludedVersions, NamedRelease, ReleaseVersion, release_on_line};

/// Tags of a repository that an adoption looks at, by what they may be.
#[derive(Debug, Default)]
pub(super) struct AdoptableTags {
    /// Full versions, oldest first.
    pub(super) versions: Vec<(Tag, NamedRelease)>,
    /// Tags of version lines.
    pub(super) lines: Vec<Tag>,
    /// Tag of the environment.
    pub(super) environment: Option<Tag>,
}

/// Release that is recorded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct PlannedAdoption {
    pub(super) root: Digest,
    pub(super) version: Option<String>,
    pub(super) tags: Vec<RecordedTag>,
}

/// What the tags name, and what is recorded of it.
pub(super) struct AdoptionFacts<'a> {
    pub(super) digests: &'a BTreeMap<Tag, Digest>,
    pub(super) known: &'a Timeline,
    /// Versions and tags that a counted release of a root names.
    pub(super) recorded: &'a BTreeMap<Digest, Vec<String>>,
    /// Roots that a rollback withdrew which does not count any more, with its entry.
    pub(super) withdrawn_before: &'a BTreeMap<Digest, EntryName>,
}

impl AdoptableTags {
    /// Finds the tags among those of a repository.
    pub(super) fn find<'a>(
        tags: impl Iterator<Item = &'a Tag> + Clone,
        environment: &str,
        excluded: &ExcludedVersions,
    ) -> Self {
        let parsed = tags.clone().filter_map(|tag| {
            let named = NamedRelease::parse(tag.as_str())?;
            let is_release = named.is_full() && !named.has_branch_word();
            let is_excluded = excluded.excluding(&named.version, Some(tag)).is_some();
            (is_release && !is_excluded).then(|| (tag.clone(), named))
        });
        let mut versions: Vec<(Tag, NamedRelease)> = parsed.collect();
        versions.sort_by(|(one_tag, one), (other_tag, other)| {
            let order = one.version.cmp_precedence(&other.version);
            order.then_with(|| one_tag.cmp(other_tag))
        });
        let is_version = |tag: &Tag| versions.iter().any(|(version, _)| version == tag);
        let named: Vec<Tag> = versions.iter().map(|(tag, _)| tag.clone()).collect();
        let others = tags.filter(|tag| !is_version(tag));
        let (mut lines, mut own) = (Vec::new(), None);
        for tag in others {
            if tag.as_str() == environment {
                own = Some(tag.clone());
            } else if release_on_line(tag, &named).is_some() {
                lines.push(tag.clone());
            }
        }
        Self {
            versions,
            lines,
            environment: own,
        }
    }

    /// Returns every tag.
    pub(super) fn all(&self) -> impl Iterator<Item = &Tag> {
        let versions = self.versions.iter().map(|(tag, _)| tag);
        versions.chain(&self.lines).chain(&self.environment)
    }

    /// Plans the records: the versions without one, oldest first, and then the current image.
    pub(super) fn plan(&self, facts: &AdoptionFacts<'_>) -> Vec<PlannedAdoption> {
        let mut planned: Vec<PlannedAdoption> = Vec::new();
        for release in self.releases(facts) {
            let is_withdrawn = facts.is_withdrawn(release.root);
            if !is_withdrawn && !release.is_recorded(facts) {
                planned.push(release);
            }
        }
        self.add_lines(facts, &mut planned);
        self.add_current(facts, &mut planned);
        planned
    }

    /// Returns the number of releases that have a record.
    pub(super) fn count_recorded(&self, facts: &AdoptionFacts<'_>) -> usize {
        let releases = self.releases(facts);
        releases
            .iter()
            .filter(|release| release.is_recorded(facts))
            .count()
    }

    /// Returns the releases by their version tags: tags of one version with one root are one release.
    fn releases(&self, facts: &AdoptionFacts<'_>) -> Vec<PlannedAdoption> {
        let mut releases: Vec<(&NamedRelease, PlannedAdoption)> = Vec::new();
        for (tag, named) in &self.versions {
            let Some(root) = facts.digests.get(tag).copied() else {
                continue;
            };
            let is_same = |(known, planned): &&mut (&NamedRelease, PlannedAdoption)| {
                planned.root == root
                    && known.component == named.component
                    && known.version.cmp_precedence(&named.version).is_eq()
            };
            let tag = recorded_tag(tag, RecordedTagKind::Immutable);
            match releases.iter_mut().rev().find(is_same) {
                Some((_, known)) => known.tags.push(tag),
                None => releases.push((
                    named,
                    PlannedAdoption {
                        root,
                        version: Some(version_text(named)),
                        tags: vec![tag],
                    },
                )),
            }
        }
        releases.into_iter().map(|(_, planned)| planned).collect()
    }

    /// Adds the lines to the newest record of the root that they name.
    fn add_lines(&self, facts: &AdoptionFacts<'_>, planned: &mut [PlannedAdoption]) {
        for line in &self.lines {
            let root = facts.digests.get(line);
            let mut newest_first = planned.iter_mut().rev();
            if let Some(release) = newest_first.find(|release| Some(&release.root) == root) {
                release.tags.push(recorded_tag(line, RecordedTagKind::Line));
            }
        }
    }

    /// Lets the last record be about the image that the environment is on.
    fn add_current(&self, facts: &AdoptionFacts<'_>, planned: &mut Vec<PlannedAdoption>) {
        let environment = self.environment.as_ref();
        let at = environment.and_then(|tag| facts.digests.get(tag)).copied();
        let at = at.filter(|root| !facts.is_withdrawn(*root));
        let current = facts.known.current();
        let wanted = match (current, at) {
            // Other records than adoptions say better than a tag, which anybody may have moved, what is current.
            (Some((_, root)), Some(_)) if is_running(facts.known) => root,
            (_, Some(at)) => at,
            (Some((_, root)), None) => root,
            (None, None) => return,
        };
        let own = environment.filter(|_| at == Some(wanted));
        let own = own.map(|tag| recorded_tag(tag, RecordedTagKind::Environment));
        let last = planned.last().map(|release| release.root);
        match planned.last_mut() {
            Some(last) if last.root == wanted => last.tags.extend(own),
            _ if last.or(current.map(|(_, root)| root)) == Some(wanted) => {}
            _ => planned.push(PlannedAdoption {
                root: wanted,
                version: self.version_of(facts, wanted),
                tags: own.into_iter().collect(),
            }),
        }
    }

    /// Returns the version of a root, if a version tag names it.
    pub(super) fn version_of(&self, facts: &AdoptionFacts<'_>, root: Digest) -> Option<String> {
        let mut newest_first = self.versions.iter().rev();
        let found = newest_first.find(|(tag, _)| facts.digests.get(tag) == Some(&root));
        found.map(|(_, named)| version_text(named))
    }
}

impl AdoptionFacts<'_> {
    /// Returns whether a root is withdrawn, or was before records had to be signed by others.
    pub(super) fn is_withdrawn(&self, root: Digest) -> bool {
        self.known.is_withdrawn(root) || self.withdrawn_before.contains_key(&root)
    }
}

impl PlannedAdoption {
    fn is_recorded(&self, facts: &AdoptionFacts<'_>) -> bool {
        let Some(named) = facts.recorded.get(&self.root) else {
            return false;
        };
        let own = self.tags.iter().map(|tag| &tag.name).chain(&self.version);
        let mut own = own.filter(|own| named.contains(own));
        own.next().is_some()
    }
}

fn recorded_tag(tag: &Tag, kind: RecordedTagKind) -> RecordedTag {
    RecordedTag {
        name: tag.to_string(),
        kind,
        previous: None,
    }
}

/// Returns the version of a release, with its component if it has one.
fn version_text(named: &NamedRelease) -> String {
    let version: &ReleaseVersion = &named.version;
    match named.component.is_empty() {
        true => version.to_string(),
        false => named.to_tag_text(),
    }
}

/// Returns whether the timeline has more than adoptions: then its entries say what is current, and no tag does.
pub(super) fn is_running(known: &Timeline) -> bool {
    known.entries().iter().any(|entry| {
        let is_release = entry.action.is_release() || entry.action == RecordAction::Rollback;
        is_release && entry.action != RecordAction::Adopt
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::{RecordId, RecordTime, TimelineEntry};

    fn root(name: &str) -> Digest {
        Digest::from_bytes(name.as_bytes())
    }

    fn entry(action: RecordAction, name: &str, millisecond: u32) -> TimelineEntry {
        let time = format!("2026-11-20T10:00:00.{millisecond:03}Z");
        TimelineEntry {
            deletions: Vec::new(),
            record: RecordId::from_blob(time.as_bytes()),
            root: root(name),
            action,
            planned_at: RecordTime::from_timestamp(time.parse().unwrap()).unwrap(),
            restores: None,
            reinstates: Vec::new(),
            hold: None,
            previous: Vec::new(),
            version: Some(name.to_owned()),
            commit: None,
            actor: None,
            is_summary: false,
        }
    }

    /// Plans the adoption of `tags`, each with the name of its image, to a timeline; shows version and tags.
    fn planned(tags: &[(&str, &str)], entries: &[TimelineEntry]) -> Vec<String> {
        let digests: BTreeMap<Tag, Digest> = tags
            .iter()
            .map(|(tag, image)| (tag.parse().unwrap(), root(image)))
            .collect();
        let mut recorded: BTreeMap<Digest, Vec<String>> = BTreeMap::new();
        for entry in entries.iter().filter(|entry| entry.action.is_release()) {
            recorded
                .entry(entry.root)
                .or_default()
                .extend(entry.version.clone());
        }
        let facts = AdoptionFacts {
            digests: &digests,
            known: &Timeline::new(entries.to_vec()),
            recorded: &recorded,
            withdrawn_before: &BTreeMap::new(),
        };
        let excluded = ExcludedVersions::parse(["9.*"]).unwrap();
        let found = AdoptableTags::find(digests.keys(), "prod", &excluded);
        let planned = found.plan(&facts).into_iter();
        let shown = planned.map(|release| {
            let tags: Vec<_> = release.tags.iter().map(|tag| tag.name.as_str()).collect();
            format!(
                "{}: {}",
                release.version.unwrap_or_default(),
                tags.join(" ")
            )
        });
        shown.collect()
    }

    #[test]
    fn versions_are_adopted_oldest_first_and_then_the_current_image() {
        let tags = [
            ("1.10.0", "c"),
            ("1.9.0", "b"),
            ("v1.9.0", "b"),
            ("1.9.0-rc.1", "a"),
            ("9.0.0", "x"),
            ("1", "c"),
            ("latest", "c"),
            ("1.9", "b"),
            ("main", "m"),
            ("sha-abcdef0", "m"),
            ("hotfix-1.9.1", "m"),
        ];
        let expected = [
            "1.9.0-rc.1: 1.9.0-rc.1",
            "1.9.0: 1.9.0 v1.9.0 1.9",
            "1.10.0: 1.10.0 1 latest",
        ];
        assert_eq!(planned(&tags, &[]), expected);
        let with = |image: &'static str| [tags.as_slice(), &[("prod", image)]].concat();
        let highest = planned(&with("c"), &[]);
        assert_eq!(highest[2], "1.10.0: 1.10.0 1 latest prod");
        let lower = planned(&with("b"), &[]);
        assert_eq!(lower[..3], expected);
        assert_eq!(lower[3], "1.9.0: prod");
        let untagged = planned(&with("other"), &[]);
        assert_eq!(untagged[3], ": prod");
    }

    #[test]
    fn a_repeated_adoption_adds_only_what_is_missing() {
        use RecordAction::{Adopt, Promote, Rollback};
        let tags = [("1.0.0", "1.0.0"), ("1.1.0", "1.1.0"), ("prod", "1.0.0")];
        let none: [&str; 0] = [];
        let half = [entry(Adopt, "1.0.0", 1)];
        assert_eq!(planned(&tags, &half), ["1.1.0: 1.1.0", "1.0.0: prod"]);
        let unfinished = [entry(Adopt, "1.0.0", 1), entry(Adopt, "1.1.0", 2)];
        assert_eq!(planned(&tags, &unfinished), ["1.0.0: prod"]);
        let complete = [unfinished.as_slice(), &[entry(Adopt, "1.0.0", 3)]].concat();
        assert_eq!(planned(&tags, &complete), none);
        let later = [unfinished.as_slice(), &[entry(Promote, "1.1.0", 3)]].concat();
        assert_eq!(
            planned(&tags, &later),
            none,
            "the timeline knows better than the tag"
        );
        let older = [entry(Promote, "1.1.0", 1)];
        let before = [("1.0.0", "1.0.0"), ("1.1.0", "1.1.0"), ("prod", "1.1.0")];
        assert_eq!(planned(&before, &older), ["1.0.0: 1.0.0", "1.1.0: prod"]);
        let moved = [("1.1.0", "1.1.0"), ("prod", "by hand")];
        assert_eq!(planned(&moved, &older), none, "nor does a moved tag");
        assert_eq!(planned(&moved, &complete), [": prod"]);
        let mut rollback = entry(Rollback, "1.1.0", 4);
        rollback.restores = Some(root("1.0.0"));
        let withdrawn = [complete.as_slice(), &[rollback]].concat();
        assert_eq!(
            planned(&before, &withdrawn),
            none,
            "a withdrawn image is not adopted"
        );
    }
}
