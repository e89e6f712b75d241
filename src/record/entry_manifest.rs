//! Manifest of a timeline entry: an artifact without a subject, whose first layer is the record and whose other
//! layers are the records that it rests on.

use bytes::Bytes;
use serde_json::{Value, json};
use thiserror::Error;

use crate::image::{Descriptor, Digest, Manifest, ManifestBody, MediaType};

/// Artifact type of a timeline entry.
pub const TIMELINE_ENTRY_TYPE: &str = "application/vnd.shipmark.timeline-entry.v0.1";

/// Media type of a record that is a bare statement (in-toto attestation framework, "Envelope").
pub const STATEMENT_MEDIA_TYPE: &str = "application/vnd.in-toto+json";

/// Most records that an entry carries besides its own.
pub const SOURCE_RECORDS_LIMIT: usize = 8;

/// Most bytes of records that a manifest has inline: some registries take manifests of at most 4 MiB.
const INLINE_LIMIT: usize = 512 << 10;

/// Media type and content of a config without content (OCI image specification, "Guidance for an Empty
/// Descriptor").
const EMPTY_CONFIG: (&str, &[u8]) = ("application/vnd.oci.empty.v1+json", b"{}");

/// Record as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordBlob {
    /// Media type: of a Sigstore bundle, or [`STATEMENT_MEDIA_TYPE`].
    pub media_type: String,
    /// Bundle or statement.
    pub content: Bytes,
}

/// Descriptors of the records in a timeline entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EntryLayers {
    /// Record of the entry.
    pub record: Descriptor,
    /// Records that it rests on, such as that of the environment before.
    pub sources: Vec<Descriptor>,
}

/// Reason why a manifest is not a timeline entry.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum EntryManifestError {
    /// It has another artifact type.
    #[error("its artifact type is {0:?}, expected {TIMELINE_ENTRY_TYPE}")]
    ArtifactType(String),
    /// It refers to an image, so that a registry may delete it with that.
    #[error("it has a subject, expected none")]
    Subject,
    /// It has no layer, or too many.
    #[error("it has {0} layers, expected 1 to 9")]
    Layers(usize),
}

impl RecordBlob {
    fn to_layer(&self, is_inline: bool) -> Value {
        let mut layer = json!({
            "mediaType": self.media_type,
            "digest": Digest::from_bytes(&self.content).to_string(),
            "size": self.content.len(),
        });
        if is_inline {
            use base64::Engine;
            let data = base64::prelude::BASE64_STANDARD.encode(&self.content);
            layer["data"] = data.into();
        }
        layer
    }
}

/// Returns the manifest of the entry of `record`, which rests on at most [`SOURCE_RECORDS_LIMIT`] `sources`.
///
/// # Panics
/// Never: the manifest is valid and small.
pub fn build_entry_manifest(record: &RecordBlob, sources: &[RecordBlob]) -> Manifest {
    let mut room = INLINE_LIMIT;
    let records = [record].into_iter().chain(sources);
    let layers = records.take(1 + SOURCE_RECORDS_LIMIT).map(|record| {
        let is_inline = record.content.len() <= room;
        if is_inline {
            room -= record.content.len();
        }
        record.to_layer(is_inline)
    });
    let manifest = json!({
        "schemaVersion": 2,
        "mediaType": MediaType::OciManifest.as_str(),
        "artifactType": TIMELINE_ENTRY_TYPE,
        "config": {
            "mediaType": EMPTY_CONFIG.0,
            "digest": Digest::from_bytes(EMPTY_CONFIG.1).to_string(),
            "size": EMPTY_CONFIG.1.len(),
        },
        "layers": layers.collect::<Vec<_>>(),
    });
    Manifest::parse(manifest.to_string().into(), None)
        .unwrap_or_else(|_| unreachable!("the manifest of an entry is valid"))
}

/// Returns the content of the config of every entry.
pub fn entry_config() -> Bytes {
    Bytes::from_static(EMPTY_CONFIG.1)
}

/// Reads the manifest of an entry.
///
/// # Errors
/// Returns the reason why it is none.
pub fn parse_entry_manifest(manifest: &Manifest) -> Result<EntryLayers, EntryManifestError> {
    let kind = manifest.artifact_type.as_deref().unwrap_or_default();
    if kind != TIMELINE_ENTRY_TYPE {
        let kind = crate::notices::to_printable(kind, 120);
        return Err(EntryManifestError::ArtifactType(kind));
    }
    if manifest.subject.is_some() {
        return Err(EntryManifestError::Subject);
    }
    let layers = match &manifest.body {
        ManifestBody::Image { layers, .. } => layers.as_slice(),
        ManifestBody::Index(_) | ManifestBody::Artifact(_) => &[],
    };
    match layers {
        [record, sources @ ..] if sources.len() <= SOURCE_RECORDS_LIMIT => Ok(EntryLayers {
            record: record.clone(),
            sources: sources.to_vec(),
        }),
        _ => Err(EntryManifestError::Layers(layers.len())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(text: &str) -> RecordBlob {
        RecordBlob {
            media_type: STATEMENT_MEDIA_TYPE.to_owned(),
            content: Bytes::copy_from_slice(text.as_bytes()),
        }
    }

    #[test]
    fn an_entry_is_read_back_with_its_records_inline() {
        let (own, source) = (record("own"), record("source"));
        let manifest = build_entry_manifest(&own, std::slice::from_ref(&source));
        let layers = parse_entry_manifest(&manifest).unwrap();
        assert_eq!(layers.record.data.as_deref(), Some(&b"own"[..]));
        assert_eq!(layers.record.digest, Digest::from_bytes(b"own"));
        assert_eq!(layers.sources[0].data.as_deref(), Some(&b"source"[..]));
        assert_eq!(layers.sources.len(), 1);
    }

    #[test]
    fn a_large_record_is_not_inline_and_too_many_are_cut() {
        let large = record(&"x".repeat(INLINE_LIMIT + 1));
        let many = vec![record("source"); SOURCE_RECORDS_LIMIT + 1];
        let layers = parse_entry_manifest(&build_entry_manifest(&large, &many)).unwrap();
        assert_eq!(layers.record.data, None);
        assert_eq!(layers.sources.len(), SOURCE_RECORDS_LIMIT);
        assert!(layers.sources[0].data.is_some());
    }

    #[test]
    fn another_manifest_is_no_entry() {
        let manifest = build_entry_manifest(&record("own"), &[]);
        let mut other = manifest.clone();
        other.artifact_type = None;
        let error = parse_entry_manifest(&other).unwrap_err();
        assert!(matches!(error, EntryManifestError::ArtifactType(_)));
        let mut about = manifest.clone();
        about.subject = Some(manifest.to_descriptor());
        assert_eq!(
            parse_entry_manifest(&about),
            Err(EntryManifestError::Subject)
        );
        let mut empty = manifest;
        if let ManifestBody::Image { layers, .. } = &mut empty.body {
            layers.clear();
        }
        assert_eq!(
            parse_entry_manifest(&empty),
            Err(EntryManifestError::Layers(0))
        );
    }
}
