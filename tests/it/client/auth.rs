//! Logging in: which credential goes where, how often, and what is said where it fails.

use std::collections::BTreeSet;
use std::time::Duration;

use serde_json::json;
use shipmark::image::{Repository, TagOrDigest};
use shipmark::registry::{RegistryClient, RegistrySettings, RepositoryAccess};
use shipmark::release::Failure;
use shipmark::transfer::ImageStore;

use super::*;
use crate::registry::{
    Auth, Authorization, Effect, Exchange, Fault, Profile, Registry, TokenKey, TokenServer,
};

const MAIN: &str = "refs/heads/main";

fn bearer() -> Profile {
    Profile::plain().auth(Auth::TokenHost(rules()))
}

fn place(registry: &Registry) -> String {
    format!("{}/team/web", registry.host())
}

/// Pushes the example, which must do.
async fn pushes(registry: &Registry, settings: RegistrySettings) {
    let context = context_with(settings).0;
    done(push(&example(), &[&place(registry)], MAIN), &context).await;
    assert_eq!(registry.tags("team/web").len(), 2);
    assert_eq!(registry.dangling(), Vec::<String>::new());
}

/// All scopes that the tokens granted which came with requests.
fn shown(log: &[Exchange]) -> BTreeSet<String> {
    let scopes = |exchange: &Exchange| match &exchange.authorization {
        Authorization::Bearer(scopes) => scopes.clone(),
        _ => Vec::new(),
    };
    log.iter().flat_map(scopes).collect()
}

fn basics(log: &[Exchange]) -> usize {
    log.iter()
        .filter(|exchange| exchange.authorization == Authorization::Basic)
        .count()
}

#[tokio::test]
async fn an_open_registry_is_asked_nothing_extra() {
    let registry = Registry::start(Profile::plain()).await;
    pushes(&registry, as_robot(&[&registry])).await;
    let log = registry.log();
    assert!(
        log.iter()
            .all(|exchange| exchange.authorization == Authorization::None)
    );
    assert!(log.iter().all(|exchange| exchange.repository.is_some()));
    assert_eq!(answered(&registry, 401), 0);
}

#[tokio::test]
async fn a_password_is_sent_as_basic_only_where_the_registry_asks_for_it() {
    let registry = Registry::start(Profile::plain().auth(Auth::basic("robot", HUNTER2))).await;
    pushes(&registry, as_robot(&[&registry])).await;
    let log = registry.log();
    assert_eq!(answered(&registry, 401), 1);
    assert_eq!(log[0].authorization, Authorization::None);
    assert_eq!(basics(&log), log.len() - 1);
}

#[tokio::test]
async fn a_password_gets_a_token_and_stays_at_the_token_host() {
    let registry = Registry::start(bearer()).await;
    pushes(&registry, as_robot(&[&registry])).await;
    assert_eq!(answered(&registry, 401), 1);
    assert_eq!(basics(&registry.log()), 0);
    let tokens = registry.token_server();
    assert_eq!(tokens.count(), 1, "{:?}", tokens.requests());
    assert_eq!(basics(&tokens.log()), 1);
}

#[tokio::test]
async fn a_token_may_be_called_access_token() {
    for key in [TokenKey::AccessToken, TokenKey::Both] {
        let auth = Auth::OwnRealm(rules().key(key).path("/service/token"));
        let registry = Registry::start(Profile::plain().auth(auth)).await;
        pushes(&registry, as_robot(&[&registry])).await;
        assert_eq!(registry.count_of("GET /service/token"), 1);
    }
}

#[tokio::test]
async fn without_a_login_a_token_is_asked_for_anonymously() {
    let rules = rules().anonymous("*", &["pull"]);
    let source = holding(Profile::plain().auth(Auth::TokenHost(rules))).await;
    let to = Registry::start(Profile::plain()).await;
    let from = format!("{}/dev/web:1.4.0", source.host());
    let before = source.token_server().count();
    done(promote(&from, &[&place(&to)], MAIN), &context()).await;
    let asked = &source.token_server().log()[before..];
    assert_eq!(asked.len(), 1);
    assert_eq!(asked[0].authorization, Authorization::None);
    assert_eq!(
        shown(&source.log()),
        ["repository:dev/web:pull".to_owned()].into()
    );
}

#[tokio::test]
async fn an_identity_token_is_exchanged_and_never_shown_to_the_registry() {
    let rules = rules().refresh_token("robot", "hunter2-and-more-refresh");
    let registry = Registry::start(Profile::plain().auth(Auth::TokenHost(rules))).await;
    let auths = json!({registry.host(): {"identitytoken": "hunter2-and-more-refresh"}});
    let (settings, _folder) = with_config(&json!({ "auths": auths }));
    pushes(&registry, settings).await;
    let tokens = registry.token_server();
    assert_eq!(tokens.requests(), ["POST /token 200"]);
    assert_eq!(basics(&registry.log()) + basics(&tokens.log()), 0);
}

#[tokio::test]
async fn a_registry_token_is_sent_as_it_is() {
    let server = TokenServer::start(rules()).await;
    let registry = Registry::start(Profile::plain().auth(Auth::bearer(&server))).await;
    // Another client's token, as a workflow may have it.
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let answer = reqwest::Client::new()
        .get(server.realm())
        .query(&[
            ("service", "registry.test"),
            ("scope", "repository:team/web:pull,push"),
        ])
        .basic_auth("robot", Some(HUNTER2))
        .send()
        .await
        .unwrap();
    let answer: serde_json::Value = serde_json::from_slice(&answer.bytes().await.unwrap()).unwrap();
    let auths = json!({registry.host(): {"registrytoken": answer["token"]}});
    let (settings, _folder) = with_config(&json!({ "auths": auths }));
    pushes(&registry, settings).await;
    assert_eq!(server.count(), 1);
    assert_eq!(answered(&registry, 401), 0);
}

#[tokio::test]
async fn promise_7_a_wrong_password_is_refused_by_name_and_not_shown() {
    let registry = Registry::start(bearer()).await;
    let settings = login(&[&registry.host()], "robot", "hunter2-and-more-wrong");
    let (failure, text) = refused(push(&example(), &[&place(&registry)], MAIN), settings).await;
    assert!(matches!(failure, Failure::Input(_)), "{failure:?}");
    for part in [
        registry.host().as_str(),
        registry.token_server().host().as_str(),
        "login as robot (from the input credentials) is rejected",
        "check the user and the password",
    ] {
        assert!(text.contains(part), "no {part} in: {text}");
    }
    assert_eq!(registry.token_server().count(), 1);
    assert_eq!(registry.tags("team/web").len(), 0);
}

#[tokio::test]
async fn promise_7_a_wrong_basic_password_is_refused_by_name_and_not_shown() {
    let registry = Registry::start(Profile::plain().auth(Auth::basic("robot", HUNTER2))).await;
    let settings = login(&[&registry.host()], "robot", "hunter2-and-more-wrong");
    let (failure, text) = refused(push(&example(), &[&place(&registry)], MAIN), settings).await;
    assert!(matches!(failure, Failure::Input(_)), "{failure:?}");
    assert!(text.contains(&registry.host()), "{text}");
    let said = "login as robot (from the input credentials) is rejected";
    assert!(text.contains(said), "{text}");
    // One without, and at most one for each tag that is looked at.
    assert!(registry.count() <= 3, "{:?}", registry.requests());
}

#[tokio::test]
async fn without_any_login_the_error_says_where_to_give_one() {
    for auth in [Auth::TokenHost(rules()), Auth::basic("robot", HUNTER2)] {
        let registry = Registry::start(Profile::plain().auth(auth)).await;
        let (failure, text) =
            refused(push(&example(), &[&place(&registry)], MAIN), settings()).await;
        assert!(matches!(failure, Failure::Input(_)), "{failure:?}");
        assert!(text.contains("credentials"), "{text}");
        assert!(registry.count() <= 3, "{:?}", registry.requests());
    }
}

/// Parallel first requests wait for one that finds out and one that logs in.
#[tokio::test]
async fn a_login_happens_once_however_many_wait_for_it() {
    let registry = Registry::start(bearer()).await;
    let repository: Repository = place(&registry).parse().unwrap();
    let client = RegistryClient::new(as_robot(&[&registry]), Said::default().notices()).unwrap();
    let all = |access| {
        let remote = client.open_repository(&repository, access, &[]);
        futures_util::future::try_join_all((0..20).map(move |n| {
            let remote = remote.clone();
            async move {
                remote
                    .head_manifest(&TagOrDigest::Tag(format!("t{n}").parse().unwrap()))
                    .await
            }
        }))
    };
    all(RepositoryAccess::PullPush).await.unwrap();
    assert_eq!(answered(&registry, 401), 1);
    assert_eq!(registry.count(), 21);
    assert_eq!(registry.token_server().count(), 1);
    // Other rights are another token, and nothing is refused again.
    all(RepositoryAccess::Pull).await.unwrap();
    assert_eq!(answered(&registry, 401), 1);
    assert_eq!(registry.token_server().count(), 2);
}

#[tokio::test]
async fn a_failed_login_is_not_tried_by_everyone_who_waits() {
    let registry = Registry::start(bearer()).await;
    let repository: Repository = place(&registry).parse().unwrap();
    let settings = login(&[&registry.host()], "robot", "wrong");
    let client = RegistryClient::new(settings, Said::default().notices()).unwrap();
    let remote = client.open_repository(&repository, RepositoryAccess::PullPush, &[]);
    let all = futures_util::future::join_all((0..20).map(|n| {
        let remote = remote.clone();
        async move {
            remote
                .head_manifest(&TagOrDigest::Tag(format!("t{n}").parse().unwrap()))
                .await
        }
    }));
    assert!(all.await.iter().all(Result::is_err));
    assert_eq!(registry.token_server().count(), 1);
}

#[tokio::test]
async fn a_token_that_dies_under_way_is_replaced_once() {
    let registry = Registry::start(bearer()).await;
    let repository: Repository = place(&registry).parse().unwrap();
    let client = RegistryClient::new(as_robot(&[&registry]), Said::default().notices()).unwrap();
    let remote = client.open_repository(&repository, RepositoryAccess::PullPush, &[]);
    let store = ImageStore::Registry(remote);
    let look = || async {
        let heads = (0..10).map(|n| {
            let store = &store;
            async move { store.resolve_tag(&format!("t{n}").parse().unwrap()).await }
        });
        futures_util::future::try_join_all(heads).await.unwrap()
    };
    look().await;
    registry.token_server().revoke_all();
    look().await;
    assert_eq!(registry.token_server().count(), 2);
}

#[tokio::test]
async fn a_run_goes_on_when_its_token_is_refused_at_any_request() {
    let whole = Registry::start(bearer()).await;
    pushes(&whole, as_robot(&[&whole])).await;
    for n in 2..=whole.count() {
        let registry = Registry::start(bearer()).await;
        let challenge = format!(
            "Bearer realm=\"{}\",service=\"registry.test\"",
            registry.token_server().realm()
        );
        let dead = Effect::status_with(401, &[("www-authenticate", &challenge)], "");
        registry.fault(Fault::at(n, dead));
        pushes(&registry, as_robot(&[&registry])).await;
        assert_eq!(registry.token_server().count(), 2, "request {n}");
    }
}

#[tokio::test]
async fn tokens_are_fetched_anew_before_they_expire() {
    let rules = rules().expires_in(Duration::from_secs(1));
    let registry = Registry::start(Profile::plain().auth(Auth::TokenHost(rules))).await;
    let repository: Repository = place(&registry).parse().unwrap();
    let client = RegistryClient::new(as_robot(&[&registry]), Said::default().notices()).unwrap();
    let remote = client.open_repository(&repository, RepositoryAccess::PullPush, &[]);
    let target = TagOrDigest::Tag("t".parse().unwrap());
    for _ in 0..3 {
        remote.head_manifest(&target).await.unwrap();
        tokio::time::sleep(Duration::from_millis(850)).await;
    }
    assert_eq!(answered(&registry, 401), 1);
    assert_eq!(registry.token_server().count(), 3);
}

/// Whatever a token host says of the token's life, it is no reason to fail.
#[tokio::test]
async fn an_endless_expiry_does_not_overflow() {
    for seconds in ["0", "18446744073709551615", "9223372036854775807"] {
        let rules = rules().anonymous("*", &["pull", "push"]);
        let registry = Registry::start(Profile::plain().auth(Auth::TokenHost(rules))).await;
        let body = format!(r#"{{"token":"some","expires_in":{seconds}}}"#);
        let answer = Effect::status_with(200, &[], &body);
        registry
            .token_server()
            .fault(Fault::on("GET", "/token", answer));
        let context = context();
        done(push(&example(), &[&place(&registry)], MAIN), &context).await;
    }
}

#[tokio::test]
async fn a_token_host_that_answers_nonsense_is_named() {
    for (effect, part) in [
        (
            Effect::status_with(200, &[], "<html>"),
            "without a valid token",
        ),
        (Effect::status_with(200, &[], "{}"), "without a token"),
        (
            Effect::status_with(200, &[], r#"{"token":""}"#),
            "without a token",
        ),
        (
            Effect::status_with(200, &[], r#"{"token":"a\nb"}"#),
            "without a valid token",
        ),
        (Effect::status(404), "404"),
        (Effect::status(503), "503"),
        (
            Effect::status_with(307, &[("location", "http://127.0.0.1:1/")], ""),
            "307",
        ),
        (Effect::EndlessBody, "bytes"),
        (Effect::Truncate(5), "without a valid token"),
        (Effect::ResetBefore, ""),
        (Effect::StopForGood, "no data received for"),
    ] {
        let registry = Registry::start(bearer()).await;
        registry
            .token_server()
            .fault(Fault::on("GET", "/token", effect.clone()).always());
        let request = push(&example(), &[&place(&registry)], MAIN);
        let outcome = tokio::time::timeout(
            Duration::from_secs(10),
            refused(request, impatient(as_robot(&[&registry]))),
        );
        let (failure, text) = outcome.await.unwrap_or_else(|_| panic!("{effect:?} hangs"));
        assert!(matches!(failure, Failure::Service(_)), "{failure:?}");
        assert!(text.contains(part), "{effect:?}: {text}");
        assert!(
            text.contains(&registry.token_server().host()),
            "{effect:?}: {text}"
        );
    }
}

#[tokio::test]
async fn a_token_host_that_is_busy_is_asked_again() {
    for effect in [
        Effect::status(503),
        Effect::status_with(429, &[("retry-after", "0")], ""),
        Effect::ResetBefore,
        Effect::ResetAfter,
    ] {
        let registry = Registry::start(bearer()).await;
        registry.token_server().fault(Fault::at(1, effect));
        pushes(&registry, as_robot(&[&registry])).await;
        assert_eq!(registry.token_server().count(), 2);
    }
}

#[tokio::test]
async fn a_registry_that_refuses_every_token_is_given_up() {
    let registry = Registry::start(bearer()).await;
    let challenge = format!(
        "Bearer realm=\"{}\",service=\"registry.test\"",
        registry.token_server().realm()
    );
    let refusal = Effect::status_with(401, &[("www-authenticate", &challenge)], "");
    registry.fault(Fault::on("*", "/manifests/", refusal).always());
    let request = push(&example(), &[&place(&registry)], MAIN);
    let (failure, text) = refused(request, as_robot(&[&registry])).await;
    assert!(matches!(failure, Failure::Service(_)), "{failure:?}");
    assert!(text.contains("401"), "{text}");
    assert!(registry.count() <= 6, "{:?}", registry.requests());
}

#[tokio::test]
async fn a_challenge_that_makes_no_sense_is_named() {
    for header in [
        "Negotiate",
        "Bearer service=\"x\"",
        "Bearer realm=\"nowhere\"",
        "=,=",
    ] {
        let registry = Registry::start(Profile::plain()).await;
        let effect = Effect::status_with(401, &[("www-authenticate", header)], "");
        registry.fault(Fault::on("*", "", effect).always());
        let request = push(&example(), &[&place(&registry)], MAIN);
        let (failure, text) = refused(request, as_robot(&[&registry])).await;
        assert!(
            matches!(failure, Failure::Service(_)),
            "{header}: {failure:?}"
        );
        assert!(text.contains(&registry.host()), "{header}: {text}");
    }
}

#[tokio::test]
async fn promise_7_a_sources_token_asks_for_pull_alone() {
    let [source, to] = [holding(bearer()).await, Registry::start(bearer()).await];
    let before = source.token_server().count();
    let from = format!("{}/dev/web:1.4.0", source.host());
    let context = context_with(as_robot(&[&source, &to])).0;
    done(promote(&from, &[&place(&to)], MAIN), &context).await;
    let asked: Vec<String> = source.token_server().requests().split_off(before);
    assert_eq!(
        asked,
        ["GET /token?service=registry.test&scope=repository:dev/web:pull 200"]
    );
    assert_eq!(
        shown(&source.log()),
        ["repository:dev/web:pull".to_owned()].into()
    );
    assert_eq!(
        shown(&to.log()),
        ["repository:team/web:pull,push".to_owned()].into()
    );
}

#[tokio::test]
async fn promise_7_a_mount_asks_to_read_its_source_and_no_more() {
    let registry = holding(bearer()).await;
    let from = format!("{}/dev/web:1.4.0", registry.host());
    let before = registry.token_server().count();
    let context = context_with(as_robot(&[&registry])).0;
    done(promote(&from, &[&place(&registry)], MAIN), &context).await;
    assert_eq!(
        registry.token_server().requests().split_off(before),
        [
            "GET /token?service=registry.test&scope=repository:team/web:pull,push&scope=repository:dev/web:pull 200"
        ]
    );
    assert_eq!(answered(&registry, 401), 1);
    // Every blob was mounted.
    assert_eq!(registry.count_of("PUT /v2/team/web/blobs/"), 0);
}

#[tokio::test]
async fn promise_7_each_registry_sees_its_own_login_alone() {
    // Each knows another password: one that got the other's would refuse it.
    let [a, b] = ["hunter2-and-more-a", "hunter2-and-more-b"]
        .map(|password| TokenRules::new("registry.test").user("robot", password));
    let source = Registry::start(Profile::plain().auth(Auth::TokenHost(a))).await;
    let to = Registry::start(Profile::plain().auth(Auth::TokenHost(b))).await;
    let auths = json!({
        source.host(): {"auth": base64("robot:hunter2-and-more-a")},
        to.host(): {"auth": base64("robot:hunter2-and-more-b")},
    });
    let (settings, _folder) = with_config(&json!({ "auths": auths }));
    let context = context_with(settings).0;
    let from = format!("{}/dev/web", source.host());
    done(push(&example(), &[&from], MAIN), &context).await;
    let request = promote(&format!("{from}:main"), &[&place(&to)], MAIN);
    done(request, &context).await;
    for registry in [&source, &to] {
        let tokens = registry.token_server();
        assert!(tokens.log().iter().all(|asked| asked.status == Some(200)));
        assert_eq!(basics(&registry.log()), 0);
        assert_eq!(answered(registry, 401), 1);
    }
}

/// A registry of the public internet, as far as its name says, that speaks plain HTTP.
fn not_loopback(registry: &Registry) -> String {
    registry.host().replace("127.0.0.1", "0.0.0.0")
}

#[tokio::test]
async fn promise_7_no_login_goes_over_plain_http() {
    for auth in [Auth::basic("robot", HUNTER2), Auth::TokenHost(rules())] {
        let registry = Registry::start(Profile::plain().auth(auth)).await;
        let host = not_loopback(&registry);
        let settings = RegistrySettings {
            insecure: vec![host.parse().unwrap()],
            ..login(&[&host], "robot", HUNTER2)
        };
        let to = format!("{host}/team/web");
        let (failure, text) = refused(push(&example(), &[&to], MAIN), settings).await;
        assert!(matches!(failure, Failure::Service(_)), "{failure:?}");
        assert!(
            text.contains("plain HTTP") && text.contains(&host),
            "{text}"
        );
        assert_eq!(basics(&registry.log()), 0);
    }
}

#[tokio::test]
async fn an_insecure_registry_without_a_login_is_spoken_to_plainly() {
    let registry = Registry::start(Profile::plain()).await;
    let host = not_loopback(&registry);
    let settings = RegistrySettings {
        insecure: vec![host.parse().unwrap()],
        ..settings()
    };
    let context = context_with(settings).0;
    let to = format!("{host}/team/web");
    done(push(&example(), &[&to], MAIN), &context).await;
    assert_eq!(registry.tags("team/web").len(), 2);
}

#[tokio::test]
async fn promise_7_a_realm_over_plain_http_elsewhere_gets_no_login() {
    let server = TokenServer::start(rules()).await;
    let registry = Registry::start(Profile::plain()).await;
    let realm = server.realm().replace("127.0.0.1", "0.0.0.0");
    let challenge = format!("Bearer realm=\"{realm}\",service=\"registry.test\"");
    let asks = Effect::status_with(401, &[("www-authenticate", &challenge)], "");
    registry.fault(Fault::on("*", "", asks).always());
    let request = push(&example(), &[&place(&registry)], MAIN);
    let (failure, text) = refused(request, as_robot(&[&registry])).await;
    assert!(matches!(failure, Failure::Service(_)), "{failure:?}");
    assert!(text.contains("only go over https"), "{text}");
    assert_eq!(server.count(), 0);
}

/// A registry may name any realm; what goes there is its own login, never the one of the registry
/// that happens to live there.
#[tokio::test]
async fn promise_7_a_realm_at_another_registry_gets_no_login_of_that_one() {
    let good = Registry::start(Profile::plain().auth(Auth::OwnRealm(rules()))).await;
    let evil = Registry::start(Profile::plain()).await;
    let challenge = format!(
        "Bearer realm=\"{}/token\",service=\"registry.test\"",
        good.url()
    );
    let asks = Effect::status_with(401, &[("www-authenticate", &challenge)], "");
    evil.fault(Fault::on("*", "", asks).always());
    let request = push(&example(), &[&place(&evil)], MAIN);
    let (failure, _) = refused(request, as_robot(&[&good])).await;
    assert!(matches!(failure, Failure::Input(_)), "{failure:?}");
    let log = good.log();
    assert!(!log.is_empty());
    assert!(
        log.iter()
            .all(|asked| asked.authorization == Authorization::None),
        "{log:?}"
    );
}

#[tokio::test]
async fn promise_7_a_redirect_to_another_host_carries_no_login() {
    for auth in [Auth::basic("robot", HUNTER2), Auth::TokenHost(rules())] {
        let storage = Registry::start(Profile::plain()).await;
        let profile = Profile::plain().redirect_blobs_to(&storage);
        let source = holding(profile.auth(auth)).await;
        let to = Registry::start(Profile::plain()).await;
        let from = format!("{}/dev/web:1.4.0", source.host());
        let context = context_with(as_robot(&[&source, &storage])).0;
        done(promote(&from, &[&place(&to)], MAIN), &context).await;
        assert!(storage.count_of("GET /v2/dev/web/blobs/") > 5);
        let log = storage.log();
        assert!(
            log.iter()
                .all(|asked| asked.authorization == Authorization::None)
        );
        assert_eq!(to.dangling(), Vec::<String>::new());
    }
}

#[tokio::test]
async fn promise_7_an_upload_to_another_host_carries_no_login() {
    let storage = Registry::start(Profile::plain()).await;
    let registry = Registry::start(Profile::plain().auth(Auth::basic("robot", HUNTER2))).await;
    let at = format!("{}/v2/elsewhere/blobs/uploads/1", storage.url());
    let elsewhere = Effect::status_with(202, &[("location", &at)], "");
    registry.fault(Fault::on("POST", "/blobs/uploads/", elsewhere).always());
    let request = push(&example(), &[&place(&registry)], MAIN);
    let (_, text) = refused(request, as_robot(&[&registry, &storage])).await;
    assert!(text.contains("404"), "{text}");
    let log = storage.log();
    assert!(!log.is_empty());
    assert!(
        log.iter()
            .all(|asked| asked.authorization == Authorization::None)
    );
}

#[tokio::test]
async fn a_login_may_be_for_a_part_of_a_registry() {
    let rules = TokenRules::new("registry.test")
        .user("dev-robot", "hunter2-and-more-dev")
        .user("prod-robot", "hunter2-and-more-prod")
        .grant("dev-robot", "dev/*", &["pull", "push"])
        .grant("prod-robot", "prod/*", &["pull", "push"])
        .grant("prod-robot", "dev/*", &["pull"]);
    let registry = Registry::start(Profile::plain().auth(Auth::TokenHost(rules))).await;
    let host = registry.host();
    let auths = json!({
        format!("{host}/dev"): {"auth": base64("dev-robot:hunter2-and-more-dev")},
        format!("{host}/prod"): {"auth": base64("prod-robot:hunter2-and-more-prod")},
    });
    let (settings, _folder) = with_config(&json!({ "auths": auths }));
    let context = context_with(settings).0;
    let [dev, prod] = ["dev/web", "prod/web"].map(|path| format!("{host}/{path}"));
    done(push(&example(), &[&dev], MAIN), &context).await;
    done(promote(&format!("{dev}:main"), &[&prod], MAIN), &context).await;
    assert!(!registry.tags("prod/web").is_empty());
    assert_eq!(answered(&registry, 401), 1);
}

#[tokio::test]
async fn a_helper_that_keeps_the_login_is_named() {
    let registry = Registry::start(bearer()).await;
    let helpers = json!({"credHelpers": {registry.host(): "ecr-login"}});
    let (settings, _folder) = with_config(&helpers);
    let request = push(&example(), &[&place(&registry)], MAIN);
    let (failure, text) = refused(request, settings).await;
    assert!(matches!(failure, Failure::Service(_)), "{failure:?}");
    assert!(text.contains("docker-credential-ecr-login"), "{text}");
    assert!(text.contains("input credentials"), "{text}");
}

/// Docker Desktop's config.json names a helper for everything; what asks for no login needs none.
#[tokio::test]
async fn a_helper_is_not_missed_where_no_login_is_wanted() {
    let registry = Registry::start(Profile::plain()).await;
    let (settings, _folder) = with_config(&json!({"credsStore": "desktop"}));
    pushes(&registry, settings).await;
}

#[tokio::test]
async fn an_identity_token_does_not_do_for_basic() {
    let registry = Registry::start(Profile::plain().auth(Auth::basic("robot", HUNTER2))).await;
    let auths = json!({registry.host(): {"identitytoken": HUNTER2}});
    let (settings, _folder) = with_config(&json!({ "auths": auths }));
    let request = push(&example(), &[&place(&registry)], MAIN);
    let (failure, text) = refused(request, settings).await;
    assert!(matches!(failure, Failure::Service(_)), "{failure:?}");
    assert!(text.contains("expects a user name and password"), "{text}");
}
