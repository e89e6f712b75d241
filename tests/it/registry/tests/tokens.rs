//! The token endpoint itself.

use std::time::Duration;

use super::{Answer, Ask, client, tls_client};
use crate::registry::{
    Auth, Effect, Fault, Profile, Registry, TestCa, TokenKey, TokenRules, TokenServer,
};

const QUERY: &str = "?service=registry.test&scope=repository:team/app:pull,push";

fn rules() -> TokenRules {
    TokenRules::new("registry.test").user("ci", "secret")
}

/// Asks with these credentials; with none for an empty password.
async fn ask(server: &TokenServer, query: &str, password: &str) -> Answer {
    let request = client().get(server.realm() + query);
    let basic = !password.is_empty();
    Ask(if basic {
        request.basic_auth("ci", Some(password))
    } else {
        request
    })
    .get()
    .await
}

async fn form(server: &TokenServer, fields: &str) -> Answer {
    let fields = format!("client_id=test&service=registry.test&{fields}");
    let kind = "application/x-www-form-urlencoded";
    Ask(client().post(server.realm()))
        .header("content-type", kind)
        .body(fields)
        .get()
        .await
}

/// The scopes of a token, as a registry's log tells them.
async fn scopes(server: &TokenServer, token: &Answer) -> String {
    let registry = Registry::start(Profile::plain().auth(Auth::bearer(server))).await;
    let token = token.json()["token"].as_str().expect("a token").to_owned();
    super::ask(&registry, "GET", "/v2/")
        .header("authorization", &format!("Bearer {token}"))
        .get()
        .await;
    format!("{:?}", registry.log()[0].authorization)
}

#[tokio::test]
async fn credentials_and_service_are_checked() {
    let server = TokenServer::start(rules()).await;
    assert_eq!(ask(&server, QUERY, "secret").await.status, 200);
    assert_eq!(ask(&server, QUERY, "wrong").await.status, 401);
    assert_eq!(ask(&server, QUERY, "").await.status, 401);
    assert_eq!(ask(&server, "?service=another", "secret").await.status, 400);
    assert_eq!(
        ask(&server, "?service=registry.test&scope=all", "secret")
            .await
            .status,
        400
    );
    assert_eq!(ask(&server, "/elsewhere", "secret").await.status, 404);
    assert_eq!(server.requests()[0], format!("GET /token{QUERY} 200"));
}

#[tokio::test]
async fn less_may_be_granted_than_was_asked_for() {
    let limited = rules()
        .grant("ci", "team/*", &["pull"])
        .anonymous("team/app", &["pull"]);
    let server = TokenServer::start(limited).await;
    let several = format!("{QUERY}&scope=repository:other/app:pull%20repository:team/b:push");
    let token = ask(&server, &several, "secret").await;
    let expected =
        "Bearer([\"repository:team/app:pull\", \"repository:other/app:\", \"repository:team/b:\"])";
    assert_eq!(scopes(&server, &token).await, expected);
    let token = ask(&server, QUERY, "").await;
    assert_eq!(
        scopes(&server, &token).await,
        "Bearer([\"repository:team/app:pull\"])"
    );
}

#[tokio::test]
async fn tokens_expire() {
    let server = TokenServer::start(rules().expires_in(Duration::ZERO)).await;
    let token = ask(&server, QUERY, "secret").await;
    assert_eq!(token.json()["expires_in"], 0);
    assert_eq!(scopes(&server, &token).await, "Bearer([])");
}

#[tokio::test]
async fn the_token_comes_under_either_key() {
    for (key, token, access_token) in [
        (TokenKey::Token, true, false),
        (TokenKey::AccessToken, false, true),
        (TokenKey::Both, true, true),
    ] {
        let server = TokenServer::start(rules().key(key)).await;
        let answer = ask(&server, QUERY, "secret").await.json();
        assert_eq!(
            (
                answer["token"].is_string(),
                answer["access_token"].is_string()
            ),
            (token, access_token)
        );
    }
}

#[tokio::test]
async fn refresh_tokens_are_given_and_taken() {
    let server = TokenServer::start(rules().refresh_token("ci", "identity")).await;
    let scope = "scope=repository:team/app:pull";
    let seeded = form(
        &server,
        &format!("grant_type=refresh_token&refresh_token=identity&{scope}"),
    )
    .await;
    assert_eq!(
        scopes(&server, &seeded).await,
        "Bearer([\"repository:team/app:pull\"])"
    );
    let offline = ask(&server, &format!("{QUERY}&offline_token=true"), "secret")
        .await
        .json();
    let password = form(
        &server,
        "grant_type=password&username=ci&password=secret&access_type=offline",
    )
    .await;
    for given in [&offline["refresh_token"], &password.json()["refresh_token"]] {
        let given = given.as_str().expect("a refresh token");
        let again = form(
            &server,
            &format!("grant_type=refresh_token&refresh_token={given}"),
        )
        .await;
        assert_eq!(again.status, 200);
    }
    assert_eq!(
        form(&server, "grant_type=refresh_token&refresh_token=no")
            .await
            .status,
        401
    );
    assert_eq!(
        form(&server, "grant_type=password&username=ci&password=no")
            .await
            .status,
        401
    );
    assert_eq!(Ask(client().post(server.realm())).get().await.status, 400);
    assert_eq!(Ask(client().put(server.realm())).get().await.status, 405);
}

#[tokio::test]
async fn a_token_host_has_faults_and_tls_too() {
    let ca = TestCa::new();
    let server = TokenServer::start(rules().tls(ca.valid())).await;
    server.fault(Fault::at(1, Effect::status(503)));
    for status in [503, 200] {
        let url = server.realm() + QUERY;
        let asked = tls_client(Some(&ca))
            .get(url)
            .basic_auth("ci", Some("secret"));
        assert_eq!(Ask(asked).get().await.status, status);
    }
    assert_eq!(server.log()[1].status, Some(200));
}
