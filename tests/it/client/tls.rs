//! TLS: whom the client trusts, and that it never goes without where it should not.

use hyper::Version;
use rustls::HandshakeKind;
use rustls::crypto::aws_lc_rs::{default_provider, kx_group};
use shipmark::http::HttpSettings;
use shipmark::image::TagOrDigest;
use shipmark::notices::Notices;
use shipmark::registry::{RegistryClient, RegistrySettings, RepositoryAccess};
use shipmark::release::Failure;
use tokio::net::TcpListener;

use super::wire::Wire;
use super::*;
use crate::registry::{Auth, Effect, Fault, Profile, Registry, TestCa, TokenRules};

const MAIN: &str = "refs/heads/main";

fn place(host: &str) -> String {
    format!("{host}/team/web")
}

/// A file of this content, in a folder that lives as long as the test.
fn file(content: &str) -> (std::path::PathBuf, tempfile::TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("authority.pem");
    std::fs::write(&path, content).unwrap();
    (path, folder)
}

#[tokio::test]
async fn a_private_authority_is_trusted_where_the_user_says_so() {
    let ca = TestCa::new();
    let (path, _folder) = file(&ca.pem());
    let by_input = RegistrySettings {
        http: HttpSettings {
            ca_file: Some(path.clone()),
            ..settings().http
        },
        ..settings()
    };
    let by_environment = RegistrySettings {
        http: HttpSettings {
            ssl_cert_file: Some(path),
            ..settings().http
        },
        ..settings()
    };
    for settings in [by_input, by_environment] {
        let registry = Registry::start(Profile::plain().tls(&ca)).await;
        let context = context_with(settings).0;
        done(
            push(&example(), &[&place(&registry.host())], MAIN),
            &context,
        )
        .await;
        assert_eq!(registry.tags("team/web").len(), 2);
        assert_eq!(registry.dangling(), Vec::<String>::new());
    }
}

#[tokio::test]
async fn all_but_large_blobs_share_http_2() {
    let ca = TestCa::new();
    let (path, _folder) = file(&ca.pem());
    let registry = Registry::start(Profile::plain().tls(&ca)).await;
    let context = context_with(RegistrySettings {
        http: HttpSettings {
            ca_file: Some(path),
            ..settings().http
        },
        ..settings()
    })
    .0;
    engine::put_image(&registry, &[(4 << 20, 1), (1000, 2)]);
    let large = registry.put_synthetic_blob("big", 4 << 20, 1);
    registry.fault(Fault::on("POST", "mount=", Effect::status(405)).always());
    let [from, to] = ["big:1", "prod/web"].map(|path| format!("{}/{path}", registry.host()));
    done(engine::promotion(&from, &to), &context).await;
    let log = registry.log();
    let (by_one, by_two): (Vec<_>, Vec<_>) = log
        .iter()
        .partition(|asked| asked.version == Version::HTTP_11);
    assert!(by_two.len() > 10, "{by_two:?}");
    // Its session is opened on the connection that it takes.
    let by_one: Vec<String> = by_one.iter().map(|asked| asked.line()).collect();
    assert_eq!(by_one.len(), 3, "{by_one:?}");
    assert!(by_one.contains(&"POST /v2/prod/web/blobs/uploads/ 202".to_owned()));
    let of_it = by_one.iter().filter(|line| line.contains(&large));
    assert_eq!(of_it.count(), 2, "{by_one:?}");
}

/// Go's servers prefer the hybrid key exchange, older ones know the classical one alone: the first
/// message holds a share for both, since another message costs every new connection a round trip.
#[tokio::test]
async fn a_key_exchange_is_agreed_on_at_once() {
    let ca = TestCa::new();
    let (path, _folder) = file(&ca.pem());
    let settings = RegistrySettings {
        http: HttpSettings {
            ca_file: Some(path),
            ..settings().http
        },
        ..settings()
    };
    for groups in [
        vec![kx_group::X25519MLKEM768, kx_group::X25519],
        vec![kx_group::X25519],
    ] {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let mut provider = default_provider();
        provider.kx_groups = groups.clone();
        let acceptor = ca.valid().acceptor_with(provider);
        let place = place(&listener.local_addr().unwrap().to_string());
        let client = RegistryClient::new(settings.clone(), Notices::new(|_| {})).unwrap();
        let remote = client.open_repository(&place.parse().unwrap(), RepositoryAccess::Pull, &[]);
        let target = TagOrDigest::Tag("1".parse().unwrap());
        let asking = tokio::spawn(async move { remote.head_manifest(&target).await });
        let (stream, _) = listener.accept().await.unwrap();
        let stream = acceptor.accept(stream).await.unwrap();
        let kind = stream.get_ref().1.handshake_kind();
        assert_eq!(kind, Some(HandshakeKind::Full), "{groups:?}");
        asking.abort();
    }
}

/// Every request of a push over HTTP/2 meets a fault: the connection that it shares breaks.
#[tokio::test]
async fn a_shared_connection_that_breaks_is_made_again() {
    let ca = TestCa::new();
    let (path, _folder) = file(&ca.pem());
    let settings = || RegistrySettings {
        http: HttpSettings {
            ca_file: Some(path.clone()),
            ..settings().http
        },
        ..settings()
    };
    for effect in [Effect::ResetBefore, Effect::ResetAfter] {
        for n in 1..40 {
            let registry = Registry::start(Profile::plain().tls(&ca)).await;
            registry.fault(Fault::at(n, effect.clone()));
            let context = context_with(settings()).0;
            done(
                push(&example(), &[&place(&registry.host())], MAIN),
                &context,
            )
            .await;
            assert_eq!(registry.tags("team/web").len(), 2);
            assert_eq!(registry.dangling(), Vec::<String>::new());
        }
    }
}

#[tokio::test]
async fn promise_7_a_certificate_that_is_not_trusted_ends_it() {
    let (ca, other) = (TestCa::new(), TestCa::new());
    let (path, _folder) = file(&ca.pem());
    for (identity, part) in [
        (other.valid(), "invalid peer certificate"),
        (ca.expired(), "expired"),
        (ca.wrong_name(), "not valid for name"),
    ] {
        let profile = Profile::plain().auth(Auth::basic("robot", HUNTER2));
        let registry = Registry::start(profile.tls_as(identity)).await;
        let settings = RegistrySettings {
            http: HttpSettings {
                ca_file: Some(path.clone()),
                ..as_robot(&[&registry]).http
            },
            ..as_robot(&[&registry])
        };
        let request = push(&example(), &[&place(&registry.host())], MAIN);
        let (failure, text) = refused(request, settings).await;
        assert!(matches!(failure, Failure::Service(_)), "{failure:?}");
        assert!(text.contains("the TLS connection failed"), "{text}");
        assert!(text.contains(part), "no {part} in: {text}");
        assert!(text.contains(&registry.host()), "{text}");
        // No authority of the user's own makes a certificate right that is for others or expired.
        let is_untrusted = part == "invalid peer certificate";
        assert_eq!(text.contains("ca-file"), is_untrusted, "{text}");
        assert_eq!(registry.count(), 0);
    }
}

/// The token host's certificate counts as much as the registry's.
#[tokio::test]
async fn promise_7_a_token_host_that_is_not_trusted_gets_no_login() {
    let (ca, other) = (TestCa::new(), TestCa::new());
    let (path, _folder) = file(&ca.pem());
    let rules = TokenRules::new("registry.test").user("robot", HUNTER2);
    let profile = Profile::plain().tls(&ca);
    let registry = Registry::start(profile.auth(Auth::TokenHost(rules.tls(other.valid())))).await;
    let settings = RegistrySettings {
        http: HttpSettings {
            ca_file: Some(path),
            ..as_robot(&[&registry]).http
        },
        ..as_robot(&[&registry])
    };
    let request = push(&example(), &[&place(&registry.host())], MAIN);
    let (failure, text) = refused(request, settings).await;
    assert!(matches!(failure, Failure::Service(_)), "{failure:?}");
    assert!(text.contains("certificate"), "{text}");
    assert!(text.contains(&registry.token_server().host()), "{text}");
    assert_eq!(registry.token_server().count(), 0);
}

#[tokio::test]
async fn a_registry_on_this_machine_is_found_to_speak_plain_http_once() {
    let registry = Registry::start(Profile::plain()).await;
    let wire = Wire::before(&registry.host(), 0).await;
    done(push(&example(), &[&place(&wire.host)], MAIN), &context()).await;
    assert_eq!(registry.tags("team/web").len(), 2);
    assert_eq!(wire.handshakes(), 1);
}

#[tokio::test]
async fn a_registry_on_this_machine_that_is_named_insecure_is_tried_by_tls_once() {
    let registry = Registry::start(Profile::plain()).await;
    let wire = Wire::before(&registry.host(), 0).await;
    let context = context_with(RegistrySettings {
        insecure: vec![wire.host.parse().unwrap()],
        ..settings()
    })
    .0;
    done(push(&example(), &[&place(&wire.host)], MAIN), &context).await;
    assert_eq!(wire.handshakes(), 1);
}

/// A registry that is still starting says nothing of how it wants to be spoken to.
#[tokio::test]
async fn a_refused_connection_does_not_settle_how_to_speak() {
    for identity in [None, Some(TestCa::new())] {
        let profile = match &identity {
            None => Profile::plain(),
            Some(ca) => Profile::plain().tls(ca),
        };
        let registry = Registry::start(profile).await;
        let wire = Wire::before(&registry.host(), 2).await;
        let pem = identity.as_ref().map(|ca| file(&ca.pem()));
        let context = context_with(RegistrySettings {
            http: HttpSettings {
                ca_file: pem.as_ref().map(|(path, _)| path.clone()),
                ..settings().http
            },
            ..settings()
        })
        .0;
        done(push(&example(), &[&place(&wire.host)], MAIN), &context).await;
        assert_eq!(registry.tags("team/web").len(), 2);
    }
}

#[tokio::test]
async fn promise_7_a_redirect_from_https_to_http_is_not_followed() {
    let ca = TestCa::new();
    let (path, _folder) = file(&ca.pem());
    let plain = Registry::start(Profile::plain()).await;
    let registry = Registry::start(Profile::plain().tls(&ca)).await;
    let settings = RegistrySettings {
        http: HttpSettings {
            ca_file: Some(path),
            ..settings().http
        },
        ..settings()
    };
    for method in ["GET", "POST"] {
        registry.clear_faults();
        let to = format!("{}/v2/team/web/blobs/uploads/1", plain.url());
        let status = if method == "GET" { 307 } else { 202 };
        let effect = Effect::status_with(status, &[("location", &to)], "");
        registry.fault(Fault::on(method, "/v2/", effect).always());
        let request = match method {
            "GET" => promote(
                &format!("{}:1", place(&registry.host())),
                &["oci:unused"],
                MAIN,
            ),
            _ => push(&example(), &[&place(&registry.host())], MAIN),
        };
        let (failure, text) = refused(request, settings.clone()).await;
        assert!(matches!(failure, Failure::Service(_)), "{failure:?}");
        assert!(text.contains("redirect from https to http"), "{text}");
    }
    assert_eq!(plain.count(), 0);
}

#[test]
fn a_certificate_file_that_does_not_do_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let missing = folder.path().join("missing.pem");
    let key = "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n";
    let broken = "-----BEGIN CERTIFICATE-----\n!!!\n-----END CERTIFICATE-----\n";
    let (text, _a) = file("not a certificate");
    let (key, _b) = file(key);
    let (empty, _c) = file("");
    let (broken, _d) = file(broken);
    for (path, part) in [
        (missing, "cannot be read"),
        (text, "holds no certificate"),
        (key, "holds no certificate"),
        (empty, "holds no certificate"),
        (broken, "is not a PEM file"),
        (folder.path().to_owned(), "cannot be read"),
    ] {
        let by_input = RegistrySettings {
            http: HttpSettings {
                ca_file: Some(path.clone()),
                ..settings().http
            },
            ..settings()
        };
        let by_environment = RegistrySettings {
            http: HttpSettings {
                ssl_cert_file: Some(path.clone()),
                ..settings().http
            },
            ..settings()
        };
        for settings in [by_input, by_environment] {
            let error = RegistryClient::new(settings, Notices::new(|_| {}))
                .err()
                .expect("an error");
            let text = error.to_string();
            assert!(text.contains(part), "no {part} in: {text}");
            assert!(text.contains(&path.display().to_string()), "{text}");
        }
    }
}
