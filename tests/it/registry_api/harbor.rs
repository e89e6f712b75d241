//! Harbor by its API, with answers in the form of its description (API v2.0).

use serde_json::{Value, json};
use shipmark::image::RegistryVendor;
use shipmark::retention::KeepReason;

use super::small_repository::*;
use super::vendor_stage::VendorStage;
use crate::prune::stage::{WEB, rules, tagged, to_file};
use crate::registry::{Answer, Call, Effect, Fault, Presented, Registry};

const USER: &str = "robot$prune";
const PASSWORD: &str = "made-up-secret";
const ARTIFACTS: &str = "/api/v2.0/projects/team/repositories/web/artifacts";

fn error(status: u16, code: &str, message: &str) -> Answer {
    Answer::new(status).json(&json!({"errors": [{"code": code, "message": message}]}))
}

fn answer(registry: &Registry, call: &Call, size: usize, immutable: Option<&str>) -> Answer {
    let is_known = matches!(call.presented(), Presented::Basic { user, password } if user == USER && password == PASSWORD);
    if !is_known {
        return error(401, "UNAUTHORIZED", "unauthorized");
    }
    if call.method == "DELETE" {
        let rest = call.path.strip_prefix(&format!("{ARTIFACTS}/")).unwrap();
        let (reference, tag) = rest.split_once("/tags/").unwrap();
        assert_eq!(reference, tag);
        let mut tags = registry.tags(WEB);
        return match tags.remove(tag) {
            Some(_) => {
                registry.set_tags(WEB, tags);
                Answer::new(200)
            }
            None => error(404, "NOT_FOUND", "tag not found"),
        };
    }
    assert_eq!(call.path, ARTIFACTS);
    assert_eq!(
        (call.query("q"), call.query("with_tag")),
        (Some("base=*"), Some("true"))
    );
    let artifacts: Vec<Value> = content(registry)
        .into_iter()
        .map(|(digest, tags)| {
            let tags = tags.iter().map(|tag| {
                json!({"name": tag, "push_time": pushed(), "immutable": immutable == Some(tag)})
            });
            let tags: Vec<Value> = tags.collect();
            json!({
                "digest": digest, "size": 1000, "push_time": pushed(), "type": "IMAGE",
                "tags": if tags.is_empty() { Value::Null } else { tags.into() },
            })
        })
        .collect();
    let at = number(call, "page").unwrap();
    let (shown, has_more) = page(&artifacts, (at - 1) * size, size);
    let answer = Answer::new(200)
        .json(&shown.into())
        .header("x-total-count", artifacts.len().to_string());
    match has_more {
        true => {
            let next = format!(
                "{ARTIFACTS}?q=base%3D%2A&with_tag=true&page={}&page_size=100",
                at + 1
            );
            answer.header("link", format!("<{next}>; rel=\"next\""))
        }
        false => answer,
    }
}

async fn stage(size: usize, immutable: Option<&'static str>) -> VendorStage {
    start(
        RegistryVendor::Harbor,
        Some((USER, PASSWORD)),
        move |registry, _, call, _| answer(registry, call, size, immutable),
    )
    .await
}

#[tokio::test]
async fn untagged_artifacts_go() {
    let vendor = stage(100, None).await;
    assert_untagged_goes(&vendor).await;
}

#[tokio::test]
async fn a_tag_goes_alone_by_the_api() {
    let vendor = stage(100, None).await;
    vendor.stage.tag("pr-7", "a");
    let pull_requests = || rules([tagged("pr-7", Some(14))]);
    let file = to_file(&vendor.plan(pull_requests()).await.unwrap());
    let outcome = vendor.apply(pull_requests(), &file).await.unwrap();
    assert_eq!(vendor.stage.deleted(&outcome), ["pr-7"]);
    assert!(vendor.stage.there().contains("a"));
    let deletion = format!("DELETE {ARTIFACTS}/pr-7/tags/pr-7 200");
    assert_eq!(vendor.server.requests().last(), Some(&deletion));
    let api = vendor.open().await.unwrap();
    let gone = api
        .delete_tag(&"pr-7".parse().unwrap())
        .await
        .unwrap()
        .unwrap();
    assert_eq!(format!("{gone:?}"), "Absent");
    let refused = Effect::status_with(
        412,
        &[],
        "{\"errors\": [{\"code\": \"PRECONDITION\", \"message\": \"the tag matches an immutable rule\"}]}",
    );
    vendor.server.fault(Fault::on("DELETE", "/tags/", refused));
    let refused = api
        .delete_tag(&"pr-7".parse().unwrap())
        .await
        .unwrap()
        .unwrap();
    assert!(format!("{refused:?}").contains("immutable rule"));
}

#[tokio::test]
async fn all_pages_are_read_and_a_fault_of_one_stops_the_plan() {
    let vendor = stage(2, None).await;
    let listing = vendor.open().await.unwrap().list_content().await.unwrap();
    assert_eq!((listing.manifests.len(), listing.tags.len()), (5, 2));
    assert_eq!(vendor.server.requests().len(), 3);
    assert_list_faults_stop(&vendor, "GET", "page=2").await;
    // A list of another length than it says.
    let short = Effect::status_with(200, &[("x-total-count", "5")], "[]");
    vendor
        .server
        .fault(Fault::on("GET", "page=1", short).always());
    assert!(vendor.plan(cleanup()).await.unwrap().is_stopped());
    vendor.server.clear_faults();
    assert_refusal_is_told(&vendor, PASSWORD, "list and read artifact").await;
}

#[tokio::test]
async fn an_image_with_an_immutable_tag_is_not_planned_for() {
    let vendor = stage(100, Some("pr-2")).await;
    let plan = vendor.plan(cleanup()).await.unwrap();
    let reasons = &plan.groups[0].plan.repositories[0].manifests[&vendor.stage.digest_of("old")];
    let immutable = "the tag pr-2 is immutable".to_owned();
    assert!(
        reasons
            .keep_reasons
            .contains(&KeepReason::RegistryRefuses(immutable))
    );
}
