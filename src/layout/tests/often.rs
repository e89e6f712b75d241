//! What is named often is read once: time grows with a layout's size, and not with its square.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};

use super::*;
use crate::image::ManifestBudget;
use crate::layout::{LayoutFault, read_referrers};

/// Blobs in memory, which count how often a manifest is read.
#[derive(Clone, Default)]
struct Counting {
    budget: ManifestBudget,
    blobs: Arc<Mutex<BTreeMap<Digest, Vec<u8>>>>,
    entries: Arc<Mutex<Vec<Value>>>,
    reads: Arc<AtomicUsize>,
}

impl Counting {
    fn add(&self, bytes: Vec<u8>) -> Descriptor {
        let descriptor = descriptor(&bytes);
        self.blobs.lock().unwrap().insert(descriptor.digest, bytes);
        descriptor
    }

    fn name(&self, blob: &Descriptor, media_type: &str, name: &str) {
        self.entries.lock().unwrap().push(json!({
            "mediaType": media_type, "digest": blob.digest.to_string(), "size": blob.size,
            "annotations": {"org.opencontainers.image.ref.name": name},
        }));
    }

    fn reads(&self) -> usize {
        self.reads.swap(0, Ordering::Relaxed)
    }
}

impl LayoutBlobs for Counting {
    fn find_blob(&self, digest: Digest) -> Result<Option<FileExtent>, BlobFault> {
        use std::io::Write;
        let Some(bytes) = self.blobs.lock().unwrap().get(&digest).cloned() else {
            return Ok(None);
        };
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(&bytes).unwrap();
        Ok(Some(FileExtent {
            len: bytes.len() as u64,
            file: Arc::new(file),
            offset: 0,
        }))
    }

    fn budget(&self) -> &ManifestBudget {
        &self.budget
    }

    fn index(&self) -> Result<Arc<LayoutIndex>, LayoutFault> {
        let json = json!({"schemaVersion": 2, "manifests": *self.entries.lock().unwrap()});
        LayoutIndex::parse(json.to_string().as_bytes()).map(Arc::new)
    }

    fn manifest_bytes(&self, digest: Digest) -> Result<Option<Bytes>, BlobFault> {
        self.reads.fetch_add(1, Ordering::Relaxed);
        let blobs = self.blobs.lock().unwrap();
        Ok(blobs.get(&digest).map(|bytes| bytes.clone().into()))
    }
}

const OCI_INDEX: &str = "application/vnd.oci.image.index.v1+json";
const OCI_IMAGE: &str = "application/vnd.oci.image.manifest.v1+json";

/// An index that names something so often, each time in another way.
fn naming(what: &Descriptor, media_types: &[&str], times: usize) -> Vec<u8> {
    let entries = (0..times).map(|time| {
        json!({
            "mediaType": media_types[time % media_types.len()], "digest": what.digest.to_string(),
            "size": what.size, "annotations": {"time": time.to_string()},
        })
    });
    let entries: Vec<Value> = entries.collect();
    json!({"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": entries})
        .to_string()
        .into_bytes()
}

#[test]
fn promise_1_a_check_reads_each_manifest_once_however_often_it_is_named() {
    let times = 500;
    let mut variants = 0;
    for depth in 1..=4 {
        for media_types in [
            &[OCI_INDEX][..],
            &[OCI_INDEX, ""],
            &[""],
            &["", OCI_INDEX, ""],
        ] {
            let layout = Counting::default();
            layout.add(CONFIG.to_vec());
            let mut at = layout.add(image(CONFIG, "one").bytes.to_vec());
            let mut kinds: &[&str] = &[OCI_IMAGE];
            for _ in 0..depth {
                at = layout.add(naming(&at, kinds, times));
                kinds = media_types;
            }
            layout.name(&at, OCI_INDEX, "1");
            let checked = super::super::check(&layout, at.digest).unwrap();
            assert_eq!((checked.manifests, checked.blobs), (depth + 1, 1));
            // Once for each kind that it is said to be.
            assert!(layout.reads() <= 2 * (depth + 1), "{depth} {media_types:?}");
            variants += 1;
        }
    }
    assert_eq!(variants, 16);
}

#[test]
fn promise_1_what_is_named_again_with_another_size_or_kind_is_refused() {
    let layout = Counting::default();
    layout.add(CONFIG.to_vec());
    let one = layout.add(image(CONFIG, "one").bytes.to_vec());
    let mut wrong = one.clone();
    wrong.size += 1;
    for (index, message) in [
        (
            [
                naming(&one, &[OCI_IMAGE], 1),
                naming(&wrong, &[OCI_IMAGE], 1),
            ],
            " bytes, expected ",
        ),
        (
            [
                naming(&one, &[OCI_IMAGE], 1),
                naming(
                    &layout.add(br#"{"schemaVersion":2,"manifests":[]}"#.to_vec()),
                    &[OCI_INDEX, OCI_IMAGE],
                    2,
                ),
            ],
            "has the media type",
        ),
    ] {
        let lists = index
            .iter()
            .map(|it| serde_json::from_slice::<Value>(it).unwrap());
        let entries: Vec<Value> = lists
            .flat_map(|it| it["manifests"].as_array().unwrap().clone())
            .collect();
        let root = json!({"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": entries});
        let root = layout.add(root.to_string().into_bytes());
        let error = super::super::check(&layout, root.digest)
            .unwrap_err()
            .to_string();
        assert!(error.contains(message), "{error}");
    }
}

#[test]
fn promise_1_what_many_tags_name_is_read_once() {
    let layout = Counting::default();
    layout.add(CONFIG.to_vec());
    let one = layout.add(image(CONFIG, "one").bytes.to_vec());
    let list = layout.add(naming(&one, &[OCI_IMAGE], 500));
    let endings = ["", ".sig", ".att", ".sbom"];
    for (at, ending) in endings.iter().cycle().take(400).enumerate() {
        let subject = Digest::from_bytes(at.to_string().as_bytes()).to_hex();
        layout.name(&list, OCI_INDEX, &format!("sha256-{subject}{ending}"));
    }
    let found = read_referrers(&layout).unwrap();
    assert_eq!(found.digest_tags.len(), 400);
    assert_eq!(layout.reads(), 1);
}

/// Manifests that leave it to the index what they are: it is not read again for each.
#[tokio::test]
async fn promise_1_the_index_is_read_once_for_all_manifests() {
    let directory = tempfile::tempdir().unwrap();
    let layout = LayoutDirectory::new(directory.path());
    layout
        .write_small_blob(&Bytes::from_static(CONFIG))
        .await
        .unwrap();
    let config = descriptor(CONFIG);
    let mut manifests = Vec::new();
    for note in 0..50 {
        let json = json!({
            "schemaVersion": 2, "layers": [], "annotations": {"note": note.to_string()},
            "config": {"mediaType": "c", "digest": config.digest.to_string(), "size": config.size},
        });
        let manifest = Manifest::parse(json.to_string().into(), None).unwrap();
        layout.write_manifest(&manifest).await.unwrap();
        manifests.push(manifest.digest);
    }
    let index = layout.index().unwrap();
    for digest in manifests {
        assert!(layout.get_manifest(digest).await.unwrap().is_some());
    }
    assert!(Arc::ptr_eq(&index, &layout.index().unwrap()));
    let tagged = image(CONFIG, "one");
    let tag = "1".parse().unwrap();
    let written = layout.write_tag(&tag, &tagged, TagPrecondition::Any).await;
    written.unwrap();
    assert!(!Arc::ptr_eq(&index, &layout.index().unwrap()));
}

const CONFIG: &[u8] = b"{}";
