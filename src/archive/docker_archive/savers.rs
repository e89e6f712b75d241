//! docker-archives as their savers' sources write them, made here of the fixtures' layers where there
//! is none by the saver itself. Each names the source that it follows.

use std::collections::BTreeMap;
use std::io::Read;

use serde_json::{Value, json};
use tar::{Builder, EntryType, Header};

use super::tests::{GOLDEN, GOLDEN_OF_CRANE, IMAGE_ID, digest, image};
use super::*;
use crate::layout::tests::fixture;

/// The fixtures' image with the layers as BuildKit compressed them with zstd. A changed one is a
/// breaking change: see [`crate::archive::compress`].
const GOLDEN_OF_ZSTD: &str =
    "sha256:5d6910e7ff1ad3fe7eef722e71042afeea5cc6a81cbd05720fdea561a3e53b65";

/// The files of a tar.
fn files(name: &str) -> BTreeMap<String, Vec<u8>> {
    let mut tar = tar::Archive::new(File::open(fixture(name)).unwrap());
    let entries = tar.entries().unwrap().map(|entry| {
        let mut entry = entry.unwrap();
        let name = entry.path().unwrap().to_string_lossy().into_owned();
        let mut bytes = Vec::new();
        entry.read_to_end(&mut bytes).unwrap();
        (name, bytes)
    });
    entries.collect()
}

/// The config and the layers of the fixtures' image, lowest first.
struct ImageParts {
    config: Vec<u8>,
    layers: Vec<Vec<u8>>,
}

impl ImageParts {
    /// With plain tars.
    fn plain() -> Self {
        Self::from_listed_files(&files("skopeo-docker-archive.tar"))
    }

    /// With layers of gzip.
    fn gzip() -> Self {
        Self::from_listed_files(&files("crane-pull-tarball.tar"))
    }

    /// With layers of zstd.
    fn zstd() -> Self {
        let files = files("buildkit-multi-zstd.tar");
        let json = |name: &str| serde_json::from_slice::<Value>(&files[name]).unwrap();
        let blob = |entry: &Value| {
            let digest = entry["digest"].as_str().unwrap();
            format!("blobs/sha256/{}", &digest[7..])
        };
        let root = json(&blob(&json("index.json")["manifests"][0]));
        let manifest = json(&blob(&root["manifests"][0]));
        let layers = manifest["layers"].as_array().unwrap().iter();
        Self {
            config: files[&blob(&manifest["config"])].clone(),
            layers: layers.map(|layer| files[&blob(layer)].clone()).collect(),
        }
    }

    fn from_listed_files(files: &BTreeMap<String, Vec<u8>>) -> Self {
        let list: Value = serde_json::from_slice(&files[LIST_FILE]).unwrap();
        let file = |name: &Value| files[name.as_str().unwrap()].clone();
        let layers = list[0]["Layers"].as_array().unwrap();
        Self {
            config: file(&list[0]["Config"]),
            layers: layers.iter().map(file).collect(),
        }
    }
}

fn hex(bytes: &[u8]) -> String {
    Digest::from_bytes(bytes).to_hex()
}

/// What a saver puts into its tar.
enum SavedEntry<'a> {
    File(&'a [u8]),
    Link(String),
    Folder,
}

struct TarBuilder {
    folder: tempfile::TempDir,
    tar: Builder<File>,
}

impl TarBuilder {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let file = File::create(folder.path().join("image.tar")).unwrap();
        Self {
            tar: Builder::new(file),
            folder,
        }
    }

    fn add(&mut self, name: impl AsRef<str>, entry: &SavedEntry) {
        let name = name.as_ref();
        let mut header = Header::new_ustar();
        header.set_mode(0o644);
        header.set_size(0);
        match entry {
            SavedEntry::File(bytes) => {
                header.set_size(bytes.len() as u64);
                self.tar.append_data(&mut header, name, *bytes).unwrap();
            }
            SavedEntry::Link(target) => {
                header.set_entry_type(EntryType::Symlink);
                self.tar.append_link(&mut header, name, target).unwrap();
            }
            SavedEntry::Folder => {
                header.set_entry_type(EntryType::Directory);
                self.tar.append_data(&mut header, name, &[][..]).unwrap();
            }
        }
    }

    fn list(&mut self, list: &Value) {
        self.add(LIST_FILE, &SavedEntry::File(list.to_string().as_bytes()));
    }

    /// The image that is meant, and its config.
    async fn image(mut self, selector: &str) -> (Digest, Digest) {
        self.tar.finish().unwrap();
        image(self.folder.path().join("image.tar"), selector).await
    }
}

/// kaniko (pkg/executor/push.go), rules_docker's container_image (join_layers.go), ko and jib's peers in
/// Go: go-containerregistry, pkg/v1/tarball/write.go. Layers are as they are in the registry and called
/// `.tar.gz`, whatever they are compressed with.
fn by_go_containerregistry(parts: &ImageParts) -> TarBuilder {
    let mut tar = TarBuilder::new();
    let config = format!("sha256:{}", hex(&parts.config));
    tar.add(&config, &SavedEntry::File(&parts.config));
    let names: Vec<_> = parts.layers.iter().map(|it| hex(it) + ".tar.gz").collect();
    for (name, layer) in names.iter().zip(&parts.layers) {
        tar.add(name, &SavedEntry::File(layer));
    }
    let tags = ["registry.example/team/fixture:1.4.2", "fixture:latest"];
    tar.list(&json!([{"Config": config, "RepoTags": tags, "Layers": names}]));
    tar
}

/// podman, buildah and skopeo: containers/image, docker/internal/tarfile/writer.go. Several images share
/// layers and are listed at the end, with the older form's folders and links before.
fn by_containers_image(images: &[(&ImageParts, &str)]) -> TarBuilder {
    let mut tar = TarBuilder::new();
    let mut list = Vec::new();
    let mut repositories = json!({});
    let mut seen = Vec::new();
    for (parts, name) in images {
        let paths: Vec<_> = parts.layers.iter().map(|it| hex(it) + ".tar").collect();
        for (path, layer) in paths.iter().zip(&parts.layers) {
            if !seen.contains(path) {
                tar.add(path, &SavedEntry::File(layer));
                seen.push(path.clone());
            }
        }
        let config = hex(&parts.config) + ".json";
        tar.add(&config, &SavedEntry::File(&parts.config));
        let mut last = String::new();
        for path in &paths {
            last = hex(format!("{last} {path}").as_bytes());
            if !seen.contains(&last) {
                tar.add(
                    format!("{last}/layer.tar"),
                    &SavedEntry::Link(format!("../{path}")),
                );
                tar.add(format!("{last}/VERSION"), &SavedEntry::File(b"1.0"));
                tar.add(format!("{last}/json"), &SavedEntry::File(b"{}"));
                seen.push(last.clone());
            }
        }
        let (repository, tag) = name.rsplit_once(':').unwrap();
        repositories[repository][tag] = json!(last);
        list.push(json!({
            "Config": config, "RepoTags": [name], "Layers": paths, "Parent": "",
        }));
    }
    tar.list(&json!(list));
    let repositories = repositories.to_string();
    tar.add("repositories", &SavedEntry::File(repositories.as_bytes()));
    tar
}

/// Bazel's rules_oci, oci_load: oci/private/tarball.sh.tpl. Blobs lie as in a layout, without one, and
/// every layer is called `.tar.gz`, also one that is not compressed.
fn by_rules_oci(parts: &ImageParts) -> TarBuilder {
    let mut tar = TarBuilder::new();
    let config = format!("blobs/sha256/{}", hex(&parts.config));
    let name = |layer: &Vec<u8>| format!("blobs/sha256/{}.tar.gz", hex(layer));
    let names: Vec<_> = parts.layers.iter().map(name).collect();
    tar.list(&json!([{
        "Config": config, "RepoTags": ["registry.example/team/fixture:1.4.2"], "Layers": names,
    }]));
    tar.add("blobs/", &SavedEntry::Folder);
    tar.add("blobs/sha256/", &SavedEntry::Folder);
    for (name, layer) in names.iter().zip(&parts.layers) {
        tar.add(name, &SavedEntry::File(layer));
    }
    tar.add(&config, &SavedEntry::File(&parts.config));
    tar
}

#[tokio::test]
async fn an_archive_like_kanikos_has_its_compressed_layers() {
    for (parts, golden) in [
        (ImageParts::gzip(), GOLDEN_OF_CRANE),
        (ImageParts::zstd(), GOLDEN_OF_ZSTD),
    ] {
        for name in ["", "fixture", "1.4.2"] {
            let found = by_go_containerregistry(&parts).image(name).await;
            assert_eq!(found, (digest(golden), digest(IMAGE_ID)), "{name}");
        }
    }
}

#[tokio::test]
async fn an_archive_like_podmans_has_several_images() {
    let (plain, mut other) = (ImageParts::plain(), ImageParts::plain());
    let config = String::from_utf8(other.config).unwrap();
    other.config = config.replacen("1.4.2", "1.4.3", 1).into_bytes();
    let names = ["registry.example/a/fixture:1", "localhost/b/fixture:2"];
    let saved = || by_containers_image(&[(&plain, names[0]), (&other, names[1])]);
    let found = saved().image(names[0]).await;
    assert_eq!(found, (digest(GOLDEN), digest(IMAGE_ID)));
    let found = saved().image("2").await;
    assert_ne!(found.0, digest(GOLDEN));
    assert_eq!(found.1, Digest::from_bytes(&other.config));
}

#[tokio::test]
async fn an_archive_like_bazels_has_layers_of_either_kind() {
    for (parts, golden) in [
        (ImageParts::plain(), GOLDEN),
        (ImageParts::gzip(), GOLDEN_OF_CRANE),
        (ImageParts::zstd(), GOLDEN_OF_ZSTD),
    ] {
        let found = by_rules_oci(&parts).image("").await;
        assert_eq!(found, (digest(golden), digest(IMAGE_ID)));
    }
}
