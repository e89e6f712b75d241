//! Against other people's programs: the distribution registry, crane and skopeo. Left out of a plain
//! `cargo test`; scripts/interop.sh starts the servers and runs them.

use std::process::Command;

use oci_client::client::{ClientConfig, ClientProtocol};
use oci_client::secrets::RegistryAuth;
use shipmark::credentials::{CredentialStore as Credentials, ExplicitCredential};
use shipmark::image::Digest;
use shipmark::tagging::TagRules;

use crate::support::*;

fn variable(name: &str) -> String {
    std::env::var(name).unwrap_or_else(|_| panic!("{name} is not set: run scripts/interop.sh"))
}

/// A repository of the first registry that no other test uses.
fn repository(test: &str) -> String {
    format!(
        "{}/{test}-{}/web",
        variable("SHIPMARK_TEST_REGISTRY"),
        std::process::id()
    )
}

fn output(program: &str, arguments: &[&str]) -> Vec<u8> {
    let output = Command::new(program)
        .args(arguments)
        .output()
        .unwrap_or_else(|error| panic!("{program}: {error}"));
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{program} {arguments:?}: {errors}");
    output.stdout
}

fn text(program: &str, arguments: &[&str]) -> String {
    String::from_utf8(output(program, arguments))
        .unwrap()
        .trim()
        .to_owned()
}

#[tokio::test]
#[ignore = "needs a distribution registry, crane and skopeo: scripts/interop.sh"]
async fn a_pushed_image_is_what_crane_skopeo_and_oci_client_read() {
    let place = repository("push");
    done(push(&example(), &[&place], "refs/heads/main"), &context()).await;
    let reference = format!("{place}:git-9f3c2a1");
    assert_eq!(
        text("crane", &["digest", &reference]),
        example_root().to_string()
    );
    output("crane", &["validate", "--remote", &reference]);
    let raw = output(
        "skopeo",
        &[
            "inspect",
            "--raw",
            "--tls-verify=false",
            &format!("docker://{reference}"),
        ],
    );
    assert_eq!(Digest::from_bytes(&raw), example_root());
    // oci-client takes the process's provider, where shipmark names its own; a second call is no harm.
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let config = ClientConfig {
        protocol: ClientProtocol::Http,
        ..Default::default()
    };
    let (_, digest) = oci_client::Client::new(config)
        .pull_manifest(&reference.parse().unwrap(), &RegistryAuth::Anonymous)
        .await
        .unwrap();
    assert_eq!(digest, example_root().to_string());
}

#[tokio::test]
#[ignore = "needs a distribution registry, crane and skopeo: scripts/interop.sh"]
async fn promise_1_a_promotion_between_real_registries_keeps_the_digest() {
    let from = repository("promote");
    let to = format!(
        "{}/promoted-{}/web",
        variable("SHIPMARK_TEST_REGISTRY_2"),
        std::process::id()
    );
    let beside = repository("beside");
    done(push(&example(), &[&from], "refs/heads/main"), &context()).await;
    let request = promote(&format!("{from}:main"), &[&to, &beside], "refs/tags/v1.4.0");
    let outcome = done(request.clone(), &context()).await;
    // The second destination is on the source's registry: nothing travels there.
    assert_eq!(outcome.destinations[1].copy_stats.moved.blobs, 0);
    assert!(outcome.destinations[1].copy_stats.mounted.blobs > 0);
    for place in [&to, &beside] {
        for tag in ["1.4.0", "1.4", "1", "latest", "git-9f3c2a1"] {
            let digest = text("crane", &["digest", &format!("{place}:{tag}")]);
            assert_eq!(digest, example_root().to_string(), "{place}:{tag}");
        }
        output(
            "crane",
            &["validate", "--remote", &format!("{place}:1.4.0")],
        );
    }
    assert!(!done(request, &context()).await.has_changes());
}

#[tokio::test]
#[ignore = "needs a distribution registry, crane and skopeo: scripts/interop.sh"]
async fn promise_1_every_fixture_image_arrives_at_a_real_registry() {
    let expected: serde_json::Value =
        serde_json::from_slice(&std::fs::read(image("expected.json")).unwrap()).unwrap();
    let mut sent = 0;
    for (file, entry) in expected.as_object().unwrap() {
        let roots = entry["oci"].as_array().into_iter().flatten();
        for root in roots.filter(|node| node["depth"] == 0) {
            let digest = root["digest"].as_str().unwrap();
            let form = if image(file).is_dir() {
                "oci"
            } else {
                "oci-archive"
            };
            let place = repository(&format!("fixture{sent}"));
            let source = format!("{form}:{}@{digest}", image(file).display());
            let mut request = push(&source, &[&place], "refs/heads/main");
            request.rules = TagRules::parse(["it"]).unwrap();
            done(request, &context()).await;
            assert_eq!(
                text("crane", &["digest", &format!("{place}:it")]),
                digest,
                "{file}"
            );
            sent += 1;
        }
    }
    assert!(sent >= 15, "only {sent} images were sent");
}

#[tokio::test]
#[ignore = "needs a distribution registry, crane and skopeo: scripts/interop.sh"]
async fn a_registry_with_a_password_is_logged_in_to() {
    let registry = variable("SHIPMARK_TEST_REGISTRY_BASIC");
    let place = format!("{registry}/basic-{}/web", std::process::id());
    let login = |password: String| {
        let user = variable("SHIPMARK_TEST_REGISTRY_BASIC_USER");
        let explicit = ExplicitCredential {
            scope: registry.parse().unwrap(),
            user,
            password: password.into(),
        };
        let credentials = Credentials::load(None, vec![explicit]).unwrap();
        shipmark::registry::RegistrySettings {
            credentials,
            ..settings()
        }
    };
    let right = login(variable("SHIPMARK_TEST_REGISTRY_BASIC_PASSWORD"));
    done(
        push(&example(), &[&place], "refs/heads/main"),
        &context_with(right).0,
    )
    .await;
    let wrong = login("another password".to_owned());
    let (_, said) = failed(
        push(&example(), &[&place], "refs/heads/main"),
        &context_with(wrong).0,
    )
    .await;
    assert!(
        said.contains("401") && !said.contains("another password"),
        "{said}"
    );
    let (_, said) = failed(push(&example(), &[&place], "refs/heads/main"), &context()).await;
    assert!(said.contains("no credentials for"), "{said}");
}

#[tokio::test]
#[ignore = "needs a distribution registry, crane and skopeo: scripts/interop.sh"]
async fn a_layout_is_what_crane_and_skopeo_read() {
    let disk = tempfile::tempdir().unwrap();
    let path = disk.path().join("layout").display().to_string();
    let mut request = push(&example(), &[&format!("oci:{path}")], "refs/heads/main");
    request.rules = TagRules::parse(["one"]).unwrap();
    done(request, &context()).await;
    let raw = output("skopeo", &["inspect", "--raw", &format!("oci:{path}:one")]);
    assert_eq!(Digest::from_bytes(&raw), example_root());
    for (program, arguments) in [
        (
            "crane",
            vec![
                "push".to_owned(),
                path.clone(),
                format!("{}:it", repository("by-crane")),
            ],
        ),
        (
            "skopeo",
            vec![
                "copy".to_owned(),
                "--all".to_owned(),
                "--preserve-digests".to_owned(),
                "--dest-tls-verify=false".to_owned(),
                format!("oci:{path}:one"),
                format!("docker://{}:it", repository("by-skopeo")),
            ],
        ),
    ] {
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        output(program, &arguments);
        let there = text(
            "crane",
            &[
                "digest",
                &format!("{}:it", repository(&format!("by-{program}"))),
            ],
        );
        assert_eq!(there, example_root().to_string(), "{program}");
    }
}
