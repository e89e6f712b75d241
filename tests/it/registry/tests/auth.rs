//! Basic and Bearer auth, as the registry checks them.

use super::{Ask, NOTHING, ask, get, post};
use crate::registry::{Auth, Authorization, Profile, Registry, TokenRules, TokenServer};

const PULL: &str = "repository:team/app:pull";
const PUSH: &str = "repository:team/app:pull,push";
const UPLOADS: &str = "/v2/team/app/blobs/uploads/";

fn rules() -> TokenRules {
    TokenRules::new("registry.test").user("ci", "secret")
}

/// A token for these scopes, by the realm of the challenge of `/v2/`.
async fn token(registry: &Registry, scopes: &[&str]) -> String {
    let challenge = get(registry, "/v2/")
        .await
        .header("www-authenticate")
        .to_owned();
    let realm = challenge.split('"').nth(1).expect("a realm");
    let scopes: String = scopes
        .iter()
        .map(|scope| format!("&scope={scope}"))
        .collect();
    let url = format!("{realm}?service=registry.test{scopes}");
    let asking = Ask(super::client().get(url).basic_auth("ci", Some("secret")));
    asking.get().await.json()["token"]
        .as_str()
        .expect("a token")
        .to_owned()
}

fn with_token(registry: &Registry, method: &str, path: &str, token: &str) -> Ask {
    ask(registry, method, path).header("authorization", &format!("Bearer {token}"))
}

#[tokio::test]
async fn basic_auth_is_checked() {
    let registry = Registry::start(Profile::plain().auth(Auth::basic("ci", "secret"))).await;
    let refused = get(&registry, "/v2/").await;
    assert_eq!(
        (refused.status, refused.header("www-authenticate")),
        (401, "Basic realm=\"registry\"")
    );
    for (password, status) in [("secret", 200), ("wrong", 401)] {
        let asked = super::client()
            .get(registry.url() + "/v2/")
            .basic_auth("ci", Some(password));
        assert_eq!(Ask(asked).get().await.status, status);
    }
    assert_eq!(registry.log()[2].authorization, Authorization::Basic);
}

#[tokio::test]
async fn a_challenge_names_the_scopes_of_the_request() {
    let registry = Registry::start(Profile::plain().auth(Auth::OwnRealm(rules()))).await;
    let start = format!(
        "Bearer realm=\"{}/token\",service=\"registry.test\"",
        registry.url()
    );
    assert_eq!(
        get(&registry, "/v2/").await.header("www-authenticate"),
        start
    );
    let mount = format!("{UPLOADS}?mount={NOTHING}&from=team/other");
    let deleted = format!("/v2/team/app/manifests/{NOTHING}");
    for (method, path, scope) in [
        ("GET", "/v2/team/app/tags/list", PULL.to_owned()),
        ("POST", UPLOADS, PUSH.to_owned()),
        ("POST", &mount, format!("{PUSH} repository:team/other:pull")),
        ("DELETE", &deleted, "repository:team/app:delete".to_owned()),
    ] {
        let refused = ask(&registry, method, path).get().await;
        assert_eq!(refused.status, 401);
        assert_eq!(
            refused.header("www-authenticate"),
            format!("{start},scope=\"{scope}\"")
        );
    }
}

#[tokio::test]
async fn a_token_does_what_it_grants_and_no_more() {
    let registry = Registry::start(Profile::plain().auth(Auth::OwnRealm(rules()))).await;
    let pull = token(&registry, &[PULL]).await;
    let read = with_token(&registry, "GET", "/v2/team/app/manifests/1", &pull)
        .get()
        .await;
    assert_eq!(read.status, 404);
    let pushed = with_token(&registry, "POST", UPLOADS, &pull).get().await;
    assert!(
        pushed
            .header("www-authenticate")
            .ends_with(",error=\"insufficient_scope\"")
    );
    let other = with_token(&registry, "GET", "/v2/team/other/manifests/1", &pull)
        .get()
        .await;
    assert_eq!(other.status, 401);
    let push = token(&registry, &[PUSH]).await;
    assert_eq!(
        with_token(&registry, "POST", UPLOADS, &push)
            .get()
            .await
            .status,
        202
    );
    let last = registry.log().pop().expect("a request");
    assert_eq!(
        last.authorization,
        Authorization::Bearer(vec![PUSH.to_owned()])
    );
    let unknown = with_token(&registry, "GET", "/v2/", "unknown").get().await;
    assert!(
        unknown
            .header("www-authenticate")
            .ends_with(",error=\"invalid_token\"")
    );
}

#[tokio::test]
async fn a_mount_needs_a_token_for_both_repositories() {
    let registry = Registry::start(Profile::plain().auth(Auth::OwnRealm(rules()))).await;
    let blob = registry.put_blob("team/other", "content");
    let mount = format!("{UPLOADS}?mount={blob}&from=team/other");
    let one = token(&registry, &[PUSH]).await;
    assert_eq!(
        with_token(&registry, "POST", &mount, &one)
            .get()
            .await
            .status,
        401
    );
    let both = token(&registry, &[PUSH, "repository:team/other:pull"]).await;
    assert_eq!(
        with_token(&registry, "POST", &mount, &both)
            .get()
            .await
            .status,
        201
    );
}

#[tokio::test]
async fn registries_share_a_token_host_or_have_their_own() {
    let server = TokenServer::start(rules()).await;
    let profile = Profile::plain().auth(Auth::bearer(&server));
    let (one, two) = (
        Registry::start(profile.clone()).await,
        Registry::start(profile).await,
    );
    let third = Registry::start(Profile::plain().auth(Auth::TokenHost(rules()))).await;
    let shared = token(&one, &[PUSH]).await;
    assert_ne!(third.token_server().host(), server.host());
    assert!(
        get(&one, "/v2/")
            .await
            .header("www-authenticate")
            .contains(&server.realm())
    );
    for (registry, status) in [(&one, 202), (&two, 202), (&third, 401)] {
        assert_eq!(
            with_token(registry, "POST", UPLOADS, &shared)
                .get()
                .await
                .status,
            status
        );
    }
    assert_eq!((server.count(), third.token_server().count()), (1, 0));
    server.revoke_all();
    assert_eq!(
        with_token(&two, "POST", UPLOADS, &shared)
            .get()
            .await
            .status,
        401
    );
    assert_eq!(post(&one, UPLOADS).await.status, 401);
}
