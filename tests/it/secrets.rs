//! Promise 7 in the process: what is secret stands in no log, summary or output, whoever sends it back.

use base64::Engine;
use base64::prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD};
use serde_json::json;

use crate::registry::{Auth, Effect, Fault, Profile, Registry, TokenRules, digest};
use crate::support::process::{Place, Ran};
use crate::support::*;

const MAIN: &str = "refs/heads/main";
const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
/// A token as registries give them, with characters that encodings change.
const TOKEN: &str = "MARK.to-ken_a+b/c=d~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJ";
const PASSWORD: &str = "MARK_pass-word.1";

/// All that a step leaves to read, without the lines that tell the runner what to mask.
fn left(place: &Place, ran: &Ran) -> String {
    let lines = ran.log.lines();
    let said = lines.filter(|line| !line.starts_with("::add-mask::"));
    let said: Vec<&str> = said.chain([ran.out.as_str()]).collect();
    let files = ["output", "summary"].map(|name| place.read(name));
    format!("{}\n{}", said.join("\n"), files.join("\n"))
}

/// What nobody may find of a secret in a text: each encoding, and each beginning of one.
fn assert_hidden(text: &str, secret: &str, why: &str) {
    let percent: String = url::form_urlencoded::byte_serialize(secret.as_bytes()).collect();
    let markdown = |c: char| match c.is_ascii_alphanumeric() {
        true => c.to_string(),
        false => format!("&#{};", u32::from(c)),
    };
    for form in [
        secret.to_owned(),
        BASE64_STANDARD.encode(secret),
        BASE64_URL_SAFE_NO_PAD.encode(secret),
        percent,
        secret.chars().map(markdown).collect(),
    ] {
        let found = (8..form.len())
            .rev()
            .find(|end| text.contains(&form[..*end]));
        let shown = found.map(|end| &form[..end]);
        assert_eq!(shown, None, "{why}: {text}");
    }
}

/// A registry that gives `TOKEN`, and answers `echo` to whoever shows it.
async fn telling(key: &str, echo: &str) -> Registry {
    let registry = Registry::start(Profile::plain()).await;
    let challenge = format!("Bearer realm=\"{}/token\",service=\"x\"", registry.url());
    let asks = Effect::status_with(401, &[("www-authenticate", &challenge)], "");
    registry.fault(Fault::at(1, asks));
    let token = json!({key: TOKEN, "refresh_token": TOKEN.replace("MARK", "MORE")}).to_string();
    registry.fault(Fault::on("GET", "/token", Effect::status_with(200, &[], &token)).always());
    registry.fault(Fault::on("*", "/manifests/", Effect::status_with(403, &[], echo)).always());
    registry
}

/// What registries and what is before them may send back of a header.
fn echoes(secret: &str) -> Vec<String> {
    let base64 = BASE64_STANDARD.encode(secret);
    let percent: String = url::form_urlencoded::byte_serialize(secret.as_bytes()).collect();
    let envelope =
        |message: &str| json!({"errors": [{"code": "DENIED", "message": message}]}).to_string();
    let mut echoes = vec![
        secret.to_owned(),
        format!("not with Bearer {secret}!"),
        envelope(&format!("not with Bearer {secret}")),
        json!({"errors": [{"code": secret, "message": secret, "detail": secret}]}).to_string(),
        json!({"headers": {"authorization": format!("Bearer {secret}")}}).to_string(),
        envelope(&base64),
        envelope(&BASE64_STANDARD.encode(format!("Bearer {secret}, and more"))),
        envelope(&BASE64_URL_SAFE_NO_PAD.encode(secret)),
        envelope(&percent),
        envelope(&percent.to_lowercase().replace(&secret.to_lowercase(), "")),
        envelope(&format!("{secret}\n{secret}")),
    ];
    // Cut at 200 characters without an envelope, at 400 in one.
    for pad in (120..200).step_by(16) {
        echoes.push(format!("{} {secret}", "x".repeat(pad)));
        echoes.push(format!("{} {base64}", "x".repeat(pad)));
        echoes.push(envelope(&format!("{} {secret}", "x".repeat(pad + 200))));
        echoes.push(envelope(&format!("{} {percent}", "x".repeat(pad + 200))));
    }
    echoes
}

#[tokio::test(flavor = "multi_thread")]
async fn promise_7_a_registrys_token_is_masked_and_hidden_from_the_moment_it_comes() {
    let mut tried = 0;
    for key in ["token", "access_token"] {
        for echo in echoes(TOKEN) {
            let registry = telling(key, &echo).await;
            let (source, login) = (
                format!("{}/a:t", registry.host()),
                format!("{}=u:{PASSWORD}", registry.host()),
            );
            let inputs = [
                ("command", "promote"),
                ("source", &*source),
                ("images", "oci:o"),
                ("credentials", &*login),
            ];
            let place = Place::new();
            let ran = Ran::of(place.step(MAIN, &inputs).output().unwrap());
            assert_eq!(ran.status, Some(3), "{}", ran.log);
            assert!(ran.log.contains("403"), "{}", ran.log);
            assert_hidden(&left(&place, &ran), TOKEN, &echo);
            for secret in [TOKEN.to_owned(), TOKEN.replace("MARK", "MORE")] {
                let mask = format!("::add-mask::{secret}\n");
                assert!(ran.log.contains(&mask), "{}", ran.log);
                let encoded = BASE64_STANDARD.encode(&secret);
                assert!(ran.log.contains(&format!("::add-mask::{encoded}\n")));
            }
            tried += 1;
        }
    }
    assert_eq!(tried, 2 * 31);
}

#[tokio::test(flavor = "multi_thread")]
async fn promise_7_a_terminal_shows_no_token() {
    for echo in echoes(TOKEN) {
        let registry = telling("token", &echo).await;
        let (place, source) = (Place::new(), format!("--source={}/a:t", registry.host()));
        let ran = place.run(&["promote", &source, "--images=oci:o"]);
        assert_eq!(ran.status, Some(3), "{}", ran.log);
        assert_hidden(&(ran.log + &ran.out), TOKEN, &echo);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn promise_7_a_password_that_an_answer_sends_back_is_hidden_wherever_it_is_cut() {
    let basic = BASE64_STANDARD.encode(format!("robot:{PASSWORD}"));
    for secret in [&basic, PASSWORD] {
        for echo in echoes(secret) {
            let registry = Registry::start(Profile::plain()).await;
            let asks = [("www-authenticate", "Basic realm=\"x\"")];
            registry.fault(Fault::at(1, Effect::status_with(401, &asks, "")));
            let says = Effect::status_with(403, &[], &echo);
            registry.fault(Fault::on("*", "/manifests/", says).always());
            let login = format!("{}=robot:{PASSWORD}", registry.host());
            let source = format!("{}/a:t", registry.host());
            let inputs = [
                ("command", "promote"),
                ("source", &*source),
                ("images", "oci:o"),
                ("credentials", &*login),
            ];
            let place = Place::new();
            let ran = Ran::of(place.step(MAIN, &inputs).output().unwrap());
            assert!(ran.log.contains("403"), "{}", ran.log);
            assert_hidden(&left(&place, &ran), secret, &echo);
        }
    }
}

/// A token that anybody could guess is no reason to take a word out of the log.
#[tokio::test(flavor = "multi_thread")]
async fn a_short_token_hides_no_words() {
    let registry = Registry::start(Profile::plain()).await;
    let challenge = format!("Bearer realm=\"{}/token\",service=\"x\"", registry.url());
    let asks = Effect::status_with(401, &[("www-authenticate", &challenge)], "");
    registry.fault(Fault::at(1, asks));
    let token = Effect::status_with(200, &[], r#"{"token":"latest"}"#);
    registry.fault(Fault::on("GET", "/token", token).always());
    put_example(&registry, "a", "1.4.0");
    let (place, source) = (
        Place::new(),
        format!("--source={}/a:1.4.0", registry.host()),
    );
    let ran = place.run(&["promote", &source, "--images=oci:o"]);
    assert_eq!(ran.status, Some(0), "{}", ran.log);
    assert!(ran.out.contains("\n  latest "), "{}", ran.out);
}

#[tokio::test(flavor = "multi_thread")]
async fn promise_7_a_token_is_no_longer_than_what_can_be_shown_and_kept() {
    let registry = telling("token", "").await;
    registry.clear_faults();
    let challenge = format!("Bearer realm=\"{}/token\",service=\"x\"", registry.url());
    let asks = Effect::status_with(401, &[("www-authenticate", &challenge)], "");
    registry.fault(Fault::on("*", "/manifests/", asks).always());
    let token = json!({"token": "t".repeat((16 << 10) + 1)}).to_string();
    registry.fault(Fault::on("GET", "/token", Effect::status_with(200, &[], &token)).always());
    let (place, source) = (Place::new(), format!("--source={}/a:t", registry.host()));
    let ran = place.run(&["promote", &source, "--images=oci:o"]);
    assert_eq!(ran.status, Some(3), "{}", ran.log);
    assert!(
        ran.log.contains("a token of more than 16384 bytes"),
        "{}",
        ran.log
    );
}

/// Whoever may write beside an image could know a secret and have it published.
#[tokio::test(flavor = "multi_thread")]
async fn promise_7_a_secret_in_what_stands_beside_an_image_is_in_no_output() {
    for referrers in ["known", "all"] {
        for kind in [
            format!("application/{PASSWORD}"),
            PASSWORD.to_owned(),
            format!("{}{PASSWORD}", "x".repeat(112)),
            format!("a/{}", BASE64_STANDARD.encode(PASSWORD)),
        ] {
            let source = Registry::start(Profile::plain()).await;
            put_example(&source, "dev/web", "1.4.0");
            let config = source.put_blob("dev/web", "{}");
            let manifest = json!({
                "schemaVersion": 2, "mediaType": MANIFEST, "artifactType": kind,
                "config": {"mediaType": "application/vnd.oci.empty.v1+json", "digest": config, "size": 2},
                "layers": [],
                "subject": {"mediaType": MANIFEST, "digest": example_root().to_string(), "size": 1},
            })
            .to_string();
            let named = digest(manifest.as_bytes());
            source.put_manifest("dev/web", &named, MANIFEST, manifest);
            let to = Registry::start(Profile::plain()).await;
            let (from, images) = (
                format!("{}/dev/web:1.4.0", source.host()),
                format!("{}/team/web", to.host()),
            );
            // The second is a part of a name that the user gave.
            let logins = format!("{}=u:{PASSWORD}\nx.test=u:team", source.host());
            let inputs = [
                ("command", "promote"),
                ("source", &*from),
                ("images", &*images),
                ("referrers", referrers),
                ("credentials", &*logins),
            ];
            let place = Place::new();
            let ran = Ran::of(place.step(MAIN, &inputs).output().unwrap());
            assert_eq!(ran.status, Some(0), "{}", ran.log);
            assert_hidden(&left(&place, &ran), PASSWORD, &kind);
            let told = place.output("json");
            assert!(told.contains("***"), "{told}");
            let told: serde_json::Value = serde_json::from_str(&told).unwrap();
            assert_eq!(told["destinations"][0]["place"], images);
            let image = format!("{images}@{}", example_root());
            assert_eq!(place.output("image"), image);
            assert_eq!(
                place.output("tags").lines().next(),
                Some(&*format!("{images}:1.4.0"))
            );
        }
    }
}

#[test]
fn promise_7_a_password_in_a_key_of_config_json_is_not_shown() {
    let (mut tried, mut named) = (0, 0);
    for key in [
        "https://u:MARKsecret@reg.test/",
        "http://u:MARKsecret@reg.test/v1/",
        "u:MARKsecret@reg.test",
        "https://u:MARK@MARKsecret@reg.test",
        "https://u:MARK/MARKsecret@reg.test/x",
        "https://u:MARK?MARK#MARKsecret@reg.test/x",
        "https://:MARKsecret@reg.test",
        "https://MARKsecret@reg.test/x",
        "MARK://MARKsecret@reg.test/x",
        "https://reg.test/v1/?token=MARKsecret",
        "reg.test?MARKsecret",
        "reg_test#MARKsecret",
    ] {
        let auth = |auth: &str| json!({"auths": {key: {"auth": auth}}});
        for config in [
            auth(&BASE64_STANDARD.encode("u:x")),
            auth("?"),
            json!({"credHelpers": {key: "x"}}),
        ] {
            let place = Place::new();
            std::fs::write(place.path("config.json"), config.to_string()).unwrap();
            let inputs = [
                ("command", "promote"),
                ("source", "oci:none:t"),
                ("images", "oci:o"),
            ];
            let mut command = place.step(MAIN, &inputs);
            let command = command.env("DOCKER_CONFIG", place.root());
            let ran = Ran::of(command.output().unwrap());
            let all = left(&place, &ran) + &ran.log;
            assert!(!all.contains("MARK"), "{key}: {all}");
            named += usize::from(all.contains("config.json"));
            tried += 1;
        }
    }
    // Two keys name a registry, and are only told where their login is broken.
    assert_eq!((tried, named), (36, 34));
}

#[tokio::test(flavor = "multi_thread")]
async fn promise_8_no_character_that_nobody_sees_is_in_the_log_or_the_summary() {
    let invisible = "a\u{61c}b\u{ad}c\u{180e}d\u{e0041}e\u{115f}f\u{1160}g\u{3164}h\u{ffa0}i\u{fe0f}j\u{e0100}k\u{202e}l";
    let registry = Registry::start(Profile::plain()).await;
    let body = json!({"errors": [{"code": "X", "message": invisible}]}).to_string();
    registry.fault(Fault::on("*", "/manifests/", Effect::status_with(403, &[], &body)).always());
    let source = format!("{}/a:t", registry.host());
    let inputs = [
        ("command", "promote"),
        ("source", &*source),
        ("images", "oci:o"),
    ];
    let place = Place::new();
    let ran = Ran::of(place.step(MAIN, &inputs).output().unwrap());
    let all = left(&place, &ran);
    let shown: Vec<char> = invisible
        .chars()
        .filter(|c| !c.is_ascii() && all.contains(*c))
        .collect();
    assert_eq!(shown, Vec::<char>::new(), "{all}");
    assert!(
        ran.log.contains(r"a\u{61c}b\u{ad}c\u{180e}d\u{e0041}e"),
        "{}",
        ran.log
    );
}

/// The login of a source's registry does not turn up in what the destination's registry says.
#[tokio::test(flavor = "multi_thread")]
async fn promise_7_one_registrys_token_is_hidden_in_what_another_says() {
    let source = Registry::start(Profile::plain()).await;
    put_example(&source, "dev/web", "1.4.0");
    let challenge = format!("Bearer realm=\"{}/token\",service=\"x\"", source.url());
    let asks = Effect::status_with(401, &[("www-authenticate", &challenge)], "");
    source.fault(Fault::at(1, asks));
    let token = Effect::status_with(200, &[], &json!({"token": TOKEN}).to_string());
    source.fault(Fault::on("GET", "/token", token).always());
    let rules = TokenRules::new("registry.test").user("robot", PASSWORD);
    let to = Registry::start(Profile::plain().auth(Auth::OwnRealm(rules))).await;
    let says = Effect::status_with(403, &[], &format!("{TOKEN} is not for me"));
    to.fault(Fault::on("PUT", "/manifests/", says).always());
    let (from, images, login) = (
        format!("{}/dev/web:1.4.0", source.host()),
        format!("{}/team/web", to.host()),
        format!("{}=robot:{PASSWORD}", to.host()),
    );
    let inputs = [
        ("command", "promote"),
        ("source", &*from),
        ("images", &*images),
        ("credentials", &*login),
    ];
    let place = Place::new();
    let ran = Ran::of(place.step(MAIN, &inputs).output().unwrap());
    assert!(ran.log.contains("*** is not for me"), "{}", ran.log);
    assert_hidden(&left(&place, &ran), TOKEN, "another registry");
    assert_hidden(&left(&place, &ran), PASSWORD, "another registry");
}
