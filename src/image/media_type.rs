//! The media types of manifests.

use oci_client::manifest as types;

/// The media types a manifest can have.
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
    /// `application/vnd.oci.artifact.manifest.v1+json`, of release candidates of OCI 1.1
    OciArtifact,
    /// `application/vnd.cncf.oras.artifact.manifest.v1+json`, of ORAS before OCI 1.1
    OrasArtifact,
}

impl MediaType {
    /// What to send as `Accept`, in order of preference.
    pub const ACCEPT: &str = "application/vnd.oci.image.index.v1+json, \
        application/vnd.oci.image.manifest.v1+json, \
        application/vnd.docker.distribution.manifest.list.v2+json, \
        application/vnd.docker.distribution.manifest.v2+json, \
        application/vnd.oci.artifact.manifest.v1+json, \
        application/vnd.cncf.oras.artifact.manifest.v1+json";

    /// The media type's name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::OciManifest => types::OCI_IMAGE_MEDIA_TYPE,
            Self::OciIndex => types::OCI_IMAGE_INDEX_MEDIA_TYPE,
            Self::DockerManifest => types::IMAGE_MANIFEST_MEDIA_TYPE,
            Self::DockerList => types::IMAGE_MANIFEST_LIST_MEDIA_TYPE,
            Self::OciArtifact => "application/vnd.oci.artifact.manifest.v1+json",
            Self::OrasArtifact => "application/vnd.cncf.oras.artifact.manifest.v1+json",
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
            Self::OciArtifact,
            Self::OrasArtifact,
        ]
        .into_iter()
        .find(|known| known.as_str() == name)
    }

    /// Whether it is of an artifact manifest, which has blobs and no config.
    pub fn is_artifact(self) -> bool {
        matches!(self, Self::OciArtifact | Self::OrasArtifact)
    }

    /// Whether it is of a manifest with a config and layers.
    pub fn is_image(self) -> bool {
        matches!(self, Self::OciManifest | Self::DockerManifest)
    }

    /// Whether it is of a manifest that lists others.
    pub fn is_index(self) -> bool {
        matches!(self, Self::OciIndex | Self::DockerList)
    }
}
