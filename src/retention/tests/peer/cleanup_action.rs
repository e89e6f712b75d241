//! Rules of dataaxiom/ghcr-cleanup-action, said once more from its README and its published sources (manifest
//! analyzer, image filter, deletion strategy, image deleter), for one package.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use crate::image::{Digest, Tag};
use crate::retention::tests::support::days_ago;
use crate::retention::*;
use crate::rule_duration::RuleDuration;
use crate::tagging::TagPattern;

/// Options of the action. `delete-tags` with `keep-n-tagged` is not covered.
#[derive(Debug, Default)]
pub struct CleanupOptions {
    pub delete_tags: Vec<TagPattern>,
    pub exclude_tags: Vec<TagPattern>,
    pub older_than: Option<RuleDuration>,
    pub keep_n_tagged: Option<usize>,
    pub delete_untagged: bool,
}

/// What a run of the action deletes.
#[derive(Debug, Default)]
pub struct CleanupRun {
    pub gone: BTreeSet<Digest>,
    /// Tags that it takes from images that stay.
    pub untied: BTreeSet<Tag>,
    /// Indexes that list a manifest, as far as they are not deleted.
    parents: BTreeMap<Digest, BTreeSet<Digest>>,
}

impl CleanupRun {
    pub fn new(repository: &RepositorySnapshot, options: &CleanupOptions) -> Self {
        let mut run = Self::default();
        for (digest, manifest) in &repository.manifests {
            for child in children(manifest).filter(|it| repository.manifests.contains_key(it)) {
                run.parents.entry(child).or_default().insert(*digest);
            }
        }
        let mut images = find_images(repository);
        let is_excluded = |digest: &Digest| {
            tags(repository, *digest).any(|tag| is_matched(&options.exclude_tags, tag))
        };
        images.retain(|digest| !is_excluded(digest) && is_old(repository, *digest, options));
        for digest in run.choose(repository, options, &images) {
            run.delete_image(repository, digest);
        }
        run
    }

    /// Returns the images that the options delete, and unties tags of others.
    fn choose(
        &mut self,
        repository: &RepositorySnapshot,
        options: &CleanupOptions,
        images: &[Digest],
    ) -> Vec<Digest> {
        let mut chosen = Vec::new();
        for digest in images {
            let all = tags(repository, *digest).count();
            let matched =
                tags(repository, *digest).filter(|tag| is_matched(&options.delete_tags, tag));
            let matched: Vec<Tag> = matched.cloned().collect();
            match (all, matched.len()) {
                (0, _) if options.delete_untagged => chosen.push(*digest),
                (_, 0) => {}
                (all, number) if all == number => chosen.push(*digest),
                _ => self.untied.extend(matched),
            }
        }
        if let Some(number) = options.keep_n_tagged {
            let tagged = images
                .iter()
                .filter(|it| tags(repository, **it).count() > 0);
            chosen.extend(tagged.skip(number));
        }
        chosen
    }

    /// Deletes an image, the children that no other index lists, and its referrers with theirs.
    fn delete_image(&mut self, repository: &RepositorySnapshot, digest: Digest) {
        let Some(manifest) = repository.manifests.get(&digest) else {
            return;
        };
        if !self.gone.insert(digest) {
            return;
        }
        for child in children(manifest) {
            let Some(parents) = self.parents.get_mut(&child) else {
                continue;
            };
            parents.remove(&digest);
            if parents.is_empty() {
                self.gone.insert(child);
            }
        }
        for referrer in referrers_by_tag(repository, digest) {
            self.delete_image(repository, referrer);
        }
        for (referrer, manifest) in &repository.manifests {
            if subject(manifest) == Some(digest) {
                self.delete_image(repository, *referrer);
            }
        }
    }
}

/// Returns the manifests that count as images, the newest first: without referrers, and without what an image lists.
/// An index that another one lists is passed over with what it lists, unless it comes first.
fn find_images(repository: &RepositorySnapshot) -> Vec<Digest> {
    let mut all: Vec<Digest> = repository.manifests.keys().copied().collect();
    all.sort_by_key(|digest| (Reverse(repository.manifests[digest].times.pushed), *digest));
    let with_subject = repository.manifests.iter();
    let with_subject = with_subject.filter(|(_, manifest)| subject(manifest).is_some());
    let mut removed: BTreeSet<Digest> = with_subject.map(|(digest, _)| *digest).collect();
    for digest in &all {
        if removed.contains(digest) {
            continue;
        }
        removed.extend(children(&repository.manifests[digest]));
        for referrer in referrers_by_tag(repository, *digest) {
            removed.insert(referrer);
            let manifest = repository.manifests.get(&referrer);
            removed.extend(manifest.into_iter().flat_map(children));
        }
    }
    all.retain(|digest| !removed.contains(digest));
    all
}

fn is_old(repository: &RepositorySnapshot, digest: Digest, options: &CleanupOptions) -> bool {
    let pushed = repository.manifests[&digest].times.pushed;
    let limits = options.older_than.iter().zip(pushed);
    limits
        .into_iter()
        .all(|(limit, pushed)| days_ago(0).since(pushed) > limit.to_duration())
}

fn is_matched(patterns: &[TagPattern], tag: &Tag) -> bool {
    patterns.iter().any(|pattern| pattern.matches(tag))
}

fn tags(repository: &RepositorySnapshot, digest: Digest) -> impl Iterator<Item = &Tag> {
    let tags = repository.tags.iter();
    tags.filter(move |(_, target)| target.digest == digest)
        .map(|(tag, _)| tag)
}

fn referrers_by_tag(repository: &RepositorySnapshot, digest: Digest) -> Vec<Digest> {
    let prefix = digest.to_string().replace(':', "-");
    let tags = repository.tags.iter();
    let named = tags.filter(|(tag, _)| tag.as_str().starts_with(&prefix));
    named.map(|(_, target)| target.digest).collect()
}

pub fn children(manifest: &ObservedManifest) -> impl Iterator<Item = Digest> {
    let links = manifest.links().into_iter();
    links.flat_map(|links| links.children.iter().copied())
}

pub fn subject(manifest: &ObservedManifest) -> Option<Digest> {
    manifest.links()?.subject
}
