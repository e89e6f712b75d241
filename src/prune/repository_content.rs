//! Content of a repository as it was read, with what a plan alone does not need.

use std::collections::{BTreeMap, BTreeSet};

use crate::image::{Descriptor, Digest, Manifest, ManifestBody, Tag};
use crate::layout::StoredBlob;
use crate::notices::to_printable;
use crate::record::RecordTime;
use crate::retention::{ObservedContent, ObservedManifest, RepositorySnapshot};

/// Annotation of the time at which an image was made (OCI image specification, "Pre-Defined Annotation Keys").
pub(super) const CREATED_ANNOTATION: &str = "org.opencontainers.image.created";
/// Configs that say when an image was made.
const IMAGE_CONFIGS: [&str; 2] = [
    "application/vnd.oci.image.config.v1+json",
    "application/vnd.docker.container.image.v1+json",
];

/// Content of a repository.
#[derive(Debug, Default)]
pub(super) struct RepositoryContent {
    /// What a plan is made from.
    pub(super) snapshot: RepositorySnapshot,
    /// Configs of images, by the manifest.
    pub(super) configs: BTreeMap<Digest, Descriptor>,
    /// Blobs of a layout that no manifest names.
    pub(super) unnamed_blobs: BTreeMap<Digest, StoredBlob>,
    /// Blobs of a layout that manifests named when they were read.
    pub(super) named_blobs: BTreeSet<Digest>,
    /// Names by which the registry's own API deletes and restores manifests.
    pub(super) ids: BTreeMap<Digest, String>,
    /// Why nothing can be deleted here; `None` where it can.
    pub(super) refusal: Option<String>,
    /// Tags that the registry lists and has no manifest for.
    pub(super) dangling_tags: BTreeSet<Tag>,
    /// What is odd, and stops nothing.
    pub(super) notes: Vec<String>,
}

impl RepositoryContent {
    /// Adds a manifest that was read.
    pub(super) fn add_manifest(&mut self, manifest: &Manifest) {
        let mut observed = ObservedManifest::from_manifest(manifest);
        let created = manifest.annotations.get(CREATED_ANNOTATION);
        observed.times.annotation_created = created.and_then(|text| parse_time(text));
        if let ManifestBody::Image { config, .. } = &manifest.body
            && IMAGE_CONFIGS.contains(&config.media_type.as_str())
        {
            self.configs.insert(manifest.digest, (**config).clone());
        }
        self.snapshot.manifests.insert(manifest.digest, observed);
    }

    /// Adds a manifest whose content is not known.
    pub(super) fn add_unknown(&mut self, digest: Digest, content: ObservedContent) {
        let unknown = ObservedManifest {
            content,
            size: 0,
            times: Default::default(),
            refusal: None,
        };
        self.snapshot.manifests.insert(digest, unknown);
    }

    /// Returns the digest of everything that a plan is made from.
    pub(super) fn snapshot_digest(&self) -> Digest {
        snapshot_digest(&self.snapshot)
    }
}

/// Returns the digest of a snapshot: of its tags, manifests, referrers, and what is not known.
pub(super) fn snapshot_digest(snapshot: &RepositorySnapshot) -> Digest {
    let mut text = format!("{}\n", snapshot.name);
    for (tag, target) in &snapshot.tags {
        text += &format!("tag {tag} {}\n", target.digest);
    }
    for (digest, manifest) in &snapshot.manifests {
        let refusal = manifest.refusal.as_deref().unwrap_or_default();
        text += &format!("manifest {digest} {} {refusal:?}\n", manifest.size);
        match &manifest.content {
            ObservedContent::Read(_) => {}
            other => text += &format!("{other:?}\n"),
        }
    }
    for (subject, referrers) in &snapshot.referrers {
        let referrers: Vec<String> = referrers.iter().map(Digest::to_string).collect();
        text += &format!("referrers {subject} {}\n", referrers.join(" "));
    }
    for incomplete in &snapshot.incomplete_lists {
        text += &format!("incomplete {incomplete:?}\n");
    }
    Digest::from_bytes(text.as_bytes())
}

/// Returns a time of a config or annotation; `None` of other text.
pub(super) fn parse_time(text: &str) -> Option<RecordTime> {
    RecordTime::from_timestamp(text.parse().ok()?)
}

/// Returns the digests that manifests name and that were not found.
pub(super) fn named_and_missing(snapshot: &RepositorySnapshot) -> BTreeSet<Digest> {
    let links = snapshot
        .manifests
        .values()
        .filter_map(ObservedManifest::links);
    let named = links.flat_map(|links| links.children.iter().copied().chain(links.subject));
    let missing = named.filter(|digest| !snapshot.manifests.contains_key(digest));
    missing.collect()
}

/// Returns text from outside as a part of a message.
pub(super) fn printable(text: &dyn std::fmt::Display) -> String {
    to_printable(&text.to_string(), 300)
}
