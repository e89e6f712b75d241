use std::collections::BTreeMap;

use bytes::Bytes;
use oci_client::manifest as types;
use thiserror::Error;

use super::budget::members;
use super::{Digest, DigestError, ImageLabels, exact_names};

/// The largest manifest that is taken, in bytes. The distribution specification asks registries to
/// take 4 MiB at least; no real manifest comes near, so more is an error or an attack.
pub const MANIFEST_LIMIT: usize = 8 << 20;

/// The most members that the objects of a manifest, and elements that its lists, may have together. An image of a hundred platforms
/// or of a thousand signatures has some ten thousand; more are made to exhaust a reader.
pub const MEMBERS_LIMIT: usize = 150_000;

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
}

/// The four media types a manifest can have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MediaType {
    /// `application/vnd.oci.image.manifest.v1+json`
    OciManifest,
    /// `application/vnd.oci.image.index.v1+json`
    OciIndex,
    /// `application/vnd.docker.distribution.manifest.v2+json`
    DockerManifest,
    /// `application/vnd.docker.distribution.manifest.list.v2+json`
    DockerList,
}

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
        Self::new("application/octet-stream", Digest::of(bytes), size)
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

/// Why bytes are no manifest.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum ManifestError {
    /// The bytes are more than [`MANIFEST_LIMIT`].
    #[error("is larger than {} MiB", MANIFEST_LIMIT >> 20)]
    TooLarge,
    /// The bytes have more members than [`MEMBERS_LIMIT`].
    #[error("has more than {MEMBERS_LIMIT} members, which no image needs")]
    TooManyMembers,
    /// With all others that the run holds it takes more memory than there is for manifests.
    #[error(
        "and the others that this run holds at once take more than {} MiB, which no real images need",
        super::budget::HOLD_LIMIT >> 20
    )]
    OverBudget,
    /// The bytes are no JSON object of the right shape.
    #[error("is not a manifest: {0}")]
    Json(String),
    /// A schema 1 manifest, which has no digest of its own.
    #[error(
        "is a manifest of schema version {0}; only 2 is supported: pull and push it with a current docker"
    )]
    Schema(u64),
    /// A media type that is none of [`MediaType`].
    #[error("has the unsupported media type {0:?}")]
    MediaType(String),
    /// What the manifest holds contradicts what it says it is.
    #[error("says it is {said}, but is {is}")]
    Mixed {
        /// The media type as the manifest or the server gives it.
        said: &'static str,
        /// What it looks like.
        is: &'static str,
    },
    /// A descriptor's digest is malformed or unsupported.
    #[error("names {digest:?}, which {reason}")]
    Digest {
        /// The text in place of a digest.
        digest: String,
        /// What is wrong with it.
        reason: DigestError,
    },
    /// A descriptor's size is negative.
    #[error("gives {0} a negative size")]
    Size(Digest),
}

/// The type of the layers that BuildKit's attestations are made of.
const IN_TOTO: &str = "application/vnd.in-toto+json";
/// The type of the config of what is no image (OCI image specification, "Guidance for an Empty
/// Descriptor"); its content is `{}`.
const EMPTY: &str = "application/vnd.oci.empty.v1+json";

impl MediaType {
    /// What to send as `Accept`, in order of preference.
    pub const ACCEPT: &str = "application/vnd.oci.image.index.v1+json, \
        application/vnd.oci.image.manifest.v1+json, \
        application/vnd.docker.distribution.manifest.list.v2+json, \
        application/vnd.docker.distribution.manifest.v2+json";

    /// The media type's name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::OciManifest => types::OCI_IMAGE_MEDIA_TYPE,
            Self::OciIndex => types::OCI_IMAGE_INDEX_MEDIA_TYPE,
            Self::DockerManifest => types::IMAGE_MANIFEST_MEDIA_TYPE,
            Self::DockerList => types::IMAGE_MANIFEST_LIST_MEDIA_TYPE,
        }
    }

    /// The media type of that name; parameters such as `; charset=utf-8` do not count.
    pub fn parse(name: &str) -> Option<Self> {
        let name = name.split(';').next().unwrap_or_default().trim();
        [
            Self::OciManifest,
            Self::OciIndex,
            Self::DockerManifest,
            Self::DockerList,
        ]
        .into_iter()
        .find(|known| known.as_str() == name)
    }

    /// Whether it is of a manifest that lists others.
    pub fn is_index(self) -> bool {
        matches!(self, Self::OciIndex | Self::DockerList)
    }
}

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
        let body = match (wire.config, wire.layers, wire.manifests) {
            (Some(config), Some(layers), None) => ManifestBody::Image {
                config: Box::new(config.parse()?),
                layers: layers
                    .into_iter()
                    .map(wire::DescriptorJson::parse)
                    .collect::<Result<_, _>>()?,
            },
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
            digest: Digest::of(&bytes),
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

    /// The blobs that this manifest itself needs: layers and config, or, in the indexes that
    /// BuildKit once made for its caches, entries that are no manifests. A foreign layer, kept
    /// outside registries by its `urls`, is not among them.
    pub fn blobs(&self) -> impl Iterator<Item = &Descriptor> {
        let (layers, config) = match &self.body {
            ManifestBody::Image { config, layers } => (layers.as_slice(), Some(&**config)),
            ManifestBody::Index(_) => (&[][..], None),
        };
        let others = self.entries().iter().filter(|entry| !entry.is_manifest());
        layers
            .iter()
            .chain(config)
            .chain(others)
            .filter(|blob| blob.urls.is_empty())
    }

    /// Whether this holds in-toto statements and nothing that could run: its layers are statements, and
    /// its config is OCI's empty one. BuildKit's older form, with the config of an image, is not told
    /// from an image.
    pub fn is_attestation(&self) -> bool {
        let ManifestBody::Image { config, layers } = &self.body else {
            return false;
        };
        let has_config = config.media_type != EMPTY || config.digest != Digest::of(b"{}");
        let mut others = layers.iter().filter(|layer| layer.media_type != IN_TOTO);
        !has_config && !layers.is_empty() && others.next().is_none()
    }

    /// Everything that this lists, where it is an index.
    pub fn entries(&self) -> &[Descriptor] {
        match &self.body {
            ManifestBody::Index(entries) => entries,
            ManifestBody::Image { .. } => &[],
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

    fn is_manifest(&self) -> bool {
        self.media_type.is_empty() || MediaType::parse(&self.media_type).is_some()
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
            said: declared.as_str(),
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
        assert_eq!(manifest.digest, Digest::of(text.as_bytes()));
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
    fn a_foreign_layer_is_no_blob_of_the_registry() {
        let text = image("").replace(
            r#""layers":[]"#,
            &format!(r#""layers":[{{"mediaType":"f","digest":"{EMPTY}","size":2,"urls":["https://example.com/x"]}}]"#),
        );
        assert_eq!(parse(&text).unwrap().blobs().count(), 1);
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
                &image(r#","mediaType":"text/html""#),
                "unsupported media type",
            ),
            (&image(&format!(r#","mediaType":"{index}""#)), "says it is"),
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
