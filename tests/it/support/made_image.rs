//! Small images with the labels or the age that a test wants, in a registry or as an OCI archive.

use std::path::Path;

use serde_json::{Value, json};

use crate::registry::{Registry, digest};

const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";

/// An image without layers.
pub struct MadeImage {
    config: String,
    manifest: String,
}

impl MadeImage {
    /// An image with these labels (after `org.opencontainers.image.`); `number` tells it from others.
    pub fn new(number: u32, labels: &[(&str, &str)]) -> Self {
        let labels = labels.iter().map(|(name, value)| {
            let name = format!("org.opencontainers.image.{name}");
            (name, Value::String((*value).to_owned()))
        });
        let labels: serde_json::Map<_, _> = labels.collect();
        Self::with_config(number, "config", json!({ "Labels": labels }))
    }

    /// An image with this user, built from a commit.
    pub fn run_as(number: u32, user: &str, revision: &str) -> Self {
        let labels = json!({"org.opencontainers.image.revision": revision});
        Self::with_config(number, "config", json!({"User": user, "Labels": labels}))
    }

    /// An image that was created then; `None`: it has no time.
    pub fn created_at(number: u32, created: Option<&str>) -> Self {
        Self::with_config(number, "created", json!(created))
    }

    fn with_config(number: u32, name: &str, value: Value) -> Self {
        let mut config = json!({"architecture": "amd64", "os": "linux", "number": number});
        if !value.is_null() {
            config[name] = value;
        }
        let config = config.to_string();
        let manifest = json!({
            "schemaVersion": 2,
            "mediaType": MANIFEST,
            "config": {
                "mediaType": "application/vnd.oci.image.config.v1+json",
                "digest": digest(config.as_bytes()),
                "size": config.len(),
            },
            "layers": [],
        })
        .to_string();
        Self { config, manifest }
    }

    pub fn digest(&self) -> String {
        digest(self.manifest.as_bytes())
    }

    pub fn config_digest(&self) -> String {
        digest(self.config.as_bytes())
    }

    pub fn size(&self) -> usize {
        self.manifest.len()
    }

    /// Puts it in place under tags, without a request.
    pub fn put(&self, registry: &Registry, repository: &str, tags: &[&str]) {
        registry.put_blob(repository, self.config.clone());
        for name in tags.iter().copied().chain([self.digest().as_str()]) {
            registry.put_manifest(repository, name, MANIFEST, self.manifest.clone());
        }
    }

    /// Writes it as an OCI archive.
    pub fn write_archive(&self, path: &Path) {
        let index = json!({
            "schemaVersion": 2,
            "mediaType": "application/vnd.oci.image.index.v1+json",
            "manifests": [{"mediaType": MANIFEST, "digest": self.digest(), "size": self.manifest.len()}],
        })
        .to_string();
        let blob = |bytes: &str| digest(bytes.as_bytes()).replace(':', "/");
        let mut archive = tar::Builder::new(std::fs::File::create(path).unwrap());
        for (name, text) in [
            ("oci-layout".to_owned(), r#"{"imageLayoutVersion":"1.0.0"}"#),
            ("index.json".to_owned(), index.as_str()),
            (
                format!("blobs/{}", blob(&self.config)),
                self.config.as_str(),
            ),
            (
                format!("blobs/{}", blob(&self.manifest)),
                self.manifest.as_str(),
            ),
        ] {
            let mut header = tar::Header::new_gnu();
            header.set_size(text.len() as u64);
            header.set_mode(0o644);
            archive
                .append_data(&mut header, name, text.as_bytes())
                .unwrap();
        }
        archive.finish().unwrap();
    }
}
