//! TLS as people have it: self-signed certificates, client certificates, folders of Docker, and registries that
//! are not verified or not encrypted by consent; proxies that refuse.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use shipmark::http::{ClientCertificateFiles, HttpSettings, ProxySettings};

use super::*;
use crate::registry::{Auth, Profile, Registry, TestCa};

const MAIN: &str = "refs/heads/main";

fn place(host: &str) -> String {
    format!("{host}/team/web")
}

fn with_http(http: HttpSettings) -> RegistrySettings {
    RegistrySettings { http, ..settings() }
}

fn with_ca(path: &Path) -> HttpSettings {
    HttpSettings {
        ca_file: Some(path.to_owned()),
        ..settings().http
    }
}

/// Pushes the example, which must do. Returns what was said.
async fn pushes(registry: &Registry, host: &str, settings: RegistrySettings) -> String {
    let (context, said) = context_with(settings);
    done(push(&example(), &[&place(host)], MAIN), &context).await;
    assert_eq!(registry.dangling(), Vec::<String>::new());
    said.text()
}

async fn is_refused(registry: &Registry, settings: RegistrySettings) -> String {
    let request = push(&example(), &[&place(&registry.host())], MAIN);
    let (_, text) = refused(request, settings).await;
    assert_eq!(registry.count(), 0, "{text}");
    text
}

#[tokio::test]
async fn a_self_signed_certificate_that_the_user_names_is_its_own_anchor() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("domain.crt");
    for is_ca in [true, false] {
        let (identity, pem) = TestCa::self_signed(is_ca, &["127.0.0.1"], 2090);
        std::fs::write(&path, pem).unwrap();
        let registry = Registry::start(Profile::plain().tls_as(identity)).await;
        pushes(&registry, &registry.host(), with_http(with_ca(&path))).await;
    }
}

#[tokio::test]
async fn a_self_signed_certificate_still_needs_its_name_its_time_and_to_be_named() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("domain.crt");
    for (names, year, expected) in [
        (["elsewhere.example"], 2090, "not valid for"),
        (["127.0.0.1"], 2001, "Expired"),
    ] {
        let (identity, pem) = TestCa::self_signed(true, &names, year);
        std::fs::write(&path, pem).unwrap();
        let registry = Registry::start(Profile::plain().tls_as(identity)).await;
        let text = is_refused(&registry, with_http(with_ca(&path))).await;
        assert!(text.contains(expected), "{expected}: {text}");
    }
    let (_, other) = TestCa::self_signed(true, &["127.0.0.1"], 2090);
    std::fs::write(&path, other).unwrap();
    let (identity, _) = TestCa::self_signed(true, &["127.0.0.1"], 2090);
    let registry = Registry::start(Profile::plain().tls_as(identity)).await;
    let text = is_refused(&registry, with_http(with_ca(&path))).await;
    assert!(text.contains("ca-file"), "{text}");
}

/// Files of a client certificate in a folder.
fn write_client(ca: &TestCa, folder: &Path, name: &str) -> ClientCertificateFiles {
    let (certificate, key) = ca.client();
    let files = ClientCertificateFiles {
        certificate: folder.join(format!("{name}.cert")),
        key: folder.join(format!("{name}.key")),
    };
    std::fs::write(&files.certificate, certificate).unwrap();
    std::fs::write(&files.key, key).unwrap();
    files
}

#[tokio::test]
async fn a_server_that_wants_a_client_certificate_gets_it() {
    let ca = TestCa::new();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ca.pem");
    std::fs::write(&path, ca.pem()).unwrap();
    let files = write_client(&ca, folder.path(), "client");
    let identity = ca.valid().wanting_clients_of(&ca);
    let registry = Registry::start(Profile::plain().tls_as(identity)).await;
    let http = HttpSettings {
        client_certificate: Some(files),
        ..with_ca(&path)
    };
    pushes(&registry, &registry.host(), with_http(http)).await;
}

#[tokio::test]
async fn a_client_certificate_that_is_missing_is_said_at_once() {
    let ca = TestCa::new();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ca.pem");
    std::fs::write(&path, ca.pem()).unwrap();
    let identity = ca.valid().wanting_clients_of(&ca);
    let registry = Registry::start(Profile::plain().tls_as(identity)).await;
    let (context, said) = context_with(with_http(with_ca(&path)));
    let request = push(&example(), &[&place(&registry.host())], MAIN);
    let (_, text) = failed(request, &context).await;
    assert!(text.contains("client-cert and client-key"), "{text}");
    assert!(!said.text().contains("trying again"), "{}", said.text());
}

#[tokio::test]
async fn the_folders_of_docker_name_authorities_and_client_certificates() {
    let ca = TestCa::new();
    let identity = ca.valid().wanting_clients_of(&ca);
    let registry = Registry::start(Profile::plain().tls_as(identity)).await;
    let folder = tempfile::tempdir().unwrap();
    let host = folder.path().join(registry.host());
    std::fs::create_dir(&host).unwrap();
    std::fs::write(host.join("ca.crt"), ca.pem()).unwrap();
    write_client(&ca, &host, "client");
    // A broken one of another host does not matter.
    let other = folder.path().join("other.example");
    std::fs::create_dir(&other).unwrap();
    std::fs::write(other.join("ca.crt"), "no certificate").unwrap();
    let http = HttpSettings {
        certs_folders: vec![folder.path().to_owned(), "/no/such/folder".into()],
        ..settings().http
    };
    pushes(&registry, &registry.host(), with_http(http.clone())).await;
    let elsewhere = Registry::start(Profile::plain().tls(&ca)).await;
    let text = is_refused(&elsewhere, with_http(http)).await;
    assert!(text.contains("UnknownIssuer"), "{text}");
}

#[tokio::test]
async fn only_the_registry_that_is_named_is_not_verified() {
    let ca = TestCa::new();
    let registry = Registry::start(Profile::plain().tls_as(ca.wrong_name())).await;
    let http = HttpSettings {
        unverified_hosts: vec![registry.host()],
        ..settings().http
    };
    pushes(&registry, &registry.host(), with_http(http.clone())).await;
    let other = Registry::start(Profile::plain().tls_as(ca.wrong_name())).await;
    let text = is_refused(&other, with_http(http)).await;
    assert!(text.contains("certificate"), "{text}");
}

/// A registry on this machine by a name that does not say so.
fn far_name(registry: &Registry) -> String {
    registry.host().replace("127.0.0.1", "0.0.0.0")
}

#[tokio::test]
async fn an_insecure_registry_is_tried_by_tls_first_and_the_log_says_which_it_was() {
    let ca = TestCa::new();
    for (profile, how) in [
        (
            Profile::plain().tls_as(ca.wrong_name()),
            "TLS without verification",
        ),
        (Profile::plain(), "plain HTTP"),
    ] {
        let registry = Registry::start(profile).await;
        let host = far_name(&registry);
        let settings = RegistrySettings {
            insecure: vec![host.parse().unwrap()],
            ..settings()
        };
        let said = pushes(&registry, &host, settings).await;
        let expected = format!("insecure-registries: {host} is reached by {how}");
        assert_eq!(said.matches(&expected).count(), 1, "{said}");
    }
}

#[tokio::test]
async fn promise_7_credentials_go_over_plain_http_by_consent_alone() {
    let ca = TestCa::new();
    let auth = Auth::basic("robot", HUNTER2);
    for (profile, consents, is_sent) in [
        (Profile::plain(), false, false),
        (Profile::plain(), true, true),
        (Profile::plain().tls_as(ca.wrong_name()), false, true),
    ] {
        let registry = Registry::start(profile.auth(auth.clone())).await;
        let host = far_name(&registry);
        let name: shipmark::image::RegistryName = host.parse().unwrap();
        let settings = RegistrySettings {
            insecure: vec![name.clone()],
            plain_credentials: consents.then_some(name).into_iter().collect(),
            ..login(&[&host], "robot", HUNTER2)
        };
        if is_sent {
            pushes(&registry, &host, settings).await;
        } else {
            let request = push(&example(), &[&place(&host)], MAIN);
            let (_, text) = refused(request, settings).await;
            assert!(text.contains("credentials-over-http"), "{text}");
        }
    }
}

#[tokio::test]
async fn a_proxy_that_refuses_is_named_and_asked_once_unless_it_may_pass() {
    for (status, is_final) in [(407, true), (403, true), (404, true), (503, false)] {
        let count = Arc::new(AtomicUsize::new(0));
        let counted = count.clone();
        let proxy = Wire::answering(move |_| {
            counted.fetch_add(1, Ordering::Relaxed);
            let answer =
                format!("HTTP/1.1 {status} X\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
            (answer, true)
        })
        .await;
        let http = HttpSettings {
            proxies: ProxySettings {
                https: Some(format!("http://{}", proxy.host)),
                ..ProxySettings::default()
            },
            ..settings().http
        };
        let (context, said) = context_with(with_http(http));
        let request = push(&example(), &["registry.example/team/web"], MAIN);
        let (_, text) = failed(request, &context).await;
        assert!(
            text.contains(&format!("the proxy {} answered {status}", proxy.host)),
            "{text}"
        );
        let said = said.text();
        assert_eq!(said.contains("trying again"), !is_final, "{status}: {said}");
        if is_final {
            assert!(text.contains("NO_PROXY"), "{text}");
        }
    }
}
