use std::fs;
use std::io::Read;
use std::path::PathBuf;

use serde_json::{Value, json};
use tar::{Builder, EntryType, Header};

use super::*;
use crate::archive::{ArchiveError, Unpacking};
use crate::layout::tests::fixture;

/// The digest of the fixtures' image with its layers compressed here. A changed one is a breaking
/// change: see [`crate::archive::compress`].
pub(super) const GOLDEN: &str =
    "sha256:b1c04d554a922f8a7bf412b131fec8a06c4dfcc1cd195115f5d9e9a508212828";
/// The same image in crane's archive, which has the layers as the registry had them.
pub(super) const GOLDEN_OF_CRANE: &str =
    "sha256:c07d59f4b3faffd44442d56fe80ea0f51974172dfde66e6b954b8058828d439f";
/// A layer of some MiB, in which the compressor has something to choose.
const GOLDEN_LAYER: &str =
    "sha256:ad994946adbefc583830eb3692c00f5822f2ca37475c1a2c048ea2322d95a073";

pub(super) const IMAGE_ID: &str =
    "sha256:1b67c2ecf6a46829024b90c4b3ebeedbb8255e7af5f58b847d5b32a48650d6da";

fn quiet() -> Notices {
    Notices::new(|_| {})
}

async fn read(path: PathBuf, selector: &str) -> Result<(ImageArchive, Digest), ArchiveError> {
    let selector = match selector {
        "" => ImageSelector::Only,
        text => match text.strip_prefix('@') {
            Some(digest) => ImageSelector::Digest(digest.parse().unwrap()),
            None => ImageSelector::Name(text.to_owned()),
        },
    };
    let scratch = tempfile::tempdir().unwrap();
    let opened = ImageArchive::open_docker(
        path,
        &selector,
        &Unpacking {
            directory: Some(scratch.path().to_owned()),
            limit: None,
        },
        &quiet(),
    )
    .await;
    assert_eq!(fs::read_dir(&scratch).unwrap().count(), 0, "nothing stays");
    opened
}

/// The image's digest, all of it looked at, and its config's.
pub(super) async fn image(path: PathBuf, selector: &str) -> (Digest, Digest) {
    let (archive, root) = read(path, selector).await.unwrap();
    archive.check(root).await.unwrap();
    let manifest = archive.get_manifest(root).await.unwrap().unwrap();
    let ManifestBody::Image { config, .. } = &manifest.body else {
        panic!("it is no index")
    };
    assert_eq!(manifest.media_type, MediaType::OciManifest);
    (root, config.digest)
}

pub(super) fn digest(text: &str) -> Digest {
    text.parse().unwrap()
}

#[tokio::test]
async fn the_same_image_has_one_digest_whoever_saved_it() {
    for (name, selector) in [
        ("docker20-save-single.tar", ""),
        ("docker20-save-by-id.tar", ""),
        ("docker20-save-two-tags.tar", ""),
        ("docker20-save-two-tags.tar", "1.4"),
        (
            "docker20-save-two-tags.tar",
            "registry.example/team/fixture:1.4.2",
        ),
        ("docker20-save-two-images.tar", &format!("@{IMAGE_ID}")),
        ("skopeo-docker-archive.tar", ""),
        ("skopeo-docker-archive.tar", "1.4.2"),
        ("docker29-graphdriver-save-two-tags.tar", ""),
        ("docker29-graphdriver-save-two-tags.tar", "1.4"),
        (
            "docker29-graphdriver-save-two-tags.tar",
            &format!("@{IMAGE_ID}"),
        ),
    ] {
        let image = image(fixture(name), selector).await;
        assert_eq!(
            image,
            (digest(GOLDEN), digest(IMAGE_ID)),
            "{name} {selector}"
        );
    }
}

#[tokio::test]
async fn compressed_layers_stay_as_they_are() {
    let path = fixture("crane-pull-tarball.tar");
    let (archive, root) = read(path, "").await.unwrap();
    assert_eq!(root, digest(GOLDEN_OF_CRANE));
    archive.check(root).await.unwrap();
    let manifest = archive.get_manifest(root).await.unwrap().unwrap();
    let layers: Vec<_> = manifest.blobs().map(|blob| blob.digest.to_hex()).collect();
    for layer in [
        "66c8e0e58d0d530af384ef77e2f2796a2faa66da7c42c865d1ce7ad166c27895",
        "33d4bfb1c2f3bf3b19ad48e0189eb624d558a811fb326949857b0cd0d0c62879",
        "d786deafc5f23cec942dc5175095970c2f811736b4f1af6e68afbac39cd889b6",
        "4f4fb700ef54461cfa02571ae0db9a0dc1e0cdb5577484a6d75e68dc38e8acc1",
    ] {
        assert!(layers.contains(&layer.to_owned()), "{layer}");
    }
}

/// Docker with containerd, and buildx: the image is that of the layout.
#[tokio::test]
async fn promise_1_an_archive_that_has_a_digest_keeps_it() {
    for (name, kept) in [
        (
            "docker29-containerd-save-multi.tar",
            "sha256:7674676db7b2ca40718eec7b581683075644c51c5ecf2e73da443bd00873b4bd",
        ),
        (
            "buildkit-type-docker-hybrid.tar",
            "sha256:d7e20a29fb984726614e20887ab463613b90a2ecb7b4e3ab322a6ec6abbeac7d",
        ),
        (
            "buildkit-multi.tar.gz",
            "sha256:cc1d754f7abe924052ff9825539b5567c8aa2617e3591547d0ed519a498faf6a",
        ),
    ] {
        for selector in ["", "1.4.2", "registry.example/team/fixture:1.4.2"] {
            let (archive, root) = read(fixture(name), selector).await.unwrap();
            assert_eq!(root, digest(kept), "{name}");
            archive.check(root).await.unwrap();
        }
    }
}

#[tokio::test]
async fn a_large_layer_is_compressed_to_the_same_bytes() {
    let mut state = 1_u64;
    let mut words = || {
        state = state
            .wrapping_mul(6364136223846793005)
            .wrapping_add(1442695040888963407);
        let word = state >> 33;
        format!("{:x}-{} ", word % 4096, word % 97)
    };
    let text: String = (0..500_000).map(|_| words()).collect();
    let (_directory, path) = Saved::of(text.as_bytes()).write();
    let (archive, root) = read(path, "").await.unwrap();
    let manifest = archive.get_manifest(root).await.unwrap().unwrap();
    let layer = manifest.blobs().next().unwrap();
    assert_eq!(layer.digest, digest(GOLDEN_LAYER));
    assert!(layer.size < text.len() as u64 / 2);
}

/// A docker-archive of one image, to be damaged.
struct Saved {
    list: Value,
    files: Vec<(String, EntryType, Vec<u8>)>,
}

impl Saved {
    /// With these bytes for a layer, which is no tar, as nobody looks into one.
    fn of(layer: &[u8]) -> Self {
        let config = json!({"rootfs": {"type": "layers", "diff_ids": [Digest::from_bytes(layer).to_string()]}});
        Self::with_config(layer, &config)
    }

    fn with_config(layer: &[u8], config: &Value) -> Self {
        let config = config.to_string().into_bytes();
        let name = format!("{}.json", Digest::from_bytes(&config).to_hex());
        Self {
            list: json!([{"Config": name, "RepoTags": ["web:1"], "Layers": ["a/layer.tar"]}]),
            files: vec![
                (name, EntryType::Regular, config),
                ("a/layer.tar".to_owned(), EntryType::Regular, layer.to_vec()),
            ],
        }
    }

    fn write(&self) -> (tempfile::TempDir, PathBuf) {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("image.tar");
        let mut tar = Builder::new(File::create(&path).unwrap());
        let list = (
            LIST_FILE.to_owned(),
            EntryType::Regular,
            self.list.to_string().into_bytes(),
        );
        for (name, kind, content) in self.files.iter().chain([&list]) {
            let mut header = Header::new_gnu();
            header.set_entry_type(*kind);
            header.set_mode(0o644);
            if *kind == EntryType::Symlink {
                header.set_size(0);
                let target = String::from_utf8(content.clone()).unwrap();
                tar.append_link(&mut header, name, target).unwrap();
            } else {
                header.set_size(content.len() as u64);
                tar.append_data(&mut header, name, content.as_slice())
                    .unwrap();
            }
        }
        tar.finish().unwrap();
        (directory, path)
    }

    async fn refusal(&self, selector: &str) -> String {
        let (_directory, path) = self.write();
        match read(path, selector).await {
            Ok(_) => panic!("it was taken"),
            Err(error) => error.to_string(),
        }
    }
}

fn gzipped(bytes: &[u8]) -> Vec<u8> {
    let mut gzip = Vec::new();
    let mut encoder = flate2::read::GzEncoder::new(bytes, flate2::Compression::fast());
    encoder.read_to_end(&mut gzip).unwrap();
    gzip
}

fn zstd(bytes: &[u8]) -> Vec<u8> {
    ruzstd::encoding::compress_to_vec(bytes, ruzstd::encoding::CompressionLevel::Fastest)
}

/// No media type of a layer tells xz or bzip2, so such a layer is made anew, and has the digest of the layer
/// that is not compressed.
#[tokio::test]
async fn a_layer_compressed_with_xz_or_bzip2_becomes_the_plain_layers() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data");
    let layer = fs::read(folder.join("images/buildkit-multi.tar")).unwrap();
    let (_kept, plain) = Saved::of(&layer).write();
    let expected = image(plain, "").await;
    for name in ["buildkit-multi.tar.xz", "buildkit-multi.tar.bz2"] {
        let mut saved = Saved::of(&layer);
        saved.files[1].2 = fs::read(folder.join("archives").join(name)).unwrap();
        let (_kept, path) = saved.write();
        assert_eq!(image(path, "").await, expected, "{name}");
    }
}

/// As zstd:chunked has it: a frame for each part, and a table of contents in one to be skipped.
#[tokio::test]
async fn a_layer_of_several_zstd_frames_is_read_to_its_end() {
    let parts = [
        vec![b'a'; 300_000],
        b"b".to_vec(),
        Vec::new(),
        vec![7; 9_000_000],
    ];
    let skipped = [&b"\x50\x2a\x4d\x18\x05\0\0\0"[..], b"table"].concat();
    let mut layer = skipped.clone();
    parts.iter().for_each(|part| layer.extend(zstd(part)));
    // The first bytes tell how it is compressed.
    layer.drain(..skipped.len());
    layer.extend(skipped);
    let diff_id = Digest::from_bytes(&parts.concat()).to_string();
    let saved = Saved::with_config(&layer, &json!({"rootfs": {"diff_ids": [diff_id]}}));
    let (_directory, path) = saved.write();
    let (archive, root) = read(path, "").await.unwrap();
    let manifest = archive.get_manifest(root).await.unwrap().unwrap();
    let ManifestBody::Image { layers, .. } = &manifest.body else {
        panic!("it is no index")
    };
    assert_eq!(layers[0].digest, Digest::from_bytes(&layer));
    assert!(layers[0].media_type.ends_with(".tar+zstd"));
    let cut = Saved::with_config(
        &layer[..layer.len() - 1],
        &json!({"rootfs": {"diff_ids": [diff_id]}}),
    );
    assert!(cut.refusal("").await.contains("cannot be read: "));
}

/// As pzstd has it: the size of each frame stands before it, in one to be skipped.
#[tokio::test]
async fn a_layer_that_begins_with_a_frame_to_be_skipped_is_read() {
    for magic in [0x50, 0x5f] {
        let mut layer = Vec::new();
        for part in [&b"one "[..], b"two"] {
            let frame = zstd(part);
            layer.extend([magic, 0x2a, 0x4d, 0x18, 4, 0, 0, 0]);
            layer.extend(u32::try_from(frame.len()).unwrap().to_le_bytes());
            layer.extend(frame);
        }
        let diff_id = Digest::from_bytes(b"one two").to_string();
        let saved = Saved::with_config(&layer, &json!({"rootfs": {"diff_ids": [diff_id]}}));
        let (_directory, path) = saved.write();
        let (archive, root) = read(path, "").await.unwrap();
        let manifest = archive.get_manifest(root).await.unwrap().unwrap();
        let blobs: Vec<_> = manifest.blobs().collect();
        assert_eq!(blobs[0].digest, Digest::from_bytes(&layer), "as it came");
        assert!(blobs[0].media_type.ends_with(".tar+zstd"));
    }
}

#[tokio::test]
async fn a_layer_that_is_listed_twice_is_in_the_manifest_twice() {
    let diff_id = Digest::from_bytes(b"layer").to_string();
    let config = json!({"rootfs": {"diff_ids": [diff_id, diff_id]}});
    let mut saved = Saved::with_config(b"layer", &config);
    saved.list[0]["Layers"] = json!(["a/layer.tar", "b/layer.tar"]);
    let link = (
        "b/layer.tar".to_owned(),
        EntryType::Symlink,
        b"../a/layer.tar".to_vec(),
    );
    saved.files.push(link);
    let (_directory, path) = saved.write();
    let (archive, root) = read(path, "").await.unwrap();
    archive.check(root).await.unwrap();
    let manifest = archive.get_manifest(root).await.unwrap().unwrap();
    let ManifestBody::Image { layers, .. } = &manifest.body else {
        panic!("it is no index")
    };
    assert_eq!(layers.len(), 2);
    assert_eq!(layers[0], layers[1]);
}

#[tokio::test]
async fn an_image_is_found_by_dockers_short_name() {
    let saved = Saved::of(b"layer");
    let (_directory, path) = saved.write();
    for name in ["web:1", "1", "docker.io/library/web:1", "library/web:1"] {
        read(path.clone(), name).await.unwrap();
    }
    let error = saved.refusal("web:2").await;
    assert!(
        error.contains("has no image named \"web:2\"; there are web:1"),
        "{error}"
    );
    let error = saved.refusal(&format!("@{IMAGE_ID}")).await;
    assert!(
        error.contains("has no image with the id sha256:1b67"),
        "{error}"
    );
}

#[tokio::test]
async fn one_of_several_images_must_be_named() {
    let error = read(fixture("docker20-save-two-images.tar"), "")
        .await
        .unwrap_err();
    let error = error.to_string();
    assert!(
        error.contains("contains several images; select one, such as docker-archive:FILE:NAME: "),
        "{error}"
    );
    assert!(
        error.contains("registry.example/team/fixture:1.4.2"),
        "{error}"
    );
}

#[tokio::test]
async fn an_image_that_is_not_what_it_says_is_refused_by_name() {
    let config_of =
        |layer: &[u8], id: &str| Saved::with_config(layer, &json!({"rootfs": {"diff_ids": [id]}}));
    let id = Digest::from_bytes(b"layer").to_string();
    let mut cut = gzipped(&[b"layer".repeat(1000)].concat());
    cut.truncate(cut.len() - 9);
    let trailed = [gzipped(b"layer"), b"more".to_vec()].concat();
    let mut cut_zstd = zstd(&[b"layer".repeat(1000)].concat());
    cut_zstd.truncate(cut_zstd.len() - 3);
    let trailed_zstd = [zstd(b"layer"), b"more".to_vec()].concat();
    let mut no_config = Saved::of(b"layer");
    no_config.files.remove(0);
    let mut other_config = Saved::of(b"layer");
    other_config.files[0].2 = b"{}".to_vec();
    let mut no_layer = Saved::of(b"layer");
    no_layer.files.remove(1);
    let mut more = Saved::of(b"layer");
    more.list[0]["Layers"] = json!(["a/layer.tar", "a/layer.tar"]);
    let mut folder = Saved::of(b"layer");
    folder.files[1] = ("a/layer.tar".to_owned(), EntryType::Directory, Vec::new());
    let mut outside = Saved::of(b"layer");
    outside.files[1].1 = EntryType::Symlink;
    outside.files[1].2 = b"../../../etc/passwd".to_vec();
    let mut no_list = Saved::of(b"layer");
    no_list.list = json!({"Config": "x"});
    let mut empty_list = Saved::of(b"layer");
    empty_list.list = json!([]);
    for (saved, part) in [
        (
            config_of(b"layEr", &id),
            "is damaged: its content has the digest sha256:",
        ),
        (
            config_of(&gzipped(b"layEr"), &id),
            "is damaged: its content has the digest sha256:",
        ),
        (config_of(&cut, &id), "cannot be read: "),
        (config_of(&trailed, &id), "cannot be read: "),
        (config_of(b"BZh91AY&SY", &id), "cannot be read: "),
        (
            config_of(&zstd(b"layEr"), &id),
            "is damaged: its content has the digest sha256:",
        ),
        (config_of(&cut_zstd, &id), "cannot be read: "),
        (config_of(&trailed_zstd, &id), "cannot be read: "),
        (
            config_of(&[0x28, 0xb5, 0x2f, 0xfd, 0, 14 << 3, 1, 0, 0], &id),
            "cannot be read: it was compressed with a window of 16 MiB; at most 8 MiB is supported",
        ),
        (
            config_of(b"layer", "sha512:00"),
            "its config names a layer by a digest that uses the digest algorithm sha512",
        ),
        (no_config, "its config \""),
        (
            other_config,
            "its config is damaged: its content has the digest sha256:44136fa",
        ),
        (
            no_layer,
            "its image web:1: its layer \"a/layer.tar\" is missing",
        ),
        (more, "it lists 2 layers, but its config 1"),
        (
            folder,
            "its layer \"a/layer.tar\" is a directory, not a file",
        ),
        (
            outside,
            "is a link to \"../../../etc/passwd\", outside the archive",
        ),
        (no_list, "its manifest.json is not a list of images"),
        (empty_list, "its manifest.json lists no image"),
    ] {
        let error = saved.refusal("").await;
        assert!(error.contains(part), "{part}: {error}");
    }
}

#[tokio::test]
async fn what_is_no_docker_archive_says_so() {
    for (name, part) in [
        (
            "broken/no-index-json.tar",
            "has no manifest.json, so it is not a docker-archive",
        ),
        (
            "broken/truncated.tar",
            "it has no manifest.json and no end mark",
        ),
        ("expected.json", "is not a tar archive"),
    ] {
        let error = read(fixture(name), "").await.unwrap_err().to_string();
        assert!(error.contains(part), "{name}: {error}");
    }
}
