//! Images of which not everything is there: foreign layers, and archives that were saved without some
//! platforms; and what an unverified registry is told as.

use std::fs::{self, File};
use std::path::{Path, PathBuf};

use serde_json::json;
use shipmark::release::RequestedPlatforms;
use shipmark::tagging::TagRules;
use shipmark::transfer::ForeignLayers;

use crate::registry::{Profile, Registry, TestCa, digest};
use crate::support::process::{Place, Ran};
use crate::support::*;

const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
const FOREIGN: &str = "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip";

/// An image of Windows, whose base is a foreign layer of which the registry has the content too.
async fn windows_image() -> (Registry, String) {
    let registry = Registry::start(Profile::plain()).await;
    let base = registry.put_blob("dev/web", "the base");
    let [config, layer] = ["{}", "ours"].map(|text| registry.put_blob("dev/web", text));
    let manifest = json!({
        "schemaVersion": 2, "mediaType": MANIFEST,
        "config": {"mediaType": "application/vnd.oci.image.config.v1+json", "digest": config, "size": 2},
        "layers": [
            {"mediaType": FOREIGN, "digest": base, "size": 8, "urls": ["https://mcr.example/base", "ftp://b"]},
            // An ordinary layer with addresses, as containerd's IPFS images have them.
            {"mediaType": "application/vnd.oci.image.layer.v1.tar", "digest": layer, "size": 4,
             "urls": ["ipfs://bafy"]},
        ],
    });
    registry.put_manifest("dev/web", "v1", MANIFEST, manifest.to_string());
    (registry, base)
}

#[tokio::test]
async fn a_foreign_layer_stays_at_its_addresses_and_the_report_names_it() {
    let (from, base) = windows_image().await;
    let to = Registry::start(Profile::plain()).await;
    let source = format!("{}/dev/web:v1", from.host());
    let place = format!("{}/prod/web", to.host());
    let mut request = promote(&source, &[&place], "refs/heads/main");
    request.rules = TagRules::parse(["it"]).unwrap();
    let outcome = done(request.clone(), &context()).await;
    assert!(!to.has_blob("prod/web", &base));
    assert!(
        to.has_blob("prod/web", &digest(b"ours")),
        "it has urls, and is no foreign layer"
    );
    let note = format!(
        "foreign layer {base} (8 bytes) is not copied and stays at https://mcr.example/base, ftp://b \
         (foreign-layers: copy copies it)"
    );
    assert_eq!(
        outcome.notes.iter().filter(|said| **said == note).count(),
        1,
        "{:?}",
        outcome.notes
    );

    let to = Registry::start(Profile::plain()).await;
    request.destinations = vec![format!("{}/prod/web", to.host()).parse().unwrap()];
    request.foreign_layers = ForeignLayers::Copy;
    let outcome = done(request, &context()).await;
    assert!(to.has_blob("prod/web", &base));
    assert!(
        !outcome.notes.join("\n").contains("foreign"),
        "{:?}",
        outcome.notes
    );
}

/// An image is there or not: which layers stay shows in the text and the summary, too.
#[tokio::test]
async fn promise_9_the_report_of_a_run_names_foreign_layers() {
    let (from, base) = windows_image().await;
    let to = Registry::start(Profile::plain()).await;
    let images = format!("{}/prod/web", to.host());
    let inputs = [
        ("command", "promote".to_owned()),
        ("source", format!("{}/dev/web:v1", from.host())),
        ("images", images),
        ("tags", "it".to_owned()),
    ];
    let run = move || {
        let place = Place::new();
        let inputs: Vec<_> = inputs
            .iter()
            .map(|(name, value)| (*name, value.as_str()))
            .collect();
        let ran = Ran::of(place.step("refs/heads/main", &inputs).output().unwrap());
        (ran, place.read("summary"))
    };
    let (ran, summary) = tokio::task::spawn_blocking(run).await.unwrap();
    assert_eq!(ran.status, Some(0), "{}", ran.log);
    let hex = base.strip_prefix("sha256:").unwrap();
    for text in [format!("{}{}", ran.out, ran.log), summary] {
        assert!(text.contains(hex), "{text}");
    }
}

/// Unpacks an image of the fixtures, without the blobs of that name.
fn unpack_without(name: &str, left_out: &[&str], folder: &Path) -> PathBuf {
    let layout = folder.join("layout");
    let mut archive = tar::Archive::new(File::open(image(name)).unwrap());
    archive.unpack(&layout).unwrap();
    for hex in left_out {
        fs::remove_file(layout.join("blobs/sha256").join(hex)).unwrap();
    }
    layout
}

/// The manifest of linux/arm64 in `buildkit-multi.tar`.
const ARM64: &str = "b4593c79a0abb80d3e796a5643c03f47fbb8d7eafbfb0410ce9b83f606e0d001";
const AMD64: &str = "d7e20a29fb984726614e20887ab463613b90a2ecb7b4e3ab322a6ec6abbeac7d";

/// As `docker save` writes a pulled image where containerd keeps images.
#[tokio::test]
async fn platforms_releases_what_is_there_of_an_image_that_is_not_whole() {
    let folder = tempfile::tempdir().unwrap();
    let layout = unpack_without("buildkit-multi.tar", &[ARM64], folder.path());
    let archive = folder.path().join("sparse.tar");
    let mut tar = tar::Builder::new(File::create(&archive).unwrap());
    tar.append_dir_all("", &layout).unwrap();
    tar.finish().unwrap();
    for source in [
        format!("oci:{}", layout.display()),
        format!("oci-archive:{}", archive.display()),
    ] {
        let registry = Registry::start(Profile::plain()).await;
        let place = format!("{}/web", registry.host());
        let mut request = push(&source, &[&place], "refs/heads/main");
        request.rules = TagRules::parse(["it"]).unwrap();
        let (_, text) = failed(request.clone(), &context()).await;
        assert!(
            text.contains(ARM64) && text.contains("is missing"),
            "{text}"
        );
        assert!(
            text.contains(
                "only linux/amd64 is complete there: release it with platforms: linux/amd64"
            ),
            "{text}"
        );
        assert_eq!(registry.count_of("POST") + registry.count_of("PUT"), 0);
        let platforms = |name: &str| RequestedPlatforms {
            names: vec![name.parse().unwrap()],
            drop_signatures: false,
        };
        request.platforms = platforms("linux/arm64");
        let (_, text) = failed(request.clone(), &context()).await;
        assert!(text.contains(ARM64), "{text}");
        request.platforms = platforms("linux/amd64");
        done(request, &context()).await;
        assert!(registry.has_manifest("web", &format!("sha256:{AMD64}")));
        assert!(registry.dangling().is_empty(), "{:?}", registry.dangling());
    }
}

/// Runs `push` to a registry over TLS with these arguments.
async fn push_over_tls(registry: &Registry, arguments: &[&str]) -> Ran {
    let images = format!("{}/web", registry.host());
    let arguments: Vec<String> = arguments.iter().map(|&text| text.to_owned()).collect();
    let run = move || {
        let place = Place::new();
        let mut command = place.command();
        command.args(["push", "--source", &example(), "--images", &images]);
        command
            .args(["--tags", "it", "--sign", "off"])
            .args(arguments);
        Ran::of(command.output().unwrap())
    };
    tokio::task::spawn_blocking(run).await.unwrap()
}

#[tokio::test]
async fn tls_verify_is_off_for_the_named_registry_with_a_warning_on_each_run() {
    let ca = TestCa::new();
    let registry = Registry::start(Profile::plain().tls_as(ca.expired())).await;
    let off = format!("{}=off", registry.host());
    for run in 0..2 {
        let ran = push_over_tls(&registry, &["--tls-verify", &off]).await;
        assert_eq!(ran.status, Some(0), "{run}: {}", ran.log);
        let warning = format!(
            "tls-verify: the certificate of {} is not verified",
            registry.host()
        );
        assert_eq!(ran.log.matches(&warning).count(), 1, "{}", ran.log);
    }
    for arguments in [&[][..], &["--tls-verify", "other.example=off"]] {
        let ran = push_over_tls(&registry, arguments).await;
        assert_ne!(ran.status, Some(0), "{arguments:?}: {}", ran.log);
    }
}

#[tokio::test]
async fn tls_verify_wants_a_registry_and_off() {
    let registry = Registry::start(Profile::plain()).await;
    let host = registry.host();
    for line in [
        "off",
        &host,
        &format!("{host}=on"),
        &format!("{host}="),
        "a b=off",
    ] {
        let ran = push_over_tls(&registry, &["--tls-verify", line]).await;
        assert_eq!(ran.status, Some(2), "{line}: {}", ran.log);
        assert!(ran.log.contains("tls-verify"), "{line}: {}", ran.log);
        assert_eq!(registry.count(), 0, "{line}");
    }
}
