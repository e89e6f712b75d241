//! Image layouts: manifests without a tag, and blobs that nothing names.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use serde_json::{Value, json};
use shipmark::image::Digest;
use shipmark::layout::{LayoutDeletion, LayoutDirectory};
use shipmark::prune::{apply_prune, plan_prune};
use shipmark::retention::RetentionRules;

use super::stage::*;
use crate::registry::digest;
use crate::support::*;

const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
const INDEX: &str = "application/vnd.oci.image.index.v1+json";

struct LayoutStage {
    folder: tempfile::TempDir,
    entries: Vec<Value>,
}

impl LayoutStage {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir_all(folder.path().join("blobs/sha256")).unwrap();
        let marker = r#"{"imageLayoutVersion":"1.0.0"}"#;
        std::fs::write(folder.path().join("oci-layout"), marker).unwrap();
        Self {
            folder,
            entries: Vec::new(),
        }
    }

    fn path(&self) -> &Path {
        self.folder.path()
    }

    fn file(&self, digest: &str) -> PathBuf {
        let hex = digest.strip_prefix("sha256:").unwrap();
        self.path().join("blobs/sha256").join(hex)
    }

    /// Writes a blob as some days ago.
    fn blob(&self, text: &str, days: u64) -> String {
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

    fn image(&self, name: &str, days: u64) -> String {
        let config = format!(r#"{{"name":"{name}"}}"#);
        let layer = format!("layer of {name}");
        let json = json!({
            "schemaVersion": 2, "mediaType": MANIFEST,
            "config": {"mediaType": "application/vnd.oci.image.config.v1+json", "digest": self.blob(&config, days), "size": config.len()},
            "layers": [{"mediaType": "application/vnd.oci.image.layer.v1.tar", "digest": self.blob(&layer, days), "size": layer.len()}],
        });
        self.blob(&json.to_string(), days)
    }

    fn index(&self, children: &[&str], days: u64) -> String {
        let manifests = children.iter().map(|child| {
            let size = std::fs::metadata(self.file(child)).unwrap().len();
            json!({"mediaType": MANIFEST, "digest": child, "size": size})
        });
        let manifests: Vec<Value> = manifests.collect();
        let json = json!({"schemaVersion": 2, "mediaType": INDEX, "manifests": manifests});
        self.blob(&json.to_string(), days)
    }

    fn entry(&mut self, digest: &str, media_type: &str, name: Option<&str>) {
        let size = std::fs::metadata(self.file(digest)).unwrap().len();
        let mut entry = json!({"mediaType": media_type, "digest": digest, "size": size});
        if let Some(name) = name {
            entry["annotations"] = json!({"org.opencontainers.image.ref.name": name});
        }
        self.entries.push(entry);
        let index = json!({"schemaVersion": 2, "manifests": self.entries});
        std::fs::write(self.path().join("index.json"), index.to_string()).unwrap();
    }

    fn blobs(&self) -> BTreeSet<String> {
        let files = std::fs::read_dir(self.path().join("blobs/sha256")).unwrap();
        let names = files.map(|file| file.unwrap().file_name().into_string().unwrap());
        names.map(|name| format!("sha256:{name}")).collect()
    }

    fn names(&self) -> Vec<String> {
        let text = std::fs::read(self.path().join("index.json")).unwrap();
        let json: Value = serde_json::from_slice(&text).unwrap();
        let entries = json["manifests"].as_array().unwrap().iter();
        let name = |entry: &Value| {
            let name = &entry["annotations"]["org.opencontainers.image.ref.name"];
            name.as_str().unwrap_or("-").to_owned()
        };
        entries.map(name).collect()
    }

    async fn prune(&self, rules: RetentionRules) -> shipmark::prune::PruneOutcome {
        let request = request_of_layout(self.path(), rules);
        let plan = plan_prune(&request, &context()).await.unwrap();
        assert_eq!(stops(&plan), [""; 0]);
        let outcome = apply_prune(&request, &to_file(&plan), &context())
            .await
            .unwrap();
        let deleted = outcome.repositories[0].deletions.len();
        assert_eq!(deleted, plan.deletion_count(), "the dry run is the run");
        outcome
    }
}

#[tokio::test]
async fn a_layout_loses_tags_untagged_manifests_and_blobs_that_nothing_names() {
    let mut stage = LayoutStage::new();
    let (a, b, kept) = (
        stage.image("a", 30),
        stage.image("b", 30),
        stage.image("kept", 30),
    );
    let index = stage.index(&[&a, &b], 30);
    let lost = stage.image("lost", 30);
    let lost_index = stage.index(&[&kept], 30);
    let young = stage.image("young", 0);
    let old_blob = stage.blob("nothing names this", 30);
    let young_blob = stage.blob("nothing names this yet", 0);
    stage.entry(&index, INDEX, Some("pr-1"));
    stage.entry(&kept, MANIFEST, Some("1.0.0"));
    stage.entry(&lost_index, INDEX, None);
    let outcome = stage
        .prune(rules([tagged("pr-*", Some(14)), untagged(Some(7))]))
        .await;
    assert_eq!(outcome.repositories[0].holes, []);
    assert!(outcome.repositories[0].failure.is_none());
    let left = stage.blobs();
    for (digest, is_left) in [
        (&kept, true),
        (&young, true),
        (&young_blob, true),
        (&index, false),
        (&a, false),
        (&b, false),
        (&lost, false),
        (&lost_index, false),
        (&old_blob, false),
    ] {
        assert_eq!(left.contains(digest), is_left, "{digest}");
    }
    // Config and layer of the image that stays, and of the young one.
    assert_eq!(left.len(), 3 + 3 + 1);
    assert_eq!(outcome.repositories[0].blobs, 1 + 3 * 2);
    assert_eq!(stage.names(), ["1.0.0"]);
    let layout = LayoutDirectory::open(stage.path()).await.unwrap();
    layout.check(kept.parse().unwrap()).await.unwrap();
}

#[tokio::test]
async fn an_empty_policy_leaves_a_layout_as_it_is() {
    let mut stage = LayoutStage::new();
    let image = stage.image("a", 30);
    stage.blob("nothing names this", 30);
    stage.entry(&image, MANIFEST, Some("pr-1"));
    let before = stage.blobs();
    stage.prune(rules([])).await;
    assert_eq!(stage.blobs(), before);
}

#[tokio::test]
async fn a_name_that_is_no_tag_keeps_its_manifest() {
    let mut stage = LayoutStage::new();
    let image = stage.image("a", 30);
    let other = stage.image("b", 30);
    stage.entry(&image, MANIFEST, Some("ghcr.io/acme/web:1.0"));
    stage.entry(&other, MANIFEST, None);
    stage.prune(rules([untagged(None)])).await;
    assert!(stage.blobs().contains(&image));
    assert!(!stage.blobs().contains(&other));
}

#[tokio::test]
async fn a_tag_of_a_layout_that_moved_stays() {
    let mut stage = LayoutStage::new();
    let (a, b) = (stage.image("a", 30), stage.image("b", 30));
    stage.entry(&a, MANIFEST, Some("pr-1"));
    let layout = LayoutDirectory::new(stage.path());
    let tag = "pr-1".parse().unwrap();
    let digest = |text: &str| text.parse::<Digest>().unwrap();
    let changed = LayoutDeletion::Changed("pr-1".parse().unwrap());
    assert_eq!(layout.delete_tag(&tag, digest(&b)).await.unwrap(), changed);
    assert_eq!(
        layout.delete_manifest(digest(&a), &[]).await.unwrap(),
        changed
    );
    assert!(stage.blobs().contains(&a));
    let deleted = layout.delete_tag(&tag, digest(&a)).await.unwrap();
    assert_eq!(deleted, LayoutDeletion::Deleted);
    let again = layout.delete_tag(&tag, digest(&a)).await.unwrap();
    assert_eq!(again, LayoutDeletion::Absent);
    let deleted = layout.delete_manifest(digest(&a), &[]).await.unwrap();
    assert_eq!(deleted, LayoutDeletion::Deleted);
    let again = layout.delete_manifest(digest(&a), &[]).await.unwrap();
    assert_eq!(again, LayoutDeletion::Absent);
    assert_eq!(stage.names(), [""; 0]);
}
