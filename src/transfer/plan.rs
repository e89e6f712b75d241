//! What a destination lacks of an image.

use std::collections::hash_map::Entry;
use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::{Mutex, PoisonError};

use futures_util::future::try_join;
use futures_util::{StreamExt, TryStreamExt, stream};

use super::known::Since;
use super::{Copy, Error, MANIFESTS, Root, Roots, Store, StoreError};
use crate::image::{CanonicalRegistry, Descriptor, Digest, Manifest, Reservation};

/// The most manifests that an image may have. A real one has a few dozen; an index made to exhaust
/// a reader has millions.
pub const MANIFESTS_LIMIT: usize = 10_000;

/// What is to be copied.
#[derive(Default)]
pub(super) struct Plan {
    /// Those that are asked for, apart from those below another.
    pub(super) roots: Vec<Planned>,
    /// Those below them, in the order in which they are written: what one names is in a level before it.
    pub(super) below: Vec<Vec<Planned>>,
    /// The blobs of all of them.
    pub(super) blobs: HashMap<Digest, Descriptor>,
    /// The memory that all this takes.
    _reservation: Option<Reservation>,
}

/// A manifest that is to be written. Its bytes are read when it is: an image, or what stands beside one,
/// may name thousands.
pub(super) struct Planned {
    digest: Digest,
    /// How many bytes it has.
    size: usize,
    children: Vec<Digest>,
    /// It, where it is in memory anyway.
    read: Option<Box<Manifest>>,
}

impl Planned {
    fn of(manifest: &Manifest) -> Self {
        Self {
            digest: manifest.digest,
            size: manifest.bytes.len(),
            children: manifest.children().map(|child| child.digest).collect(),
            read: None,
        }
    }

    /// Writes the manifest by its digest.
    pub(super) async fn write(&self, copy: &Copy<'_>, store: &Store) -> Result<(), Error> {
        let _turn = copy.known.large_turn(self.size).await;
        match &self.read {
            Some(manifest) => store.put_manifest(manifest).await,
            None => {
                let found = copy.source.manifest(self.digest).await;
                let found = found.map_err(StoreError::at_source)?;
                let gone = || StoreError::Vanished(self.digest).at_source();
                store.put_manifest(&found.ok_or_else(gone)?).await
            }
        }
    }
}

/// What the manifests of a plan name, gathered as they are read, so that they need not be kept.
struct Gathered<'a> {
    copy: &'a Copy<'a>,
    store: &'a Store,
    named: Mutex<Named>,
}

struct Named {
    blobs: HashMap<Digest, Descriptor>,
    reservation: Reservation,
}

/// What a blob and a child take in a plan.
const BLOB_MEMORY: usize = size_of::<Descriptor>() + size_of::<Digest>();
const CHILD_MEMORY: usize = size_of::<Digest>();

impl<'a> Gathered<'a> {
    fn new(copy: &'a Copy<'a>, store: &'a Store) -> Self {
        let reservation = copy.source.budget().reservation();
        let blobs = HashMap::new();
        Self {
            copy,
            store,
            named: Mutex::new(Named { blobs, reservation }),
        }
    }

    /// Plans to write a manifest, and notes what it names.
    fn add(&self, manifest: &Manifest) -> Result<Planned, Error> {
        let full = || StoreError::OverBudget(manifest.digest).at_source();
        let mut named = self.named.lock().unwrap_or_else(PoisonError::into_inner);
        let planned = Planned::of(manifest);
        let children = CHILD_MEMORY * planned.children.len();
        named.reservation.grow(children).ok_or_else(full)?;
        for blob in manifest.blobs() {
            note_source(self.copy, self.store, blob);
            if !named.blobs.contains_key(&blob.digest) {
                let data = blob.data.as_ref().map_or(0, |data| data.len());
                let memory = BLOB_MEMORY + blob.media_type.len() + data;
                named.reservation.grow(memory).ok_or_else(full)?;
                let lean = Descriptor {
                    annotations: BTreeMap::new(),
                    ..blob.clone()
                };
                named.blobs.insert(blob.digest, lean);
            }
        }
        Ok(planned)
    }

    /// Plans to write a root.
    async fn add_root(&self, root: &Root) -> Result<Planned, Error> {
        match root {
            Root::Read(manifest) => Ok(Planned {
                read: Some(manifest.clone()),
                ..self.add(manifest)?
            }),
            Root::Named(digest) => {
                let found = self.copy.source.manifest(*digest).await;
                let found = found.map_err(StoreError::at_source)?;
                let gone = || StoreError::Vanished(*digest).at_source();
                self.add(&found.ok_or_else(gone)?)
            }
        }
    }

    /// Plans to write a child that the store lacks.
    async fn add_child(
        &self,
        depth: Depth,
        parent: Digest,
        child: Digest,
    ) -> Result<Option<Planned>, Error> {
        // Both are asked at once: as a rule it is missing.
        let asked = async { has_child(self.store, depth, child).await };
        let (there, child) = try_join(asked, fetch(self.copy, parent, child)).await?;
        (!there).then(|| self.add(&child)).transpose()
    }
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
    let gathered = Gathered::new(copy, store);
    let roots = copy.roots.iter().map(|root| async move {
        let digest = root.digest();
        let there = is_source(digest) || has_root(copy, store, depth, digest).await?;
        Ok::<_, Error>((!there).then_some(root))
    });
    let roots = stream::iter(roots).buffered(MANIFESTS);
    let roots = roots.try_filter_map(|root| std::future::ready(Ok(root)));
    let roots = roots.map_ok(|root| gathered.add_root(root));
    let mut level: Vec<Planned> = roots.try_buffered(MANIFESTS).try_collect().await?;
    let roots_count = level.len();
    let mut found = Vec::new();
    let mut seen = HashSet::new();
    while !level.is_empty() {
        let below: Vec<(Digest, Digest)> = level
            .iter()
            .flat_map(|parent| parent.children.iter().map(|child| (parent.digest, *child)))
            .filter(|(_, child)| seen.insert(*child) && !is_source(*child))
            .collect();
        if let Some((parent, _)) = below.last().filter(|_| seen.len() > MANIFESTS_LIMIT) {
            return Err(StoreError::Boundless(*parent).at_source());
        }
        let next = stream::iter(below)
            .map(|(parent, child)| gathered.add_child(depth, parent, child))
            .buffer_unordered(MANIFESTS)
            .try_filter_map(|child| std::future::ready(Ok(child)))
            .try_collect()
            .await?;
        found.extend(std::mem::replace(&mut level, next));
    }
    let below = found.split_off(roots_count);
    found.retain(|root| !seen.contains(&root.digest));
    let named = gathered.named.into_inner();
    let Named { blobs, reservation } = named.unwrap_or_else(PoisonError::into_inner);
    Ok(Plan {
        roots: found,
        below: in_order(below),
        blobs,
        _reservation: Some(reservation),
    })
}

/// Manifests, each in a level after those that it names: one that is named twice may be at two
/// distances from the root.
fn in_order(manifests: Vec<Planned>) -> Vec<Vec<Planned>> {
    let all: HashSet<Digest> = manifests.iter().map(|manifest| manifest.digest).collect();
    let mut parents: HashMap<Digest, Vec<Digest>> = HashMap::new();
    let mut waiting: HashMap<Digest, (usize, Planned)> = HashMap::new();
    let mut level = Vec::new();
    for manifest in manifests {
        let children = manifest.children.iter().copied();
        let children: HashSet<Digest> = children.filter(|child| all.contains(child)).collect();
        for child in &children {
            parents.entry(*child).or_default().push(manifest.digest);
        }
        match children.len() {
            0 => level.push(manifest),
            count => drop(waiting.insert(manifest.digest, (count, manifest))),
        }
    }
    let mut levels = Vec::new();
    while !level.is_empty() {
        let mut next = Vec::new();
        let written = level.iter().filter_map(|child| parents.get(&child.digest));
        for parent in written.flatten() {
            let Entry::Occupied(mut entry) = waiting.entry(*parent) else {
                continue;
            };
            entry.get_mut().0 -= 1;
            if entry.get().0 == 0 {
                next.push(entry.remove().1);
            }
        }
        levels.push(std::mem::replace(&mut level, next));
    }
    levels
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
        && CanonicalRegistry::of(from.registry())
            == CanonicalRegistry::of(remote.repository().registry())
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

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const INDEX: &str = "application/vnd.oci.image.index.v1+json";

    fn index(name: &str, children: &[&Manifest]) -> Manifest {
        let entries = children.iter().map(|child| {
            json!({
                "mediaType": child.media_type.as_str(),
                "digest": child.digest.to_string(),
                "size": child.bytes.len(),
            })
        });
        let json = json!({
            "schemaVersion": 2,
            "mediaType": INDEX,
            "manifests": entries.collect::<Vec<_>>(),
            "annotations": {"name": name},
        });
        Manifest::parse(json.to_string().into(), None).unwrap()
    }

    #[test]
    fn promise_2_what_is_named_at_two_depths_comes_before_all_that_name_it() {
        let leaf = index("leaf", &[]);
        let other = index("other", &[]);
        let nested = index("nested", &[&leaf, &leaf]);
        let deeper = index("deeper", &[&nested, &leaf]);
        // As they are found from a root that names all but the nested one, in any order.
        for manifests in [
            [&leaf, &other, &deeper, &nested],
            [&nested, &deeper, &other, &leaf],
        ] {
            let levels = in_order(manifests.into_iter().map(Planned::of).collect());
            let digests = |level: &Vec<Planned>| {
                let digests = level.iter().map(|manifest| manifest.digest);
                digests.collect::<HashSet<_>>()
            };
            let levels: Vec<_> = levels.iter().map(digests).collect();
            assert_eq!(
                levels,
                [
                    HashSet::from([leaf.digest, other.digest]),
                    HashSet::from([nested.digest]),
                    HashSet::from([deeper.digest]),
                ]
            );
        }
    }

    #[test]
    fn what_is_not_written_is_not_waited_for() {
        let there = index("there", &[]);
        let levels = in_order(vec![Planned::of(&index("above", &[&there]))]);
        assert_eq!(levels.len(), 1);
        assert!(in_order(Vec::new()).is_empty());
    }
}
