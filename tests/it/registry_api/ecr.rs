//! Amazon ECR by its API.

use shipmark::image::RegistryVendor;
use shipmark::registry_api::{AwsKeys, RegistryApiErrorKind};
use shipmark::retention::{DeletionLimits, RetentionRules};

use super::ecr_server::{KEY_ID, SECRET, SESSION, SharedRepository, repository_of, start};
use super::vendor_stage::VendorStage;
use crate::prune::stage::{PruneStage, WEB, rules, tagged, to_file, untagged};
use crate::registry::{Effect, Fault, Profile};

fn keys() -> AwsKeys {
    AwsKeys {
        access_key_id: KEY_ID.to_owned(),
        secret_access_key: SECRET.into(),
        session_token: Some(SESSION.into()),
        endpoint: None,
    }
}

/// A repository with an image that stays, one of a pull request under two tags, an untagged index whose platform
/// nothing else lists, and an untagged image that was pushed today.
async fn stage() -> (VendorStage, SharedRepository) {
    let mut stage = PruneStage::new(Profile::plain()).await;
    for name in ["a", "b", "old", "new"] {
        stage.image(name, 30);
    }
    stage.index("I", &["a"]);
    stage.index("U", &["a", "b"]);
    stage.tag("1.0.0", "I");
    stage.tag("pr-2", "old");
    let repository = repository_of(&stage, &[("new", 0)]);
    (vendor_stage(stage, &repository).await, repository)
}

async fn vendor_stage(stage: PruneStage, repository: &SharedRepository) -> VendorStage {
    let server = start(stage.registry.clone(), repository.clone()).await;
    let mut vendor = VendorStage::new(stage, server, RegistryVendor::Ecr, None);
    vendor.logins.aws = Some(keys());
    vendor
}

fn cleanup() -> RetentionRules {
    rules([tagged("pr-*", Some(14)), untagged(Some(7))])
}

#[tokio::test]
async fn untagged_images_go_with_indexes_before_their_children() {
    let (vendor, _) = stage().await;
    let plan = vendor.plan(cleanup()).await.unwrap();
    assert_eq!(vendor.stage.steps(&plan), ["U", "b", "old"]);
    let outcome = vendor.apply(cleanup(), &to_file(&plan)).await.unwrap();
    assert_eq!(vendor.stage.deleted(&outcome), ["U", "b", "old"]);
    assert!(outcome.repositories[0].failure.is_none());
    let there: Vec<String> = vendor.stage.there().into_iter().collect();
    assert_eq!(there, ["I", "a", "new"]);
    // Two lists, then the index, then what no other image of the request lists.
    assert_eq!(vendor.server.requests(), ["POST / 200"; 4]);
    let own = vendor.stage.requests();
    assert!(
        own.iter().all(|line| !line.starts_with("DELETE")),
        "{own:?}"
    );
}

#[tokio::test]
async fn a_request_deletes_a_hundred_images() {
    let mut stage = PruneStage::new(Profile::plain()).await;
    stage.image("kept", 30);
    stage.tag("1.0.0", "kept");
    for number in 0..250 {
        stage.image(&format!("old{number}"), 30);
    }
    let repository = repository_of(&stage, &[]);
    let vendor = vendor_stage(stage, &repository).await;
    let all = || RetentionRules {
        limits: DeletionLimits {
            share: 100,
            images: 250,
        },
        ..cleanup()
    };
    let file = to_file(&vendor.plan(all()).await.unwrap());
    vendor.stage.registry.clear_log();
    let outcome = vendor.apply(all(), &file).await.unwrap();
    assert_eq!(outcome.repositories[0].deletions.len(), 250);
    assert_eq!(vendor.stage.there().len(), 1);
    // Two lists, and three deletions; the tags are listed before each of them, at the beginning and at the end.
    assert_eq!(vendor.server.requests().len(), 2 + 3);
    let lists = vendor
        .stage
        .registry
        .count_of(&format!("GET /v2/{WEB}/tags/list"));
    assert_eq!(lists, 3 + 2);
}

#[tokio::test]
async fn what_an_index_lists_is_refused_by_name_and_stays() {
    let (vendor, _) = stage().await;
    let file = to_file(&vendor.plan(cleanup()).await.unwrap());
    // An index that nobody sees lists `old`: the listing was made before it.
    let api = vendor.open().await.unwrap();
    vendor.stage.put_index("hidden", &["old"]);
    let digest = vendor.stage.digest_of("old");
    let ends = api.delete_manifests(&[digest]).await.unwrap().unwrap();
    let text = format!("{ends:?}");
    assert!(text.contains("ImageReferencedByManifestList"), "{text}");
    let outcome = vendor.apply(cleanup(), &file).await.unwrap();
    assert_eq!(vendor.stage.deleted(&outcome), ["U", "b"]);
}

#[tokio::test]
async fn an_archived_image_stays_and_so_does_what_it_may_list() {
    let (vendor, repository) = stage().await;
    let archived = vendor.stage.names["old"].clone();
    vendor.stage.registry.remove_manifest(WEB, &archived);
    let mut tags = vendor.stage.registry.tags(WEB);
    tags.remove("pr-2");
    vendor.stage.registry.set_tags(WEB, tags);
    repository.lock().unwrap().archived.insert(archived.clone());
    let plan = vendor.plan(cleanup()).await.unwrap();
    assert_eq!(vendor.stage.steps(&plan), <[String; 0]>::default());
    let planned = &plan.groups[0].plan.repositories[0];
    assert_eq!(planned.stops, []);
    let reasons = format!(
        "{:?}",
        planned.manifests[&archived.parse().unwrap()].keep_reasons
    );
    assert!(reasons.contains("archived"), "{reasons}");
}

#[tokio::test]
async fn all_pages_are_read_and_a_page_that_fails_stops_the_plan() {
    let (vendor, repository) = stage().await;
    repository.lock().unwrap().page = 2;
    let api = vendor.open().await.unwrap();
    let listing = api.list_content().await.unwrap();
    assert_eq!((listing.manifests.len(), listing.tags.len()), (6, 2));
    assert_eq!(vendor.server.requests().len(), 3);
    for effect in [
        Effect::status(500),
        Effect::status_with(200, &[], "{\"imageDetails\": [], \"nextToken\": \"2\"}"),
        Effect::status_with(200, &[], "{}"),
    ] {
        let (vendor, repository) = stage().await;
        repository.lock().unwrap().page = 2;
        vendor
            .server
            .fault(Fault::on("POST", "/", effect.clone()).always());
        let plan = vendor.plan(cleanup()).await.unwrap();
        assert!(plan.is_stopped(), "{effect:?}");
    }
}

#[tokio::test]
async fn a_throttled_request_waits_and_is_sent_again() {
    let (vendor, repository) = stage().await;
    repository.lock().unwrap().errors = vec!["ThrottlingException", "TooManyRequestsException"];
    let api = vendor.open().await.unwrap();
    assert_eq!(api.list_content().await.unwrap().manifests.len(), 6);
    repository.lock().unwrap().errors = vec!["ThrottlingException"; 20];
    let error = api.list_content().await.unwrap_err();
    assert!(error.to_string().contains("ThrottlingException"), "{error}");
    assert!(!error.is_login());
}

#[tokio::test]
async fn a_signature_is_made_by_the_clock_of_the_service() {
    for clock in [-3600, 3600] {
        let (vendor, repository) = stage().await;
        repository.lock().unwrap().clock = clock;
        let api = vendor.open().await.unwrap();
        assert_eq!(api.list_content().await.unwrap().manifests.len(), 6);
        assert_eq!(vendor.server.requests(), ["POST / 400", "POST / 200"]);
        api.list_content().await.unwrap();
        assert_eq!(vendor.server.requests().len(), 3);
    }
}

#[tokio::test]
async fn keys_that_are_missing_or_refused_are_told_with_their_permissions() {
    let (mut vendor, repository) = stage().await;
    vendor.logins.aws = Some(AwsKeys {
        secret_access_key: "another/secret".into(),
        ..keys()
    });
    let failure = format!("{:?}", vendor.plan(cleanup()).await.unwrap_err());
    for part in [
        "UnrecognizedClientException",
        "ecr:DescribeImages",
        "127.0.0.1",
    ] {
        assert!(failure.contains(part), "{failure}");
    }
    assert!(!failure.contains("another/secret"));
    vendor.logins.aws = Some(keys());
    repository.lock().unwrap().errors = vec!["AccessDeniedException"];
    let failure = format!("{:?}", vendor.plan(cleanup()).await.unwrap_err());
    assert!(failure.contains("AccessDeniedException"), "{failure}");
    repository.lock().unwrap().errors = vec!["RepositoryNotFoundException"];
    let plan = vendor.plan(cleanup()).await.unwrap();
    assert!(plan.is_stopped());
    vendor.logins.aws = None;
    let error = vendor.open().await.err().unwrap();
    assert!(matches!(error.kind, RegistryApiErrorKind::NoLogin(_)));
    // Without keys the plan is that of the distribution API, which deletes at ECR too.
    let plan = vendor.plan(cleanup()).await.unwrap();
    assert_eq!(vendor.stage.steps(&plan), ["old"]);
    let notes = plan.groups[0].repositories[0].notes.join("\n");
    assert!(notes.contains("AWS_ACCESS_KEY_ID"), "{notes}");
    assert!(!notes.contains("refuses this plan"), "{notes}");
}

#[test]
fn keys_cannot_be_printed() {
    let text = format!("{:?}", keys());
    assert!(!text.contains(SECRET) && !text.contains(SESSION), "{text}");
}
