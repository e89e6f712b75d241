//! Artifact about an image: a manifest with the image as its subject, and one blob.

use std::collections::BTreeMap;

use bytes::Bytes;
use futures_util::future::try_join;
use serde_json::{Value, json};

use crate::image::{Descriptor, Digest, Manifest, MediaType, TagOrDigest};
use crate::registry::PutManifestReceipt;
use crate::transfer::{ImageReader, ImageStore, StoreError};

/// The media type and content of a config that says nothing.
const EMPTY_CONFIG: (&str, &[u8]) = ("application/vnd.oci.empty.v1+json", b"{}");

/// Artifact about an image: one blob in a manifest with the image as its subject.
#[derive(Debug, Clone)]
pub struct Artifact {
    /// The manifest.
    pub manifest: Manifest,
    /// The blob.
    content: Bytes,
    descriptor: Value,
}

impl Artifact {
    /// Constructs an artifact about `subject` with an artifact type and the media type of its blob.
    pub fn new(
        subject: &Descriptor,
        (kind, content_type): (&str, &str),
        content: impl Into<Bytes>,
        annotations: BTreeMap<String, String>,
    ) -> Option<Self> {
        let content = content.into();
        let manifest = json!({
            "schemaVersion": 2,
            "mediaType": MediaType::OciManifest.as_str(),
            "artifactType": kind,
            "config": {
                "mediaType": EMPTY_CONFIG.0,
                "digest": Digest::from_bytes(EMPTY_CONFIG.1).to_string(),
                "size": EMPTY_CONFIG.1.len(),
            },
            "layers": [{
                "mediaType": content_type,
                "digest": Digest::from_bytes(&content).to_string(),
                "size": content.len(),
            }],
            "subject": {
                "mediaType": subject.media_type,
                "digest": subject.digest.to_string(),
                "size": subject.size,
            },
            "annotations": annotations,
        });
        let manifest = Manifest::parse(manifest.to_string().into(), None).ok()?;
        let descriptor = super::list_referrers::referrer_descriptor(&manifest);
        Some(Self {
            manifest,
            content,
            descriptor,
        })
    }

    /// Returns the content of its blob.
    pub fn content(&self) -> &[u8] {
        &self.content
    }

    /// Returns the descriptor that names it in a list of referrers.
    pub fn descriptor(&self) -> &Value {
        &self.descriptor
    }

    /// Brings its blobs, the config only where it is not brought otherwise.
    ///
    /// # Errors
    /// A store that does not take them.
    pub async fn put_blobs(&self, store: &ImageStore, has_config: bool) -> Result<(), StoreError> {
        let config = Bytes::from_static(EMPTY_CONFIG.1);
        let config = async {
            match has_config {
                true => Ok(()),
                false => store.put_common_blob(&config).await,
            }
        };
        try_join(config, store.put_blob(&self.content)).await?;
        Ok(())
    }

    /// Returns the digest of its config, the empty config that many artifacts share.
    pub fn config_digest() -> Digest {
        Digest::from_bytes(EMPTY_CONFIG.1)
    }

    /// Writes it, by its digest, once its blobs are there. In a layout it is listed by that. Returns
    /// what the store's answer says of it.
    ///
    /// # Errors
    /// A store that does not take it.
    pub async fn write(&self, store: &ImageStore) -> Result<PutManifestReceipt, StoreError> {
        match store {
            ImageStore::Registry(remote) => {
                let target = TagOrDigest::Digest(self.manifest.digest);
                Ok(remote.put_manifest(&target, &self.manifest).await?)
            }
            ImageStore::Layout(layout) => {
                layout.write_referrers(vec![self.manifest.clone()]).await?;
                Ok(PutManifestReceipt::default())
            }
        }
    }

    /// Reads its content from the store.
    ///
    /// # Errors
    /// Content that is not there, or that is another one.
    pub async fn read_back(&self, store: &ImageStore) -> Result<Bytes, StoreError> {
        let size = self.content.len() as u64;
        let source = ImageReader::from_store(store.clone());
        source
            .read_small_blob(&Descriptor::from_bytes(&self.content), size)
            .await
    }
}
