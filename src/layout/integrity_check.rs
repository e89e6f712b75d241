use std::collections::{HashMap, HashSet, VecDeque};

use super::blobs::LayoutBlobs;
use super::{BlobFault, LayoutFault};
use crate::image::{Descriptor, Digest, Manifest, ManifestBody, MediaType};
use crate::notices::to_printable;

/// What a check went over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct CheckedCounts {
    /// Manifests, indexes among them.
    pub manifests: usize,
    /// Layers and configs.
    pub blobs: usize,
    /// Bytes of all of them.
    pub bytes: u64,
}

/// A manifest that is still to be looked at.
struct ManifestToCheck {
    /// Which one it is, and what names it.
    what: String,
    /// How to name it in what it names itself.
    short: String,
    digest: Digest,
    size: Option<u64>,
    media_type: Option<String>,
}

/// Looks at everything below `root`, itself included: each part must be there with the size its
/// descriptor gives, and have the digest it goes by. What is missing is found before any blob is
/// hashed. A subject and foreign layers are not followed.
pub(crate) fn check(blobs: &impl LayoutBlobs, root: Digest) -> Result<CheckedCounts, LayoutFault> {
    let index = blobs.index()?;
    go_through(
        blobs,
        ManifestToCheck {
            what: format!("manifest {root}, named by index.json,"),
            short: format!("manifest {root}"),
            digest: root,
            size: index.size_of(root),
            media_type: index.media_type_of(root).map(str::to_owned),
        },
    )
}

/// The same for a manifest that need not be named yet.
pub(super) fn check_below(
    blobs: &impl LayoutBlobs,
    root: &Manifest,
) -> Result<CheckedCounts, LayoutFault> {
    let what = format!("manifest {}", root.digest);
    go_through(
        blobs,
        ManifestToCheck {
            short: what.clone(),
            what,
            digest: root.digest,
            size: Some(root.bytes.len() as u64),
            media_type: Some(root.media_type.as_str().to_owned()),
        },
    )
}

fn go_through(
    blobs: &impl LayoutBlobs,
    root: ManifestToCheck,
) -> Result<CheckedCounts, LayoutFault> {
    let mut checked = CheckedCounts::default();
    let mut seen = HashSet::new();
    let mut counted = HashSet::new();
    let mut to_hash = HashMap::new();
    let mut pending = VecDeque::from([root]);
    while let Some(wanted) = pending.pop_front() {
        let fault = |fault| LayoutFault::Blob {
            what: wanted.what.clone(),
            fault,
        };
        if let Some(size) = wanted.size {
            blobs.require_blob(wanted.digest, size).map_err(fault)?;
        }
        // However often a manifest is named, it is read once for each kind that it is said to be.
        if !seen.insert((wanted.digest, wanted.is_index())) {
            continue;
        }
        let read = blobs.read_manifest(wanted.digest, wanted.media_type.as_deref());
        let manifest = read.and_then(|read| read.ok_or(BlobFault::Missing));
        let manifest = manifest.map_err(fault)?;
        if !counted.insert(wanted.digest) {
            continue;
        }
        checked.manifests += 1;
        checked.bytes += manifest.bytes.len() as u64;
        pending.extend(
            manifest
                .children()
                .map(|child| child_to_check(child, &wanted)),
        );
        for (what, blob) in blobs_to_check(&manifest, &wanted) {
            match blobs.require_blob(blob.digest, blob.size) {
                Ok(_) => to_hash.entry(blob.digest).or_insert((what, blob.size)),
                Err(fault) => return Err(LayoutFault::Blob { what, fault }),
            };
        }
    }
    for (digest, (what, size)) in to_hash {
        blobs.hash(digest, size).map_err(LayoutFault::blob(what))?;
        checked.blobs += 1;
        checked.bytes += size;
    }
    Ok(checked)
}

impl ManifestToCheck {
    /// Whether it is said to be an index, if it is said what it is.
    fn is_index(&self) -> Option<bool> {
        let media_type = MediaType::parse(self.media_type.as_deref()?)?;
        Some(media_type.is_index())
    }
}

fn child_to_check(child: &Descriptor, parent: &ManifestToCheck) -> ManifestToCheck {
    let digest = child.digest;
    let short = match &child.platform {
        _ if child.says_attestation() => format!("attestation manifest {digest}"),
        Some(platform) => {
            let name = format!("{}/{}", platform.os, platform.architecture);
            format!("{} manifest {digest}", to_printable(&name, 60))
        }
        None => format!("manifest {digest}"),
    };
    ManifestToCheck {
        what: format!("{short} of {}", parent.short.replace("manifest", "index")),
        short,
        digest,
        size: Some(child.size),
        media_type: Some(child.media_type.clone()).filter(|name| !name.is_empty()),
    }
}

/// The blobs of a manifest, each with what to call it.
fn blobs_to_check<'a>(
    manifest: &'a Manifest,
    wanted: &'a ManifestToCheck,
) -> impl Iterator<Item = (String, &'a Descriptor)> {
    let config = match &manifest.body {
        ManifestBody::Image { config, .. } => Some(config),
        ManifestBody::Index(_) | ManifestBody::Artifact(_) => None,
    };
    manifest.blobs().map(move |blob| {
        let role = match config {
            Some(config) if std::ptr::eq(&**config, blob) => "config",
            Some(_) => "layer",
            None => "blob",
        };
        (format!("{role} {} of {}", blob.digest, wanted.short), blob)
    })
}
