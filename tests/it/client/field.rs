//! Answers of registries that people have met, and what the client makes of them.

use shipmark::image::{Repository, Tag};
use shipmark::registry::{RegistryClient, RepositoryAccess};
use shipmark::release::Failure;

use super::*;
use crate::registry::{Auth, Effect, Fault, Merging, Profile, Registry, TokenKey, digest};

const MAIN: &str = "refs/heads/main";

fn place(registry: &Registry) -> String {
    format!("{}/team/web", registry.host())
}

fn envelope(code: &str) -> String {
    format!(r#"{{"errors":[{{"code":"{code}","message":"no"}}]}}"#)
}

/// Pushes the example, and checks that all of it is there.
async fn pushed_whole(registry: &Registry) -> String {
    let (context, said) = context_with(settings());
    done(push(&example(), &[&place(registry)], MAIN), &context).await;
    assert_eq!(registry.dangling(), Vec::<String>::new());
    assert_eq!(registry.open_uploads(), 0);
    said.text()
}

#[tokio::test]
async fn a_lost_upload_session_is_replaced() {
    let unknown = envelope("BLOB_UPLOAD_UNKNOWN");
    for (status, body) in [
        (404, ""),
        (404, &*unknown),
        (410, ""),
        (520, ""),
        (521, ""),
        (524, ""),
    ] {
        let registry = Registry::start(Profile::plain().single_posts(false)).await;
        let effect = Effect::status_with(status, &[], body);
        registry.fault(Fault::on("PUT", "/blobs/uploads/", effect));
        let said = pushed_whole(&registry).await;
        assert!(said.contains(&status.to_string()), "{status}: {said}");
    }
}

#[tokio::test]
async fn a_repository_that_does_not_exist_is_no_lost_session() {
    let registry = Registry::start(Profile::plain()).await;
    let gone = Effect::status_with(404, &[], &envelope("NAME_UNKNOWN"));
    registry.fault(Fault::on("PUT", "/blobs/uploads/", gone).always());
    let (_, text) = refused(push(&example(), &[&place(&registry)], MAIN), settings()).await;
    assert!(text.contains("NAME_UNKNOWN"), "{text}");
}

#[tokio::test]
async fn a_registry_that_sees_its_blobs_late_is_asked_again() {
    for tag in [false, true] {
        let registry = Registry::start(Profile::plain()).await;
        let part = if tag {
            "/manifests/main"
        } else {
            "/manifests/"
        };
        let late = Effect::status_with(400, &[], &envelope("MANIFEST_BLOB_UNKNOWN"));
        registry.fault(Fault::on("PUT", part, late).times(3));
        let said = pushed_whole(&registry).await;
        assert!(said.contains("copying the whole image again"), "{said}");
    }
}

#[tokio::test]
async fn a_registry_that_never_sees_its_blobs_is_asked_as_often_as_others() {
    let registry = Registry::start(Profile::plain()).await;
    put_image(&registry, &[(100, 1)]);
    let late = Effect::status_with(400, &[], &envelope("MANIFEST_BLOB_UNKNOWN"));
    registry.fault(Fault::on("PUT", "/v2/copy/manifests/", late).always());
    let from = format!("{}/big:1", registry.host());
    let request = engine::promotion(&from, &format!("{}/copy", registry.host()));
    let (_, text) = refused(request, settings()).await;
    assert!(text.contains("MANIFEST_BLOB_UNKNOWN"), "{text}");
    let tries = registry.count_of("PUT /v2/copy/manifests/");
    assert_eq!(tries, 1 + timing().attempts as usize);
}

#[tokio::test]
async fn every_reason_of_a_refusal_is_told() {
    let registry = Registry::start(Profile::plain()).await;
    let body = r#"{"errors":[{"code":"MANIFEST_INVALID","message":"manifest invalid","detail":{}},
        {"code":"UNSUPPORTED","message":"","detail":{"reason":"layer type not allowed"}}]}"#;
    registry.fault(Fault::on("PUT", "/manifests/", Effect::status_with(400, &[], body)).always());
    let (_, text) = refused(push(&example(), &[&place(&registry)], MAIN), settings()).await;
    let expected =
        r#"MANIFEST_INVALID: manifest invalid; UNSUPPORTED: {"reason":"layer type not allowed"}"#;
    assert!(text.contains(expected), "{text}");
}

#[tokio::test]
async fn a_host_behind_a_redirect_that_fails_is_named() {
    for (location, cause) in [
        (
            "http://127.0.0.1:1/blob",
            "127.0.0.1:1, to which the registry redirects: ",
        ),
        (
            "http://storage.invalid/blob",
            "storage.invalid, to which the registry redirects: ",
        ),
    ] {
        let source = Registry::start(Profile::plain()).await;
        put_image(&source, &[(5 << 20, 1)]);
        let away = Effect::status_with(307, &[("location", location)], "");
        source.fault(Fault::on("GET", "/blobs/", away).always());
        let to = Registry::start(Profile::plain()).await;
        let from = format!("{}/big:1", source.host());
        let request = engine::promotion(&from, &format!("{}/copy", to.host()));
        let (failure, text) = refused(request, settings()).await;
        assert!(matches!(failure, Failure::Service(_)), "{failure:?}");
        assert!(text.contains(cause), "{text}");
        assert!(
            text.contains("this runner must be able to reach that host"),
            "{text}"
        );
        assert!(!text.contains("spelt"), "{text}");
    }
}

#[tokio::test]
async fn a_head_that_the_storage_refuses_is_asked_as_a_get() {
    for status in [400, 403, 405] {
        let storage = Registry::start(Profile::plain()).await;
        let to = Registry::start(Profile::plain().redirect_blobs_to(&storage)).await;
        let source = Registry::start(Profile::plain()).await;
        for registry in [&source, &to, &storage] {
            put_image(registry, &[(1000, 1)]);
        }
        let index = r#"{"schemaVersion":2,"manifests":[]}"#;
        to.put_manifest(
            "copy",
            "other",
            "application/vnd.oci.image.index.v1+json",
            index,
        );
        for blob in [
            to.put_synthetic_blob("copy", 1000, 1),
            to.put_blob("copy", "{}"),
        ] {
            let location = format!("{}/v2/big/blobs/{blob}", storage.url());
            let away = Effect::status_with(307, &[("location", &location)], "");
            to.fault(Fault::on("HEAD", &blob, away).always());
        }
        storage.fault(Fault::on("HEAD", "/blobs/", Effect::status(status)).always());
        let from = format!("{}/big:1", source.host());
        let request = engine::promotion(&from, &format!("{}/copy", to.host()));
        let outcome = done(request, &context()).await;
        assert_eq!(
            outcome.destinations[0].copy_stats.moved.blobs, 0,
            "{status}"
        );
        assert_eq!(storage.count_of("HEAD /v2/big/blobs/"), 2, "{status}");
    }
}

#[tokio::test]
async fn a_storage_that_refuses_a_get_too_is_the_one_that_is_named() {
    let to = Registry::start(Profile::plain()).await;
    let storage = Registry::start(Profile::plain()).await;
    to.put_manifest(
        "copy",
        "there",
        "application/vnd.oci.image.index.v1+json",
        "{\"schemaVersion\":2,\"manifests\":[]}",
    );
    let source = Registry::start(Profile::plain()).await;
    put_image(&source, &[(1000, 1)]);
    let location = format!("{}/blob", storage.url());
    let away = Effect::status_with(307, &[("location", &location)], "");
    to.fault(Fault::on("*", "/v2/copy/blobs/sha256", away).always());
    storage.fault(Fault::on("*", "", Effect::status(403)).always());
    let from = format!("{}/big:1", source.host());
    let request = engine::promotion(&from, &format!("{}/copy", to.host()));
    let (_, text) = refused(request, settings()).await;
    let named = format!(
        "{}, to which the registry redirects: answered 403",
        storage.host()
    );
    assert!(text.contains(&named), "{text}");
    assert!(!text.contains("no credentials for"), "{text}");
}

async fn listed(registry: &Registry) -> Result<Vec<String>, String> {
    let client = RegistryClient::new(settings(), Said::default().notices()).unwrap();
    let repository: Repository = place(registry).parse().unwrap();
    let remote = client.open_repository(&repository, RepositoryAccess::Pull, &[]);
    let tags = remote.tags().await.map_err(|error| error.to_string())?;
    Ok(tags.iter().map(Tag::to_string).collect())
}

fn tag_page(tags: impl Iterator<Item = usize>) -> String {
    let tags: Vec<String> = tags.map(|tag| format!(r#""t{tag:05}""#)).collect();
    format!(r#"{{"name":"team/web","tags":[{}]}}"#, tags.join(","))
}

#[tokio::test]
async fn a_link_with_several_relations_is_followed() {
    let registry = Registry::start(Profile::plain()).await;
    let next = r#"</v2/team/web/tags/list?last=t00002&n=1000>; title="a, b"; rel="prev next""#;
    let first = Effect::status_with(200, &[("link", next)], &tag_page(0..3));
    registry.fault(Fault::on(
        "GET",
        "tags/list?last=",
        Effect::status_with(200, &[], &tag_page(3..5)),
    ));
    registry.fault(Fault::on("GET", "tags/list", first));
    assert_eq!(listed(&registry).await.unwrap().len(), 5);
    assert_eq!(registry.count(), 2);
    let odd = Effect::status_with(
        200,
        &[("link", "</v2/team/web/tags/list?last=a>; next")],
        &tag_page(0..3),
    );
    registry.fault(Fault::on("GET", "tags/list", odd));
    assert!(
        listed(&registry)
            .await
            .unwrap_err()
            .contains("Link header is malformed")
    );
}

#[tokio::test]
async fn a_full_page_without_a_link_is_asked_on() {
    for (page, rest, requests) in [(1000, 7, 2), (100, 7, 2), (50, 0, 2), (49, 0, 1)] {
        let registry = Registry::start(Profile::plain()).await;
        let last = format!("last=t{:05}", page - 1);
        let more = Effect::status_with(200, &[], &tag_page(page..page + rest));
        registry.fault(Fault::on("GET", &last, more));
        let full = Effect::status_with(200, &[], &tag_page(0..page));
        registry.fault(Fault::on("GET", "tags/list?n=1000", full));
        assert_eq!(
            listed(&registry).await.unwrap().len(),
            page + rest,
            "{page}"
        );
        assert_eq!(registry.count(), requests, "{page}");
    }
    // A registry that does not know `last` gives the same page again.
    let registry = Registry::start(Profile::plain()).await;
    let full = Effect::status_with(200, &[], &tag_page(0..100));
    registry.fault(Fault::on("GET", "tags/list", full).always());
    assert_eq!(listed(&registry).await.unwrap().len(), 100);
    assert_eq!(registry.count(), 2);
}

#[tokio::test]
async fn an_empty_token_before_an_access_token_is_passed_over() {
    let auth = Auth::TokenHost(rules().key(TokenKey::EmptyToken));
    let registry = Registry::start(Profile::plain().auth(auth)).await;
    let context = context_with(as_robot(&[&registry])).0;
    done(push(&example(), &[&place(&registry)], MAIN), &context).await;
    assert_eq!(registry.token_server().count(), 1);
}

#[tokio::test]
async fn a_token_server_that_grants_one_scope_is_asked_for_each_alone() {
    for merging in [Merging::First, Merging::Last, Merging::Refused] {
        for forbids in [false, true] {
            let mut rules = rules().merging(merging);
            if forbids {
                rules = rules.forbids();
            }
            let registry = Registry::start(Profile::plain().auth(Auth::TokenHost(rules))).await;
            put_image(&registry, &[(1000, 1)]);
            let context = context_with(as_robot(&[&registry])).0;
            let [from, to] = ["big:1", "copy"].map(|path| format!("{}/{path}", registry.host()));
            done(engine::promotion(&from, &to), &context).await;
            assert_eq!(
                registry.dangling(),
                Vec::<String>::new(),
                "{merging:?} {forbids}"
            );
        }
    }
}

/// Copies within one registry, which answers a mount in its own way.
async fn copied_without_mount(effect: Effect) -> Registry {
    let registry = Registry::start(Profile::plain()).await;
    put_image(&registry, &[(1000, 1), (2000, 2), (3000, 3)]);
    registry.put_blob("copy", "something");
    registry.put_manifest(
        "copy",
        "other",
        "application/vnd.oci.image.index.v1+json",
        r#"{"schemaVersion":2,"manifests":[]}"#,
    );
    registry.fault(Fault::on("POST", "mount=", effect).always());
    let [from, to] = ["big:1", "copy"].map(|path| format!("{}/{path}", registry.host()));
    let outcome = done(engine::promotion(&from, &to), &context()).await;
    assert_eq!(outcome.destinations[0].copy_stats.moved.blobs, 4);
    assert_eq!(registry.dangling(), Vec::<String>::new());
    assert_eq!(registry.open_uploads(), 0);
    registry
}

#[tokio::test]
async fn a_mount_that_fails_in_any_way_becomes_an_upload() {
    for status in [200, 204, 400, 404, 405, 500, 501, 505] {
        let registry = copied_without_mount(Effect::status(status)).await;
        let mounts = registry.count_of("POST /v2/copy/blobs/uploads/?mount=");
        assert!((1..=4).contains(&mounts), "{status}: {mounts}");
    }
}

#[tokio::test]
async fn a_mount_that_lied_is_not_believed_again() {
    for existing in [false, true] {
        let registry = Registry::start(Profile::plain()).await;
        put_image(&registry, &[(1000, 1), (2000, 2)]);
        if existing {
            registry.put_manifest(
                "copy",
                "other",
                "application/vnd.oci.image.index.v1+json",
                r#"{"schemaVersion":2,"manifests":[]}"#,
            );
        }
        registry.fault(Fault::on("POST", "mount=", Effect::status(201)).always());
        let [from, to] = ["big:1", "copy"].map(|path| format!("{}/{path}", registry.host()));
        done(engine::promotion(&from, &to), &context()).await;
        assert_eq!(registry.dangling(), Vec::<String>::new(), "{existing}");
        assert_eq!(
            registry.count_of("POST /v2/copy/blobs/uploads/?mount="),
            3,
            "{existing}"
        );
    }
}

#[tokio::test]
async fn a_registry_that_does_not_say_whether_it_lists_referrers_is_told_how_to_go_on() {
    for (status, body) in [
        (401, ""),
        (403, ""),
        (501, ""),
        (200, "<!doctype html><html>"),
    ] {
        let source = holding(Profile::plain()).await;
        source.fault(
            Fault::on("GET", "/referrers/", Effect::status_with(status, &[], body)).always(),
        );
        let to = Registry::start(Profile::plain()).await;
        let from = format!("{}/dev/web:1.4.0", source.host());
        let mut request = promote(&from, &[&place(&to)], MAIN);
        request.referrers = shipmark::referrers::ReferrerSelection::Known;
        let (failure, text) = refused(request, settings()).await;
        assert!(
            matches!(failure, Failure::Service(_)),
            "{status}: {failure:?}"
        );
        assert!(text.contains("set referrers: none"), "{status}: {text}");
        assert!(text.contains("lose its signatures"), "{status}: {text}");
        assert!(!text.contains("credentials"), "{status}: {text}");
        assert_eq!(to.tags("team/web").len(), 0);
    }
}

#[tokio::test]
async fn an_index_with_a_wrong_size_of_an_entry_is_refused() {
    let source = Registry::start(Profile::plain()).await;
    let child = put_image(&source, &[(1000, 1)]);
    let size = source.manifest("big", "1").unwrap().1.len() + 1;
    let media_type = "application/vnd.oci.image.index.v1+json";
    let index = serde_json::json!({"schemaVersion": 2, "mediaType": media_type, "manifests": [
        {"mediaType": "application/vnd.oci.image.manifest.v1+json", "digest": child, "size": size},
    ]});
    source.put_manifest("big", "2", media_type, index.to_string());
    let to = Registry::start(Profile::plain()).await;
    let from = format!("{}/big:2", source.host());
    let request = engine::promotion(&from, &format!("{}/copy", to.host()));
    let (_, text) = refused(request, settings()).await;
    let expected = format!(
        "its index {} says {size}",
        digest(index.to_string().as_bytes())
    );
    assert!(text.contains(&expected), "{text}");
    assert_eq!(to.tags("copy").len(), 0);
}
