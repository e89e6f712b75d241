//! Manifests as bytes, with what they say.

use std::collections::BTreeMap;

use bytes::Bytes;

use super::budget::members;
use super::{
    Descriptor, Digest, ImageLabels, MANIFEST_LIMIT, MEMBERS_LIMIT, ManifestError, MediaType,
    exact_names,
};

/// A manifest as it came, with what it says.
#[derive(Debug, Clone)]
pub struct Manifest {
    /// The bytes as they came; they are what travels.
    pub bytes: Bytes,
    /// The digest of those bytes.
    pub digest: Digest,
    /// What kind of manifest the bytes hold.
    pub media_type: MediaType,
    /// What it says that it holds, where it is an artifact (`artifactType`).
    pub artifact_type: Option<String>,
    /// What the manifest points at.
    pub body: ManifestBody,
    /// The manifest that this one says something about, where it is a referrer.
    pub subject: Option<Descriptor>,
    /// The manifest's own annotations.
    pub annotations: BTreeMap<String, String>,
}

/// What a manifest points at.
#[derive(Debug, Clone)]
pub enum ManifestBody {
    /// One image or artifact: a config and its layers.
    Image {
        /// The config blob.
        config: Box<Descriptor>,
        /// The layers, lowest first.
        layers: Vec<Descriptor>,
    },
    /// Manifests by platform, attestations of them, or further indexes.
    Index(Vec<Descriptor>),
    /// Blobs of an artifact manifest, in which tools before OCI 1.1 wrote referrers.
    Artifact(Vec<Descriptor>),
}

/// The type of the layers that BuildKit's attestations are made of.
const IN_TOTO: &str = "application/vnd.in-toto+json";
/// The type of the config of what is no image (OCI image specification, "Guidance for an Empty
/// Descriptor"); its content is `{}`.
const EMPTY: &str = "application/vnd.oci.empty.v1+json";

impl Manifest {
    /// Reads a manifest. `served_as` is the media type the holder gave it (a `Content-Type`, a
    /// descriptor), used where the manifest itself has none, as OCI allows.
    pub fn parse(bytes: Bytes, served_as: Option<&str>) -> Result<Self, ManifestError> {
        if bytes.len() > MANIFEST_LIMIT {
            return Err(ManifestError::TooLarge);
        }
        if members(&bytes) > MEMBERS_LIMIT {
            return Err(ManifestError::TooManyMembers);
        }
        let wire: wire::ManifestJson = serde_json::from_slice(&bytes)
            .and_then(|wire| exact_names::check(&bytes, exact_names::MANIFEST).map(|()| wire))
            .map_err(|error| ManifestError::Json(error.to_string()))?;
        if let Some(version @ (0..=1 | 3..)) = wire.schema_version {
            return Err(ManifestError::Schema(version));
        }
        let media_type = determine_media_type(&wire, served_as)?;
        let blobs = wire.blobs.filter(|blobs| !blobs.is_empty());
        if blobs.is_some() && !media_type.is_artifact() {
            let reason = "it has blobs, which only an artifact manifest has";
            return Err(ManifestError::Json(reason.to_owned()));
        }
        let body = match (wire.config, wire.layers, wire.manifests) {
            (None, None, None) if media_type.is_artifact() => ManifestBody::Artifact(
                blobs
                    .unwrap_or_default()
                    .into_iter()
                    .map(wire::DescriptorJson::parse)
                    .collect::<Result<_, _>>()?,
            ),
            (Some(config), Some(layers), None) if !media_type.is_artifact() => {
                ManifestBody::Image {
                    config: Box::new(config.parse()?),
                    layers: layers
                        .into_iter()
                        .map(wire::DescriptorJson::parse)
                        .collect::<Result<_, _>>()?,
                }
            }
            (None, None, Some(manifests)) => ManifestBody::Index(
                manifests
                    .into_iter()
                    .map(wire::DescriptorJson::parse)
                    .collect::<Result<_, _>>()?,
            ),
            _ => {
                return Err(ManifestError::Json(
                    "it has neither config and layers nor manifests, or both".to_owned(),
                ));
            }
        };
        Ok(Self {
            digest: Digest::from_bytes(&bytes),
            bytes,
            media_type,
            artifact_type: wire.artifact_type.filter(|kind| !kind.is_empty()),
            body,
            subject: wire.subject.map(wire::DescriptorJson::parse).transpose()?,
            annotations: wire.annotations.unwrap_or_default(),
        })
    }

    /// Whether a manifest's bytes say its media type themselves.
    pub fn declares_media_type(bytes: &[u8]) -> bool {
        let wire = serde_json::from_slice::<wire::MediaTypeJson>(bytes);
        wire.is_ok_and(|wire| wire.media_type.is_some())
    }

    /// What points at this.
    pub fn to_descriptor(&self) -> Descriptor {
        Descriptor::new(
            self.media_type.as_str(),
            self.digest,
            self.bytes.len() as u64,
        )
    }

    /// The manifests directly below, where this is an index.
    pub fn children(&self) -> impl Iterator<Item = &Descriptor> + Clone {
        self.entries().iter().filter(|entry| entry.is_manifest())
    }

    /// Returns the blobs that this manifest itself needs: layers and config, or, in the indexes that
    /// BuildKit once made for its caches, entries that are no manifests. Foreign layers are not among
    /// them.
    pub fn blobs(&self) -> impl Iterator<Item = &Descriptor> {
        let config = match &self.body {
            ManifestBody::Image { config, .. } => Some(&**config),
            ManifestBody::Index(_) | ManifestBody::Artifact(_) => None,
        };
        let layers = self.layers().filter(|layer| !layer.is_foreign());
        layers.chain(config)
    }

    /// Returns the layers that registries need not have.
    pub fn foreign_layers(&self) -> impl Iterator<Item = &Descriptor> {
        self.layers().filter(|layer| layer.is_foreign())
    }

    /// Returns how many bytes its config and layers have, compressed as they are.
    pub fn content_size(&self) -> u64 {
        let sizes = self.blobs().chain(self.foreign_layers());
        sizes.fold(0, |sum, blob| sum.saturating_add(blob.size))
    }

    /// Returns all blobs but the config.
    fn layers(&self) -> impl Iterator<Item = &Descriptor> {
        let layers = match &self.body {
            ManifestBody::Image { layers, .. } | ManifestBody::Artifact(layers) => {
                layers.as_slice()
            }
            ManifestBody::Index(_) => &[],
        };
        let others = self.entries().iter().filter(|entry| !entry.is_manifest());
        layers.iter().chain(others)
    }

    /// Whether this holds in-toto statements and nothing that could run: its layers are statements, and
    /// its config is OCI's empty one. BuildKit's older form, with the config of an image, is not told
    /// from an image.
    pub fn is_attestation(&self) -> bool {
        let ManifestBody::Image { config, layers } = &self.body else {
            return false;
        };
        let has_config = config.media_type != EMPTY || config.digest != Digest::from_bytes(b"{}");
        !has_config && !layers.is_empty() && self.has_statements_alone()
    }

    /// Returns whether it has layers and all of them are in-toto statements, whatever its config is: no engine
    /// runs such an image.
    pub fn has_statements_alone(&self) -> bool {
        let mut layers = self.layers().peekable();
        layers.peek().is_some() && layers.all(|layer| layer.media_type == IN_TOTO)
    }

    /// Everything that this lists, where it is an index.
    pub fn entries(&self) -> &[Descriptor] {
        match &self.body {
            ManifestBody::Index(entries) => entries,
            ManifestBody::Image { .. } | ManifestBody::Artifact(_) => &[],
        }
    }

    /// Returns how many members its objects have together: what it takes in memory once all of it is
    /// read into maps.
    pub fn members(&self) -> usize {
        members(&self.bytes)
    }

    /// Whether it says something about the manifest of that digest.
    pub fn has_subject(&self, subject: Digest) -> bool {
        self.subject.as_ref().is_some_and(|of| of.digest == subject)
    }

    /// What the manifest's annotations say of the image's origin.
    pub fn labels(&self) -> ImageLabels {
        self.annotations.clone().into()
    }
}

/// The manifest's own word, else the holder's, else what its members look like; all must agree on
/// whether it is an index, since a reader that is told otherwise would see another image.
fn determine_media_type(
    wire: &wire::ManifestJson,
    served_as: Option<&str>,
) -> Result<MediaType, ManifestError> {
    let known = |name: &str| {
        MediaType::parse(name).ok_or_else(|| ManifestError::MediaType(name.to_owned()))
    };
    let looks_like = if wire.manifests.is_some() {
        MediaType::OciIndex
    } else {
        MediaType::OciManifest
    };
    let declared = match (&wire.media_type, served_as) {
        (Some(own), _) => known(own)?,
        // A holder that does not know manifests serves them as plain bytes or JSON.
        (None, Some(name)) => MediaType::parse(name).unwrap_or(looks_like),
        (None, None) => looks_like,
    };
    if declared.is_index() != looks_like.is_index() {
        return Err(ManifestError::Mixed {
            stated: declared.as_str(),
            is: looks_like.as_str(),
        });
    }
    Ok(declared)
}

/// The JSON form, as lenient as the specification: unknown members are left alone.
mod wire;

pub(crate) use wire::AtMost;

#[cfg(test)]
mod tests {
    use super::*;

    const EMPTY: &str = "sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a";

    fn parse(json: &str) -> Result<Manifest, ManifestError> {
        Manifest::parse(Bytes::copy_from_slice(json.as_bytes()), None)
    }

    fn image(extra: &str) -> String {
        format!(
            r#"{{"schemaVersion":2{extra},"config":{{"mediaType":"c","digest":"{EMPTY}","size":2}},"layers":[]}}"#
        )
    }

    #[test]
    fn a_manifest_keeps_its_bytes() {
        let text = image("");
        let manifest = parse(&text).unwrap();
        assert_eq!(manifest.bytes, text.as_bytes());
        assert_eq!(manifest.digest, Digest::from_bytes(text.as_bytes()));
        assert_eq!(manifest.media_type, MediaType::OciManifest);
        assert_eq!(manifest.blobs().count(), 1);
    }

    #[test]
    fn the_media_type_is_the_manifests_own_else_the_holders() {
        let docker = MediaType::DockerManifest.as_str();
        let own = image(&format!(r#","mediaType":"{docker}""#));
        assert_eq!(parse(&own).unwrap().media_type, MediaType::DockerManifest);
        let served = Manifest::parse(
            image("").into(),
            Some("application/vnd.docker.distribution.manifest.v2+json; charset=utf-8"),
        );
        assert_eq!(served.unwrap().media_type, MediaType::DockerManifest);
        let octets = Manifest::parse(image("").into(), Some("application/octet-stream"));
        assert_eq!(octets.unwrap().media_type, MediaType::OciManifest);
    }

    #[test]
    fn only_a_foreign_layer_with_addresses_is_no_blob_of_the_registry() {
        let oci = "application/vnd.oci.image.layer";
        let urls = r#","urls":["https://example.com/x"]"#;
        for (media_type, urls, is_foreign) in [
            (format!("{oci}.nondistributable.v1.tar+gzip"), urls, true),
            (format!("{oci}.nondistributable.v1.tar+zstd"), urls, true),
            (
                "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip".to_owned(),
                urls,
                true,
            ),
            (format!("{oci}.nondistributable.v1.tar"), "", false),
            (
                format!("{oci}.nondistributable.v1.tar"),
                r#","urls":[]"#,
                false,
            ),
            (
                format!("{oci}.nondistributable.v1.tar"),
                r#","urls":null"#,
                false,
            ),
            (format!("{oci}.v1.tar+gzip"), urls, false),
            (
                "application/vnd.docker.image.rootfs.diff.tar.gzip".to_owned(),
                urls,
                false,
            ),
            (String::new(), urls, false),
        ] {
            let layer =
                format!(r#"{{"mediaType":"{media_type}","digest":"{EMPTY}","size":2{urls}}}"#);
            let text = image("").replace(r#""layers":[]"#, &format!(r#""layers":[{layer}]"#));
            let manifest = parse(&text).unwrap();
            let foreign = manifest.foreign_layers().count();
            assert_eq!(foreign, usize::from(is_foreign), "{media_type} {urls}");
            assert_eq!(manifest.blobs().count() + foreign, 2, "{media_type} {urls}");
        }
    }

    /// Only a layer may stay behind, in an index of layers too.
    #[test]
    fn a_foreign_config_is_a_blob_and_a_foreign_entry_of_an_index_a_layer() {
        let foreign = "application/vnd.oci.image.layer.nondistributable.v1.tar";
        let urls = r#","urls":["https://example.com/x"]"#;
        let entry = format!(r#"{{"mediaType":"{foreign}","digest":"{EMPTY}","size":2{urls}}}"#);
        let config = parse(&format!(r#"{{"config":{entry},"layers":[]}}"#)).unwrap();
        assert_eq!(config.blobs().count(), 1);
        assert_eq!(config.foreign_layers().count(), 0);
        let index = parse(&format!(r#"{{"manifests":[{entry}]}}"#)).unwrap();
        assert_eq!(index.blobs().count(), 0);
        assert_eq!(index.foreign_layers().count(), 1);
    }

    #[test]
    fn an_artifact_manifest_of_old_tools_is_read() {
        for media_type in [MediaType::OciArtifact, MediaType::OrasArtifact] {
            let name = media_type.as_str();
            let blob = format!(r#"{{"mediaType":"s","digest":"{EMPTY}","size":2}}"#);
            for (blobs, count) in [
                (format!("[{blob}]"), 1),
                ("[]".to_owned(), 0),
                ("null".to_owned(), 0),
            ] {
                let text = format!(
                    r#"{{"mediaType":"{name}","artifactType":"a","blobs":{blobs},"subject":{blob}}}"#
                );
                let manifest = parse(&text).unwrap();
                assert_eq!(manifest.media_type, media_type);
                assert_eq!(manifest.blobs().count(), count, "{blobs}");
                assert!(manifest.subject.is_some());
            }
            let mixed = image(&format!(r#","mediaType":"{name}""#));
            assert!(parse(&mixed).is_err());
        }
    }

    #[test]
    fn content_that_a_pointer_carries_must_be_what_its_digest_says() {
        for (data, expected) in [("e30=", true), ("e30", false), ("e31=", false), ("", false)] {
            let text = image("").replace(r#""size":2"#, &format!(r#""size":2,"data":"{data}""#));
            let manifest = parse(&text).unwrap();
            let config = manifest.blobs().next().unwrap();
            assert_eq!(config.data.is_some(), expected, "{data}");
        }
    }

    #[test]
    fn malformed_manifests_are_refused_with_their_reason() {
        let index = MediaType::OciIndex.as_str();
        for (json, part) in [
            ("", "is not a manifest"),
            ("[]", "is not a manifest"),
            ("{}", "neither config and layers nor manifests"),
            (r#"{"schemaVersion":1,"fsLayers":[]}"#, "schema version 1"),
            (&image(r#","manifests":[]"#), "or both"),
            (
                &image(&format!(r#","blobs":[{{"digest":"{EMPTY}","size":2}}]"#)),
                "only an artifact manifest has",
            ),
            (
                &image(r#","mediaType":"text/html""#),
                "unsupported media type",
            ),
            (
                &image(&format!(r#","mediaType":"{index}""#)),
                "has the media type",
            ),
            (&image("").replace(EMPTY, "sha512:00"), "sha512"),
            (&image("").replace(EMPTY, "../../etc"), "is not of the form"),
            (
                &image("").replace(r#""size":2"#, r#""size":-1"#),
                "negative size",
            ),
        ] {
            let error = parse(json).unwrap_err().to_string();
            assert!(error.contains(part), "{json}: {error}");
        }
        let large = vec![b' '; MANIFEST_LIMIT + 1];
        assert_eq!(
            Manifest::parse(large.into(), None).unwrap_err(),
            ManifestError::TooLarge
        );
    }
}
