//! What docker/metadata-action answers: tests/data/metadata-rows, whose SOURCES.md says where the
//! rows come from.

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use super::api::Api;
use crate::support::process::Place;

pub fn data(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/data/metadata-rows")
        .join(name)
}

fn texts(object: &Value) -> impl Iterator<Item = (&str, &str)> {
    let pairs = object.as_object().unwrap().iter();
    pairs.map(|(name, value)| (name.as_str(), value.as_str().unwrap()))
}

/// The row's event, with its repository as the row has it.
fn event(row: &Value) -> Option<String> {
    let name = row.get("event")?.as_str()?;
    let text = std::fs::read_to_string(data(name)).unwrap();
    let mut event: Value = serde_json::from_str(&text).unwrap();
    if let (Some(repository), Some(repo)) = (event.get_mut("repository"), row["repo"].as_object()) {
        for (key, value) in repo {
            repository[key] = value.clone();
        }
    }
    Some(event.to_string())
}

fn command(row: &Value, place: &Place, api: &Api) -> Command {
    let mut command = place.command();
    for name in ["output", "summary", "variables"] {
        std::fs::write(place.path(name), "").unwrap();
    }
    std::fs::create_dir(place.path("temp")).unwrap();
    command
        .envs(texts(&row["env"]))
        .env("GITHUB_OUTPUT", place.path("output"))
        .env("GITHUB_STEP_SUMMARY", place.path("summary"))
        .env("GITHUB_ENV", place.path("variables"))
        .env("RUNNER_TEMP", place.path("temp"))
        .env("SHIPMARK_NOW", row["now"].as_str().unwrap())
        .env(
            "GITHUB_API_URL",
            api.add(row.get("repo").cloned(), row["commit_date"].as_str()),
        );
    for (name, value) in texts(&row["inputs"]) {
        command.env(format!("INPUT_{}", name.to_uppercase()), value);
    }
    if let Some(event) = event(row) {
        std::fs::write(place.path("event"), event).unwrap();
        command.env("GITHUB_EVENT_PATH", place.path("event"));
    }
    command
}

/// Everything that the row says and the program answered otherwise.
fn differences(row: &Value, api: &Api) -> Vec<String> {
    let place = Place::new();
    let ran = command(row, &place, api).output().unwrap();
    let log = String::from_utf8_lossy(&ran.stderr);
    if row.get("error").is_some() {
        let failed = matches!(ran.status.code(), Some(1..=3)) && !log.contains("panicked");
        return Vec::from_iter((!failed).then(|| format!("no failure, but {:?}", ran.status)));
    }
    let mut differences = Vec::new();
    if ran.status.code() != Some(0) {
        differences.push(format!("{:?}: {log}", ran.status));
    }
    for (name, expected) in texts(&row["outputs"]) {
        let answer = place.output(name);
        let same = match name {
            "json" => {
                let read = |text: &str| serde_json::from_str::<Value>(text).ok();
                read(&answer) == read(expected)
            }
            _ => answer == expected,
        };
        if !same {
            differences.push(format!("{name}: {answer:?}, not {expected:?}"));
        }
    }
    for (name, expected) in row["bake"].as_object().into_iter().flatten() {
        let text = std::fs::read_to_string(place.output(name)).unwrap();
        if serde_json::from_str::<Value>(&text).unwrap() != *expected {
            differences.push(format!("{name}: {text}"));
        }
    }
    differences
}

#[test]
fn answers_are_those_of_docker_metadata_action() {
    let api = Api::start();
    let rows = std::fs::read_to_string(data("rows.jsonl")).unwrap();
    let rows: Vec<Value> = rows
        .lines()
        .map(|row| serde_json::from_str(row).unwrap())
        .collect();
    assert_eq!(rows.len(), 197);
    let mut wrong = Vec::new();
    for row in &rows {
        for difference in differences(row, &api) {
            wrong.push(format!("{}: {difference}", row["id"].as_str().unwrap()));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
