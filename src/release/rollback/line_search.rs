//! Finds the highest release of a version line that counts.

use std::collections::{BTreeMap, BTreeSet};

use crate::image::{Digest, Manifest, Tag, TagOrDigest};
use crate::record::Timeline;
use crate::release::Failure;
use crate::release::plan::record_facts::is_named;
use crate::release::plan::rollback_tags::RecordedVersion;
use crate::release::records::open_timeline::OpenTimeline;
use crate::tagging::{ExcludedVersions, FollowedLine, SeriesReleases, TaggedRelease};
use crate::transfer::Side;

/// Version tags of a line that are looked at to find one that counts.
const LOOKUP_LIMIT: usize = 64;

/// Search for the releases that version lines go to.
pub(super) struct LineSearch<'a> {
    pub(super) timeline: &'a OpenTimeline,
    pub(super) excluded: &'a ExcludedVersions,
    /// Root that is being withdrawn; `None` once it was released again.
    pub(super) withdrawn: Option<Digest>,
    /// Version tags of that root, which need no look.
    pub(super) own_tags: Vec<Tag>,
    /// Manifests that were read.
    pub(super) manifests: BTreeMap<Digest, Manifest>,
    resolved: BTreeMap<Tag, Option<Digest>>,
}

impl<'a> LineSearch<'a> {
    pub(super) fn new(
        timeline: &'a OpenTimeline,
        excluded: &'a ExcludedVersions,
        withdrawn: Option<Digest>,
        own_tags: Vec<Tag>,
    ) -> Self {
        Self {
            timeline,
            excluded,
            withdrawn,
            own_tags,
            manifests: BTreeMap::new(),
            resolved: BTreeMap::new(),
        }
    }

    /// Returns the highest release of the line of `tag` that is recorded, there and not withdrawn.
    pub(super) async fn find_goal(
        &mut self,
        tag: &Tag,
    ) -> Result<Option<RecordedVersion>, Failure> {
        let mut own = self.own_tags.iter();
        let Some(followed) = own.find_map(|own| FollowedLine::of_release(tag, own)) else {
            return Ok(None);
        };
        let known = self.timeline.known();
        let listed = self.timeline.tags.iter().cloned();
        let tags: BTreeSet<Tag> = listed.chain(recorded_versions(&known)).collect();
        let withdrawn = BTreeSet::new();
        let releases =
            SeriesReleases::from_tags(&tags, &followed.series, &withdrawn, self.excluded);
        for release in releases.on_line(&followed.line).take(LOOKUP_LIMIT) {
            if self.withdrawn.is_some() && self.own_tags.contains(&release.tag) {
                continue;
            }
            let Some(root) = self.resolve(&known, &release.tag).await? else {
                continue;
            };
            if self.withdrawn != Some(root) && self.counts(root, release).await? {
                let version = release.version.to_string();
                return Ok(Some(RecordedVersion { version, root }));
            }
        }
        Ok(None)
    }

    /// Returns the image of a version that is there: the recorded one, else the one that its tag names.
    async fn resolve(&mut self, known: &Timeline, tag: &Tag) -> Result<Option<Digest>, Failure> {
        if let Some(resolved) = self.resolved.get(tag) {
            return Ok(*resolved);
        }
        let recorded = recorded_root(known, tag).map(TagOrDigest::Digest);
        let is_listed = self.timeline.tags.contains(tag);
        let target = recorded.or_else(|| is_listed.then(|| TagOrDigest::Tag(tag.clone())));
        let resolved = match target {
            Some(target) => self.read(&target).await?,
            None => None,
        };
        self.resolved.insert(tag.clone(), resolved);
        Ok(resolved)
    }

    /// Reads a manifest. Returns its digest if it is there.
    pub(super) async fn read(&mut self, target: &TagOrDigest) -> Result<Option<Digest>, Failure> {
        if let TagOrDigest::Digest(digest) = target
            && self.manifests.contains_key(digest)
        {
            return Ok(Some(*digest));
        }
        let destination = &self.timeline.destination;
        let found = destination
            .store
            .get_manifest(target)
            .await
            .map_err(|error| {
                Failure::from_store_error(Side::Destination, &destination.name, error)
            })?;
        Ok(found.map(|manifest| {
            let digest = manifest.digest;
            self.manifests.insert(digest, manifest);
            digest
        }))
    }

    /// Returns whether a counted release of the root names the version, and the root is not withdrawn.
    async fn counts(&self, root: Digest, release: &TaggedRelease) -> Result<bool, Failure> {
        self.timeline.read_root(root).await?;
        let names = self.timeline.view.released_names(root);
        Ok(is_named(&names, release) && !self.timeline.known().is_withdrawn(root))
    }
}

/// Returns the versions of recorded releases as tags.
fn recorded_versions(known: &Timeline) -> Vec<Tag> {
    let releases = known.releases_in_effect();
    let versions = releases.filter_map(|entry| entry.version.as_deref()?.parse().ok());
    versions.collect()
}

fn recorded_root(known: &Timeline, version: &Tag) -> Option<Digest> {
    let mut newest_first = known.releases_in_effect().rev();
    let release = newest_first.find(|entry| entry.version.as_deref() == Some(version.as_str()));
    release.map(|entry| entry.root)
}
