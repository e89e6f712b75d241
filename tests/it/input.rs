//! Bad input, as its users meet it: a clear message, the right exit status, nothing written.

use std::io::Write;
use std::path::Path;

use crate::registry::{Auth, Profile, Registry};
use crate::support::process::{Place, Ran, is_empty};
use crate::support::*;

/// A digest in the form of an algorithm that is not supported.
const SHA512: &str = concat!(
    "sha512:cf83e1357eefb8bdf1542850d66d8007d620e4050b5715dc83f4a921d36ce9ce",
    "47d0d13c5d85f2b0ff8318d2877eec2f63b931bd47417a81a538327af927da3e"
);

fn tar(path: &Path, entries: &[(&str, tar::EntryType, &str)]) {
    let mut tar = tar::Builder::new(std::fs::File::create(path).unwrap());
    for (name, kind, content) in entries {
        let mut header = tar::Header::new_gnu();
        header.set_entry_type(*kind);
        header.set_mode(0o644);
        // The tar crate would refuse to write such names; whoever makes such an archive does not.
        header.as_gnu_mut().unwrap().name[..name.len()].copy_from_slice(name.as_bytes());
        if kind.is_file() {
            header.set_size(content.len() as u64);
            header.set_cksum();
            tar.append(&header, content.as_bytes()).unwrap();
        } else {
            header.set_size(0);
            header.as_gnu_mut().unwrap().linkname[..content.len()]
                .copy_from_slice(content.as_bytes());
            header.set_cksum();
            tar.append(&header, std::io::empty()).unwrap();
        }
    }
    tar.finish().unwrap();
}

/// A layout at `path` whose only image is these bytes.
fn layout_of(path: &Path, manifest: &[u8], digest: Option<&str>) {
    let own = shipmark::image::Digest::from_bytes(manifest);
    let digest = digest.map_or(own.to_string(), str::to_owned);
    let blobs = path.join("blobs/sha256");
    std::fs::create_dir_all(&blobs).unwrap();
    std::fs::write(blobs.join(own.to_hex()), manifest).unwrap();
    std::fs::write(path.join("oci-layout"), r#"{"imageLayoutVersion":"1.0.0"}"#).unwrap();
    let media_type = "application/vnd.oci.image.manifest.v1+json";
    let index = serde_json::json!({"schemaVersion": 2, "manifests": [
        {"mediaType": media_type, "digest": digest, "size": manifest.len()}
    ]});
    std::fs::write(path.join("index.json"), index.to_string()).unwrap();
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap().map(Result::unwrap) {
        let to = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy(&entry.path(), &to);
        } else {
            std::fs::copy(entry.path(), to).unwrap();
        }
    }
}

/// Runs a push of `source` to `oci:out`, which must not come to be.
fn pushed_in_vain(place: &Place, source: &str) -> Ran {
    let ran = place.run(&["push", "--source", source, "--images=oci:out", "--tags=it"]);
    assert!(!place.path("out").exists(), "{source}");
    assert_eq!(ran.out, "", "{source}");
    ran
}

#[test]
fn an_archive_that_leads_out_of_itself_is_refused_by_entry() {
    use tar::EntryType::{Link, Regular, Symlink};
    for (entries, named) in [
        ([("../escape", Regular, "x")], "../escape"),
        ([("blobs/../../escape", Regular, "x")], "blobs/../../escape"),
        ([("/etc/escape", Regular, "x")], "/etc/escape"),
        ([("index.json", Symlink, "/etc/passwd")], "/etc/passwd"),
        (
            [("index.json", Symlink, "../../etc/passwd")],
            "../../etc/passwd",
        ),
        ([("index.json", Link, "../outside")], "../outside"),
    ] {
        let place = Place::new();
        tar(&place.path("evil.tar"), &entries);
        let ran = pushed_in_vain(&place, "oci-archive:evil.tar");
        assert_eq!(ran.status, Some(2), "{named}: {}", ran.log);
        assert!(
            ran.log.contains(named) && ran.log.contains("evil.tar"),
            "{named}: {}",
            ran.log
        );
    }
}

#[test]
fn a_source_that_is_not_whole_or_not_what_it_says_is_refused() {
    let place = Place::new();
    layout_of(&place.path("large"), &vec![b' '; (8 << 20) + 1], None);
    layout_of(&place.path("nonsense"), b"no manifest", None);
    layout_of(&place.path("sha512"), b"{}", Some(SHA512));
    copy(&image("skopeo-oci-dir"), &place.path("flipped"));
    let blobs = place.path("flipped/blobs/sha256");
    let layer = blobs.join("66c8e0e58d0d530af384ef77e2f2796a2faa66da7c42c865d1ce7ad166c27895");
    let mut bytes = std::fs::read(&layer).unwrap();
    bytes[100] ^= 1;
    std::fs::write(&layer, bytes).unwrap();
    copy(&image("skopeo-oci-dir"), &place.path("childless"));
    let child = "d7e20a29fb984726614e20887ab463613b90a2ecb7b4e3ab322a6ec6abbeac7d";
    std::fs::remove_file(place.path("childless/blobs/sha256").join(child)).unwrap();
    std::fs::File::create(place.path("text.tar"))
        .unwrap()
        .write_all(b"no tar")
        .unwrap();
    for (source, part) in [
        ("oci:none", "source oci:none: the directory does not exist"),
        (
            "oci-archive:none.tar",
            "source oci-archive:none.tar: the file does not exist",
        ),
        ("oci-archive:none.tar", "hint: check the path; the action"),
        ("oci:large", "larger than 8 MiB"),
        ("oci:nonsense", "is not a manifest"),
        ("oci:sha512", "digest algorithm sha512"),
        ("oci:flipped:1.4.2", "66c8e0e58d0d"),
        ("oci:childless:1.4.2", child),
        ("oci:flipped", "contains several images"),
        ("oci:flipped:nosuch", "has no image named"),
        ("oci-archive:text.tar", "text.tar"),
        ("oci:text.tar", "is a file"),
        ("dir:x", "not supported"),
        (
            "docker-archive:x.tar",
            "docker-archive:x.tar: the file does not exist",
        ),
        ("GHCR.io/Acme/web", "neither a tag nor a digest"),
        ("ghcr.io/acme/web@sha256:12", "64 lower-case hex digits"),
        ("ghcr.io/acme/web@sha512:12", "sha512"),
        ("ghcr.io/acme//web", "malformed repository name"),
    ] {
        let ran = pushed_in_vain(&place, source);
        assert_eq!(ran.status, Some(2), "{source}: {}", ran.log);
        assert!(ran.log.contains(part), "{source}: {}", ran.log);
    }
}

#[test]
fn an_event_that_cannot_be_read_is_refused_with_its_file() {
    for (content, part) in [
        ("{", "event.json"),
        ("[1]", "event.json"),
        ("", "event.json"),
    ] {
        let place = Place::new();
        std::fs::write(place.path("event.json"), content).unwrap();
        let inputs = [
            ("command", "push"),
            ("source", &*example()),
            ("images", "oci:out"),
        ];
        let event = place.path("event.json");
        let mut step = place.step("refs/heads/main", &inputs);
        let ran = Ran::of(step.env("GITHUB_EVENT_PATH", &event).output().unwrap());
        assert_eq!(ran.status, Some(2), "{content:?}: {}", ran.log);
        assert!(ran.log.contains(part), "{content:?}: {}", ran.log);
        assert!(!place.path("out").exists());
    }
}

#[test]
fn every_docker_config_is_used_or_refused_by_its_path() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/docker-config");
    for entry in std::fs::read_dir(folder).unwrap().map(Result::unwrap) {
        let name = entry.file_name().into_string().unwrap();
        let Some(name) = name.strip_suffix(".json") else {
            continue;
        };
        let place = Place::new();
        std::fs::copy(entry.path(), place.path("config.json")).unwrap();
        let mut command = place.command();
        let source = example();
        command.args(["push", "--source", &source, "--images=oci:out", "--tags=it"]);
        let ran = Ran::of(command.env("DOCKER_CONFIG", place.root()).output().unwrap());
        let malformed =
            name.starts_with("malformed") || matches!(name, "utf16" | "auth_url_alphabet");
        assert_eq!(
            ran.status,
            Some(if malformed { 2 } else { 0 }),
            "{name}: {}",
            ran.log
        );
        assert!(
            !malformed || ran.log.contains("config.json"),
            "{name}: {}",
            ran.log
        );
        assert!(
            !ran.log.contains("made-up") && !ran.out.contains("made-up"),
            "{name}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn promise_7_a_wrong_password_is_told_without_its_words() {
    let registry = Registry::start(Profile::plain().auth(Auth::basic("ci", "right"))).await;
    let place = Place::new();
    let images = format!("--images={}/web", registry.host());
    let login = format!("--credentials={}=ci:hunter2-is-wrong", registry.host());
    let source = example();
    let ran = place.run(&["push", "--source", &source, &images, &login, "--tags=it"]);
    assert_eq!(ran.status, Some(2), "{}", ran.log);
    assert!(
        ran.log.contains(&registry.host()) && ran.log.contains("401"),
        "{}",
        ran.log
    );
    for secret in ["hunter2", "Y2k6aHVudGVyMi1pcy13cm9uZw"] {
        assert!(!ran.log.contains(secret), "{}", ran.log);
    }
    assert!(is_empty(place.root()));
}

#[tokio::test]
async fn a_host_that_does_not_exist_is_named() {
    let (_, said) = failed(
        push(&example(), &["nosuch.invalid/web"], "refs/heads/main"),
        &context(),
    )
    .await;
    assert!(
        said.starts_with("destination nosuch.invalid/web: nosuch.invalid: HEAD manifest"),
        "{said}"
    );
}
