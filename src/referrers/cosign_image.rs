//! Image under a tag of cosign, such as `sha256-<hex>.sig`: a layer for each signature.

use std::collections::BTreeMap;

use bytes::Bytes;
use futures_util::{StreamExt, TryStreamExt, stream};
use serde_json::{Value, json};

use super::{CosignTagSuffix, ReferrerError};
use crate::image::{Descriptor, Digest, Manifest, ManifestBody, Tag};
use crate::transfer::{ImageReader, ImageStore};

/// The annotation of a layer that holds its signature.
pub(super) const SIGNATURE_ANNOTATION: &str = "dev.cosignproject.cosign/signature";
const CONFIG_TYPE: &str = "application/vnd.oci.image.config.v1+json";
/// The most that a payload may have.
const PAYLOAD_LIMIT: u64 = 8 << 20;
/// Payloads that are read at the same time.
const READ_CONCURRENCY: usize = 8;

/// Returns the tag `sha256-<hex>.sig`, which has the legacy signatures of an image.
pub fn sig_tag(subject: Digest) -> Tag {
    CosignTagSuffix::Sig.tag(subject)
}

/// One signature, or attestation.
#[derive(Debug, Clone)]
pub struct CosignLayer {
    /// The digest of the payload.
    pub digest: Digest,
    /// The payload, or what is wrong with it.
    pub payload: Result<Bytes, String>,
    /// What the layer's annotations say: the signature, and what proves it.
    pub annotations: BTreeMap<String, String>,
}

/// Reads the layers of the image under the tag. `look` sees each, so that no more payloads are held
/// than are on their way.
///
/// # Errors
/// A payload that is not there or is another one.
pub async fn read_cosign_layers<T>(
    store: &ImageStore,
    image: Option<&Manifest>,
    look: impl Fn(CosignLayer) -> T,
) -> Result<Vec<T>, ReferrerError> {
    let Some(ManifestBody::Image { layers, .. }) = image.map(|image| &image.body) else {
        return Ok(Vec::new());
    };
    let source = ImageReader::from_store(store.clone());
    // Each is looked at as soon as it is read: a payload that waits for the ones before it would be in
    // memory with them.
    let looks = layers
        .iter()
        .map(|layer| async { Ok(look(read_layer(&source, layer).await?)) });
    stream::iter(looks)
        .buffered(READ_CONCURRENCY)
        .try_collect()
        .await
}

async fn read_layer(
    source: &ImageReader,
    layer: &Descriptor,
) -> Result<CosignLayer, ReferrerError> {
    Ok(CosignLayer {
        digest: layer.digest,
        payload: read_payload(source, layer).await?,
        annotations: layer.annotations.clone(),
    })
}

async fn read_payload(
    source: &ImageReader,
    layer: &Descriptor,
) -> Result<Result<Bytes, String>, ReferrerError> {
    if layer.size > PAYLOAD_LIMIT {
        return Ok(Err(format!("the payload has {} bytes", layer.size)));
    }
    Ok(Ok(source.read_small_blob(layer, PAYLOAD_LIMIT).await?))
}

/// Returns the annotations of a layer over `payload`; `None` if the layer is over another payload.
pub fn annotations_over(layer: &Value, payload: &[u8]) -> Option<BTreeMap<String, String>> {
    let is_over = layer["digest"] == Digest::from_bytes(payload).to_string();
    let annotations = serde_json::from_value(layer["annotations"].clone()).ok();
    annotations.filter(|_| is_over)
}

/// Returns the layer of a signature over `payload`, with its annotations.
pub fn cosign_layer(
    kind: &str,
    payload: &[u8],
    annotations: &BTreeMap<&'static str, &str>,
) -> Value {
    json!({
        "mediaType": kind,
        "digest": Digest::from_bytes(payload).to_string(),
        "size": payload.len(),
        "annotations": annotations,
    })
}

/// Returns the config of an image with these layers, in the form that other readers of images
/// expect.
pub(super) fn cosign_config(layers: &[Value]) -> Bytes {
    let epoch = "0001-01-01T00:00:00Z";
    let digests: Vec<&Value> = layers.iter().map(|layer| &layer["digest"]).collect();
    let config = json!({
        "architecture": "",
        "created": epoch,
        "history": vec![json!({"created": epoch}); layers.len()],
        "os": "",
        "rootfs": {"type": "layers", "diff_ids": digests},
        "config": {},
    });
    config.to_string().into()
}

pub(super) fn cosign_config_descriptor(config: &Bytes) -> Value {
    json!({
        "mediaType": CONFIG_TYPE,
        "digest": Digest::from_bytes(config).to_string(),
        "size": config.len(),
    })
}
