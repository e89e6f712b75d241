use std::fs;

use futures_util::StreamExt;
use serde_json::{Value, json};

use super::super::blobs::open_blob;
use super::*;
use crate::image::{DigestHasher, ManifestBody, Platform};

/// What independent tools found in a fixture: its `oci` list in expected.json, in order.
fn expected(name: &str) -> Vec<Value> {
    let text = fs::read(fixture("expected.json")).unwrap();
    let json: Value = serde_json::from_slice(&text).unwrap();
    let list = json[name]["oci"].as_array().cloned().unwrap_or_default();
    list.into_iter().map(comparable).collect()
}

/// The names of the fixtures in expected.json that have an OCI tree.
fn names() -> Vec<String> {
    let text = fs::read(fixture("expected.json")).unwrap();
    let json: Value = serde_json::from_slice(&text).unwrap();
    let with_tree = |(name, value): (&String, &Value)| value.get("oci").map(|_| name.clone());
    json.as_object()
        .unwrap()
        .iter()
        .filter_map(with_tree)
        .collect()
}

/// Without what our types do not keep.
fn comparable(mut node: Value) -> Value {
    let members = node.as_object_mut().unwrap();
    members.remove("ref");
    members.remove("artifactType");
    let attestation = |value: &Value| value.as_str().is_some_and(|s| s.starts_with("attestation"));
    if members.get("platform").is_some_and(attestation) {
        members.insert("platform".into(), "attestation".into());
    }
    node
}

/// The whole tree as it is read here, every blob streamed and hashed.
async fn tree(blobs: &impl LayoutBlobs) -> Vec<Value> {
    let mut nodes = Vec::new();
    let index = blobs.index().unwrap();
    for entry in index.entries() {
        let digest = entry.digest().unwrap();
        let mut descriptor = descriptor(b"");
        descriptor.digest = digest;
        descriptor.size = index.size_of(digest).unwrap();
        let mut stages = vec![(0, descriptor)];
        while let Some((depth, descriptor)) = stages.pop() {
            let manifest = super::super::blobs::get_manifest(blobs, descriptor.digest)
                .unwrap()
                .unwrap();
            assert_eq!(manifest.bytes.len() as u64, descriptor.size);
            for blob in manifest.blobs() {
                assert_eq!(hash(blobs, blob).await, blob.digest);
            }
            nodes.push(node(depth, &descriptor, &manifest));
            let below = manifest.children().collect::<Vec<_>>().into_iter().rev();
            stages.extend(below.map(|child| (depth + 1, child.clone())));
        }
    }
    nodes
}

async fn hash(blobs: &impl LayoutBlobs, blob: &Descriptor) -> Digest {
    let mut stream = open_blob(blobs, blob).unwrap();
    let mut hasher = DigestHasher::new();
    while let Some(chunk) = stream.next().await {
        hasher.update(&chunk.unwrap());
    }
    hasher.finish()
}

fn node(depth: usize, descriptor: &Descriptor, manifest: &Manifest) -> Value {
    let mut node = json!({
        "depth": depth,
        "kind": if matches!(manifest.body, ManifestBody::Index(_)) {"index"} else {"manifest"},
        "mediaType": manifest.media_type.as_str(),
        "digest": manifest.digest.to_string(),
        "size": manifest.bytes.len(),
    });
    if descriptor.says_attestation() {
        node["platform"] = "attestation".into();
    } else if let Some(Platform {
        os, architecture, ..
    }) = &descriptor.platform
    {
        node["platform"] = format!("{os}/{architecture}").into();
    }
    if let ManifestBody::Image { config, layers } = &manifest.body {
        node["config"] = config.digest.to_string().into();
        let layer = |layer: &Descriptor| json!({"mediaType": layer.media_type, "digest": layer.digest.to_string(), "size": layer.size});
        node["layers"] = layers.iter().map(layer).collect();
    }
    if let Some(subject) = &manifest.subject {
        node["subject"] = subject.digest.to_string().into();
    }
    node
}

/// A tree is as the other tools found it; where index.json gives the platform, that is left out.
pub(crate) async fn assert_expected(name: &str, blobs: &impl LayoutBlobs) {
    let mut expected = expected(name);
    assert!(!expected.is_empty(), "{name}");
    for root in expected.iter_mut().filter(|node| node["depth"] == 0) {
        root.as_object_mut().unwrap().remove("platform");
    }
    assert_eq!(tree(blobs).await, expected, "{name}");
}

#[tokio::test]
async fn every_byte_and_digest_of_the_fixtures_is_kept() {
    let (mut layouts, mut archives) = (0, 0);
    for name in names() {
        let path = fixture(&name);
        if path.is_dir() {
            layouts += 1;
            assert_expected(&name, &LayoutDirectory::open(path).await.unwrap()).await;
        } else {
            archives += 1;
            let archive =
                crate::archive::ImageArchive::open(path, &crate::archive::Unpacking::default())
                    .await
                    .unwrap();
            assert_expected(&name, &archive).await;
        }
    }
    assert_eq!((layouts, archives), (6, 12));
}

#[tokio::test]
async fn every_root_of_the_fixtures_passes_the_check() {
    for name in names() {
        let path = fixture(&name);
        let root = expected(&name)[0]["digest"]
            .as_str()
            .unwrap()
            .parse()
            .unwrap();
        let checked = if path.is_dir() {
            LayoutDirectory::open(path).await.unwrap().check(root).await
        } else {
            let archive =
                crate::archive::ImageArchive::open(path, &crate::archive::Unpacking::default())
                    .await
                    .unwrap();
            archive.check(root).await
        };
        assert!(checked.unwrap().manifests > 0, "{name}");
    }
    for name in ["cosign-alpine-cves.att", "cosign-wolfi-base-sig"] {
        let layout = LayoutDirectory::open(fixture(name)).await.unwrap();
        let root = layout
            .select_image(&crate::image::ImageSelector::Only)
            .await
            .unwrap();
        assert_eq!(layout.check(root).await.unwrap().blobs, 2, "{name}");
    }
}

#[tokio::test]
async fn a_check_counts_each_part_once() {
    let layout = LayoutDirectory::open(fixture("regctl-nested-index"))
        .await
        .unwrap();
    let top = layout
        .resolve_tag(&"top".parse().unwrap())
        .await
        .unwrap()
        .unwrap();
    let checked = layout.check(top).await.unwrap();
    assert_eq!((checked.manifests, checked.blobs), (7, 10));
}

#[tokio::test]
async fn what_is_missing_or_wrong_is_named_with_what_names_it() {
    let arm64 = "b4593c79a0abb80d3e796a5643c03f47fbb8d7eafbfb0410ce9b83f606e0d001";
    let layer = "43670e7a56b3868915838504a4b22e08377988528d8593cf7b09ab571a3a5612";
    let config = "1980d21fe19f4a0052209fbb7ac299c3960cce41f91e7b10bd49cb6f860ef34f";
    let root = "cc1d754f7abe924052ff9825539b5567c8aa2617e3591547d0ed519a498faf6a";
    let tag = "1.4.2".parse().unwrap();
    type Spoil = fn(&Path);
    let cases: [(&str, Spoil, String); 6] = [
        (
            layer,
            |path| fs::remove_file(path).unwrap(),
            format!("layer sha256:{layer} of linux/arm64 manifest sha256:{arm64} is missing"),
        ),
        (
            config,
            |path| fs::write(path, "x").unwrap(),
            format!(
                "config sha256:{config} of linux/arm64 manifest sha256:{arm64} has 1 bytes, expected 2562"
            ),
        ),
        (
            layer,
            |path| fs::write(path, [0; 2348]).unwrap(),
            format!(
                "layer sha256:{layer} of linux/arm64 manifest sha256:{arm64} is damaged: its content has the digest sha256:"
            ),
        ),
        (
            arm64,
            |path| fs::remove_file(path).unwrap(),
            format!("linux/arm64 manifest sha256:{arm64} of index sha256:{root} is missing"),
        ),
        (
            arm64,
            |path| fs::write(path, [b' '; 1382]).unwrap(),
            format!(
                "linux/arm64 manifest sha256:{arm64} of index sha256:{root} is damaged: its content has"
            ),
        ),
        (
            layer,
            |path| {
                fs::remove_file(path).unwrap();
                fs::create_dir(path).unwrap()
            },
            format!(
                "layer sha256:{layer} of linux/arm64 manifest sha256:{arm64} is a directory, not a file"
            ),
        ),
    ];
    for (blob, spoil, message) in cases {
        let directory = copy("skopeo-oci-dir");
        spoil(&directory.path().join(BLOB_DIRECTORY).join(blob));
        let layout = LayoutDirectory::open(directory.path()).await.unwrap();
        let root = layout.resolve_tag(&tag).await.unwrap().unwrap();
        let error = layout.check(root).await.unwrap_err().to_string();
        assert!(error.contains(&message), "{error}\n{message}");
    }
}
