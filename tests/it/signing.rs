//! Signed releases, against the test registry and on disk.

mod source;

use std::time::Duration;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use serde_json::{Value, json};
use shipmark::http::{HttpSettings, RetryTiming};
use shipmark::release::{Failure, ReleaseRequest, SignatureFormat, TagChange, TagResult, run};
use shipmark::signing::{PrivateKey, VerificationError};
use shipmark::tagging::TagRules;

use crate::registry::{Effect, Fault, Profile, Registry};
use crate::support::keys::*;
use crate::support::process::{Place, Ran};
use crate::support::*;

const BOTH: [SignatureFormat; 2] = [SignatureFormat::Bundle, SignatureFormat::Legacy];

fn signed(place: &str, key: &PrivateKey) -> ReleaseRequest {
    let mut request = push(&example(), &[place], "refs/heads/main");
    request.rules = TagRules::parse(["it"]).unwrap();
    request.signing = Some(signing(key));
    request
}

fn sig_tag() -> String {
    format!("sha256-{}.sig", example_root().to_hex())
}

fn list_tag() -> String {
    format!("sha256-{}", example_root().to_hex())
}

/// The tags that name what was released.
fn released(registry: &Registry, repository: &str) -> Vec<String> {
    let tags = registry.tags(repository).into_keys();
    tags.filter(|tag| !tag.starts_with("sha256-")).collect()
}

#[tokio::test]
async fn promise_2_what_is_released_is_signed_before_a_tag_names_it() {
    for (profile, login) in [
        (Profile::plain(), false),
        (Profile::distribution(), false),
        (Profile::ghcr(), true),
        (Profile::artifactory(), true),
        (Profile::gitlab(), true),
        (Profile::harbor(), true),
    ] {
        let registry = Registry::start(profile).await;
        let place = format!("{}/team/web", registry.host());
        let settings = if login {
            logged_in_to(&[&registry])
        } else {
            settings()
        };
        let (context, _) = context_with(settings);
        let key = key();
        done(signed(&place, &key), &context).await;
        let at = format!("{place}:it");
        assert_eq!(good(&at, &key, &context).await, BOTH);
        let log = registry.requests();
        let position = |part: &str| log.iter().position(|line| line.starts_with(part)).unwrap();
        let tagged = position("PUT /v2/team/web/manifests/it ");
        let root = position(&format!("PUT /v2/team/web/manifests/{} ", example_root()));
        let about = log.iter().rposition(|line| {
            line.starts_with("PUT /v2/team/web/manifests/sha256:") && line.ends_with(" 201")
        });
        assert!(Some(root) < about, "{log:#?}");
        assert!(root < position(&format!("PUT /v2/team/web/manifests/{}", sig_tag())));
        assert!(position(&format!("PUT /v2/team/web/manifests/{}", sig_tag())) < tagged);
        assert_eq!(registry.dangling(), Vec::<String>::new());
        assert_eq!(registry.open_uploads(), 0);
        // Nothing is signed twice, and nothing written.
        registry.clear_log();
        let again = done(signed(&place, &key), &context).await;
        assert!(!again.has_changes());
        let wrote = registry
            .requests()
            .into_iter()
            .find(|line| !line.starts_with("GET ") && !line.starts_with("HEAD "));
        assert_eq!(wrote, None);
        assert_eq!(good(&at, &key, &context).await, BOTH);
    }
}

#[tokio::test]
async fn a_list_under_a_tag_has_types_and_annotations() {
    let registry = Registry::start(Profile::distribution()).await;
    let place = format!("{}/web", registry.host());
    done(signed(&place, &key()), &context()).await;
    let (kind, bytes) = registry.manifest("web", &list_tag()).unwrap();
    assert_eq!(kind, "application/vnd.oci.image.index.v1+json");
    let list: serde_json::Value = serde_json::from_slice(&bytes).unwrap();
    let entry = &list["manifests"][0];
    assert_eq!(
        entry["artifactType"],
        "application/vnd.dev.sigstore.bundle.v0.3+json"
    );
    assert_eq!(
        entry["annotations"]["dev.sigstore.bundle.predicateType"],
        "https://sigstore.dev/cosign/sign/v1"
    );
}

#[tokio::test]
async fn a_registry_with_the_list_gets_no_tag_of_it_whatever_its_headers_say() {
    let registry = Registry::start(Profile::plain().oci_subject(false)).await;
    let place = format!("{}/web", registry.host());
    done(signed(&place, &key()), &context()).await;
    assert!(!registry.tags("web").contains_key(&list_tag()));
    // And one that has the header without the list gets it.
    let registry = Registry::start(Profile::distribution().oci_subject(true)).await;
    let place = format!("{}/web", registry.host());
    done(signed(&place, &key()), &context()).await;
    assert!(registry.tags("web").contains_key(&list_tag()));
}

#[tokio::test]
async fn what_others_have_put_there_stays() {
    for profile in [Profile::plain(), Profile::distribution()] {
        let registry = Registry::start(profile).await;
        let place = format!("{}/web", registry.host());
        let (first, second) = (key(), key());
        done(signed(&place, &first), &context()).await;
        done(signed(&place, &second), &context()).await;
        let at = format!("{place}:it");
        for key in [&first, &second] {
            assert_eq!(good(&at, key, &context()).await, BOTH);
        }
        let all = checked(&at, &first, &context()).await.unwrap();
        let flaws: Vec<_> = all
            .iter()
            .filter_map(|one| one.result.clone().err())
            .collect();
        assert!(
            matches!(
                flaws.as_slice(),
                [
                    VerificationError::OtherKey(_),
                    VerificationError::SignatureMismatch
                ]
            ),
            "{flaws:?}"
        );
    }
}

#[tokio::test]
async fn unreadable_is_not_none() {
    let html = || {
        Effect::status_with(
            200,
            &[("content-type", "text/html")],
            "<html>sign in</html>",
        )
    };
    for (part, effect, said) in [
        ("/referrers/", Effect::status(429), "429"),
        ("/referrers/", Effect::status(403), "403"),
        ("/referrers/", Effect::status(500), "500"),
        (
            "/referrers/",
            html(),
            "does not say whether it lists referrers",
        ),
        (".sig", Effect::status(403), "403"),
        (".sig", Effect::status(503), "503"),
        (".sig", html(), "answered with a web page"),
    ] {
        let registry = Registry::start(Profile::plain()).await;
        let place = format!("{}/web", registry.host());
        let key = key();
        registry.fault(Fault::on("GET", part, effect.clone()).always());
        let (failure, text) = failed(signed(&place, &key), &context()).await;
        assert!(matches!(failure, Failure::Service(_)), "{failure:?}");
        assert!(text.contains(said), "{text}");
        assert_eq!(released(&registry, "web"), Vec::<String>::new(), "{text}");
        registry.clear_faults();
        done(signed(&place, &key), &context()).await;
        registry.fault(Fault::on("GET", part, effect).always());
        let found = checked(&format!("{place}:it"), &key, &context()).await;
        assert!(matches!(found, Err(Failure::Service(_))), "{found:?}");
    }
}

#[tokio::test]
async fn a_signature_that_does_not_come_back_as_it_was_written_is_not_relied_on() {
    let unlisted = (200, r#"{"schemaVersion":2,"manifests":[]}"#);
    for (part, (status, body)) in [
        // Written, and never listed, by a registry that does not say that it lists.
        ("/referrers/", unlisted),
        (".sig", (404, "")),
        ("/blobs/", (404, "")),
        ("/blobs/", (200, "something else")),
    ] {
        let registry = Registry::start(Profile::plain().oci_subject(false)).await;
        let place = format!("{}/web", registry.host());
        registry.fault(Fault::on("GET", part, Effect::status_with(status, &[], body)).always());
        let (failure, _) = failed(signed(&place, &key()), &context()).await;
        assert!(matches!(failure, Failure::Service(_)), "{failure:?}");
        assert_eq!(released(&registry, "web"), Vec::<String>::new());
    }
    // The content is read whatever the registry says of what it took.
    let registry = Registry::start(Profile::plain()).await;
    let place = format!("{}/web", registry.host());
    registry.fault(Fault::on("GET", "/blobs/", Effect::FlipByte(9)).always());
    let (failure, _) = failed(signed(&place, &key()), &context()).await;
    assert!(matches!(failure, Failure::Service(_)), "{failure:?}");
    assert_eq!(released(&registry, "web"), Vec::<String>::new());
}

#[tokio::test]
async fn a_registry_of_immutable_tags_is_found_out_before_anything_is_written() {
    for profile in [Profile::plain(), Profile::distribution(), Profile::harbor()] {
        let registry = Registry::start(profile.immutable_tags("*")).await;
        let elsewhere = Registry::start(Profile::plain()).await;
        let place = format!("{}/team/web", registry.host());
        let (context, _) = context_with(logged_in_to(&[&registry]));
        done(signed(&place, &key()), &context).await;
        // Another key has to be added.
        let mut request = signed(&place, &key());
        let beside = format!("{}/web", elsewhere.host());
        request.destinations.push(beside.parse().unwrap());
        let (failure, text) = failed(request, &context).await;
        assert!(matches!(failure, Failure::Refused(_)), "{failure:?}");
        assert!(text.contains("exclude tags that match sha256-*"), "{text}");
        let wrote = elsewhere
            .requests()
            .into_iter()
            .find(|line| !line.starts_with("GET ") && !line.starts_with("HEAD "));
        assert_eq!(wrote, None);
    }
}

#[tokio::test]
async fn a_layout_holds_its_signatures() {
    let disk = tempfile::tempdir().unwrap();
    let place = format!("oci:{}", disk.path().join("prod").display());
    let key = key();
    done(signed(&place, &key), &context()).await;
    assert_eq!(good(&format!("{place}:it"), &key, &context()).await, BOTH);
    let index = || std::fs::read_to_string(disk.path().join("prod/index.json")).unwrap();
    let before = index();
    assert!(!done(signed(&place, &key), &context()).await.has_changes());
    assert_eq!(index(), before);
    let another = super::support::keys::key();
    done(signed(&place, &another), &context()).await;
    // The only image is still the only one.
    assert_eq!(good(&place, &key, &context()).await, BOTH);
    assert_eq!(good(&place, &another, &context()).await, BOTH);
}

#[tokio::test]
async fn a_dry_run_says_what_it_would_sign_and_writes_nothing() {
    let registry = Registry::start(Profile::plain()).await;
    let mut request = signed(&format!("{}/web", registry.host()), &key());
    request.dry_run = true;
    let outcome = done(request, &context()).await;
    let signatures = &outcome.destinations[0].signatures;
    assert!(signatures.len() == 2 && signatures.iter().all(|one| one.is_new && one.at.is_none()));
    let wrote = registry
        .requests()
        .into_iter()
        .find(|line| !line.starts_with("GET ") && !line.starts_with("HEAD "));
    assert_eq!(wrote, None);
}

#[tokio::test]
async fn an_image_of_the_same_commit_is_kept_only_if_it_is_signed() {
    let registry = Registry::start(Profile::plain()).await;
    let place = format!("{}/web", registry.host());
    let key = key();
    done(push(&example(), &[&place], "refs/heads/main"), &context()).await;
    let rebuilt = format!("oci-archive:{}", image("buildkit-multi.tar").display());
    let mut request = push(&rebuilt, &[&place], "refs/heads/develop");
    request.signing = Some(signing(&key));
    let (failure, text) = failed(request.clone(), &context()).await;
    assert!(matches!(failure, Failure::Refused(_)), "{failure:?}");
    assert!(
        text.contains("expected a signature with this key"),
        "{text}"
    );
    let mut first = push(&example(), &[&place], "refs/heads/main");
    first.signing = Some(signing(&key));
    done(first, &context()).await;
    assert_eq!(done(request, &context()).await.root, example_root());
}

/// Two runs sign one image with two keys while one request of all is slow: each request in turn.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_runs_at_once_lose_nothing() {
    for round in 0..60 {
        let registry = Registry::start(Profile::distribution()).await;
        let place = format!("{}/web", registry.host());
        let mut request = push(&example(), &[&place], "refs/heads/main");
        request.rules = TagRules::parse(["it"]).unwrap();
        done(request, &context()).await;
        registry.clear_log();
        let slow = Effect::Delay(Duration::from_millis(15));
        registry.fault(Fault::at(round + 1, slow.clone()));
        registry.fault(Fault::at(round * 7 % 50 + 2, slow));
        let keys = [key(), key()];
        let requests = keys.each_ref().map(|key| signed(&place, key));
        let contexts = [patient(), patient()];
        let (a, b) = tokio::join!(
            run(&requests[0], &contexts[0]),
            run(&requests[1], &contexts[1])
        );
        a.unwrap();
        b.unwrap();
        for key in &keys {
            let found = good(&format!("{place}:it"), key, &context()).await;
            assert_eq!(found, BOTH, "round {round}: {:#?}", registry.requests());
        }
    }
}

fn patient() -> shipmark::release::ReleaseContext {
    let timing = RetryTiming {
        attempts: 8,
        ..timing()
    };
    context_with(shipmark::registry::RegistrySettings {
        http: HttpSettings {
            timing,
            ..settings().http
        },
        ..settings()
    })
    .0
}

/// Settings with the login that every profile of the test registry knows.
/// Whatever a signed run leaves, whether or not it succeeds: no key, no line of it, no password, no
/// base64 of them.
#[test]
fn promise_7_nothing_of_a_key_is_left_anywhere() {
    let sealed = std::fs::read_to_string(
        std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/keys/cosign.key"),
    )
    .unwrap();
    let plain = pem();
    let password = "not a secret";
    for (key, given, status) in [
        (&sealed, password, 0),
        (&sealed, "made-up/wrong.word", 2),
        (&plain, password, 0),
        (&plain.replace("-----END", "-----"), password, 2),
    ] {
        for way in ["input", "file", "variable"] {
            let place = Place::new();
            let file = place.root().parent().unwrap().join(format!(
                "{}.key",
                place.root().file_name().unwrap().display()
            ));
            std::fs::write(&file, key).unwrap();
            let mut inputs = vec![
                ("command", "push".to_owned()),
                ("source", example()),
                ("images", "oci:a".to_owned()),
                ("tags", "it".to_owned()),
                ("sign", "key".to_owned()),
            ];
            match way {
                "input" => inputs.push(("signing-key", key.clone())),
                "file" => inputs.push(("signing-key", file.display().to_string())),
                _ => {}
            }
            let inputs: Vec<_> = inputs
                .iter()
                .map(|(name, value)| (*name, value.as_str()))
                .collect();
            let mut step = place.step("refs/heads/main", &inputs);
            step.env("COSIGN_PASSWORD", given);
            if way == "variable" {
                step.env("COSIGN_PRIVATE_KEY", key);
            }
            let ran = Ran::of(step.output().unwrap());
            assert_eq!(ran.status, Some(status), "{way}: {}", ran.log);
            assert!(ran.log.contains("::add-mask::"), "{way}");
            std::fs::remove_file(&file).unwrap();
            let said: Vec<_> = ran
                .log
                .lines()
                .filter(|line| !line.starts_with("::add-mask::"))
                .collect();
            let mut left = said.join("\n") + &ran.out;
            for path in files(place.root()) {
                left += &String::from_utf8_lossy(&std::fs::read(path).unwrap());
            }
            for secret in secrets(key, given) {
                assert!(!left.contains(&secret), "{way}: {secret} is left");
            }
        }
    }
}

fn secrets(key: &str, password: &str) -> Vec<String> {
    let lines = key.lines().filter(|line| !line.starts_with("---"));
    let content: String = lines.clone().collect();
    let wholes = [key, key.trim(), password, &content];
    let encoded = wholes.map(|text| BASE64_STANDARD.encode(text));
    let mut secrets: Vec<String> = encoded
        .into_iter()
        .chain(lines.map(str::to_owned))
        .collect();
    secrets.push(password.to_owned());
    secrets
}

fn files(folder: &std::path::Path) -> Vec<std::path::PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files(&path));
        } else {
            found.push(path);
        }
    }
    found
}

/// The process as its users run it: what is asked for, what is refused, and why.
#[test]
fn what_cannot_be_signed_or_verified_says_why() {
    let source = example();
    let key = pem();
    let run = |arguments: &[&str], variables: &[(&str, &str)]| {
        let place = Place::new();
        let mut command = place.command();
        command.args(arguments).envs(variables.iter().copied());
        Ran::of(command.output().unwrap())
    };
    let push = ["push", "--source", &source, "--images=oci:a", "--tags=it"];
    let key_flag = format!("--signing-key={key}");
    for (more, message) in [
        (vec!["--sign=keyless"], "signs as a job of GitHub Actions"),
        (vec!["--sign=key"], "none is given"),
        (
            vec![key_flag.as_str()],
            "signing-key is given, and nothing is signed",
        ),
        (
            vec!["--sign=key", "--signing-key=nosuch.key"],
            "cannot be read",
        ),
        (
            vec!["--sign=key", &key_flag, "--sign-annotations=commit=x"],
            "is what every signature says by itself",
        ),
        (
            vec!["--sign=key", &key_flag, "--sign-annotations=x"],
            "NAME=VALUE",
        ),
        (vec!["--transparency-log=off"], "nothing is signed"),
    ] {
        let ran = run(&[&push[..], &more].concat(), &[]);
        assert_eq!(ran.status, Some(2), "{more:?}: {}", ran.log);
        assert!(ran.log.contains(message), "{more:?}: {}", ran.log);
    }
    let place = Place::new();
    let step = |arguments: &[&str]| Ran::of(place.command().args(arguments).output().unwrap());
    let ran = step(
        &[
            &push[..],
            &[
                "--sign=key",
                &key_flag,
                "--sign-annotations=team=web",
                "--transparency-log=off",
            ],
        ]
        .concat(),
    );
    assert_eq!(ran.status, Some(0), "{}", ran.log);
    let public = |text: &str| PrivateKey::parse(text, "").unwrap().public().to_pem();
    let good = format!("--key={}", public(&key));
    let ran = step(&["verify", "--source=oci:a:it", &good]);
    assert_eq!(ran.status, Some(0), "{}", ran.log);
    assert!(ran.out.starts_with("verified oci:a:it\n"), "{}", ran.out);
    assert!(ran.out.contains("team: web"), "{}", ran.out);
    let other = format!("--key={}", public(&pem()));
    let ran = step(&["verify", "--source=oci:a:it", &other]);
    assert_eq!(ran.status, Some(1), "{}", ran.log);
    assert!(ran.out.contains("signed with another key"), "{}", ran.out);
    assert!(
        ran.log.contains("refused: oci:a:it has no valid signature"),
        "{}",
        ran.log
    );
    let ran = step(&["verify", "--source=oci:a:it", &format!("--key={key}")]);
    assert_eq!(ran.status, Some(2), "{}", ran.log);
    assert!(ran.log.contains("is a private key"), "{}", ran.log);
}

/// With `recursive` every manifest is signed, so one that cannot be read is not passed over.
#[tokio::test]
async fn promise_2_an_index_that_lacks_one_of_its_indexes_is_not_signed() {
    const INDEX: &str = "application/vnd.oci.image.index.v1+json";
    let registry = Registry::start(Profile::plain()).await;
    let place = format!("{}/web", registry.host());
    let index = |entries: Value| {
        let index = json!({"schemaVersion": 2, "mediaType": INDEX, "manifests": entries});
        index.to_string()
    };
    let inner = index(json!([]));
    let listed = |text: &str, kind: &str| {
        let digest = crate::registry::digest(text.as_bytes());
        json!({"mediaType": kind, "digest": digest, "size": text.len()})
    };
    for kind in [INDEX, ""] {
        let missing = listed(&inner, kind);
        let root = index(json!([missing]));
        registry.put_manifest("web", "it", INDEX, root);
        registry.clear_log();
        let mut request = promote(&format!("{place}:it"), &[&place], "refs/heads/main");
        request.rules = TagRules::parse(["it"]).unwrap();
        let mut signing = keys::signing(&keys::key());
        signing.recursive = true;
        request.signing = Some(signing);
        let (failure, told) = failed(request, &context()).await;
        assert!(!matches!(failure, Failure::Refused(_)), "{failure:?}");
        assert!(told.contains(missing["digest"].as_str().unwrap()), "{told}");
        assert_eq!(registry.count_of("PUT"), 0);
        assert_eq!(registry.count_of("POST"), 0);
    }
}

/// Signing what has its tags already is a release, of signatures alone.
#[tokio::test]
async fn promise_9_signing_what_is_released_already_is_said_to_release() {
    let disk = tempfile::tempdir().unwrap();
    let layout = format!("oci:{}", disk.path().join("web").display());
    for forms in [
        vec![SignatureFormat::Bundle],
        vec![SignatureFormat::Legacy],
        BOTH.to_vec(),
    ] {
        let registry = Registry::start(Profile::plain()).await;
        for place in [format!("{}/web", registry.host()), layout.clone()] {
            let key = key();
            let mut request = signed(&place, &key);
            request.signing.as_mut().unwrap().formats = forms.clone();
            let mut unsigned = request.clone();
            unsigned.signing = None;
            done(unsigned.clone(), &context()).await;
            assert!(!done(unsigned, &context()).await.has_changes(), "{place}");
            let mut dry = request.clone();
            dry.dry_run = true;
            assert!(done(dry, &context()).await.has_changes(), "{place}");
            let outcome = done(request.clone(), &context()).await;
            let tags = &outcome.destinations[0].tags;
            let unchanged = |tag: &TagResult| tag.change == TagChange::Unchanged;
            assert!(tags.iter().all(unchanged), "{place}: {tags:?}");
            assert!(outcome.has_changes(), "{place}");
            assert!(!done(request, &context()).await.has_changes(), "{place}");
        }
    }
}
