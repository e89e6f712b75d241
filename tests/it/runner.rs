//! What GitHub's runner does to an action, and how the action copes or explains.

use std::process::Command;

use crate::registry::{Auth, Effect, Fault, PASSWORD, Profile, Registry, TokenRules, USER};
use crate::support::example;
use crate::support::process::{Place, Ran};

/// A step in a container that the runner made for the action.
fn container(place: &Place, inputs: &[(&str, &str)]) -> Command {
    let mut command = place.step("refs/heads/main", inputs);
    command
        .env("GITHUB_WORKSPACE", "/github/workspace")
        .env("RUNNER_WORKSPACE", "/home/runner/work/web")
        .env("RUNNER_TEMP", "/github/runner_temp")
        .env("HOME", "/github/home");
    command
}

fn contained(place: &Place, inputs: &[(&str, &str)]) -> Ran {
    Ran::of(container(place, inputs).output().unwrap())
}

#[test]
fn paths_of_the_machine_are_those_of_the_container() {
    let inputs = [
        ("command", "push"),
        ("source", "oci-archive:/home/runner/work/web/web/image.tar"),
        ("images", "oci:out\noci:/home/runner/work/_temp/out"),
    ];
    let ran = contained(&Place::new(), &inputs);
    assert_eq!(ran.status, Some(2), "{}", ran.log);
    for part in [
        "/home/runner/work/web/web/image.tar is /github/workspace/image.tar in this container\n",
        "/home/runner/work/_temp/out is /github/runner_temp/out in this container\n",
        "source oci-archive:/github/workspace/image.tar: the file does not exist",
    ] {
        assert!(ran.log.contains(part), "{part}: {}", ran.log);
    }
}

#[test]
fn what_the_runner_does_not_mount_is_explained() {
    let source = example();
    for (source, images, wrong) in [
        ("oci-archive:/tmp/nosuch/x.tar", "oci:out", "source: "),
        (&*source, "oci:out\noci:/tmp/nosuch/out", "images, line 2: "),
        ("oci:/home/runner/.cache/x:v1", "oci:out", "source: "),
    ] {
        let place = Place::new();
        let inputs = [("command", "push"), ("source", source), ("images", images)];
        let ran = contained(&place, &inputs);
        assert_eq!(ran.status, Some(2), "{}", ran.log);
        let error = format!("::error title=shipmark push::error: {wrong}");
        assert!(ran.log.contains(&error), "{}", ran.log);
        assert!(ran.log.contains("is not in this container"), "{}", ran.log);
        assert!(ran.log.contains("relative to it or below RUNNER_TEMP"));
        assert!(!place.path("out").exists());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_login_that_the_container_does_not_see_is_explained() {
    let home_less = Place::new();
    let config = Place::new();
    let helped = r#"{"credHelpers": {"HOST": "ecr-login"}}"#;
    for auth in [
        Auth::basic("ci", "word"),
        Auth::OwnRealm(TokenRules::new("registry.test")),
    ] {
        let registry = Registry::start(Profile::plain().auth(auth)).await;
        std::fs::write(
            config.path("config.json"),
            helped.replace("HOST", &registry.host()),
        )
        .unwrap();
        let inputs = [
            ("command", "push"),
            ("source", &*example()),
            ("images", &*format!("{}/web", registry.host())),
        ];
        for (folder, part) in [
            (None, "docker/login-action writes to the machine's home"),
            (
                Some("/nosuch"),
                "DOCKER_CONFIG is /nosuch, which the runner does not mount",
            ),
            (config.root().to_str(), "aws ecr get-login-password"),
        ] {
            let mut command = container(&home_less, &inputs);
            if let Some(folder) = folder {
                command.env("DOCKER_CONFIG", folder);
            }
            let ran = Ran::of(command.output().unwrap());
            // A helper that is not there is a fault of the machine; no login is one of the inputs.
            let status = if part.contains("aws") { 3 } else { 2 };
            assert_eq!(ran.status, Some(status), "{}", ran.log);
            assert!(ran.log.contains(part), "{part}: {}", ran.log);
            assert!(
                ran.log
                    .contains(&format!("credentials: {}=USER", registry.host()))
            );
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn verify_gets_the_advice_on_logins_that_push_gets() {
    let registry = Registry::start(Profile::plain().auth(Auth::basic("ci", "word"))).await;
    let inputs = [
        ("command", "verify"),
        ("source", &*format!("{}/web:v1", registry.host())),
        ("certificate-identity", "https://github.com/acme/web/*"),
        ("offline", "true"),
        // The runner gives it to every step, as the default of action.yml.
        ("github-token", "made-up-token"),
    ];
    let ran = contained(&Place::new(), &inputs);
    assert_eq!(ran.status, Some(2), "{}", ran.log);
    for part in [
        "docker/login-action writes to the machine's home".to_owned(),
        format!("credentials: {}=USER", registry.host()),
    ] {
        assert!(ran.log.contains(&part), "{part}: {}", ran.log);
    }
}

#[test]
fn localhost_in_a_container_is_explained() {
    let inputs = [
        ("command", "push"),
        ("source", &*example()),
        ("images", "localhost:1/team/web"),
    ];
    let place = Place::new();
    let mut command = container(&place, &inputs);
    // It is asked six times, with growing pauses.
    let ran = Ran::of(command.output().unwrap());
    assert_eq!(ran.status, Some(3), "{}", ran.log);
    let hint = "hint: localhost:1 is this container itself";
    assert!(ran.log.contains(hint), "{}", ran.log);
}

#[test]
fn an_output_that_no_other_job_will_get_is_named() {
    let source = example();
    let inputs = |images| {
        [
            ("command", "push"),
            ("source", &*source),
            ("images", images),
            ("credentials", "one.example=robot:team"),
        ]
    };
    for (images, named) in [("oci:team/web", true), ("oci:web", false)] {
        let place = Place::new();
        let ran = Ran::of(container(&place, &inputs(images)).output().unwrap());
        assert_eq!(ran.status, Some(0), "{}", ran.log);
        let warning = "masked as a secret: image, tags, json, matrix. ";
        assert_eq!(ran.log.contains(warning), named, "{}", ran.log);
        assert!(place.output("image").starts_with(images));
    }
}

/// Where logins are secrets of one environment, a job of another has a line without one.
#[tokio::test(flavor = "multi_thread")]
async fn promise_9_an_empty_login_counts_only_where_it_is_needed() {
    let basic = || Auth::basic(USER, PASSWORD);
    let token = || Auth::OwnRealm(TokenRules::new("registry.test"));
    let config = Place::new();
    for (auth, is_needed) in [(basic(), true), (token(), true), (Auth::None, false)] {
        let wanting = Registry::start(Profile::plain().auth(auth)).await;
        let other = Registry::start(Profile::plain().auth(basic())).await;
        // A login of docker's does not take the place of one that the user meant to give.
        let docker = format!(
            r#"{{"auths": {{"{}": {{"username": "{USER}", "password": "{PASSWORD}"}}}}}}"#,
            wanting.host()
        );
        std::fs::write(config.path("config.json"), docker).unwrap();
        let run = |login: &str, images: &str| {
            let place = Place::new();
            let logins = format!(
                "{}={USER}:{PASSWORD}\n{}={login}",
                other.host(),
                wanting.host()
            );
            let source = example();
            let inputs = [
                ("command", "push"),
                ("source", &*source),
                ("images", images),
                ("credentials", &logins),
            ];
            let mut step = place.step("refs/heads/main", &inputs);
            Ran::of(step.env("DOCKER_CONFIG", config.root()).output().unwrap())
        };
        for login in ["", " ", ":", "robot:", ":made-up"] {
            let ran = run(login, &format!("{}/web", other.host()));
            assert_eq!(ran.status, Some(0), "{login:?}: {}", ran.log);
            let said = format!("credentials, line 2 has no login for {}", wanting.host());
            assert!(ran.log.contains(&said), "{login:?}: {}", ran.log);
            assert!(!ran.log.contains("::add-mask:::\n"), "{}", ran.log);

            let ran = run(login, &format!("{}/web", wanting.host()));
            let expected = if is_needed { 2 } else { 0 };
            assert_eq!(ran.status, Some(expected), "{login:?}: {}", ran.log);
            let reason = format!("{said}: the user or the password is empty");
            let is_said =
                ran.log.contains(&reason) && ran.log.contains("where this job can read it");
            assert_eq!(is_said, is_needed, "{login:?}: {}", ran.log);
        }
    }
}

/// Also where nothing is signed, and where not even the inputs can be read.
#[test]
fn promise_7_what_the_environment_holds_is_masked_before_the_first_line() {
    let password = "made-up/word";
    for inputs in [
        &[("command", "push"), ("source", "oci:nosuch")][..],
        &[
            ("command", "push"),
            ("source", "oci:made-up/word"),
            ("images", "oci:a"),
        ],
        &[("command", "push"), (password, "x"), ("images", "oci:a")],
        &[("command", password)],
    ] {
        let place = Place::new();
        let mut step = place.step("refs/heads/main", inputs);
        step.env("COSIGN_PASSWORD", password)
            .env(
                "COSIGN_PRIVATE_KEY",
                "-----BEGIN X-----\nmade+up+key\n-----END X-----",
            )
            .env("ACTIONS_ID_TOKEN_REQUEST_TOKEN", "made-up-token");
        let ran = Ran::of(step.output().unwrap());
        assert_eq!(ran.status, Some(2), "{}", ran.log);
        let is_mask = |line: &&str| line.starts_with("::add-mask::");
        let masks: Vec<_> = ran.log.lines().take_while(is_mask).collect();
        let said: Vec<_> = ran.log.lines().filter(|line| !is_mask(line)).collect();
        for secret in [password, "made+up+key", "made-up-token"] {
            assert!(
                masks.contains(&&*format!("::add-mask::{secret}")),
                "{}",
                ran.log
            );
            assert!(!said.join("\n").contains(secret), "{}", ran.log);
        }
    }
}

/// GitHub shows ten warnings of a step: those that a person should look at.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_tried_again_is_in_the_log_and_no_annotation() {
    let registry = Registry::start(Profile::plain()).await;
    registry.fault(Fault::on("PUT", "/manifests/", Effect::status(503)));
    registry.fault(Fault::on("PUT", "/blobs/uploads/", Effect::status(503)));
    let (source, place) = (example(), Place::new());
    let images = format!("{}/web", registry.host());
    let inputs = [
        ("command", "push"),
        ("source", &*source),
        ("images", &*images),
    ];
    let mut step = place.step("refs/heads/main", &inputs);
    let ran = tokio::task::spawn_blocking(move || Ran::of(step.output().unwrap()));
    let ran = ran.await.unwrap();
    assert_eq!(ran.status, Some(0), "{}", ran.log);
    assert_eq!(ran.log.matches("trying again").count(), 2, "{}", ran.log);
    assert!(!ran.log.contains("::warning"), "{}", ran.log);
}
