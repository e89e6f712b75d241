//! Quay by its API, with answers in the form of its description (tags of a repository).

use serde_json::{Value, json};
use shipmark::image::RegistryVendor;
use shipmark::registry_api::RegistryApiErrorKind;

use super::small_repository::*;
use super::vendor_stage::VendorStage;
use crate::prune::stage::{WEB, to_file};
use crate::registry::{Answer, Call, Effect, Fault, Presented, Registry};

const TOKEN: &str = "made-up-oauth-token";
const TAGS: &str = "/api/v1/repository/team/web/tag/";

fn answer(registry: &Registry, call: &Call, size: usize) -> Answer {
    if !matches!(call.presented(), Presented::Bearer(token) if token == TOKEN) {
        return Answer::new(401).json(
            &json!({"error_message": "Requires authentication", "error_type": "invalid_token"}),
        );
    }
    let tag = call.path.strip_prefix(TAGS).unwrap();
    if call.method == "DELETE" {
        let mut tags = registry.tags(WEB);
        return match tags.remove(tag) {
            Some(_) => {
                registry.set_tags(WEB, tags);
                Answer::new(204)
            }
            None => Answer::new(404).json(&json!({"error_message": "Not Found"})),
        };
    }
    assert_eq!(
        (tag, call.query("onlyActiveTags"), call.query("limit")),
        ("", Some("true"), Some("100"))
    );
    let start: jiff::Timestamp = pushed().parse().unwrap();
    let tags: Vec<Value> = registry
        .tags(WEB)
        .into_iter()
        .map(|(name, digest)| {
            json!({
                "name": name, "manifest_digest": digest, "start_ts": start.as_second(), "reversion": false,
                "is_manifest_list": false, "size": 1000, "last_modified": "Sun, 01 Nov 2026 00:00:00 -0000",
            })
        })
        .collect();
    let at = number(call, "page").unwrap();
    let (shown, has_additional) = page(&tags, (at - 1) * size, size);
    Answer::new(200).json(&json!({"tags": shown, "page": at, "has_additional": has_additional}))
}

async fn stage(size: usize) -> VendorStage {
    let login = Some(("$oauthtoken", TOKEN));
    start(RegistryVendor::Quay, login, move |registry, _, call, _| {
        answer(registry, call, size)
    })
    .await
}

#[tokio::test]
async fn a_tag_goes_by_the_api_and_its_manifest_by_the_registry() {
    let vendor = stage(100).await;
    let plan = vendor.plan(cleanup()).await.unwrap();
    assert_eq!(vendor.stage.steps(&plan), ["pr-2", "old"]);
    let outcome = vendor.apply(cleanup(), &to_file(&plan)).await.unwrap();
    assert_eq!(vendor.stage.deleted(&outcome), ["pr-2", "old"]);
    let deletion = format!("DELETE {TAGS}pr-2 204");
    assert_eq!(vendor.server.requests().last(), Some(&deletion));
}

#[tokio::test]
async fn all_pages_are_read_and_a_fault_of_one_stops_the_plan() {
    let vendor = stage(1).await;
    let listing = vendor.open().await.unwrap().list_content().await.unwrap();
    assert_eq!(listing.tags.len(), 2);
    assert_list_faults_stop(&vendor, "GET", "page=2").await;
    let endless = Effect::status_with(
        200,
        &[],
        "{\"tags\": [], \"page\": 2, \"has_additional\": true}",
    );
    vendor
        .server
        .fault(Fault::on("GET", "page=2", endless).always());
    assert!(vendor.plan(cleanup()).await.unwrap().is_stopped());
    vendor.server.clear_faults();
    assert_refusal_is_told(&vendor, TOKEN, "repo:read").await;
}

#[tokio::test]
async fn a_robot_account_is_no_login_of_the_api() {
    let login = Some(("team+robot", "made-up"));
    let vendor = start(RegistryVendor::Quay, login, |registry, _, call, _| {
        answer(registry, call, 100)
    });
    let error = vendor.await.open().await.err().unwrap();
    assert!(matches!(error.kind, RegistryApiErrorKind::NoLogin(_)));
    assert!(error.needs.contains("$oauthtoken"));
}
