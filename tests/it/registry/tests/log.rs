//! The log and the counts.

use super::{Ask, ask, client, get, head, post};
use crate::registry::{Authorization, Profile, Registry};

#[tokio::test]
async fn every_request_is_logged_once_and_in_order() {
    let registry = Registry::start(Profile::plain()).await;
    head(&registry, "/v2/team/app/manifests/1.4.0").await;
    let begun = post(&registry, "/v2/team/app/blobs/uploads/").await;
    let put = format!(
        "{}&digest=sha256%3A{}",
        begun.header("location"),
        "0".repeat(64)
    );
    ask(&registry, "PUT", &put).get().await;
    assert_eq!(
        registry.requests(),
        [
            "HEAD /v2/team/app/manifests/1.4.0 404".to_owned(),
            "POST /v2/team/app/blobs/uploads/ 202".to_owned(),
            format!(
                "PUT /v2/team/app/blobs/uploads/<upload>?digest={} 400",
                super::NOTHING
            ),
        ]
    );
    let log = registry.log();
    assert_eq!(log[0].repository.as_deref(), Some("team/app"));
    assert_eq!(
        (log[0].known_from.as_deref(), log[1].known_from.as_deref()),
        (Some("distribution/404_manifest"), None)
    );
    assert_eq!(
        (
            registry.count(),
            registry.count_of("HEAD /v2/team/app/manifests/")
        ),
        (3, 1)
    );
    registry.clear_log();
    assert_eq!(registry.count(), 0);
}

#[tokio::test]
async fn the_kind_of_credential_is_logged() {
    let registry = Registry::start(Profile::plain()).await;
    get(&registry, "/v2/").await;
    ask(&registry, "GET", "/v2/")
        .header("authorization", "Basic Y2k6c2VjcmV0")
        .get()
        .await;
    ask(&registry, "GET", "/v2/")
        .header("authorization", "Bearer unknown")
        .get()
        .await;
    let kinds: Vec<Authorization> = registry
        .log()
        .into_iter()
        .map(|one| one.authorization)
        .collect();
    assert_eq!(
        kinds,
        [
            Authorization::None,
            Authorization::Basic,
            Authorization::Bearer(vec![])
        ]
    );
}

#[tokio::test]
async fn a_connection_is_kept_and_dropping_the_registry_ends_it() {
    let registry = Registry::start(Profile::plain()).await;
    let client = client();
    let again = |registry: &Registry| Ask(client.get(registry.url() + "/v2/"));
    let url = registry.url() + "/v2/";
    for _ in 0..3 {
        assert_eq!(again(&registry).get().await.status, 200);
    }
    drop(registry);
    tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    assert!(Ask(client.get(url)).attempt().await.is_err());
}
