//! Manifest to which the tag of a lifted hold points.

use serde_json::json;

use super::observed_manifest::ManifestLinks;
use super::reserved_tag::UNHOLD_TYPE;
use crate::image::{Digest, Manifest, MediaType};
use crate::record::entry_config;

/// Media type of content without meaning (OCI image specification, "Guidance for an Empty Descriptor").
const EMPTY_TYPE: &str = "application/vnd.oci.empty.v1+json";

/// Returns whether a manifest is one to which the tag of a lifted hold points: of that type, and empty. What names
/// anything else may be an image that somebody marked so.
pub fn is_lifted_hold(links: &ManifestLinks) -> bool {
    let empty = Digest::from_bytes(&entry_config());
    links.artifact_type.as_deref() == Some(UNHOLD_TYPE)
        && links.children.is_empty()
        && links.subject.is_none()
        && links.blobs.iter().all(|blob| blob.digest == empty)
}

/// Returns the empty manifest to which the tag of a lifted hold points: it holds nothing. Its only blob is
/// [`entry_config`].
///
/// # Panics
/// Never: the manifest is valid.
pub fn build_lifted_hold() -> Manifest {
    let content = entry_config();
    let empty = json!({
        "mediaType": EMPTY_TYPE,
        "digest": Digest::from_bytes(&content).to_string(),
        "size": content.len(),
    });
    let manifest = json!({
        "schemaVersion": 2,
        "mediaType": MediaType::OciManifest.as_str(),
        "artifactType": UNHOLD_TYPE,
        "config": empty,
        "layers": [empty],
    });
    Manifest::parse(manifest.to_string().into(), None)
        .unwrap_or_else(|_| unreachable!("the manifest of a lifted hold is valid"))
}
