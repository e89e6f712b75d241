//! Images of two platforms as BuildKit exports them, with an unsigned SBOM of each in the index.

use std::path::Path;

use serde_json::{Value, json};

use crate::registry::digest;

const INDEX: &str = "application/vnd.oci.image.index.v1+json";
const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
const CONFIG: &str = "application/vnd.oci.image.config.v1+json";
const LAYER: &str = "application/vnd.oci.image.layer.v1.tar";
const STATEMENT: &str = "application/vnd.in-toto+json";
const SBOM: &str = "https://cyclonedx.org/bom";
/// Architectures of the platforms.
pub const ARCHITECTURES: [&str; 2] = ["amd64", "arm64"];

/// An index with two platforms.
pub struct BuiltIndex {
    root: String,
    blobs: Vec<String>,
    platforms: Vec<BuiltPlatform>,
}

/// The image of one platform.
pub struct BuiltPlatform {
    pub architecture: &'static str,
    pub manifest: String,
    pub config: String,
}

impl BuiltIndex {
    /// An image of now, built from a commit; `name` tells it from others.
    pub fn new(name: &str, revision: &str) -> Self {
        let mut built = Self {
            root: String::new(),
            blobs: Vec::new(),
            platforms: Vec::new(),
        };
        let entries = ARCHITECTURES.map(|architecture| {
            let image = built.image(name, revision, architecture);
            [built.sbom(&image), image]
        });
        let (sboms, images): (Vec<_>, Vec<_>) = entries.into_iter().map(<[Value; 2]>::into).unzip();
        let manifests = [images, sboms].concat();
        let index = json!({"schemaVersion": 2, "mediaType": INDEX, "manifests": manifests});
        built.root = index.to_string();
        built
    }

    fn blob(&mut self, kind: &str, text: String) -> Value {
        let described =
            json!({"mediaType": kind, "digest": digest(text.as_bytes()), "size": text.len()});
        self.blobs.push(text);
        described
    }

    fn image(&mut self, name: &str, revision: &str, architecture: &'static str) -> Value {
        let config = json!({
            "architecture": architecture, "os": "linux", "created": jiff::Timestamp::now().to_string(),
            "config": {"User": "1000", "Labels": {"org.opencontainers.image.revision": revision}},
            "rootfs": {"type": "layers", "diff_ids": []},
        });
        let layer = self.blob(LAYER, format!("layer of {name} for {architecture}"));
        let config = self.blob(CONFIG, config.to_string());
        let (config_digest, platform) = (text(&config["digest"]), architecture);
        let mut image = self.manifest(config, layer);
        image["platform"] = json!({"os": "linux", "architecture": platform});
        self.platforms.push(BuiltPlatform {
            architecture,
            manifest: text(&image["digest"]),
            config: config_digest,
        });
        image
    }

    fn sbom(&mut self, image: &Value) -> Value {
        let hex = text(&image["digest"]).replace("sha256:", "");
        let statement = json!({
            "_type": "https://in-toto.io/Statement/v0.1", "predicateType": SBOM,
            "subject": [{"name": "_", "digest": {"sha256": hex}}],
            "predicate": {"bomFormat": "CycloneDX", "specVersion": "1.6"},
        });
        let mut layer = self.blob(STATEMENT, statement.to_string());
        layer["annotations"] = json!({"in-toto.io/predicate-type": SBOM});
        let unknown = json!({"architecture": "unknown", "os": "unknown"});
        let config = self.blob(CONFIG, unknown.to_string());
        let mut sbom = self.manifest(config, layer);
        sbom["platform"] = unknown;
        sbom["annotations"] = json!({
            "vnd.docker.reference.type": "attestation-manifest",
            "vnd.docker.reference.digest": image["digest"],
        });
        sbom
    }

    fn manifest(&mut self, config: Value, layer: Value) -> Value {
        let manifest = json!({
            "schemaVersion": 2, "mediaType": MANIFEST, "config": config, "layers": [layer],
        });
        self.blob(MANIFEST, manifest.to_string())
    }

    pub fn digest(&self) -> String {
        digest(self.root.as_bytes())
    }

    pub fn platforms(&self) -> &[BuiltPlatform] {
        &self.platforms
    }

    /// Writes it as an OCI archive.
    pub fn write_archive(&self, path: &Path) {
        let root = json!({"mediaType": INDEX, "digest": self.digest(), "size": self.root.len()});
        let index = json!({"schemaVersion": 2, "mediaType": INDEX, "manifests": [root]});
        let layout = r#"{"imageLayoutVersion":"1.0.0"}"#.to_owned();
        let fixed = [
            ("oci-layout".to_owned(), layout),
            ("index.json".to_owned(), index.to_string()),
        ];
        let blobs = self.blobs.iter().chain([&self.root]).map(|text| {
            let name = digest(text.as_bytes()).replace(':', "/");
            (format!("blobs/{name}"), text.clone())
        });
        let mut archive = tar::Builder::new(std::fs::File::create(path).unwrap());
        for (name, text) in fixed.into_iter().chain(blobs) {
            let mut header = tar::Header::new_gnu();
            header.set_size(text.len() as u64);
            header.set_mode(0o644);
            let written = archive.append_data(&mut header, name, text.as_bytes());
            written.unwrap();
        }
        archive.finish().unwrap();
    }
}

fn text(value: &Value) -> String {
    value.as_str().unwrap().to_owned()
}
