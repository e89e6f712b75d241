//! The `.sig` image: a layer for each signature.

use std::collections::BTreeMap;

use bytes::Bytes;
use futures_util::{StreamExt, TryStreamExt, stream};
use serde_json::{Value, json};

use super::{Ending, Error};
use crate::image::{Body, Descriptor, Digest, Manifest, Tag};
use crate::transfer::{Source, Store};

/// The annotation of a layer that holds its signature.
pub(super) const SIGNATURE: &str = "dev.cosignproject.cosign/signature";
const CONFIG: &str = "application/vnd.oci.image.config.v1+json";
/// The most that a payload may have.
const PAYLOAD_LIMIT: u64 = 8 << 20;
/// Payloads that are read at the same time.
const READS: usize = 8;

/// `sha256-<hex>.sig`, where the legacy signatures of an image are.
pub fn sig_tag(subject: Digest) -> Tag {
    Ending::Sig.tag(subject)
}

/// One signature, or attestation.
#[derive(Debug, Clone)]
pub struct SigLayer {
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
pub async fn sig_layers<T>(
    store: &Store,
    image: Option<&Manifest>,
    look: impl Fn(SigLayer) -> T,
) -> Result<Vec<T>, Error> {
    let Some(Body::Image { layers, .. }) = image.map(|image| &image.body) else {
        return Ok(Vec::new());
    };
    let source = Source::store(store.clone());
    // Each is looked at as soon as it is read: a payload that waits for the ones before it would be in
    // memory with them.
    let looks = layers
        .iter()
        .map(|layer| async { Ok(look(read(&source, layer).await?)) });
    stream::iter(looks).buffered(READS).try_collect().await
}

async fn read(source: &Source, layer: &Descriptor) -> Result<SigLayer, Error> {
    Ok(SigLayer {
        digest: layer.digest,
        payload: payload(source, layer).await?,
        annotations: layer.annotations.clone(),
    })
}

async fn payload(source: &Source, layer: &Descriptor) -> Result<Result<Bytes, String>, Error> {
    if layer.size > PAYLOAD_LIMIT {
        return Ok(Err(format!("its payload has {} bytes", layer.size)));
    }
    Ok(Ok(source.small_blob(layer, PAYLOAD_LIMIT).await?))
}

/// The annotations of a layer over `payload`; none where it is over another.
pub fn annotations_over(layer: &Value, payload: &[u8]) -> Option<BTreeMap<String, String>> {
    let is_over = layer["digest"] == Digest::of(payload).to_string();
    let annotations = serde_json::from_value(layer["annotations"].clone()).ok();
    annotations.filter(|_| is_over)
}

/// The layer of a signature over `payload`, with what stands beside it.
pub fn layer(kind: &str, payload: &[u8], annotations: &BTreeMap<&'static str, &str>) -> Value {
    json!({
        "mediaType": kind,
        "digest": Digest::of(payload).to_string(),
        "size": payload.len(),
        "annotations": annotations,
    })
}

/// The config of an image with these layers, as other readers of images expect one.
pub(super) fn config(layers: &[Value]) -> Bytes {
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

pub(super) fn config_descriptor(config: &Bytes) -> Value {
    json!({
        "mediaType": CONFIG,
        "digest": Digest::of(config).to_string(),
        "size": config.len(),
    })
}
