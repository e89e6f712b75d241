use std::collections::BTreeSet;

use super::blobs::Blobs;
use super::index::{Entry, tag_part};
use super::{Index, LayoutFault};
use crate::image::{Digest, Reference, Selector};

/// How many manifests are looked at to tell which entries of an index belong to others.
const LOOK_LIMIT: usize = 1000;

/// The root that `selector` means.
pub(crate) fn select(blobs: &impl Blobs, selector: &Selector) -> Result<Digest, LayoutFault> {
    let index = blobs.index()?;
    match selector {
        Selector::Only => only(blobs, &index),
        Selector::Name(name) => named(&index, name),
        Selector::Digest(digest) => match super::blobs::manifest(blobs, *digest)? {
            Some(_) => Ok(*digest),
            None => Err(LayoutFault::NoSuchDigest(*digest)),
        },
    }
}

/// The image with that name; a whole name goes before the tag in one.
fn named(index: &Index, name: &str) -> Result<Digest, LayoutFault> {
    let whole = |entry: &&Entry| entry.names().any(|other| same_name(other, name));
    let part = |entry: &&Entry| entry.names().any(|other| tag_part(other) == name);
    let mut digests = distinct(index.entries().iter().filter(whole))?;
    if digests.is_empty() {
        digests = distinct(index.entries().iter().filter(part))?;
    }
    match digests.as_slice() {
        [] if index.entries().is_empty() => Err(LayoutFault::NoImage),
        [] => Err(LayoutFault::NoSuchName {
            name: name.to_owned(),
            names: labels(
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
pub(crate) fn same_name(one: &str, other: &str) -> bool {
    let whole = |name: &str| name.parse::<Reference>().ok();
    one == other || whole(one).is_some_and(|one| Some(one) == whole(other))
}

/// The one image there is, beside those that belong to another.
fn only(blobs: &impl Blobs, index: &Index) -> Result<Digest, LayoutFault> {
    let images: Vec<_> = index
        .entries()
        .iter()
        .filter(|e| !e.is_referrer())
        .collect();
    match distinct(images.iter().copied())?.as_slice() {
        [] => return Err(LayoutFault::NoImage),
        [digest] => return Ok(*digest),
        _ => {}
    }
    let belonging = belonging(blobs, &images)?;
    let roots = images.into_iter().filter(|entry| {
        let below = |digest| belonging.contains(&digest);
        entry.names().next().is_some() || !entry.digest().is_ok_and(below)
    });
    let roots: Vec<_> = roots.collect();
    match distinct(roots.iter().copied())?.as_slice() {
        [] => Err(LayoutFault::NoImage),
        [digest] => Ok(*digest),
        _ => Err(LayoutFault::Several {
            names: labels(roots.into_iter()),
        }),
    }
}

/// The manifests that say something about another, or stand below an index: oras gives each of
/// these an entry without a name. What cannot be read is left out here and found by the check.
fn belonging(blobs: &impl Blobs, images: &[&Entry]) -> Result<BTreeSet<Digest>, LayoutFault> {
    let mut belonging = BTreeSet::new();
    let mut looked_at = BTreeSet::new();
    let mut ahead = distinct(images.iter().copied())?;
    while let Some(digest) = ahead.pop() {
        if looked_at.len() == LOOK_LIMIT || !looked_at.insert(digest) {
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
        ahead.extend(below);
    }
    Ok(belonging)
}

fn distinct<'a>(entries: impl Iterator<Item = &'a Entry>) -> Result<Vec<Digest>, LayoutFault> {
    let digests: Result<BTreeSet<_>, _> = entries.map(Entry::digest).collect();
    Ok(digests?.into_iter().collect())
}

fn labels<'a>(entries: impl Iterator<Item = &'a Entry>) -> Vec<String> {
    let labels: BTreeSet<_> = entries.map(Entry::label).collect();
    labels.into_iter().collect()
}
