//! Space that deletions free.

use std::collections::HashSet;

use super::manifest_graph::ManifestGraph;
use super::observed_manifest::{ManifestLinks, ObservedManifest};
use super::retention_plan::FreedSpace;

/// Returns the bytes that go with some nodes: their manifests, and each blob once that no other manifest names.
pub(super) fn sum_freed_space(
    graph: &ManifestGraph<'_>,
    goes: impl Fn(usize) -> bool,
) -> FreedSpace {
    let links = |node: usize| graph.manifest(node).and_then(ObservedManifest::links);
    let digests = |links: &'_ ManifestLinks| -> Vec<_> {
        links.blobs.iter().map(|blob| blob.digest).collect()
    };
    let stays = graph.nodes().filter(|node| !goes(*node));
    let mut counted: HashSet<_> = stays.filter_map(links).flat_map(digests).collect();
    let mut freed = FreedSpace {
        bytes: 0,
        is_upper_bound: graph
            .nodes()
            .any(|node| !goes(node) && graph.is_opaque(node)),
    };
    for node in graph.nodes().filter(|node| goes(*node)) {
        let size = graph.manifest(node).map_or(0, |manifest| manifest.size);
        freed.bytes = freed.bytes.saturating_add(size);
        for blob in links(node).iter().flat_map(|links| &links.blobs) {
            // A manifest that is listed like a blob has its own size.
            if graph.find(blob.digest).is_none() && counted.insert(blob.digest) {
                freed.bytes = freed.bytes.saturating_add(blob.size);
            }
        }
    }
    freed
}
