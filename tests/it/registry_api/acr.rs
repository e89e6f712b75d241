//! Azure Container Registry by its API, with answers in the form of its reference (`_manifests`, `_tags`).

use serde_json::{Value, json};
use shipmark::image::RegistryVendor;
use shipmark::retention::KeepReason;

use super::small_repository::*;
use super::vendor_stage::VendorStage;
use crate::prune::stage::to_file;
use crate::registry::{Answer, Call, Presented, Registry};

const USER: &str = "made-up-token";
const PASSWORD: &str = "made+up/password";
const REFRESH: &str = "made.up.refresh";
const ACCESS: &str = "made.up.access";
const TOKEN_USER: &str = "00000000-0000-0000-0000-000000000000";

fn refusal() -> Answer {
    Answer::new(401)
        .json(&json!({"errors": [{"code": "UNAUTHORIZED", "message": "authentication required"}]}))
}

/// Locks as the API has them, of the manifest or tag with this name.
fn locks(locked: Option<&str>, name: &str) -> Value {
    let is_free = locked != Some(name);
    json!({"deleteEnabled": is_free, "writeEnabled": true, "readEnabled": true, "listEnabled": true})
}

fn answer(
    registry: &Registry,
    call: &Call,
    body: &[u8],
    (size, locked): (usize, Option<&str>),
) -> Answer {
    if call.path == "/oauth2/token" {
        let form: Vec<(String, String)> = url::form_urlencoded::parse(body).into_owned().collect();
        let has = |name: &str, value: &str| form.contains(&(name.to_owned(), value.to_owned()));
        assert!(has("grant_type", "refresh_token") && has("service", "127.0.0.1"));
        assert!(has("scope", "repository:team/web:metadata_read"));
        return match has("refresh_token", REFRESH) {
            true => Answer::new(200).json(&json!({"access_token": ACCESS})),
            false => refusal(),
        };
    }
    match call.presented() {
        Presented::Basic { user, password } if user == USER && password == PASSWORD => {}
        Presented::Bearer(token) if token == ACCESS => {}
        _ => return refusal(),
    }
    let all = content(registry).into_iter();
    let (kind, entries): (&str, Vec<Value>) = match call.path.as_str() {
        "/acr/v1/team/web/_manifests" => (
            "manifests",
            all.map(|(digest, tags)| {
                json!({
                    "digest": digest, "imageSize": 1000, "createdTime": pushed(), "lastUpdateTime": pushed(),
                    "mediaType": "application/vnd.oci.image.manifest.v1+json", "tags": tags,
                    "changeableAttributes": locks(locked, &digest),
                })
            })
            .collect(),
        ),
        "/acr/v1/team/web/_tags" => (
            "tags",
            all.flat_map(|(digest, tags)| tags.into_iter().map(move |tag| (digest.clone(), tag)))
                .map(|(digest, tag)| {
                    json!({
                        "name": tag, "digest": digest, "createdTime": pushed(), "lastUpdateTime": pushed(),
                        "signed": false, "changeableAttributes": locks(locked, &tag),
                    })
                })
                .collect(),
        ),
        _ => return Answer::new(404).json(&json!({"errors": [{"code": "NAME_UNKNOWN", "message": "unknown"}]})),
    };
    let from = number(call, "last").unwrap_or(0);
    let (shown, has_more) = page(&entries, from, size);
    let answer = Answer::new(200)
        .json(&json!({"registry": "made-up.azurecr.io", "imageName": "team/web", kind: shown}));
    match has_more {
        true => answer.header(
            "link",
            format!(
                "<{}?last={}&n={size}>; rel=\"next\"",
                call.path,
                from + size
            ),
        ),
        false => answer,
    }
}

async fn stage(size: usize, locked: Option<&'static str>, login: (&str, &str)) -> VendorStage {
    start(
        RegistryVendor::Acr,
        Some(login),
        move |registry, _, call, body| answer(registry, call, body, (size, locked)),
    )
    .await
}

#[tokio::test]
async fn untagged_images_go() {
    let vendor = stage(100, None, (USER, PASSWORD)).await;
    assert_untagged_goes(&vendor).await;
    assert_eq!(vendor.server.requests().len(), 4);
}

#[tokio::test]
async fn a_refresh_token_is_exchanged_once() {
    let vendor = stage(100, None, (TOKEN_USER, REFRESH)).await;
    let api = vendor.open().await.unwrap();
    for _ in 0..2 {
        assert_eq!(api.list_content().await.unwrap().manifests.len(), 5);
    }
    let requests = vendor.server.requests();
    assert_eq!(requests[0], "POST /oauth2/token 200");
    assert_eq!(requests.len(), 5);
}

#[tokio::test]
async fn all_pages_are_read_and_a_fault_of_one_stops_the_plan() {
    let vendor = stage(2, None, (USER, PASSWORD)).await;
    let listing = vendor.open().await.unwrap().list_content().await.unwrap();
    assert_eq!((listing.manifests.len(), listing.tags.len()), (5, 2));
    assert_eq!(vendor.server.requests().len(), 3 + 1);
    assert_list_faults_stop(&vendor, "GET", "_manifests?last=2").await;
    assert_list_faults_stop(&vendor, "GET", "_tags").await;
    assert_refusal_is_told(&vendor, PASSWORD, "metadata/read").await;
}

#[tokio::test]
async fn an_image_with_a_locked_tag_is_not_planned_for() {
    let vendor = stage(100, Some("pr-2"), (USER, PASSWORD)).await;
    let plan = vendor.plan(cleanup()).await.unwrap();
    let reasons = &plan.groups[0].plan.repositories[0].manifests[&vendor.stage.digest_of("old")];
    let locked = "the tag pr-2 is locked: deleteEnabled is false".to_owned();
    assert!(
        reasons
            .keep_reasons
            .contains(&KeepReason::RegistryRefuses(locked))
    );
    let outcome = vendor.apply(cleanup(), &to_file(&plan)).await.unwrap();
    assert_eq!(vendor.stage.deleted(&outcome), ["U", "b"]);
}
