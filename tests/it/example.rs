//! examples/fleet, as GitHub would run it: the steps that use shipmark are run with the inputs that the
//! workflows give, against registries in the places of the example's.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use serde_json::Value;

use crate::registry::{Auth, PASSWORD, Profile, Registry, USER};
use crate::support::checkout::commit;
use crate::support::process::{Place, Ran};
use crate::support::workflow::{filled, step_of};
use crate::support::*;

const ENVIRONMENTS: [&str; 3] = ["dev", "stage", "prod"];

fn text(name: &str) -> String {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/fleet");
    std::fs::read_to_string(folder.join(name)).unwrap()
}

/// The registries, and the workspace that the workflows run in.
struct Stage {
    registries: Vec<Registry>,
    place: Place,
    commit: String,
}

impl Stage {
    async fn set() -> Self {
        let mut registries = Vec::new();
        for _ in ENVIRONMENTS {
            let auth = Auth::Basic {
                user: USER.to_owned(),
                password: PASSWORD.to_owned(),
            };
            registries.push(Registry::start(Profile::plain().auth(auth)).await);
        }
        let mut stage = Self {
            registries,
            place: Place::new(),
            commit: String::new(),
        };
        let policy = stage.here(&text("shipmark.yml"));
        stage.commit = commit(stage.place.root(), &[(".github/shipmark.yml", &policy)]);
        let example = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/web.oci.tar");
        std::os::unix::fs::symlink(example, stage.place.path("image.tar")).unwrap();
        stage
    }

    fn registry(&self, environment: &str) -> &Registry {
        let at = ENVIRONMENTS.iter().position(|name| *name == environment);
        &self.registries[at.unwrap()]
    }

    /// The example's registries are those of the test.
    fn here(&self, text: &str) -> String {
        let mut text = text.to_owned();
        for name in ENVIRONMENTS {
            let host = self.registry(name).host();
            text = text.replace(&format!("{name}.example.com"), &host);
        }
        text
    }

    /// Runs the step of a job that uses shipmark.
    fn run(&self, event: &str, step: &Value, context: &BTreeMap<&str, String>) -> Ran {
        let inputs = step["with"].as_object().unwrap().iter();
        let inputs: Vec<_> = inputs
            .map(|(name, value)| {
                (
                    name.as_str(),
                    self.here(&filled(value.as_str().unwrap(), context)),
                )
            })
            .collect();
        let inputs: Vec<_> = inputs
            .iter()
            .map(|(name, value)| (*name, value.as_str()))
            .collect();
        let mut step = self.place.step("refs/heads/main", &inputs);
        step.env("GITHUB_EVENT_NAME", event)
            .env("GITHUB_WORKFLOW_SHA", &self.commit)
            .env("GITHUB_WORKSPACE", self.place.root());
        Ran::of(step.output().unwrap())
    }
}

/// The logins that a job can read which has these; GitHub gives an empty text for the others.
fn secrets(readable: &[&str]) -> BTreeMap<&'static str, String> {
    [
        "secrets.DEV_LOGIN",
        "secrets.STAGE_LOGIN",
        "secrets.PROD_LOGIN",
    ]
    .into_iter()
    .map(|name| {
        let is_readable = readable.iter().any(|known| name.ends_with(known));
        let login = format!("{USER}:{PASSWORD}");
        (name, login.repeat(usize::from(is_readable)))
    })
    .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_example_of_a_fleet_runs() {
    let stage = Stage::set().await;
    let build = yaml::read(&text("build.yml"))["jobs"]["build"].take();
    let services = build["strategy"]["matrix"]["service"].as_array().unwrap();
    assert_eq!(
        services,
        yaml::read(&text("shipmark.yml"))["services"]
            .as_array()
            .unwrap()
    );
    for service in services {
        let mut context = secrets(&["DEV_LOGIN"]);
        context.insert("matrix.service", service.as_str().unwrap().to_owned());
        let ran = stage.run("push", step_of(&build), &context);
        assert_eq!(ran.status, Some(0), "{}", ran.log);
    }
    let named: Vec<_> = stage.registry("dev").tags("team/web").into_keys().collect();
    assert_eq!(named, ["main", "sha-9f3c2a1"]);

    let promote = yaml::read(&text("promote.yml"))["jobs"]["promote"].take();
    for (source, environment, readable) in [
        ("sha-9f3c2a1", "stage", ["DEV_LOGIN", "STAGE_LOGIN"]),
        ("1.4.0", "prod", ["STAGE_LOGIN", "PROD_LOGIN"]),
    ] {
        let mut context = secrets(&readable);
        context.insert("inputs.source", source.to_owned());
        context.insert("inputs.environment", environment.to_owned());
        let ran = stage.run("workflow_dispatch", step_of(&promote), &context);
        assert_eq!(ran.status, Some(0), "{}", ran.log);
        assert!(
            ran.log.contains("promote of 2 services: 2 released"),
            "{}",
            ran.log
        );
        let matrix: Value = serde_json::from_str(&stage.place.output("matrix")).unwrap();
        let host = stage.registry(environment).host();
        for (service, cell) in services.iter().zip(matrix["include"].as_array().unwrap()) {
            assert_eq!(&cell["service"], service);
            let service = service.as_str().unwrap();
            assert_eq!(
                cell["image"],
                format!("{host}/team/{service}@{}", example_root())
            );
            let tags = stage.registry(environment).tags(&format!("team/{service}"));
            let tags: BTreeSet<_> = tags.into_keys().collect();
            assert_eq!(
                tags,
                ["1", "1.4", "1.4.0", "latest", environment, "sha-9f3c2a1"]
                    .map(str::to_owned)
                    .into()
            );
        }
    }
}
