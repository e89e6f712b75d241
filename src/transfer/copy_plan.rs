//! Plans a copy: finds the blobs and manifests that a destination lacks.

use std::collections::hash_map::Entry;
use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::{Mutex, PoisonError};

use futures_util::future::try_join;
use futures_util::{StreamExt, TryStreamExt, stream};

use super::blob_index::BlobOrigin;
use super::image_store::WritePass;
use super::manifest_tree::read_child;
use super::{CopyError, CopyRequest, ForeignLayers, ImageStore, Root, RootPresence, StoreError};
use crate::image::{
    CanonicalRegistry, Descriptor, Digest, MANIFESTS_LIMIT, Manifest, ManifestLink, ManifestWalk,
    Reservation, WalkDepth, WalkPolicy,
};

/// Manifests under way at the same time, to one destination.
pub(super) const MANIFEST_CONCURRENCY: usize = 64;

/// Blobs and manifests that are copied to one destination.
#[derive(Default)]
pub(super) struct CopyPlan {
    /// Those that are asked for, apart from those below another.
    pub(super) roots: Vec<PlannedManifest>,
    /// Those below them, in the order in which they are written: what one names is in a level before it.
    pub(super) children: Vec<Vec<PlannedManifest>>,
    /// The blobs of all of them.
    pub(super) blobs: HashMap<Digest, Descriptor>,
    /// The foreign layers that are not copied.
    pub(super) foreign: BTreeMap<Digest, Descriptor>,
    /// The memory that all this takes.
    _reservation: Option<Reservation>,
}

impl CopyPlan {
    /// Returns how many bytes the config and layers of a manifest have; `None` if it is not copied.
    pub(super) fn content_size(&self, manifest: Digest) -> Option<u64> {
        let mut planned = self.roots.iter().chain(self.children.iter().flatten());
        let found = planned.find(|planned| planned.digest == manifest);
        found.map(|planned| planned.content_size)
    }
}

/// A manifest that is to be written. Its bytes are read when it is: an image, or what stands beside one,
/// may name thousands.
pub(super) struct PlannedManifest {
    digest: Digest,
    /// How many bytes it has.
    size: usize,
    /// How many bytes its config and layers have.
    pub(super) content_size: u64,
    children: Vec<ManifestLink>,
    /// It, where it is in memory anyway.
    read: Option<Box<Manifest>>,
}

impl PlannedManifest {
    fn new(manifest: &Manifest) -> Self {
        Self {
            digest: manifest.digest,
            size: manifest.bytes.len(),
            content_size: manifest.content_size(),
            children: ManifestLink::from_manifest(manifest),
            read: None,
        }
    }

    pub(super) fn digest(&self) -> Digest {
        self.digest
    }

    fn links(&self) -> impl Iterator<Item = ManifestLink> {
        self.children.iter().copied()
    }

    /// Writes the manifest by its digest. Returns whether it was written, as
    /// [`ImageStore::put_manifest`] does.
    pub(super) async fn write(
        &self,
        copy: &CopyRequest<'_>,
        store: &ImageStore,
        pass: WritePass,
    ) -> Result<bool, CopyError> {
        let _turn = copy.blob_index.large_turn(self.size).await;
        match &self.read {
            Some(manifest) => store.put_manifest(manifest, pass).await,
            None => {
                let found = copy.source.get_manifest(self.digest).await;
                let found = found.map_err(StoreError::at_source)?;
                let gone = || StoreError::Vanished(self.digest).at_source();
                store.put_manifest(&found.ok_or_else(gone)?, pass).await
            }
        }
    }
}

/// What the manifests of a plan name, gathered as they are read, so that they need not be kept.
struct Gathered<'a> {
    copy: &'a CopyRequest<'a>,
    store: &'a ImageStore,
    named: Mutex<NamedBlobs>,
}

struct NamedBlobs {
    blobs: HashMap<Digest, Descriptor>,
    foreign: BTreeMap<Digest, Descriptor>,
    reservation: Reservation,
}

/// What a blob and a child take in a plan.
const BLOB_MEMORY: usize = size_of::<Descriptor>() + size_of::<Digest>();
const CHILD_MEMORY: usize = size_of::<ManifestLink>();

impl<'a> Gathered<'a> {
    fn new(copy: &'a CopyRequest<'a>, store: &'a ImageStore) -> Self {
        let reservation = copy.source.budget().reservation();
        let blobs = HashMap::new();
        Self {
            copy,
            store,
            named: Mutex::new(NamedBlobs {
                blobs,
                foreign: BTreeMap::new(),
                reservation,
            }),
        }
    }

    /// Plans to write a manifest, and notes what it names.
    fn add(&self, manifest: &Manifest) -> Result<PlannedManifest, CopyError> {
        let full = || StoreError::OverBudget(manifest.digest).at_source();
        let mut named = self.named.lock().unwrap_or_else(PoisonError::into_inner);
        let planned = PlannedManifest::new(manifest);
        let children = CHILD_MEMORY * planned.children.len();
        named.reservation.grow(children).ok_or_else(full)?;
        let foreign = manifest.foreign_layers();
        let (copied, skipped): (Vec<_>, Vec<_>) =
            foreign.partition(|_| self.copy.foreign_layers == ForeignLayers::Copy);
        for layer in skipped {
            let memory = BLOB_MEMORY + layer.urls.iter().map(String::len).sum::<usize>();
            named.reservation.grow(memory).ok_or_else(full)?;
            named.foreign.insert(layer.digest, layer.clone());
        }
        for blob in manifest.blobs().chain(copied) {
            record_source_blob(self.copy, self.store, blob);
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
    async fn add_root(&self, root: &Root) -> Result<PlannedManifest, CopyError> {
        match root {
            Root::Read(manifest) => Ok(PlannedManifest {
                read: Some(manifest.clone()),
                ..self.add(manifest)?
            }),
            Root::Named(digest) => {
                let found = self.copy.source.get_manifest(*digest).await;
                let found = found.map_err(StoreError::at_source)?;
                let gone = || StoreError::Vanished(*digest).at_source();
                self.add(&found.ok_or_else(gone)?)
            }
        }
    }

    /// Plans to write a child that the store lacks.
    async fn add_child(
        &self,
        depth: PlanDepth,
        link: ManifestLink,
    ) -> Result<Option<PlannedManifest>, CopyError> {
        // Both are asked at once: as a rule it is missing.
        let is_present = async { destination_has_child(self.store, depth, link.child).await };
        let child = async {
            let child = read_child(self.copy.source, link).await;
            child.map_err(StoreError::at_source)
        };
        let (there, child) = try_join(is_present, child).await?;
        (!there).then(|| self.add(&child)).transpose()
    }
}

/// Depth to which an image is planned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum PlanDepth {
    /// Not below what the destination has: whoever has a manifest by its digest has what it names,
    /// since manifests are written after it.
    MissingOnly,
    /// To the ground, whatever is there.
    Everything,
}

/// Walks down from the roots.
pub(super) async fn plan_copy(
    copy: &CopyRequest<'_>,
    store: &ImageStore,
    depth: PlanDepth,
) -> Result<CopyPlan, CopyError> {
    if let (PlanDepth::Everything, ImageStore::Registry(remote)) = (depth, store) {
        copy.blob_index.forget_repository(remote.repository());
        remote.mark_not_new();
    }
    // What was read from the destination itself need not be asked for there.
    let is_source =
        |digest| depth == PlanDepth::MissingOnly && copy.source.is_stored_in(store, digest);
    let gathered = Gathered::new(copy, store);
    let roots = copy.roots.iter().map(|root| async move {
        let digest = root.digest();
        let there = is_source(digest) || destination_has_root(copy, store, depth, digest).await?;
        Ok::<_, CopyError>((!there).then_some(root))
    });
    let roots = stream::iter(roots).buffered(MANIFEST_CONCURRENCY);
    let roots = roots.try_filter_map(|root| std::future::ready(Ok(root)));
    let roots = roots.map_ok(|root| gathered.add_root(root));
    let mut level: Vec<PlannedManifest> = roots
        .try_buffered(MANIFEST_CONCURRENCY)
        .try_collect()
        .await?;
    let roots_count = level.len();
    let mut found = Vec::new();
    let mut walk = ManifestWalk::new(WalkPolicy {
        limit: MANIFESTS_LIMIT,
        depth: WalkDepth::AllManifests,
    });
    while !level.is_empty() {
        for parent in &level {
            walk.add_links(parent.links())
                .map_err(|error| StoreError::from(error).at_source())?;
        }
        let links = walk.take_pending().into_iter();
        let below = links.filter(|link| !is_source(link.child));
        let next = stream::iter(below)
            .map(|link| gathered.add_child(depth, link))
            .buffer_unordered(MANIFEST_CONCURRENCY)
            .try_filter_map(|child| std::future::ready(Ok(child)))
            .try_collect()
            .await?;
        found.extend(std::mem::replace(&mut level, next));
    }
    let below = found.split_off(roots_count);
    found.retain(|root| !walk.contains(root.digest));
    let named = gathered.named.into_inner();
    let NamedBlobs {
        blobs,
        mut foreign,
        reservation,
    } = named.unwrap_or_else(PoisonError::into_inner);
    // Another manifest may name the same content as a layer of its own.
    foreign.retain(|digest, _| !blobs.contains_key(digest));
    Ok(CopyPlan {
        roots: found,
        children: order_by_dependency(below),
        blobs,
        foreign,
        _reservation: Some(reservation),
    })
}

/// Manifests, each in a level after those that it names: one that is named twice may be at two
/// distances from the root.
fn order_by_dependency(manifests: Vec<PlannedManifest>) -> Vec<Vec<PlannedManifest>> {
    let all: HashSet<Digest> = manifests.iter().map(|manifest| manifest.digest).collect();
    let mut parents: HashMap<Digest, Vec<Digest>> = HashMap::new();
    let mut waiting: HashMap<Digest, (usize, PlannedManifest)> = HashMap::new();
    let mut level = Vec::new();
    for manifest in manifests {
        let children = manifest.children.iter().map(|link| link.child);
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

async fn destination_has_root(
    copy: &CopyRequest<'_>,
    store: &ImageStore,
    depth: PlanDepth,
    digest: Digest,
) -> Result<bool, CopyError> {
    match (depth, copy.root_presence) {
        (PlanDepth::MissingOnly, RootPresence::Unknown) if !store.is_known_new() => {
            store.has_manifest(digest).await
        }
        _ => Ok(false),
    }
}

async fn destination_has_child(
    store: &ImageStore,
    depth: PlanDepth,
    digest: Digest,
) -> Result<bool, CopyError> {
    match depth {
        PlanDepth::MissingOnly if !store.is_new().await => store.has_manifest(digest).await,
        _ => Ok(false),
    }
}

/// What a manifest of the source names is in the source's repository, from which a destination on
/// the same registry can mount it.
fn record_source_blob(copy: &CopyRequest<'_>, store: &ImageStore, blob: &Descriptor) {
    if let (Some(from), ImageStore::Registry(remote)) = (copy.source.repository(), store)
        && CanonicalRegistry::from_name(from.registry())
            == CanonicalRegistry::from_name(remote.repository().registry())
    {
        copy.blob_index
            .record(from, blob.digest, BlobOrigin::BeforeRun);
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
            let levels =
                order_by_dependency(manifests.into_iter().map(PlannedManifest::new).collect());
            let digests = |level: &Vec<PlannedManifest>| {
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
        let levels = order_by_dependency(vec![PlannedManifest::new(&index("above", &[&there]))]);
        assert_eq!(levels.len(), 1);
        assert!(order_by_dependency(Vec::new()).is_empty());
    }
}
