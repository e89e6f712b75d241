//! Docker Hub by its API, with answers in the form of its reference (tags of a repository).

use serde_json::{Value, json};
use shipmark::image::RegistryVendor;

use super::small_repository::*;
use super::vendor_stage::VendorStage;
use crate::prune::stage::{WEB, to_file};
use crate::registry::{Answer, Call, Effect, Fault, Presented, Registry};

const USER: &str = "team";
const PASSWORD: &str = "dckr_pat_made_up";
const JWT: &str = "made.up.jwt";
const TAGS: &str = "/v2/namespaces/team/repositories/web/tags";

fn answer(registry: &Registry, url: &str, call: &Call, body: &[u8], size: usize) -> Answer {
    if call.path == "/v2/auth/token" {
        let login: Value = serde_json::from_slice(body).unwrap();
        let is_right = login == json!({"identifier": USER, "secret": PASSWORD});
        return match is_right {
            true => Answer::new(200).json(&json!({"access_token": JWT})),
            false => {
                Answer::new(401).json(&json!({"detail": "Incorrect authentication credentials"}))
            }
        };
    }
    if !matches!(call.presented(), Presented::Bearer(token) if token == JWT) {
        return Answer::new(401).json(&json!({"message": "unauthorized"}));
    }
    if call.method == "DELETE" {
        let tag = call
            .path
            .strip_prefix("/v2/repositories/team/web/tags/")
            .unwrap();
        let mut tags = registry.tags(WEB);
        return match tags.remove(tag.trim_end_matches('/')) {
            Some(_) => {
                registry.set_tags(WEB, tags);
                Answer::new(204)
            }
            None => Answer::new(404).json(&json!({"message": "tag not found"})),
        };
    }
    assert_eq!(call.path, TAGS);
    let results: Vec<Value> = registry
        .tags(WEB)
        .into_iter()
        .map(|(tag, digest)| {
            json!({"name": tag, "digest": digest, "tag_last_pushed": pushed(), "images": [], "full_size": 1000})
        })
        .collect();
    let at = number(call, "page").unwrap_or(1);
    let (shown, has_more) = page(&results, (at - 1) * size, size);
    let next = has_more.then(|| format!("{url}{TAGS}?page={}&page_size=100", at + 1));
    Answer::new(200)
        .json(&json!({"count": results.len(), "next": next, "previous": null, "results": shown}))
}

async fn stage(size: usize) -> VendorStage {
    start(
        RegistryVendor::DockerHub,
        Some((USER, PASSWORD)),
        move |registry, url, call, body| answer(registry, url, call, body, size),
    )
    .await
}

#[tokio::test]
async fn a_tag_goes_by_the_api_and_its_manifest_by_the_registry() {
    let vendor = stage(100).await;
    let plan = vendor.plan(cleanup()).await.unwrap();
    assert_eq!(vendor.stage.steps(&plan), ["pr-2", "old"]);
    let outcome = vendor.apply(cleanup(), &to_file(&plan)).await.unwrap();
    assert_eq!(vendor.stage.deleted(&outcome), ["pr-2", "old"]);
    let own = vendor.stage.requests();
    let deletions = own.iter().filter(|line| line.starts_with("DELETE"));
    assert_eq!(deletions.count(), 1);
    // Untagged manifests are not visible.
    assert!(vendor.stage.there().contains("U"));
    assert_eq!(
        vendor.server.requests(),
        [
            "POST /v2/auth/token 200",
            &format!("GET {TAGS}?page_size=100 200"),
            "POST /v2/auth/token 200",
            &format!("GET {TAGS}?page_size=100 200"),
            "POST /v2/auth/token 200",
            "DELETE /v2/repositories/team/web/tags/pr-2/ 204",
        ]
    );
}

#[tokio::test]
async fn all_pages_are_read_and_a_fault_of_one_stops_the_plan() {
    let vendor = stage(1).await;
    let listing = vendor.open().await.unwrap().list_content().await.unwrap();
    assert_eq!(listing.tags.len(), 2);
    assert!(listing.tags.values().all(|tag| tag.pushed.is_some()));
    assert_list_faults_stop(&vendor, "GET", "page=2").await;
    for body in [
        "{\"count\": 3, \"next\": null, \"results\": []}",
        "{\"count\": 2, \"next\": \"https://elsewhere.example/\", \"results\": []}",
    ] {
        let cut = Effect::status_with(200, &[], body);
        vendor
            .server
            .fault(Fault::on("GET", "page=2", cut).always());
        assert!(vendor.plan(cleanup()).await.unwrap().is_stopped(), "{body}");
        vendor.server.clear_faults();
    }
    assert_refusal_is_told(&vendor, PASSWORD, "Read, Write and Delete").await;
}
