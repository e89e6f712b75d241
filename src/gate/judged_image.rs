//! The image that gates judge, as facts.

use jiff::Timestamp;

use crate::image::{Digest, ImageLabels, Platform};

/// Image that is to be released.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JudgedImage {
    /// Digest of the root: an index, or an image manifest.
    pub root: Digest,
    /// Image manifests of the root, or the root itself. Manifests of attestations are not among them.
    pub platforms: Vec<JudgedPlatform>,
}

/// Image of one platform.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JudgedPlatform {
    /// Platform, by the index, else by the config; `None` if neither says it.
    pub platform: Option<Platform>,
    /// Digest of the image manifest.
    pub manifest: Digest,
    /// Digest of the config, which engines call the ID of the image.
    pub config: Digest,
    /// Sum of the sizes of the compressed layers, in bytes.
    pub layers_size: u64,
    /// Content of the config; `None` if it was not read.
    pub content: Option<JudgedConfig>,
    /// Whether it is released. Of an index, a release can copy some platforms only.
    pub is_released: bool,
}

/// What the config of an image says, as far as the image gate judges it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct JudgedConfig {
    /// User of the process, as written; empty if the config names none.
    pub user: String,
    /// Time at which the image was made; `None` if the config does not say it, or says 1970, as builds do that
    /// are reproducible.
    pub created: Option<Timestamp>,
    /// Labels.
    pub labels: ImageLabels,
}

impl JudgedImage {
    /// Returns the platforms that are released.
    pub fn released_platforms(&self) -> impl Iterator<Item = &JudgedPlatform> {
        self.platforms
            .iter()
            .filter(|platform| platform.is_released)
    }
}

impl JudgedPlatform {
    /// Returns the name of the platform for a reader.
    pub fn name(&self) -> String {
        match &self.platform {
            Some(platform) => platform.to_string(),
            None => format!("{} (no platform)", self.manifest.short()),
        }
    }
}
