//! A release over an air gap: from a registry to an image layout, and from there to a registry elsewhere.

use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use super::*;
use crate::support::{example, example_root};

/// A way to a server, which can be closed. Whoever comes then is counted.
struct Door {
    address: String,
    is_closed: Arc<AtomicBool>,
    refused: Arc<AtomicUsize>,
}

impl Door {
    fn to(server: String) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let is_closed = Arc::new(AtomicBool::new(false));
        let refused = Arc::new(AtomicUsize::new(0));
        let (closed, count) = (is_closed.clone(), refused.clone());
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                match closed.load(Ordering::SeqCst) {
                    true => drop(count.fetch_add(1, Ordering::SeqCst)),
                    false => join(stream.unwrap(), TcpStream::connect(&server).unwrap()),
                }
            }
        });
        Self {
            address,
            is_closed,
            refused,
        }
    }

    fn close(&self) {
        self.is_closed.store(true, Ordering::SeqCst);
    }
}

/// Passes on what each of the two says.
fn join(one: TcpStream, other: TcpStream) {
    let ways = [(&one, &other), (&other, &one)];
    for (from, to) in ways.map(|(from, to)| (from.try_clone(), to.try_clone())) {
        let (mut from, mut to) = (from.unwrap(), to.unwrap());
        std::thread::spawn(move || {
            let _ = std::io::copy(&mut from, &mut to);
            let _ = to.shutdown(std::net::Shutdown::Write);
        });
    }
}

fn copy_folder(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        match entry.file_type().unwrap().is_dir() {
            true => copy_folder(&entry.path(), &target),
            false => drop(std::fs::copy(entry.path(), target).unwrap()),
        }
    }
}

fn policy(near: &str, far: &str) -> String {
    let environment = |name: &str, repository: &str, from: &str, key: &str| {
        format!(
            "  {name}: {{repository: '{repository}', {from}sign: key, signers: [{{key: {key}}}]}}\n"
        )
    };
    [
        "environments:\n".to_owned(),
        environment("stage", near, "", "near.pub"),
        environment("carried", "oci:carried", "from: stage, ", "near.pub"),
        environment("prod", far, "from: carried, ", "far.pub"),
    ]
    .concat()
}

/// A desk at the far side: the policy, what was carried, and no more keys than it needs.
fn far_side(near: &Desk, policy: &str) -> Desk {
    let far = Desk::new(policy, &[]);
    for name in ["near.pub", "far.pub", "far.key"] {
        std::fs::copy(near.0.path(name), far.0.path(name)).unwrap();
    }
    copy_folder(&near.0.path("carried"), &far.0.path("carried"));
    far
}

#[test]
#[ignore = "needs cosign, oras and two registries: scripts/interop.sh"]
fn promise_1_a_release_crosses_an_air_gap_with_its_records() {
    for far_first in [false, true] {
        let mut hosts = ["SHIPMARK_TEST_REGISTRY", "SHIPMARK_TEST_REFREGISTRY"].map(variable);
        if far_first {
            hosts.reverse();
        }
        let [near, far] = hosts;
        let far = format!("{far}/gap-{}/prod", std::process::id());
        cross(&Door::to(near), &far);
    }
}

fn cross(door: &Door, far: &str) {
    let near = format!("{}/gap-{}/stage", door.address, std::process::id());
    let policy = policy(&near, far);
    let desk = Desk::new(&policy, &["near", "far"]);
    let source = format!("--source={}", example());
    let (key, tag) = ("--signing-key=near.key", "--tags=it");
    desk.ship(&["push", &source, "--environment=stage", tag, key]);
    desk.ship(&["promote", "--source=it", "--environment=carried", key]);
    let desk = far_side(&desk, &policy);
    door.close();
    let offline = |arguments: &[&str]| -> Value {
        let proxy = format!("http://{}", door.address);
        let mut command = desk.shipmark();
        command.env("HTTPS_PROXY", &proxy).env("HTTP_PROXY", &proxy);
        command.env("NO_PROXY", "127.0.0.1");
        command.args(arguments).args(["--offline", "--output=json"]);
        let ran = Ran::of(command.output().unwrap());
        assert_eq!(ran.status, Some(0), "{arguments:?}: {}", ran.log);
        serde_json::from_str(&ran.out).expect(&ran.out)
    };
    let source = format!("--source={}", example_root());
    let to_prod = ["promote", &source, "--environment=prod"];
    let promoted = offline(&[&to_prod[..], &["--signing-key=far.key"]].concat());
    assert_eq!(promoted["digest"], example_root().to_string());
    // The far registry alone is enough from here on.
    std::fs::remove_dir_all(desk.0.path("carried")).unwrap();
    let history = offline(&["history", "--environment=prod", "--verify"]);
    let timeline = &history["timelines"][0];
    assert_eq!(timeline["current"]["digest"], example_root().to_string());
    assert_eq!(timeline["entries"][0]["known"], "verified");
    check_chain(&desk, far);
    assert_eq!(
        door.refused.load(Ordering::SeqCst),
        0,
        "only the far registry"
    );
}

/// Verifies the records that the far entry carries with cosign: each names the one before it.
fn check_chain(desk: &Desk, far: &str) {
    let entry = &desk.entries(far)["promote"];
    let layers = entry["layers"].as_array().unwrap();
    let mut expected = None;
    let chain = [("prod", "far"), ("carried", "near"), ("stage", "near")];
    assert_eq!(layers.len(), chain.len(), "{entry}");
    for (layer, (environment, key)) in layers.iter().zip(chain) {
        let bundle = desk.layer(far, layer);
        if let Some(expected) = expected {
            assert_eq!(layer["digest"], expected);
        }
        verify(desk, key);
        let predicate = &statement(&bundle)["predicate"];
        assert_eq!(predicate["environment"], environment);
        expected = Some(predicate["source"]["record"].clone());
    }
}

/// Verifies the bundle that was fetched last with one key, and not with the other.
fn verify(desk: &Desk, key: &str) {
    let root = example_root().to_string();
    let digest = format!("--digest={}", root.split_once(':').unwrap().1);
    let about = ["--digestAlg=sha256", &digest, "--type", RECORD_TYPE];
    for name in ["near", "far"] {
        let public = format!("--key={name}.pub");
        let how = ["--bundle=layer.json", &public, "--insecure-ignore-tlog"];
        let arguments = [&["verify-blob-attestation"], &how[..], &about].concat();
        assert_eq!(desk.succeeds("cosign", &arguments), name == key, "{name}");
    }
}

fn statement(bundle: &[u8]) -> Value {
    use base64::Engine;
    let bundle: Value = serde_json::from_slice(bundle).unwrap();
    let payload = bundle["dsseEnvelope"]["payload"].as_str().unwrap();
    let payload = base64::prelude::BASE64_STANDARD.decode(payload).unwrap();
    serde_json::from_slice(&payload).unwrap()
}
