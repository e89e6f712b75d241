use std::collections::BTreeMap;

use bytes::Bytes;
use serde_json::{Value, json};

use super::Error;
use crate::image::{Descriptor, Digest, Manifest, MediaType};
use crate::notice::Notices;
use crate::transfer::{Copy, Known, Meter, Source, Store, StoreError};

/// The media type and content of a config that says nothing.
const EMPTY: (&str, &[u8]) = ("application/vnd.oci.empty.v1+json", b"{}");

/// Something about an image: one blob in a manifest with the image as its subject.
#[derive(Debug, Clone)]
pub struct Artifact {
    /// The manifest.
    pub manifest: Manifest,
    /// The blob.
    content: Bytes,
    descriptor: Value,
}

impl Artifact {
    /// An artifact about `subject`, of the type that its content has.
    pub fn new(
        subject: &Descriptor,
        kind: &str,
        content: Vec<u8>,
        annotations: BTreeMap<String, String>,
    ) -> Option<Self> {
        let content = Bytes::from(content);
        let manifest = json!({
            "schemaVersion": 2,
            "mediaType": MediaType::OciManifest.as_str(),
            "artifactType": kind,
            "config": {
                "mediaType": EMPTY.0,
                "digest": Digest::of(EMPTY.1).to_string(),
                "size": EMPTY.1.len(),
            },
            "layers": [{
                "mediaType": kind,
                "digest": Digest::of(&content).to_string(),
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
        let descriptor = json!({
            "mediaType": manifest.media_type.as_str(),
            "digest": manifest.digest.to_string(),
            "size": manifest.bytes.len(),
            "artifactType": kind,
            "annotations": annotations,
        });
        Some(Self {
            manifest,
            content,
            descriptor,
        })
    }

    /// The entry of a list that names this.
    pub fn descriptor(&self) -> &Value {
        &self.descriptor
    }

    /// Writes it, by its digest. In a layout it is listed by that.
    ///
    /// # Errors
    /// A store that does not take it.
    pub async fn write(&self, store: &Store, notices: &Notices) -> Result<(), Error> {
        let blobs = [Bytes::from_static(EMPTY.1), self.content.clone()];
        put_blobs(store, &self.manifest, blobs, notices).await?;
        match store {
            Store::Registry(remote) => {
                let target = crate::image::Target::Digest(self.manifest.digest);
                let written = remote.put_manifest(&target, &self.manifest).await;
                Ok(written.map_err(StoreError::from)?)
            }
            Store::Layout(layout) => {
                let written = layout.write_referrer(&self.manifest).await;
                Ok(written.map_err(StoreError::from)?)
            }
        }
    }
}

/// Brings the blobs of a manifest that was made here.
pub(super) async fn put_blobs(
    store: &Store,
    manifest: &Manifest,
    blobs: impl IntoIterator<Item = Bytes>,
    notices: &Notices,
) -> Result<(), Error> {
    let copy = Copy {
        source: &Source::held(blobs),
        root: manifest,
        destinations: vec![store],
        known: &Known::default(),
        notices,
        meter: &Meter::new(Notices::new(|_| ())),
    };
    let outcome = copy
        .run_below()
        .await
        .into_iter()
        .collect::<Result<Vec<_>, _>>();
    outcome.map(drop).map_err(|error| error.error.into())
}
