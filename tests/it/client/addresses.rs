//! Where a registry may lead: by the realm that it names, and by what its answers redirect to.

use shipmark::registry::RegistrySettings;
use shipmark::release::Failure;

use super::*;
use crate::registry::{Auth, Effect, Fault, Profile, Registry, TokenServer};
use crate::support::far_registry::far_registry;

const MAIN: &str = "refs/heads/main";
/// A registry on the internet, as far as its name says.
const FAR: &str = "elsewhere.example";
/// What nobody else than the answering host is to show.
const WORDS: &str = "inner page: secret-hostname-42";

/// This machine's port `inner`, and what only a machine of a cloud can ask.
fn only_from_here(inner: &str) -> Vec<String> {
    let port = inner.rsplit(':').next().unwrap();
    [
        "127.0.0.1",
        "127.1",
        "2130706433",
        "0x7f000001",
        "0177.0.0.1",
        "localhost",
        "LOCALHOST.",
        "0.0.0.0",
        "[::1]",
        "[::ffff:127.0.0.1]",
    ]
    .iter()
    .map(|host| format!("{host}:{port}"))
    .chain(
        [
            "169.254.169.254",
            "2852039166",
            "0xa9fea9fe",
            "0251.0376.0251.0376",
            "[fe80::1]",
            "[fd00:ec2::254]",
            "[::ffff:169.254.169.254]",
            "metadata.google.internal",
        ]
        .map(str::to_owned),
    )
    .collect()
}

#[tokio::test]
async fn promise_7_no_realm_is_asked_that_only_this_machine_can_reach() {
    let inner = Registry::start(Profile::plain()).await;
    let token = Effect::status_with(200, &[], r#"{"token":"INNERTOKEN123"}"#);
    inner.fault(Fault::on("*", "", token).always());
    let (registry, settings, _folder) = far_registry(FAR).await;
    let logged_in = RegistrySettings {
        credentials: login(&[FAR], "robot", HUNTER2).credentials,
        ..settings.clone()
    };
    let mut tried = 0;
    for host in only_from_here(&inner.host()) {
        for scheme in ["http", "https"] {
            for settings in [&settings, &logged_in] {
                let challenge = format!("Bearer realm=\"{scheme}://{host}/token\",service=\"x\"");
                let asks = Effect::status_with(401, &[("www-authenticate", &challenge)], "");
                registry.clear_faults();
                registry.fault(Fault::on("*", "", asks).always());
                let request = promote(&format!("{FAR}/dev/web:1"), &["oci:unused"], MAIN);
                let (failure, text) = refused(request, settings.clone()).await;
                assert!(matches!(failure, Failure::Service(_)), "{failure:?}");
                assert!(
                    text.contains("only this machine can reach"),
                    "{host}: {text}"
                );
                tried += 1;
            }
        }
    }
    assert_eq!((tried, inner.count()), (18 * 4, 0));
    let shown = registry.log();
    let is_anonymous = |asked: &crate::registry::Exchange| {
        asked.authorization == crate::registry::Authorization::None
    };
    assert!(!shown.is_empty() && shown.iter().all(is_anonymous));
}

#[tokio::test]
async fn promise_7_without_a_login_a_realm_goes_over_https_as_well() {
    let (registry, settings, _folder) = far_registry(FAR).await;
    for realm in [
        "http://10.0.0.5/token",
        "http://auth.example/",
        "ftp://auth.example/",
    ] {
        let challenge = format!("Bearer realm=\"{realm}\",service=\"x\"");
        let asks = Effect::status_with(401, &[("www-authenticate", &challenge)], "");
        registry.clear_faults();
        registry.fault(Fault::on("*", "", asks).always());
        let request = promote(&format!("{FAR}/dev/web:1"), &["oci:unused"], MAIN);
        let (_, text) = refused(request, settings.clone()).await;
        assert!(text.contains("only go over https"), "{text}");
    }
}

#[tokio::test]
async fn promise_7_no_redirect_leads_to_what_only_this_machine_can_reach() {
    let inner = Registry::start(Profile::plain()).await;
    let (registry, settings, _folder) = far_registry(FAR).await;
    let mut tried = 0;
    for host in only_from_here(&inner.host()) {
        for (method, status) in [("GET", 307), ("POST", 202)] {
            let to = format!("https://{host}/v2/x/blobs/uploads/1");
            let leads = Effect::status_with(status, &[("location", &to)], "");
            registry.clear_faults();
            registry.fault(Fault::on(method, "/v2/", leads).always());
            let request = match method {
                "GET" => promote(&format!("{FAR}/dev/web:1"), &["oci:unused"], MAIN),
                _ => push(&example(), &[&format!("{FAR}/team/web")], MAIN),
            };
            let (_, text) = refused(request, settings.clone()).await;
            assert!(
                text.contains("only this machine can reach"),
                "{host}: {text}"
            );
            tried += 1;
        }
    }
    assert_eq!((tried, inner.count()), (36, 0));
}

/// A registry on this machine may lead to another port of it, and to no cloud's own addresses.
#[tokio::test]
async fn promise_7_a_registry_on_this_machine_does_not_lead_to_a_clouds_own_addresses() {
    for host in [
        "169.254.169.254",
        "[fe80::1]",
        "2852039166",
        "metadata.google.internal",
    ] {
        let registry = Registry::start(Profile::plain()).await;
        let to = format!("http://{host}/latest/meta-data");
        let challenge = format!("Bearer realm=\"{to}\",service=\"x\"");
        for effect in [
            Effect::status_with(401, &[("www-authenticate", &challenge)], ""),
            Effect::status_with(307, &[("location", &to)], ""),
        ] {
            registry.clear_faults();
            registry.fault(Fault::on("*", "", effect).always());
            let from = format!("{}/dev/web:1", registry.host());
            let (_, text) = refused(promote(&from, &["oci:unused"], MAIN), settings()).await;
            assert!(
                text.contains("only this machine can reach"),
                "{host}: {text}"
            );
        }
    }
}

/// What another host answers, in each form in which a registry's own words are shown.
fn answers() -> [String; 3] {
    let envelope =
        |code: &str| format!(r#"{{"errors":[{{"code":"{code}","message":"{WORDS}"}}]}}"#);
    [
        WORDS.to_owned(),
        envelope("DENIED"),
        envelope("secret-hostname-42"),
    ]
}

#[tokio::test]
async fn promise_7_what_a_realm_on_another_host_answers_is_not_shown() {
    for body in answers() {
        for status in [400, 401, 403, 404, 500] {
            let elsewhere = TokenServer::start(rules()).await;
            let registry = Registry::start(Profile::plain().auth(Auth::bearer(&elsewhere))).await;
            let own = Registry::start(Profile::plain().auth(Auth::OwnRealm(rules()))).await;
            let says =
                || Fault::on("GET", "/token", Effect::status_with(status, &[], &body)).always();
            elsewhere.fault(says());
            own.fault(says());
            for (registry, host, is_shown) in [
                (&registry, elsewhere.host(), false),
                (&own, own.host(), true),
            ] {
                let to = format!("{}/team/web", registry.host());
                let request = push(&example(), &[&to], MAIN);
                let (_, text) = refused(request, as_robot(&[registry])).await;
                assert!(text.contains(&status.to_string()), "{text}");
                assert!(text.contains(&host), "{text}");
                assert_eq!(text.contains("secret-hostname-42"), is_shown, "{text}");
            }
        }
    }
}

#[tokio::test]
async fn promise_7_what_is_answered_where_a_registry_leads_is_not_shown() {
    for body in answers() {
        let storage = Registry::start(Profile::plain()).await;
        storage.fault(Fault::on("*", "", Effect::status_with(403, &[], &body)).always());
        let registry = Registry::start(Profile::plain()).await;
        let to = format!("{}/v2/x/blobs/uploads/1", storage.url());
        for (method, status) in [("*", 307), ("POST", 202)] {
            let leads = Effect::status_with(status, &[("location", &to)], "");
            registry.clear_faults();
            registry.fault(Fault::on(method, "/v2/", leads).always());
            let place = format!("{}/team/web", registry.host());
            let request = match method {
                "POST" => push(&example(), &[&place], MAIN),
                _ => promote(&format!("{place}:1"), &["oci:unused"], MAIN),
            };
            let (_, text) = refused(request, settings()).await;
            assert!(
                text.contains("403") && text.contains(&storage.host()),
                "{text}"
            );
            assert!(!text.contains("secret-hostname-42"), "{text}");
        }
        assert!(storage.count() > 0);
    }
}
