//! What is known of a manifest in a repository.

use crate::image::{Digest, Manifest};
use crate::record::RecordTime;

/// Manifest in a repository, as it was read or listed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ObservedManifest {
    /// What it names.
    pub content: ObservedContent,
    /// Size of the manifest itself, in bytes.
    pub size: u64,
    /// Times by their source.
    pub times: ObservedTimes,
    /// Why the registry refuses to delete it, where that is known: a lock, a rule for immutable tags, too many
    /// downloads.
    pub refusal: Option<String>,
}

/// What a manifest names, as far as it could be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ObservedContent {
    /// All of it.
    Read(ManifestLinks),
    /// Unknown: it has this media type, of which nothing is known.
    UnknownType(String),
    /// Unknown, for this reason.
    Unreadable(String),
}

/// Manifests and blobs that a manifest names.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ManifestLinks {
    /// Type of the artifact (`artifactType`).
    pub artifact_type: Option<String>,
    /// Manifests that an index lists.
    pub children: Vec<Digest>,
    /// Manifest that it says something about.
    pub subject: Option<Digest>,
    /// Config and layers, and what an index lists of other media types. Where such content is a manifest of the
    /// repository, it stays like a child.
    pub blobs: Vec<ObservedBlob>,
}

/// Blob that a manifest names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ObservedBlob {
    /// Digest.
    pub digest: Digest,
    /// Size in bytes.
    pub size: u64,
}

/// Times of a manifest by their source; `None` where the source does not know one.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ObservedTimes {
    /// Push, as the registry's own API says.
    pub pushed: Option<RecordTime>,
    /// Last change of the manifest or of one of its tags, as the registry's own API says.
    pub updated: Option<RecordTime>,
    /// First run that saw it without a tag.
    pub first_seen_untagged: Option<RecordTime>,
    /// `created` of the image's config.
    pub config_created: Option<RecordTime>,
    /// `org.opencontainers.image.created` of the manifest's annotations or of the config's labels.
    pub annotation_created: Option<RecordTime>,
}

impl ObservedManifest {
    /// Returns a manifest that was read, without times.
    pub fn from_manifest(manifest: &Manifest) -> Self {
        let all_blobs = manifest.blobs().chain(manifest.foreign_layers());
        let blobs = all_blobs.map(|blob| ObservedBlob {
            digest: blob.digest,
            size: blob.size,
        });
        let children = manifest.children().map(|child| child.digest);
        Self {
            content: ObservedContent::Read(ManifestLinks {
                artifact_type: manifest.artifact_type.clone(),
                children: children.collect(),
                subject: manifest.subject.as_ref().map(|subject| subject.digest),
                blobs: blobs.collect(),
            }),
            size: manifest.bytes.len() as u64,
            times: ObservedTimes::default(),
            refusal: None,
        }
    }

    /// Returns what it names; `None` where that is unknown.
    pub fn links(&self) -> Option<&ManifestLinks> {
        match &self.content {
            ObservedContent::Read(links) => Some(links),
            ObservedContent::UnknownType(_) | ObservedContent::Unreadable(_) => None,
        }
    }
}
