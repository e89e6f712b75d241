use std::collections::BTreeSet;

use super::blobs::LayoutBlobs;
use super::layout_index::{IndexEntry, tag_of_name};
use super::{LayoutFault, LayoutIndex};
use crate::image::{Digest, ImageSelector, Reference};

/// How many manifests are looked at to tell which entries of an index belong to others.
const MANIFESTS_READ_LIMIT: usize = 1000;

/// The root that `selector` means.
pub(crate) fn select_image(
    blobs: &impl LayoutBlobs,
    selector: &ImageSelector,
) -> Result<Digest, LayoutFault> {
    let index = blobs.index()?;
    match selector {
        ImageSelector::Only => select_only_image(blobs, &index),
        ImageSelector::Name(name) => select_by_name(&index, name),
        ImageSelector::Digest(digest) => match super::blobs::get_manifest(blobs, *digest)? {
            Some(_) => Ok(*digest),
            None => Err(LayoutFault::NoSuchDigest(*digest)),
        },
    }
}

/// The image with that name; a whole name goes before the tag in one.
fn select_by_name(index: &LayoutIndex, name: &str) -> Result<Digest, LayoutFault> {
    let whole = |entry: &&IndexEntry| entry.names().any(|other| is_same_name(other, name));
    let part = |entry: &&IndexEntry| entry.names().any(|other| tag_of_name(other) == name);
    let mut digests = distinct_digests(index.entries().iter().filter(whole))?;
    if digests.is_empty() {
        digests = distinct_digests(index.entries().iter().filter(part))?;
    }
    match digests.as_slice() {
        [] if index.entries().is_empty() => Err(LayoutFault::NoImage),
        [] => Err(LayoutFault::NoSuchName {
            name: name.to_owned(),
            names: entry_labels(
                index
                    .entries()
                    .iter()
                    .filter(|e| e.names().next().is_some()),
            ),
        }),
        [digest] => Ok(*digest),
        several => Err(LayoutFault::Ambiguous {
            name: name.to_owned(),
            digests: several.iter().map(Digest::to_string).collect(),
        }),
    }
}

/// Whether two names mean the same, one of them perhaps in docker's short form.
pub(crate) fn is_same_name(one: &str, other: &str) -> bool {
    let whole = |name: &str| name.parse::<Reference>().ok();
    one == other || whole(one).is_some_and(|one| Some(one) == whole(other))
}

/// The one image there is, beside those that belong to another.
fn select_only_image(blobs: &impl LayoutBlobs, index: &LayoutIndex) -> Result<Digest, LayoutFault> {
    let images: Vec<_> = index
        .entries()
        .iter()
        .filter(|e| !e.is_referrer())
        .collect();
    match distinct_digests(images.iter().copied())?.as_slice() {
        [] => return Err(LayoutFault::NoImage),
        [digest] => return Ok(*digest),
        _ => {}
    }
    let belonging = referrers_and_children(blobs, &images)?;
    let roots = images.into_iter().filter(|entry| {
        let below = |digest| belonging.contains(&digest);
        entry.names().next().is_some() || !entry.digest().is_ok_and(below)
    });
    let roots: Vec<_> = roots.collect();
    match distinct_digests(roots.iter().copied())?.as_slice() {
        [] => Err(LayoutFault::NoImage),
        [digest] => Ok(*digest),
        _ => Err(LayoutFault::SeveralImages {
            names: entry_labels(roots.into_iter()),
        }),
    }
}

/// The manifests that say something about another, or stand below an index: oras gives each of
/// these an entry without a name. What cannot be read is left out here and found by the check.
fn referrers_and_children(
    blobs: &impl LayoutBlobs,
    images: &[&IndexEntry],
) -> Result<BTreeSet<Digest>, LayoutFault> {
    let mut belonging = BTreeSet::new();
    let mut looked_at = BTreeSet::new();
    let mut stages = distinct_digests(images.iter().copied())?;
    while let Some(digest) = stages.pop() {
        if looked_at.len() == MANIFESTS_READ_LIMIT || !looked_at.insert(digest) {
            continue;
        }
        let Ok(Some(manifest)) = blobs.read_manifest(digest, None) else {
            continue;
        };
        if manifest.subject.is_some() {
            belonging.insert(digest);
        }
        let below = manifest.children().map(|child| child.digest);
        belonging.extend(below.clone());
        stages.extend(below);
    }
    Ok(belonging)
}

fn distinct_digests<'a>(
    entries: impl Iterator<Item = &'a IndexEntry>,
) -> Result<Vec<Digest>, LayoutFault> {
    let digests: Result<BTreeSet<_>, _> = entries.map(IndexEntry::digest).collect();
    Ok(digests?.into_iter().collect())
}

fn entry_labels<'a>(entries: impl Iterator<Item = &'a IndexEntry>) -> Vec<String> {
    let labels: BTreeSet<_> = entries.map(IndexEntry::label).collect();
    labels.into_iter().collect()
}
