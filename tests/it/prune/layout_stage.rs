//! An image layout whose files have ages.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use serde_json::{Value, json};

use super::stage::now;
use crate::registry::digest;

pub const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
pub const INDEX: &str = "application/vnd.oci.image.index.v1+json";

pub struct LayoutStage {
    root: PathBuf,
    entries: Vec<Value>,
}

impl LayoutStage {
    /// Makes an empty layout in a directory.
    pub fn new(root: PathBuf) -> Self {
        std::fs::create_dir_all(root.join("blobs/sha256")).unwrap();
        let marker = r#"{"imageLayoutVersion":"1.0.0"}"#;
        std::fs::write(root.join("oci-layout"), marker).unwrap();
        Self {
            root,
            entries: Vec::new(),
        }
    }

    pub fn path(&self) -> &Path {
        &self.root
    }

    fn file(&self, digest: &str) -> PathBuf {
        let hex = digest.strip_prefix("sha256:").unwrap();
        self.path().join("blobs/sha256").join(hex)
    }

    /// Writes a blob as some days ago.
    pub fn blob(&self, text: &str, days: u64) -> String {
        let digest = digest(text.as_bytes());
        let path = self.file(&digest);
        std::fs::write(&path, text).unwrap();
        let now = now().to_timestamp().as_second();
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(now.try_into().unwrap());
        let file = std::fs::File::options().write(true).open(&path).unwrap();
        file.set_modified(now - Duration::from_secs(days * 86_400))
            .unwrap();
        digest
    }

    pub fn image(&self, name: &str, days: u64) -> String {
        let config = format!(r#"{{"name":"{name}"}}"#);
        let layer = format!("layer of {name}");
        let json = json!({
            "schemaVersion": 2, "mediaType": MANIFEST,
            "config": {"mediaType": "application/vnd.oci.image.config.v1+json", "digest": self.blob(&config, days), "size": config.len()},
            "layers": [{"mediaType": "application/vnd.oci.image.layer.v1.tar", "digest": self.blob(&layer, days), "size": layer.len()}],
        });
        self.blob(&json.to_string(), days)
    }

    pub fn index(&self, children: &[&str], days: u64) -> String {
        let manifests = children.iter().map(|child| {
            let size = std::fs::metadata(self.file(child)).unwrap().len();
            json!({"mediaType": MANIFEST, "digest": child, "size": size})
        });
        let manifests: Vec<Value> = manifests.collect();
        let json = json!({"schemaVersion": 2, "mediaType": INDEX, "manifests": manifests});
        self.blob(&json.to_string(), days)
    }

    pub fn entry(&mut self, digest: &str, media_type: &str, name: Option<&str>) {
        let size = std::fs::metadata(self.file(digest)).unwrap().len();
        let mut entry = json!({"mediaType": media_type, "digest": digest, "size": size});
        if let Some(name) = name {
            entry["annotations"] = json!({"org.opencontainers.image.ref.name": name});
        }
        self.entries.push(entry);
        let index = json!({"schemaVersion": 2, "manifests": self.entries});
        std::fs::write(self.path().join("index.json"), index.to_string()).unwrap();
    }

    pub fn blobs(&self) -> BTreeSet<String> {
        let files = std::fs::read_dir(self.path().join("blobs/sha256")).unwrap();
        let names = files.map(|file| file.unwrap().file_name().into_string().unwrap());
        names.map(|name| format!("sha256:{name}")).collect()
    }

    pub fn names(&self) -> Vec<String> {
        let text = std::fs::read(self.path().join("index.json")).unwrap();
        let json: Value = serde_json::from_slice(&text).unwrap();
        let entries = json["manifests"].as_array().unwrap().iter();
        let name = |entry: &Value| {
            let name = &entry["annotations"]["org.opencontainers.image.ref.name"];
            name.as_str().unwrap_or("-").to_owned()
        };
        entries.map(name).collect()
    }
}
