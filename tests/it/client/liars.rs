//! Registries that lie, all in one table: each lie is found out, and said by side, host and request.
//! Nothing is written that is wrong, and no lie costs more than a moment or a few MiB.

use std::io::Write;
use std::sync::Arc;
use std::time::{Duration, Instant};

use shipmark::referrers::{ReferrerSelection, SkipReason};
use shipmark::registry::{RegistryClient, RepositoryAccess};
use shipmark::release::{Failure, run};

use super::wire::Wire;
use super::*;
use crate::registry::{Auth, Effect, Fault, Profile, Registry, TokenServer};
use crate::support::attach;

const RELEASE: &str = "refs/tags/v1.4.0";

/// Who lies.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Liar {
    Source,
    Destination,
}
use Liar::{Destination, Source};

/// A lie: who tells it, in which answer, and how it is found out.
struct Lie {
    liar: Liar,
    method: &'static str,
    part: &'static str,
    effect: Effect,
    /// The request as the message names it.
    request: &'static str,
    reason: &'static str,
}

fn lie(
    liar: Liar,
    at: (&'static str, &'static str),
    effect: Effect,
    found_out: (&'static str, &'static str),
) -> Lie {
    Lie {
        liar,
        method: at.0,
        part: at.1,
        effect,
        request: found_out.0,
        reason: found_out.1,
    }
}

fn ok(headers: &[(&str, &str)], body: &str) -> Effect {
    Effect::status_with(200, headers, body)
}

/// A promotion from one registry to another, of which one lies.
async fn tell(lie: &Lie) -> (Registry, Registry, Failure, String) {
    let source = holding_at(Profile::plain(), |_| settings()).await;
    let to = Registry::start(Profile::plain()).await;
    // A repository that has something is asked for more than a new one.
    let older = r#"{"schemaVersion":2}"#;
    let named = crate::registry::digest(older.as_bytes());
    let index = "application/vnd.oci.image.index.v1+json";
    to.put_manifest("prod/web", &named, index, older);
    let fault = Fault::on(lie.method, lie.part, lie.effect.clone()).always();
    match lie.liar {
        Source => source.fault(fault),
        Destination => to.fault(fault),
    }
    let from = format!("{}/dev/web:1.4.0", source.host());
    let place = format!("{}/prod/web", to.host());
    let (failure, text) = promoted_in_vain(&from, &place, settings()).await;
    (source, to, failure, text)
}

async fn promoted_in_vain(from: &str, to: &str, settings: RegistrySettings) -> (Failure, String) {
    let began = Instant::now();
    let request = promote(from, &[to], RELEASE);
    let (context, said) = context_with(settings);
    let failed = tokio::time::timeout(Duration::from_secs(30), run(&request, &context)).await;
    let failure = failed.expect("it ends").expect_err("it is found out");
    let text = failure.diagnostic().unwrap().to_string();
    let all = format!("{}\n{text}", said.text());
    assert!(
        !all.contains(HUNTER2) && !all.contains('\r') && !all.contains('\u{1b}'),
        "{all}"
    );
    assert!(began.elapsed() < Duration::from_secs(20), "{text}");
    (failure, text)
}

fn lies() -> Vec<Lie> {
    let root = example_root().to_string();
    let other = format!("sha256:{}", "0".repeat(64));
    let digest = |digest: &str, body: &str| ok(&[("docker-content-digest", digest)], body);
    let next = |to: &str| format!("<{to}>; rel=\"next\"");
    let large = " ".repeat((8 << 20) + 1);
    let (by_tag, manifest) = ("/manifests/1.4.0", "GET manifest 1.4.0 of dev/web");
    let (tags, list) = ("/tags/list", "GET tag list of prod/web");
    vec![
        // Digests and bytes.
        lie(
            Source,
            ("*", by_tag),
            digest(&other, "{}"),
            (manifest, "as it should be"),
        ),
        lie(
            Source,
            ("*", by_tag),
            digest(&root, "{}"),
            (manifest, "as it should be"),
        ),
        lie(
            Source,
            ("GET", "/manifests/sha256:"),
            ok(&[], "{}"),
            ("GET manifest sha256:", "as it should be"),
        ),
        lie(
            Source,
            ("GET", "/blobs/"),
            Effect::FlipByte(3),
            ("blob sha256:", "its bytes have the digest"),
        ),
        lie(
            Destination,
            ("PUT", "/manifests/"),
            Effect::status_with(201, &[("docker-content-digest", &other)], ""),
            ("PUT manifest sha256:", "as it should be"),
        ),
        // Lengths.
        lie(
            Source,
            ("GET", "/blobs/"),
            Effect::Truncate(5),
            ("blob sha256:", "has 5 bytes, its manifest says"),
        ),
        lie(
            Source,
            ("GET", "/blobs/"),
            Effect::EndlessBody,
            ("blob sha256:", "more than"),
        ),
        lie(
            Source,
            ("GET", by_tag),
            Effect::EndlessBody,
            (manifest, "larger than 8 MiB"),
        ),
        lie(
            Source,
            ("GET", by_tag),
            ok(&[], &large),
            (manifest, "larger than 8 MiB"),
        ),
        lie(
            Destination,
            ("GET", tags),
            Effect::EndlessBody,
            (list, "a body of more than"),
        ),
        lie(
            Destination,
            ("HEAD", "/blobs/"),
            ok(&[], ""),
            (
                "HEAD blob sha256:",
                "the blob has 0 bytes, its manifest says",
            ),
        ),
        // Lists.
        lie(
            Destination,
            ("GET", tags),
            ok(
                &[("link", &next("/v2/prod/web/tags/list?n=1000"))],
                r#"{"tags":["a"]}"#,
            ),
            (list, "never ends"),
        ),
        lie(
            Destination,
            ("GET", tags),
            ok(
                &[("link", &next("http://127.0.0.1:1/v2/"))],
                r#"{"tags":["a"]}"#,
            ),
            (list, "at another host"),
        ),
        lie(
            Destination,
            ("GET", tags),
            ok(&[], "<html>"),
            (list, "it is not a tag list"),
        ),
        // Ways.
        lie(
            Source,
            ("*", by_tag),
            Effect::status_with(307, &[("location", "/v2/dev/web/manifests/1.4.0")], ""),
            (manifest, "more than 5 redirects"),
        ),
        lie(
            Source,
            ("*", by_tag),
            Effect::status_with(307, &[("location", "file:///etc/passwd")], ""),
            (manifest, "file"),
        ),
        lie(
            Destination,
            ("POST", "/blobs/uploads/"),
            Effect::status(202),
            ("POST upload of prod/web", "no Location"),
        ),
        lie(
            Destination,
            ("POST", "/blobs/uploads/"),
            Effect::status_with(202, &[("location", "gopher://127.0.0.1/")], ""),
            ("POST upload of prod/web", "gopher"),
        ),
        // Forms.
        lie(
            Source,
            ("*", by_tag),
            ok(&[("content-type", "text/html")], "<html>"),
            (manifest, "answered with a web page"),
        ),
        lie(
            Source,
            ("*", by_tag),
            Effect::status_with(
                403,
                &[],
                "{\"errors\":[{\"code\":\"DENIED\",\"message\":\"a\\r\\n::add-mask::b\\u001b[2J\"}]}",
            ),
            (manifest, "::add-mask::b"),
        ),
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn every_lie_is_found_out_and_named() {
    let mut missed = Vec::new();
    for lie in lies() {
        let (source, to, failure, text) = tell(&lie).await;
        let case = format!("{:?} {} {}: {text}", lie.liar, lie.method, lie.part);
        assert!(matches!(failure, Failure::Service(_)), "{case}");
        let (side, host) = match lie.liar {
            Source => ("source ", source.host()),
            Destination => ("destination ", to.host()),
        };
        assert!(text.starts_with(side), "{case}");
        for part in [&*host, lie.request, lie.reason] {
            if !text.contains(part) {
                missed.push(format!("no {part} in {case}"));
            }
        }
        // A lie that is told late may find tags, all of them right.
        let right = |digest: &String| *digest == example_root().to_string();
        assert!(to.tags("prod/web").values().all(right), "{case}");
        assert_eq!(to.dangling(), Vec::<String>::new(), "{case}");
        // It does not stick: once the registry speaks the truth, the release is made.
        source.clear_faults();
        to.clear_faults();
        let from = format!("{}/dev/web:1.4.0", source.host());
        let place = format!("{}/prod/web", to.host());
        done(promote(&from, &[&place], RELEASE), &context()).await;
    }
    assert_eq!(missed, Vec::<String>::new());
}

/// What is compressed on its way is not unpacked: a bomb stays small, and is no manifest.
#[tokio::test]
async fn an_answer_that_is_a_gzip_bomb_stays_packed() {
    let bomb: Arc<[u8]> = {
        let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
        gzip.write_all(&vec![b' '; 256 << 20]).unwrap();
        gzip.finish().unwrap().into()
    };
    assert!(bomb.len() < 1 << 20);
    let host = Wire::answering(move |_| {
        let head = format!(
            "HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-encoding: gzip\r\ncontent-length: {}\r\n\r\n",
            bomb.len()
        );
        ([head.as_bytes(), &bomb].concat(), true)
    })
    .await;
    let to = Registry::start(Profile::plain()).await;
    let from = format!("{}/web:1", host.host);
    let place = format!("{}/prod/web", to.host());
    let (_, text) = promoted_in_vain(&from, &place, settings()).await;
    assert!(text.starts_with(&format!("source {}", host.host)), "{text}");
    assert!(
        text.contains("GET manifest 1 of web") && text.contains("is not a manifest"),
        "{text}"
    );
}

/// Lengths that no HTTP has, and heads without end.
#[tokio::test]
async fn an_answer_that_is_no_http_is_named() {
    for head in [
        "HTTP/1.1 200 OK\r\ncontent-length: 99999999999999999999999\r\n\r\n{}".to_owned(),
        "HTTP/1.1 200 OK\r\ncontent-length: -1\r\n\r\n{}".to_owned(),
        "HTTP/1.1 200 OK\r\ncontent-length: 2\r\ncontent-length: 3\r\n\r\n{}".to_owned(),
        format!("HTTP/1.1 200 OK\r\nx: {}\r\n\r\n", "x".repeat(1 << 20)),
        format!("HTTP/1.1 200 OK\r\n{}\r\n", "a: b\r\n".repeat(5000)),
        "\0\0\0\0".to_owned(),
    ] {
        let shown = head.chars().take(60).collect::<String>();
        let host = Wire::answering(move |_| (head.clone(), true)).await;
        let to = Registry::start(Profile::plain()).await;
        let from = format!("{}/web:1", host.host);
        let place = format!("{}/prod/web", to.host());
        let (failure, text) = promoted_in_vain(&from, &place, settings()).await;
        assert!(matches!(failure, Failure::Service(_)), "{shown:?}: {text}");
        assert!(
            text.contains(&format!("source {}", host.host)),
            "{shown:?}: {text}"
        );
        assert!(text.contains("manifest 1 of web"), "{shown:?}: {text}");
    }
}

/// Pages of referrers that name ever another next one, empty or large.
#[tokio::test]
async fn referrers_without_end_are_given_up() {
    let large = format!("{{\"x\":\"{}\"}}", "x".repeat(1 << 20));
    for members in [String::new(), large] {
        let page = move |n: usize| {
            let body = format!(r#"{{"schemaVersion":2,"manifests":[{members}]}}"#);
            let text = format!(
                "HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: {}\r\nlink: </v2/web/referrers/x?n={n}>; rel=\"next\"\r\n\r\n{body}",
                body.len()
            );
            (text, true)
        };
        let host = Wire::answering(page).await;
        let repository = format!("{}/web", host.host).parse().unwrap();
        let client = RegistryClient::new(settings(), Said::default().notices()).unwrap();
        let remote = client.open_repository(&repository, RepositoryAccess::Pull, &[]);
        let listing = tokio::time::timeout(
            Duration::from_secs(60),
            remote.referrers::<serde_json::Value>(example_root()),
        );
        let error = listing.await.expect("it ends").unwrap_err().to_string();
        assert!(error.contains("the list never ends"), "{error}");
        assert!(error.contains("GET referrers of sha256:"), "{error}");
    }
}

/// A host that a registry leads to may ask for a login; it gets none, and neither does the realm
/// that it names.
#[tokio::test]
async fn promise_7_a_login_that_another_host_asks_for_is_not_given() {
    for (part, request) in [
        ("/blobs/", "GET blob sha256:"),
        ("/manifests/1.4.0", "GET manifest 1.4.0"),
    ] {
        let thief = TokenServer::start(rules()).await;
        let realm = thief.realm();
        let challenge = format!(
            "HTTP/1.1 401 Unauthorized\r\nconnection: close\r\ncontent-length: 0\r\nwww-authenticate: Bearer realm=\"{realm}\",service=\"registry.test\"\r\n\r\n"
        );
        let elsewhere = Wire::answering(move |_| (challenge.clone(), true)).await;
        let source = holding(Profile::plain().auth(Auth::TokenHost(rules()))).await;
        let location = format!("http://{}/stolen", elsewhere.host);
        let leads = Effect::status_with(307, &[("location", &location)], "");
        source.fault(Fault::on("*", part, leads).always());
        let to = Registry::start(Profile::plain()).await;
        let from = format!("{}/dev/web:1.4.0", source.host());
        let place = format!("{}/prod/web", to.host());
        let (_, text) = promoted_in_vain(&from, &place, as_robot(&[&source])).await;
        assert_eq!(thief.requests(), Vec::<String>::new(), "{text}");
        for part in [
            "source ",
            &*source.host(),
            request,
            &*elsewhere.host,
            "requires a login",
        ] {
            assert!(text.contains(part), "no {part} in {text}");
        }
    }
}

/// Lists of referrers, at the source and at the destination of a signature that is to travel.
#[tokio::test]
async fn every_lie_about_referrers_is_found_out_and_named() {
    let next = |to: &str| format!("<{to}>; rel=\"next\"");
    let empty = r#"{"schemaVersion":2,"manifests":[]}"#;
    let itself = format!("/v2/{{}}/referrers/{}", example_root());
    let entry = |digest: &str| {
        format!(
            r#"{{"schemaVersion":2,"manifests":[{{"mediaType":"a/b","digest":"{digest}","size":1}}]}}"#
        )
    };
    for (liar, repository) in [(Source, "dev/web"), (Destination, "prod/web")] {
        for (effect, reason) in [
            (
                ok(&[("link", &next(&itself.replace("{}", repository)))], empty),
                "the list never ends",
            ),
            (
                ok(&[("link", &next("http://127.0.0.1:1/v2/"))], empty),
                "the next page is at another host",
            ),
            (
                ok(&[("link", "nonsense")], empty),
                "its Link header is malformed",
            ),
            (Effect::EndlessBody, "a body of more than"),
            (ok(&[], "<html>"), "does not say whether it lists referrers"),
            (
                ok(&[], r#"{"schemaVersion":1,"manifests":[]}"#),
                "it is not a list of referrers",
            ),
            (
                ok(&[], r#"{"schemaVersion":2,"manifests":{}}"#),
                "it is not a list of referrers",
            ),
            (ok(&[], &entry("sha256:none")), "referrers"),
            (Effect::status(403), "403"),
        ] {
            let source = Registry::start(Profile::plain()).await;
            put_example(&source, "dev/web", "1.4.0");
            let root = example_root().to_string();
            attach::signed(&source, "dev/web", &root, "a signature");
            let to = Registry::start(Profile::plain()).await;
            // A new repository is not asked for a list.
            put_example(&to, "prod/web", "old");
            let struck = if liar == Source { &source } else { &to };
            struck.fault(Fault::on("GET", "/referrers/", effect.clone()).always());
            let from = format!("{}/dev/web:1.4.0", source.host());
            let place = format!("{}/prod/web", to.host());
            let mut request = promote(&from, &[&place], RELEASE);
            request.referrers = ReferrerSelection::Known;
            let (failure, text) = failed(request, &context()).await;
            let case = format!("{liar:?} {effect:?}: {text}");
            assert!(matches!(failure, Failure::Service(_)), "{case}");
            let side = if liar == Source {
                "source "
            } else {
                "destination "
            };
            assert!(text.starts_with(side), "{case}");
            for part in [&*struck.host(), "referrers of sha256:", reason] {
                assert!(text.contains(part), "no {part} in {case}");
            }
            assert!(to.tags("prod/web").keys().eq(["old"]), "{case}");
        }
    }
}

/// A signature of another image, listed as one of this: it does not travel, and that is said.
#[tokio::test]
async fn a_referrer_of_another_image_does_not_travel() {
    let source = Registry::start(Profile::plain()).await;
    put_example(&source, "dev/web", "1.4.0");
    let other = crate::registry::digest(b"another image");
    let (foreign, list) = attach::signed(&source, "dev/web", &other, "a signature");
    let root = format!("/referrers/{}", example_root());
    source.fault(Fault::on("GET", &root, ok(&[], &list)).always());
    let to = Registry::start(Profile::plain()).await;
    let from = format!("{}/dev/web:1.4.0", source.host());
    let place = format!("{}/prod/web", to.host());
    let mut request = promote(&from, &[&place], RELEASE);
    request.referrers = ReferrerSelection::Known;
    let (context, said) = context_with(settings());
    let outcome = done(request, &context).await;
    let beside = &outcome.destinations[0].referrers;
    assert!(beside.copied.is_empty(), "{beside:?}");
    assert_eq!(beside.skipped[0].reason, SkipReason::OtherSubject);
    assert!(
        said.text()
            .contains("listed at the source for another subject")
    );
    assert!(!to.has_manifest("prod/web", &foreign));
}
