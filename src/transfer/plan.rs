//! What a destination lacks of an image.

use std::collections::{HashMap, HashSet};

use futures_util::future::try_join;
use futures_util::{StreamExt, TryStreamExt, stream};

use super::known::Since;
use super::{Copy, Error, MANIFESTS, Store, StoreError};
use crate::image::{Descriptor, Digest, Manifest};

/// The most manifests that an image may have. A real one has a few dozen; an index made to exhaust
/// a reader has millions.
pub const MANIFESTS_LIMIT: usize = 10_000;

/// What is to be copied.
#[derive(Default)]
pub(super) struct Plan {
    /// Manifests by their distance from the root, which is alone in the first level.
    pub(super) levels: Vec<Vec<Manifest>>,
    /// The blobs of all of them.
    pub(super) blobs: HashMap<Digest, Descriptor>,
}

/// How far down an image is gone through.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Depth {
    /// Not below what the destination has: whoever has a manifest by its digest has what it names,
    /// since manifests are written after it.
    Missing,
    /// To the ground, whatever is there.
    Everything,
}

/// Walks down from the root.
pub(super) async fn missing(copy: &Copy<'_>, store: &Store, depth: Depth) -> Result<Plan, Error> {
    if let (Depth::Everything, Store::Registry(remote)) = (depth, store) {
        copy.known.forget(remote.repository());
        remote.holds_something();
    }
    let is_there = |digest| async move {
        match depth {
            Depth::Missing => store.has_manifest(digest).await,
            Depth::Everything => Ok(false),
        }
    };
    // What was read from the destination itself need not be asked for there.
    let is_source = |digest| depth == Depth::Missing && copy.source.is_in(store, digest);
    let root = copy.root.digest;
    if is_source(root) || (!store.is_known_new() && is_there(root).await?) {
        return Ok(Plan::default());
    }
    let mut plan = Plan::default();
    let mut seen = HashSet::from([copy.root.digest]);
    let mut level = vec![copy.root.clone()];
    while !level.is_empty() {
        let below: Vec<(Digest, Digest)> = level
            .iter()
            .flat_map(|parent| parent.children().map(|child| (parent.digest, child.digest)))
            .filter(|(_, child)| seen.insert(*child) && !is_source(*child))
            .collect();
        if seen.len() > MANIFESTS_LIMIT {
            return Err(StoreError::Boundless(copy.root.digest).at_source());
        }
        for blob in level.iter().flat_map(Manifest::blobs) {
            note_source(copy, store, blob);
            plan.blobs
                .entry(blob.digest)
                .or_insert_with(|| blob.clone());
        }
        plan.levels.push(level);
        level = stream::iter(below)
            .map(|(parent, child)| async move {
                // Both are asked at once: as a rule it is missing.
                let asked = async { Ok(!store.is_new().await && is_there(child).await?) };
                let (there, child) = try_join(asked, fetch(copy, parent, child)).await?;
                Ok::<_, Error>((!there).then_some(child))
            })
            .buffer_unordered(MANIFESTS)
            .try_filter_map(|child| std::future::ready(Ok(child)))
            .try_collect()
            .await?;
    }
    Ok(plan)
}

/// What a manifest of the source names is in the source's repository, from which a destination on
/// the same registry can mount it.
fn note_source(copy: &Copy<'_>, store: &Store, blob: &Descriptor) {
    if let (Some(from), Store::Registry(remote)) = (copy.source.repository(), store)
        && from.registry() == remote.repository().registry()
    {
        copy.known.has(from, blob.digest, Since::Before);
    }
}

async fn fetch(copy: &Copy<'_>, parent: Digest, child: Digest) -> Result<Manifest, Error> {
    match copy.source.manifest(child).await {
        Ok(Some(manifest)) => Ok(manifest),
        Ok(None) => Err(StoreError::MissingChild { child, parent }.at_source()),
        Err(error) => Err(error.at_source()),
    }
}
