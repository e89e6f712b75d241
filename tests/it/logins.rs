//! Logins as people have them: variables and files of docker, podman and GitLab, keys of several lines, and
//! logins for a path in a registry.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use serde_json::json;

use crate::registry::{Auth, Profile, Registry, TokenRules};
use crate::support::example;
use crate::support::process::{Place, Ran};

/// A configuration with a login for a registry, or a path in it.
fn config(key: &str, user: &str, password: &str) -> String {
    let auth = BASE64_STANDARD.encode(format!("{user}:{password}"));
    json!({"auths": {key: {"auth": auth}}}).to_string()
}

/// A registry that knows `ci` and nobody else.
async fn private_registry() -> Registry {
    let rules = TokenRules::new("test").user("ci", "right-password");
    Registry::start(Profile::plain().auth(Auth::TokenHost(rules))).await
}

/// Pushes the example to `acme/web`, with these variables and arguments.
async fn push_with(
    place: Place,
    registry: &Registry,
    variables: Vec<(&'static str, String)>,
    arguments: Vec<String>,
) -> Ran {
    let images = format!("{}/acme/web", registry.host());
    let run = move || {
        let mut command = place.command();
        command.env("HOME", place.path("home")).envs(variables);
        command.args(["push", "--source", &example(), "--images", &images]);
        command
            .args(["--tags", "it", "--sign", "off"])
            .args(arguments);
        Ran::of(command.output().unwrap())
    };
    tokio::task::spawn_blocking(run).await.unwrap()
}

fn write(place: &Place, name: &str, text: &str) -> String {
    let path = place.path(name);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(&path, text).unwrap();
    path.display().to_string()
}

#[tokio::test]
async fn logins_are_read_where_docker_podman_and_gitlab_have_them() {
    let registry = private_registry().await;
    let right = config(&registry.host(), "ci", "right-password");
    let by_path = config(&format!("{}/acme", registry.host()), "ci", "right-password");
    for (file, variable) in [
        ("", "DOCKER_AUTH_CONFIG"),
        ("home/.docker/config.json", ""),
        ("docker/config.json", "DOCKER_CONFIG"),
        ("other/name.json", "REGISTRY_AUTH_FILE"),
        ("run/containers/auth.json", "XDG_RUNTIME_DIR"),
        ("xdg/containers/auth.json", "XDG_CONFIG_HOME"),
        ("home/.config/containers/auth.json", ""),
    ] {
        for text in [&right, &by_path] {
            let place = Place::new();
            let value = match (file, variable) {
                ("", _) => text.clone(),
                (_, "REGISTRY_AUTH_FILE") => write(&place, file, text),
                _ => {
                    write(&place, file, text);
                    let folder = file.split('/').next().unwrap();
                    place.path(folder).display().to_string()
                }
            };
            let variables = match variable {
                "" => Vec::new(),
                name => vec![(name, value)],
            };
            let ran = push_with(place, &registry, variables, Vec::new()).await;
            assert_eq!(ran.status, Some(0), "{file} {variable}: {}", ran.log);
            assert!(!ran.log.contains("right-password"), "{}", ran.log);
        }
    }
}

#[tokio::test]
async fn the_variable_comes_before_files_and_docker_before_podman() {
    let registry = private_registry().await;
    let right = config(&registry.host(), "ci", "right-password");
    let wrong = config(&registry.host(), "ci", "wrong-password");
    let place = Place::new();
    write(&place, "home/.docker/config.json", &wrong);
    let variables = vec![("DOCKER_AUTH_CONFIG", right.clone())];
    let ran = push_with(place, &registry, variables, Vec::new()).await;
    assert_eq!(ran.status, Some(0), "{}", ran.log);

    let place = Place::new();
    write(&place, "home/.docker/config.json", &right);
    let podman = write(&place, "auth.json", &wrong);
    let variables = vec![("REGISTRY_AUTH_FILE", podman)];
    let ran = push_with(place, &registry, variables, Vec::new()).await;
    assert_eq!(ran.status, Some(0), "{}", ran.log);

    // The named file is in the place of podman's own.
    let place = Place::new();
    write(&place, "home/.config/containers/auth.json", &wrong);
    let named = write(&place, "auth.json", &right);
    let variables = vec![("REGISTRY_AUTH_FILE", named)];
    let ran = push_with(place, &registry, variables, Vec::new()).await;
    assert_eq!(ran.status, Some(0), "{}", ran.log);

    let place = Place::new();
    let variables = vec![("DOCKER_AUTH_CONFIG", wrong)];
    let ran = push_with(place, &registry, variables, Vec::new()).await;
    assert_eq!(ran.status, Some(2), "{}", ran.log);
    assert!(ran.log.contains("DOCKER_AUTH_CONFIG"), "{}", ran.log);
    assert!(!ran.log.contains("wrong-password"), "{}", ran.log);
}

#[tokio::test]
async fn a_variable_that_is_no_configuration_is_refused_without_its_text() {
    let registry = private_registry().await;
    for text in [
        "hunter2-in-clear",
        "{\"auths\": {\"a.example\": {\"auth\": 7}}}",
    ] {
        let variables = vec![("DOCKER_AUTH_CONFIG", text.to_owned())];
        let ran = push_with(Place::new(), &registry, variables, Vec::new()).await;
        assert_eq!(ran.status, Some(2), "{}", ran.log);
        assert!(ran.log.contains("DOCKER_AUTH_CONFIG"), "{}", ran.log);
        assert!(!ran.log.contains("hunter2"), "{}", ran.log);
    }
}

#[tokio::test]
async fn a_key_of_several_lines_logs_in() {
    let key = "{\n  \"type\": \"service_account\",\n  \"private_key\": \"a=b:c\"\n}";
    // Lines of an input lose the spaces at their ends.
    let sent = key.lines().map(str::trim).collect::<Vec<_>>().join("\n");
    let base64 = BASE64_STANDARD.encode(key);
    let wrapped = format!("{}\n{}", &base64[..40], &base64[40..]);
    let rules = TokenRules::new("test")
        .user("_json_key", &sent)
        .user("_json_key_base64", &base64);
    let registry = Registry::start(Profile::plain().auth(Auth::TokenHost(rules))).await;
    for (user, password) in [("_json_key", key), ("_json_key_base64", &wrapped)] {
        let login = format!("{}={user}:{password}", registry.host());
        let variables = vec![
            ("INPUT_CREDENTIALS", login),
            ("INPUT_COMMAND", "push".to_owned()),
            ("INPUT_SOURCE", example()),
            ("INPUT_IMAGES", format!("{}/acme/web", registry.host())),
            ("INPUT_TAGS", "it".to_owned()),
        ];
        let place = Place::new();
        let run = move || {
            let mut command = place.step("refs/heads/main", &[]);
            Ran::of(command.envs(variables).output().unwrap())
        };
        let ran = tokio::task::spawn_blocking(run).await.unwrap();
        assert_eq!(ran.status, Some(0), "{user}: {}", ran.log);
        let lines = ran.out.lines().chain(ran.log.lines());
        let (masks, others): (Vec<_>, Vec<_>) =
            lines.partition(|line| line.starts_with("::add-mask::"));
        assert!(!others.join("\n").contains("a=b:c"), "{others:#?}");
        // The runner would hide every brace of the log, and outputs that have one.
        for mask in masks {
            let text = mask.strip_prefix("::add-mask::").unwrap();
            assert!(text.len() > 3 && !text.contains("%0A"), "{mask}");
        }
        assert!(!ran.log.contains("masked as a secret"), "{}", ran.log);
    }
}

/// As deploy tokens of two projects in GitLab's registry.
#[tokio::test]
async fn two_paths_of_a_registry_have_logins_of_their_own() {
    let rules = TokenRules::new("test")
        .user("reader", "of-dev")
        .grant("reader", "acme/dev/*", &["pull"])
        .user("writer", "of-prod")
        .grant("writer", "acme/prod/*", &["pull", "push"]);
    let registry = Registry::start(Profile::plain().auth(Auth::TokenHost(rules))).await;
    crate::support::put_example(&registry, "acme/dev/web", "it");
    let host = registry.host();
    let run = |credentials: Vec<String>| {
        let host = host.clone();
        tokio::task::spawn_blocking(move || {
            let place = Place::new();
            let mut command = place.command();
            let source = format!("{host}/acme/dev/web:it");
            let images = format!("{host}/acme/prod/web");
            command.args(["promote", "--source", &source, "--images", &images]);
            command.args(["--tags", "it", "--sign", "off"]);
            for line in &credentials {
                command.args(["--credentials", line]);
            }
            Ran::of(command.output().unwrap())
        })
    };
    let reader = format!("{host}/acme/dev=reader:of-dev");
    let writer = format!("{host}/acme/prod=writer:of-prod");
    let alone = run(vec![reader.clone()]).await.unwrap();
    assert_eq!(alone.status, Some(2), "{}", alone.log);
    let empty = run(vec![reader.clone(), format!("{host}/acme/prod=")])
        .await
        .unwrap();
    assert_eq!(empty.status, Some(2), "{}", empty.log);
    let hint = format!("docker login {host}");
    assert!(alone.log.contains(&hint), "{}", alone.log);
    assert!(empty.log.contains("has no login for"), "{}", empty.log);
    let both = run(vec![reader.clone(), writer]).await.unwrap();
    assert_eq!(both.status, Some(0), "{}", both.log);
    assert_eq!(registry.tags("acme/prod/web").len(), 1);
    let twice = run(vec![reader.clone(), reader]).await.unwrap();
    assert_eq!(twice.status, Some(2), "{}", twice.log);
    assert!(twice.log.contains("a second login for"), "{}", twice.log);
}
