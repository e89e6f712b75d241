//! What stands beside an image, put in place without a request.

use serde_json::json;

use crate::registry::{Registry, digest};

const BUNDLE: &str = "application/vnd.dev.sigstore.bundle.v0.3+json";
const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
const INDEX: &str = "application/vnd.oci.image.index.v1+json";

/// Puts a signature of `subject` in place. Tells its digest, and a list of it alone.
pub fn signed(
    registry: &Registry,
    repository: &str,
    subject: &str,
    text: &str,
) -> (String, String) {
    let [config, layer] = ["{}", text].map(|blob| registry.put_blob(repository, blob.to_owned()));
    let manifest = json!({
        "schemaVersion": 2, "mediaType": MANIFEST, "artifactType": BUNDLE,
        "config": {"mediaType": "application/vnd.oci.empty.v1+json", "digest": config, "size": 2},
        "layers": [{"mediaType": BUNDLE, "digest": layer, "size": text.len()}],
        "subject": {"mediaType": MANIFEST, "digest": subject, "size": 1},
        "annotations": {"dev.sigstore.bundle.predicateType": "https://sigstore.dev/cosign/sign/v1"},
    })
    .to_string();
    let digest = digest(manifest.as_bytes());
    let list = json!({"schemaVersion": 2, "mediaType": INDEX, "manifests": [
        {"mediaType": MANIFEST, "artifactType": BUNDLE, "digest": digest, "size": manifest.len()},
    ]});
    registry.put_manifest(repository, &digest, MANIFEST, manifest);
    (digest, list.to_string())
}

/// Puts an image of cosign's older form in place.
pub fn signed_by_tag(registry: &Registry, repository: &str, subject: &str) {
    let [config, layer] =
        [r#"{"of":1}"#, "payload"].map(|blob| registry.put_blob(repository, blob.to_owned()));
    let manifest = json!({
        "schemaVersion": 2, "mediaType": MANIFEST,
        "config": {"mediaType": "application/vnd.oci.image.config.v1+json", "digest": config, "size": 8},
        "layers": [{
            "mediaType": "application/vnd.dev.cosign.simplesigning.v1+json", "digest": layer, "size": 7,
            "annotations": {"dev.cosignproject.cosign/signature": "c2ln"},
        }],
    });
    let tag = format!("{}.sig", subject.replace(':', "-"));
    registry.put_manifest(repository, &tag, MANIFEST, manifest.to_string());
}
