//! Google Artifact Registry by its API, with answers in the form of its reference (`packages.versions.list`).

use serde_json::{Value, json};
use shipmark::image::RegistryVendor;
use shipmark::registry_api::RegistryApiErrorKind;

use super::small_repository::*;
use super::vendor_stage::VendorStage;
use crate::prune::stage::WEB;
use crate::registry::{Answer, Call, Presented, Registry};

const TOKEN: &str = "ya29.made-up";

const REPOSITORY: &str = "acme/images/web";
const PACKAGE: &str = "projects/acme/locations/-/repositories/images/packages/web";

fn answer(registry: &Registry, call: &Call, size: usize) -> Answer {
    if !matches!(call.presented(), Presented::Bearer(token) if token == TOKEN) {
        return Answer::new(401).json(&json!({"error": {"code": 401, "message": "Request had invalid authentication credentials.", "status": "UNAUTHENTICATED"}}));
    }
    assert_eq!(call.path, format!("/v1/{PACKAGE}/versions"));
    assert_eq!(
        (call.query("view"), call.query("pageSize")),
        (Some("FULL"), Some("1000"))
    );
    let versions = content_of(registry, REPOSITORY).into_iter().map(|(digest, tags)| {
        let tags = tags.iter().map(|tag| {
            json!({"name": format!("{PACKAGE}/tags/{tag}"), "version": format!("{PACKAGE}/versions/{digest}")})
        });
        let tags: Vec<Value> = tags.collect();
        let mut version = json!({
            "name": format!("{PACKAGE}/versions/{digest}"),
            "createTime": pushed(), "updateTime": pushed(),
            "metadata": {"imageSizeBytes": "1000", "mediaType": "application/vnd.oci.image.manifest.v1+json"},
        });
        if !tags.is_empty() {
            version["relatedTags"] = tags.into();
        }
        version
    });
    let from = number(call, "pageToken").unwrap_or(0);
    let (shown, has_more) = page(&versions.collect::<Vec<_>>(), from, size);
    let mut body = json!({"versions": shown});
    if has_more {
        body["nextPageToken"] = (from + size).to_string().into();
    }
    Answer::new(200).json(&body)
}

async fn stage(size: usize) -> VendorStage {
    let login = Some(("oauth2accesstoken", TOKEN));
    stage_with(size, login).await
}

async fn stage_with(size: usize, login: Option<(&str, &str)>) -> VendorStage {
    let answer =
        move |registry: &Registry, _: &str, call: &Call, _: &[u8]| answer(registry, call, size);
    let mut vendor = start(RegistryVendor::Gar, login, answer).await;
    let registry = &vendor.stage.registry;
    registry.copy_content(WEB, REPOSITORY);
    registry.set_tags(REPOSITORY, registry.tags(WEB));
    vendor.repository = REPOSITORY;
    vendor
}

#[tokio::test]
async fn untagged_images_go_after_what_names_them() {
    let vendor = stage(1000).await;
    assert_untagged_goes(&vendor).await;
    assert_eq!(vendor.server.requests().len(), 2);
}

#[tokio::test]
async fn all_pages_are_read_and_a_fault_of_one_stops_the_plan() {
    let vendor = stage(2).await;
    let listing = vendor.open().await.unwrap().list_content().await.unwrap();
    assert_eq!((listing.manifests.len(), listing.tags.len()), (5, 2));
    assert_eq!(vendor.server.requests().len(), 3);
    assert_list_faults_stop(&vendor, "GET", "pageToken=2").await;
    assert_refusal_is_told(&vendor, TOKEN, "roles/artifactregistry.reader").await;
}

#[tokio::test]
async fn a_key_of_a_service_account_is_no_token() {
    let vendor = stage_with(1000, Some(("_json_key", "{}"))).await;
    let error = vendor.open().await.err().unwrap();
    assert!(matches!(error.kind, RegistryApiErrorKind::NoLogin(_)));
    let plan = vendor.plan(cleanup()).await.unwrap();
    let notes = plan.groups[0].repositories[0].notes.join("\n");
    assert!(notes.contains("oauth2accesstoken"), "{notes}");
}
