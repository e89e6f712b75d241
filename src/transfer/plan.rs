//! What a destination lacks of an image.

use std::collections::{HashMap, HashSet};

use futures_util::future::try_join;
use futures_util::{StreamExt, TryStreamExt, stream};

use super::known::Since;
use super::{Copy, Error, MANIFESTS, Roots, Store, StoreError};
use crate::image::{Descriptor, Digest, Manifest};

/// The most manifests that an image may have. A real one has a few dozen; an index made to exhaust
/// a reader has millions.
pub const MANIFESTS_LIMIT: usize = 10_000;

/// What is to be copied.
#[derive(Default)]
pub(super) struct Plan {
    /// Manifests by their distance from the roots, which are the first level.
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

/// Walks down from the roots.
pub(super) async fn missing(copy: &Copy<'_>, store: &Store, depth: Depth) -> Result<Plan, Error> {
    if let (Depth::Everything, Store::Registry(remote)) = (depth, store) {
        copy.known.forget(remote.repository());
        remote.holds_something();
    }
    // What was read from the destination itself need not be asked for there.
    let is_source = |digest| depth == Depth::Missing && copy.source.is_in(store, digest);
    let roots = copy.roots.iter().map(|root| async move {
        let there = is_source(root.digest) || has_root(copy, store, depth, root.digest).await?;
        Ok::<_, Error>((!there).then(|| root.clone()))
    });
    let roots = stream::iter(roots).buffered(MANIFESTS);
    let roots = roots.try_filter_map(|root| std::future::ready(Ok(root)));
    let mut level: Vec<Manifest> = roots.try_collect().await?;
    let mut plan = Plan::default();
    let mut seen = HashSet::new();
    while !level.is_empty() {
        let below: Vec<(Digest, Digest)> = level
            .iter()
            .flat_map(|parent| parent.children().map(|child| (parent.digest, child.digest)))
            .filter(|(_, child)| seen.insert(*child) && !is_source(*child))
            .collect();
        if let Some((parent, _)) = below.last().filter(|_| seen.len() > MANIFESTS_LIMIT) {
            return Err(StoreError::Boundless(*parent).at_source());
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
                let asked = async { has_child(store, depth, child).await };
                let (there, child) = try_join(asked, fetch(copy, parent, child)).await?;
                Ok::<_, Error>((!there).then_some(child))
            })
            .buffer_unordered(MANIFESTS)
            .try_filter_map(|child| std::future::ready(Ok(child)))
            .try_collect()
            .await?;
    }
    // A root that is also below another comes before that one.
    if let Some(roots) = plan.levels.first_mut() {
        roots.retain(|root| !seen.contains(&root.digest));
    }
    Ok(plan)
}

async fn has_root(
    copy: &Copy<'_>,
    store: &Store,
    depth: Depth,
    digest: Digest,
) -> Result<bool, Error> {
    match (depth, copy.roots_at) {
        (Depth::Missing, Roots::Unknown) if !store.is_known_new() => {
            store.has_manifest(digest).await
        }
        _ => Ok(false),
    }
}

async fn has_child(store: &Store, depth: Depth, digest: Digest) -> Result<bool, Error> {
    match depth {
        Depth::Missing if !store.is_new().await => store.has_manifest(digest).await,
        _ => Ok(false),
    }
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
