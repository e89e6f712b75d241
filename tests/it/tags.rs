//! The verb `tags` as docker/metadata-action's users see it.

mod api;
mod figures;
mod mutation;
mod rows;
mod table;

use crate::support::COMMIT;
use crate::support::process::{Place, Ran};
use api::Api;

const EVENT: &str = r#"{"ref": "refs/heads/main", "repository": {"name": "web", "description": null,
    "html_url": "https://github.com/acme/web", "default_branch": "main", "license": null}}"#;

/// A step that runs `tags` for a push of `git_ref`.
fn step(place: &Place, git_ref: &str, inputs: &[(&str, &str)]) -> std::process::Command {
    let mut command = place.step(git_ref, inputs);
    std::fs::write(place.path("event"), EVENT).unwrap();
    std::fs::write(place.path("variables"), "").unwrap();
    std::fs::create_dir_all(place.path("temp")).unwrap();
    command
        .env("GITHUB_EVENT_PATH", place.path("event"))
        .env("GITHUB_ENV", place.path("variables"))
        .env("RUNNER_TEMP", place.path("temp"))
        .env("SHIPMARK_NOW", "2026-11-20T10:00:00Z");
    command
}

fn run(place: &Place, git_ref: &str, inputs: &[(&str, &str)]) -> Ran {
    Ran::of(step(place, git_ref, inputs).output().unwrap())
}

#[test]
fn it_is_the_default_command_and_hands_on_what_it_says() {
    let place = Place::new();
    let inputs = [
        ("images", "ghcr.io/Acme/Web"),
        ("tags", "type=semver,pattern={{version}}"),
    ];
    let ran = run(&place, "refs/tags/v1.4.0", &inputs);
    assert_eq!(ran.status, Some(0), "{}", ran.log);
    assert_eq!(
        place.output("tags"),
        "ghcr.io/acme/web:1.4.0\nghcr.io/acme/web:latest"
    );
    assert_eq!(place.output("version"), "1.4.0");
    let variables = place.read("variables");
    assert!(
        variables.contains("DOCKER_METADATA_OUTPUT_TAG_NAMES<<"),
        "{variables}"
    );
    assert!(place.read("summary").starts_with("## web 1.4.0: tags\n"));
    let bake = std::fs::read_to_string(place.output("bake-file-tags")).unwrap();
    assert!(bake.contains("ghcr.io/acme/web:1.4.0"), "{bake}");
    let given: Vec<String> = place.outputs().into_iter().map(|(name, _)| name).collect();
    let declared = shipmark::cli::OUTPUTS
        .iter()
        .filter(|output| output.verbs.contains(&shipmark::cli::Verb::Tags))
        .map(|output| output.name);
    assert!(
        declared
            .clone()
            .all(|name| given.iter().any(|given| given == name))
    );
    assert_eq!(declared.count(), given.len());
}

#[test]
fn variables_are_left_out_where_that_is_said() {
    let place = Place::new();
    let mut command = step(&place, "refs/heads/main", &[]);
    command.env("DOCKER_METADATA_SET_OUTPUT_ENV", "false");
    assert!(command.status().unwrap().success());
    assert_eq!(place.read("variables"), "");
}

#[test]
fn a_container_names_bake_files_as_later_steps_find_them() {
    let place = Place::new();
    let mut command = step(&place, "refs/heads/main", &[]);
    command.env("RUNNER_WORKSPACE", "/home/runner/work/web");
    assert!(command.status().unwrap().success());
    let temp = place.path("temp");
    let file = place.output("bake-file");
    assert!(
        file.starts_with(temp.to_str().unwrap()),
        "no container: {file}"
    );
}

#[test]
fn what_is_malformed_is_told_with_its_place() {
    for (tags, message) in [
        (
            "x\ntype=semver,patern={{version}}",
            "error: tags, line 2: the attribute \"patern\" is not known; did you mean pattern?",
        ),
        (
            "type=raw,value={{date \"YYYY\"}}",
            "error: tags, line 1: a double quote within a field",
        ),
        (
            "type=raw,value=a,enable={{foo 'x'}}",
            "error: tags, line 1: the expression foo is not known",
        ),
        (
            "type=match,pattern=(,value=x",
            "error: tags, line 1: is not a regular expression",
        ),
    ] {
        let place = Place::new();
        let ran = run(&place, "refs/heads/main", &[("tags", tags)]);
        assert_eq!(ran.status, Some(2), "{}", ran.log);
        let line = ran.log.replace("::error title=shipmark tags::", "");
        assert!(line.contains(message), "{}", ran.log);
        assert!(
            line.contains("(") && line.contains("column "),
            "{}",
            ran.log
        );
        assert_eq!(place.outputs(), []);
    }
}

#[test]
fn compatible_mode_warns_where_strict_differs() {
    let place = Place::new();
    let inputs = [("tags", "type=raw,value={{branch}}")];
    let ran = run(&place, "refs/heads/a&b", &inputs);
    assert_eq!(place.output("tags"), "a-amp-b");
    assert!(
        ran.log
            .contains("::warning title=shipmark::tags, line 1: {{…}} escapes names for HTML"),
        "{}",
        ran.log
    );
    let place = Place::new();
    let inputs = [inputs[0], ("mode", "strict")];
    let ran = run(&place, "refs/heads/a&b", &inputs);
    assert_eq!(place.output("tags"), "a-b");
    assert!(!ran.log.contains("::warning"), "{}", ran.log);
}

#[test]
fn the_api_is_asked_for_what_the_event_does_not_say_and_for_nothing_else() {
    let api = Api::start();
    let base = api.add(
        Some(
            serde_json::json!({"name": "from-api", "description": "d", "html_url": "u",
            "default_branch": "main", "license": {"spdx_id": "MIT"}}),
        ),
        Some("2026-01-02T03:04:05Z"),
    );
    let tags = "type=edge\ntype=raw,value={{commit_date 'YYYYMMDD'}}";
    let titled = |payload: &str, offline: &str| {
        let place = Place::new();
        let inputs = [
            ("tags", tags),
            ("offline", offline),
            ("github-token", "made-up-token"),
        ];
        let mut command = step(&place, "refs/heads/main", &inputs);
        std::fs::write(place.path("event"), payload).unwrap();
        let ran = Ran::of(command.env("GITHUB_API_URL", &base).output().unwrap());
        assert_eq!(ran.status, Some(0), "{}", ran.log);
        (place.output("labels"), place.output("tags"))
    };
    let (labels, tags) = titled("{}", "false");
    assert!(labels.contains("title=from-api\n") && labels.contains("licenses=MIT\n"));
    assert_eq!(tags, "edge\n20260102");
    assert_eq!(
        api.asked(),
        ["/repos/acme/web", "/repos/acme/web/commits/*"]
    );
    let (labels, tags) = titled("{}", "true");
    assert!(labels.contains("title=\n"), "{labels}");
    assert_eq!(tags, "20261120");
    assert_eq!(api.asked(), [""; 0]);
    let (labels, _) = titled(EVENT, "false");
    assert!(labels.contains("title=web\n"));
    assert_eq!(api.asked(), ["/repos/acme/web/commits/*"]);
    assert!(
        !api.was_shown("made-up-token"),
        "the token goes over TLS alone"
    );
}

#[test]
fn an_api_that_fails_is_a_failure_with_a_way_out() {
    let api = Api::start();
    let base = api.add(None, None);
    let place = Place::new();
    let mut command = step(&place, "refs/heads/main", &[]);
    std::fs::write(place.path("event"), "{}").unwrap();
    let ran = Ran::of(command.env("GITHUB_API_URL", &base).output().unwrap());
    assert_eq!(ran.status, Some(3), "{}", ran.log);
    assert!(
        ran.log.contains("GitHub's API answers 404 Not Found"),
        "{}",
        ran.log
    );
    assert!(ran.log.contains("offline: true"), "{}", ran.log);
}

#[test]
fn a_person_reads_it_on_the_terminal() {
    let place = Place::new();
    let ran = place.run(&[
        "tags",
        "--images=ghcr.io/acme/web",
        "--ref=refs/tags/v1.4.0",
        "--tags=type=semver,pattern={{version}}",
        "--tags=type=semver,pattern={{major}}.{{minor}}",
    ]);
    assert_eq!(ran.status, Some(0), "{}", ran.log);
    assert!(
        ran.out
            .starts_with("ghcr.io/acme/web:1.4.0\nghcr.io/acme/web:1.4\n"),
        "{}",
        ran.out
    );
    assert!(
        ran.out
            .contains("1.4.0  immutable (the rule type=semver,pattern={{version}})")
    );
    assert!(
        ran.out.contains("1.4  follows the version line"),
        "{}",
        ran.out
    );
}

#[test]
fn the_clock_is_not_set_where_an_environment_applies() {
    let place = Place::new();
    let ran = run(
        &place,
        "refs/heads/main",
        &[("environment", "prod"), ("tags", "type=env")],
    );
    assert_eq!(ran.status, Some(1), "{}", ran.log);
    assert!(ran.log.contains("refused: SHIPMARK_NOW"), "{}", ran.log);
}

/// Whoever describes the repository does not label its images.
#[test]
fn promise_8_a_line_break_in_a_description_makes_no_label() {
    let mut tried = 0;
    for end in [
        "\n", "\r", "\r\n", "\u{85}", "\u{2028}", "\u{2029}", "\u{b}", "|", "|\n",
    ] {
        for separator in ["", "|"] {
            let place = Place::new();
            let event = serde_json::json!({
                "ref": "refs/heads/main",
                "repository": {
                    "full_name": "acme/web", "name": "web", "default_branch": "main",
                    "html_url": "https://github.com/acme/web", "license": null,
                    "description": format!("x{end}org.opencontainers.image.vendor=evil"),
                },
                "head_commit": {"id": COMMIT, "timestamp": "2026-01-01T00:00:00Z"},
            });
            let inputs = [
                ("images", "acme/web"),
                ("offline", "true"),
                ("sep-labels", separator),
                ("sep-annotations", separator),
            ];
            let mut command = step(&place, "refs/heads/main", &inputs);
            std::fs::write(place.path("event"), event.to_string()).unwrap();
            let ran = Ran::of(command.output().unwrap());
            assert_eq!(ran.status, Some(0), "{}", ran.log);
            let separator = if separator.is_empty() {
                "\n"
            } else {
                separator
            };
            for (name, prefix) in [("labels", ""), ("annotations", "manifest:")] {
                let list = place.output(name);
                assert_eq!(list.split(separator).count(), 8, "{list:?}");
                let evil = format!("{prefix}org.opencontainers.image.vendor=evil");
                assert!(list.split(separator).all(|label| label != evil), "{list:?}");
                assert!(list.lines().all(|label| label != evil), "{list:?}");
            }
            let json: serde_json::Value = serde_json::from_str(&place.output("json")).unwrap();
            assert_eq!(json["labels"].as_object().unwrap().len(), 8);
            let changed = end != "|" || separator == "|";
            let said = "org.opencontainers.image.description has several lines";
            assert_eq!(ran.log.contains(said), changed && end != "|", "{}", ran.log);
            tried += 1;
        }
    }
    assert_eq!(tried, 18);
}
