//! In what the known registries differ. The log tells from which fixture an answer is.

use serde_json::Value;

use super::{Answer, Ask, NOTHING, image};
use crate::registry::{Auth, PASSWORD, Profile, Registry, USER};

const TAG: &str = "/v2/team/app/manifests/1.4.0";

/// The status of a request to an open registry, and the source of its answer.
async fn source(registry: &Registry, method: &str, path: &str) -> (u16, String) {
    let status = super::ask(registry, method, path).get().await.status;
    (status, known_from(registry))
}

fn known_from(registry: &Registry) -> String {
    let last = registry.log().pop().expect("a request");
    last.known_from.unwrap_or_default()
}

/// Pushes one image under an immutable tag, the same again, and another one.
async fn push_thrice(profile: Profile) -> (Registry, [u16; 3]) {
    let registry = Registry::start(profile.auth(Auth::None).immutable_tags("1.*")).await;
    let (one, two) = (
        image(&registry, "team/app", "one"),
        image(&registry, "team/app", "two"),
    );
    let mut statuses = [0; 3];
    for (status, manifest) in statuses.iter_mut().zip([&one, &one, &two]) {
        *status = super::put_manifest(&registry, TAG, manifest).await.status;
    }
    assert_eq!(registry.tags("team/app")["1.4.0"], super::digest_of(&one));
    (registry, statuses)
}

#[tokio::test]
async fn each_refuses_to_move_an_immutable_tag_in_its_way() {
    for (profile, statuses, fixture) in [
        (Profile::ecr(), [201, 400, 400], "ecr/400_immutable_tag"),
        (
            Profile::docker_hub(),
            [201, 201, 403],
            "dockerhub/403_immutable_tag",
        ),
        (
            Profile::harbor(),
            [201, 412, 412],
            "harbor/412_immutable_tag",
        ),
        (
            Profile::artifactory(),
            [201, 201, 403],
            "artifactory/403_overwrite",
        ),
        (Profile::gitlab(), [201, 201, 409], "assumed"),
    ] {
        let (registry, got) = push_thrice(profile).await;
        assert_eq!((got, known_from(&registry).as_str()), (statuses, fixture));
        let other = image(&registry, "team/app", "other");
        assert_eq!(
            super::put_manifest(&registry, "/v2/team/app/manifests/latest", &other)
                .await
                .status,
            201
        );
    }
}

#[tokio::test]
async fn a_refusal_speaks_of_this_repository_and_tag() {
    let (registry, _) = push_thrice(Profile::ecr()).await;
    registry.put_manifest("my/web", "1.9", super::MANIFEST, "{}");
    let manifest = serde_json::json!({"mediaType": super::MANIFEST});
    let refused = super::put_manifest(&registry, "/v2/my/web/manifests/1.9", &manifest).await;
    assert_eq!(refused.code(), "TAG_INVALID");
    assert!(
        refused
            .text()
            .contains("'1.9' already exists in the 'my/web' repository")
    );
}

#[tokio::test]
async fn each_misses_a_manifest_in_its_way() {
    for (profile, get, head) in [
        (
            Profile::distribution(),
            (404, "distribution/404_manifest"),
            (404, "distribution/404_manifest"),
        ),
        (
            Profile::ecr(),
            (404, "ecr/404_manifest"),
            (404, "ecr/404_manifest"),
        ),
        (
            Profile::ghcr(),
            (404, "ghcr/404_manifest"),
            (404, "ghcr/404_manifest"),
        ),
        (
            Profile::artifactory(),
            (404, "artifactory/404_manifest"),
            (403, "assumed"),
        ),
    ] {
        let registry = Registry::start(profile.auth(Auth::None)).await;
        let (status, from) = source(&registry, "GET", TAG).await;
        assert_eq!((status, from.as_str()), get);
        let (status, from) = source(&registry, "HEAD", TAG).await;
        assert_eq!((status, from.as_str()), head);
    }
}

#[tokio::test]
async fn each_without_referrers_says_so_in_its_way() {
    let path = format!("/v2/team/app/referrers/{NOTHING}");
    for (profile, status, from) in [
        (Profile::distribution(), 404, "distribution/404_referrers"),
        (Profile::ghcr(), 303, "assumed"),
        (Profile::artifactory(), 406, "artifactory/406_referrers"),
        (Profile::ecr(), 200, ""),
    ] {
        let registry = Registry::start(profile.auth(Auth::None)).await;
        assert_eq!(
            source(&registry, "GET", &path).await,
            (status, from.to_owned())
        );
    }
}

#[tokio::test]
async fn a_missing_repository_is_missed_in_each_ones_way() {
    for (profile, from) in [
        (Profile::ecr(), "ecr/404_missing_repository"),
        (Profile::harbor(), "harbor/404_project"),
        (Profile::plain(), "distribution/404_name_unknown_tags"),
    ] {
        let profile = profile.auth(Auth::None).repositories(["team/app"]);
        let registry = Registry::start(profile).await;
        assert_eq!(
            source(&registry, "POST", "/v2/no/such/blobs/uploads/").await,
            (404, from.to_owned())
        );
        assert_eq!(
            source(&registry, "POST", "/v2/team/app/blobs/uploads/")
                .await
                .0,
            202
        );
    }
}

#[tokio::test]
async fn ecr_and_artifactory_mount_nothing() {
    for profile in [Profile::ecr(), Profile::artifactory()] {
        let registry = Registry::start(profile.auth(Auth::None)).await;
        let blob = registry.put_blob("team/other", "content");
        let path = format!("/v2/team/app/blobs/uploads/?mount={blob}&from=team/other");
        assert_eq!(source(&registry, "POST", &path).await.0, 202);
    }
}

#[tokio::test]
async fn ecr_does_not_locate_what_was_pushed_by_digest() {
    let registry = Registry::start(Profile::ecr().auth(Auth::None)).await;
    let manifest = image(&registry, "team/app", "one");
    let path = format!("/v2/team/app/manifests/{}", super::digest_of(&manifest));
    assert_eq!(
        super::put_manifest(&registry, &path, &manifest)
            .await
            .header("location"),
        ""
    );
    assert_ne!(
        super::put_manifest(&registry, TAG, &manifest)
            .await
            .header("location"),
        ""
    );
}

#[tokio::test]
async fn ghcr_takes_no_large_chunks_and_sends_readers_of_referrers_away() {
    let registry = Registry::start(Profile::ghcr().auth(Auth::None)).await;
    let begun = super::post(&registry, "/v2/team/app/blobs/uploads/").await;
    let chunk =
        super::ask(&registry, "PATCH", begun.header("location")).body(vec![0; 4 * 1024 * 1024 + 1]);
    assert_eq!(chunk.get().await.status, 416);
    let away = super::get(&registry, &format!("/v2/team/app/referrers/{NOTHING}")).await;
    let location = away.header("location");
    assert!(location.starts_with("http://localhost:") && !location.contains(NOTHING));
    assert_eq!(super::get(&registry, location).await.status, 404);
}

#[tokio::test]
async fn gitlab_takes_the_fallback_tag_for_the_subject() {
    for (profile, status) in [(Profile::gitlab(), 200), (Profile::distribution(), 404)] {
        let registry = Registry::start(profile.auth(Auth::None)).await;
        let subject = super::tagged(&registry, "team/app", "1.4.0");
        let path = format!("/v2/team/app/manifests/{}", subject.replace(':', "-"));
        assert_eq!(super::get(&registry, &path).await.status, status);
    }
}

#[tokio::test]
async fn basic_profiles_show_their_challenge() {
    for (profile, user, from) in [
        (Profile::ecr(), "AWS", "ecr/401_challenge"),
        (Profile::artifactory(), USER, "artifactory/401_basic"),
    ] {
        let registry = Registry::start(profile).await;
        assert_eq!(
            source(&registry, "GET", "/v2/").await,
            (401, from.to_owned())
        );
        let asked = super::client()
            .get(registry.url() + "/v2/")
            .basic_auth(user, Some(PASSWORD));
        assert_eq!(Ask(asked).get().await.status, 200);
    }
}

/// The value of one of a challenge's parameters.
fn parameter(answer: &Answer, name: &str) -> String {
    let challenge = answer.header("www-authenticate");
    let rest = challenge
        .split(&format!("{name}=\""))
        .nth(1)
        .unwrap_or_default();
    rest.split('"').next().unwrap_or_default().to_owned()
}

#[tokio::test]
async fn bearer_profiles_show_their_challenge_and_take_their_tokens() {
    for (profile, service, from, own) in [
        (Profile::ghcr(), "ghcr.io", "ghcr/401_challenge", true),
        (
            Profile::docker_hub(),
            "registry.docker.io",
            "dockerhub/401_challenge",
            false,
        ),
        (
            Profile::harbor(),
            "harbor-registry",
            "harbor/401_push",
            true,
        ),
        (
            Profile::gitlab(),
            "container_registry",
            "gitlab/401_challenge",
            false,
        ),
    ] {
        let registry = Registry::start(profile).await;
        let refused = super::get(&registry, "/v2/team/app/manifests/1").await;
        assert_eq!(
            (refused.status, known_from(&registry).as_str()),
            (401, from)
        );
        let (realm, scope) = (parameter(&refused, "realm"), parameter(&refused, "scope"));
        assert_eq!(
            (parameter(&refused, "service").as_str(), scope.as_str()),
            (service, "repository:team/app:pull")
        );
        assert_eq!(realm.starts_with(&registry.url()), own);
        let url = format!("{realm}?service={service}&scope={scope}");
        let granted = Ask(super::client().get(url).basic_auth(USER, Some(PASSWORD)))
            .get()
            .await
            .json();
        let token = granted["token"].as_str().expect("a token");
        let path = "/v2/team/app/manifests/1";
        let asked =
            super::ask(&registry, "GET", path).header("authorization", &format!("Bearer {token}"));
        assert_eq!(asked.get().await.status, 404);
    }
}

#[tokio::test]
async fn ghcr_names_a_placeholder_and_gitlab_forbids_in_its_realm() {
    let registry = Registry::start(Profile::ghcr()).await;
    let refused = super::get(&registry, "/v2/").await;
    assert_eq!(parameter(&refused, "scope"), "repository:user/image:pull");
    let registry = Registry::start(Profile::gitlab()).await;
    let url = registry.token_server().realm() + "?service=container_registry";
    let refused = Ask(super::client().get(url).basic_auth(USER, Some("wrong")))
        .get()
        .await;
    assert_eq!(
        (refused.status, refused.json()["errors"][0]["code"].clone()),
        (403, Value::from("DENIED"))
    );
    let log = registry.token_server().log();
    assert_eq!(
        log[0].known_from.as_deref(),
        Some("gitlab/403_token_denied")
    );
}
