//! Descriptors and the platforms of index entries (OCI image specification, descriptor.md and
//! image-index.md).

use std::collections::BTreeMap;

use bytes::Bytes;

use super::{Digest, MediaType};

/// A pointer to a blob or manifest (OCI image specification, descriptor.md).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Descriptor {
    /// The media type, as written.
    pub media_type: String,
    /// The digest of what is pointed at.
    pub digest: Digest,
    /// Its size in bytes.
    pub size: u64,
    /// The platform, on entries of an index.
    pub platform: Option<Platform>,
    /// Annotations of the pointer.
    pub annotations: BTreeMap<String, String>,
    /// Addresses outside the registry that hold the content (foreign layers).
    pub urls: Vec<String>,
    /// The content itself, where the pointer carries it and it is what the digest says.
    pub data: Option<Bytes>,
}

impl Descriptor {
    /// A blob of these bytes, of no particular type.
    pub fn from_bytes(bytes: &[u8]) -> Self {
        let size = bytes.len() as u64;
        Self::new("application/octet-stream", Digest::from_bytes(bytes), size)
    }
}

/// The platform of an index entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Platform {
    /// The operating system, `linux`.
    pub os: String,
    /// The architecture, `amd64`.
    pub architecture: String,
    /// The variant of the architecture, `v7`.
    pub variant: Option<String>,
    /// The version of the operating system, `10.0.17763.4974`: Windows has images for each.
    pub os_version: Option<String>,
}

impl Descriptor {
    /// A pointer that says no more than what it points at.
    pub fn new(media_type: &str, digest: Digest, size: u64) -> Self {
        Self {
            media_type: media_type.to_owned(),
            digest,
            size,
            platform: None,
            annotations: BTreeMap::new(),
            urls: Vec::new(),
            data: None,
        }
    }

    pub(super) fn is_manifest(&self) -> bool {
        self.media_type.is_empty() || MediaType::parse(&self.media_type).is_some()
    }

    /// Whether this is a layer that registries need not have: its type says that it may not be distributed,
    /// and its addresses say where it is (OCI image specification, layer.md, "Non-Distributable Layers").
    pub fn is_foreign(&self) -> bool {
        let media_type = self.media_type.as_str();
        let may_stay = media_type.starts_with("application/vnd.oci.image.layer.nondistributable.")
            || media_type.starts_with("application/vnd.docker.image.rootfs.foreign.");
        may_stay && !self.urls.is_empty()
    }

    /// Whether this entry of an index is one itself, or could be.
    pub fn may_be_index(&self) -> bool {
        match MediaType::parse(&self.media_type) {
            Some(media_type) => media_type.is_index(),
            None => self.media_type.is_empty(),
        }
    }

    /// Whether this entry of an index says that it is for no platform (`unknown/unknown`). Then nobody
    /// takes it who looks for a platform.
    pub fn is_for_no_platform(&self) -> bool {
        self.platform.as_ref().is_some_and(Platform::is_unknown)
    }

    /// Whether this entry of an index says that it is a BuildKit attestation of another entry. The
    /// index's author says so: it tells what belongs together, and nothing that a check may go by.
    pub fn says_attestation(&self) -> bool {
        let kind = self.annotations.get("vnd.docker.reference.type");
        self.is_for_no_platform() && kind.is_some_and(|kind| kind == "attestation-manifest")
    }
}
