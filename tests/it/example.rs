//! examples/fleet, as GitHub would run it: the steps that use shipmark are run with the inputs that the
//! workflows give, against registries in the places of the example's.

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::Value;

use crate::registry::{Auth, PASSWORD, Profile, Registry, USER};
use crate::support::checkout::commit;
use crate::support::made_image::MadeImage;
use crate::support::process::{Place, Ran};
use crate::support::records::is_entry;
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
    policy_commit: String,
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
            policy_commit: String::new(),
        };
        let policy = stage.here(&text("shipmark.yml"));
        stage.policy_commit = commit(stage.place.root(), &[(".github/shipmark.yml", &policy)]);
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
    fn run(&self, event: &Event, step: &Value, context: &BTreeMap<&str, String>) -> Ran {
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
        let mut step = self.place.step(event.git_ref, &inputs);
        step.env("GITHUB_EVENT_NAME", event.name)
            .env("GITHUB_SHA", event.commit)
            .env("GITHUB_WORKFLOW_SHA", &self.policy_commit)
            .env("GITHUB_WORKSPACE", self.place.root());
        let ran = Ran::of(step.output().unwrap());
        assert_eq!(ran.status, Some(0), "{}", ran.log);
        ran
    }

    fn tags(&self, environment: &str, service: &str) -> String {
        let tags = self.registry(environment).tags(&format!("team/{service}"));
        let tags = tags.into_keys().filter(|tag| !is_entry(tag));
        tags.collect::<Vec<_>>().join(" ")
    }
}

/// What GitHub runs a workflow for.
struct Event<'a> {
    name: &'a str,
    git_ref: &'a str,
    commit: &'a str,
}

/// A commit on main, and the tag that releases it.
struct Commit {
    sha: &'static str,
    tag: &'static str,
}

const COMMITS: [Commit; 2] = [
    Commit {
        sha: COMMIT,
        tag: "refs/tags/v1.4.0",
    },
    Commit {
        sha: "2b2e927fb4ea8dbc1a9d3a2a9e5b4c1d0e6f7a8b",
        tag: "refs/tags/v1.5.0",
    },
];

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

/// Runs the workflow for each ref of a commit that it is for. No build gives the digest of another one.
fn build(stage: &Stage, workflow: &Value, commit: &Commit, builds: &mut u32) {
    let refs = workflow["on"]["push"].as_object().unwrap().keys();
    for kind in refs {
        let git_ref = match kind.as_str() {
            "branches" => "refs/heads/main",
            "tags" => commit.tag,
            other => panic!("{other}"),
        };
        let event = Event {
            name: "push",
            git_ref,
            commit: commit.sha,
        };
        let job = &workflow["jobs"]["build"];
        for service in job["strategy"]["matrix"]["service"].as_array().unwrap() {
            *builds += 1;
            MadeImage::new(*builds, &[("revision", commit.sha)])
                .write_archive(&stage.place.path("image.tar"));
            let mut context = secrets(&["DEV_LOGIN"]);
            context.insert("matrix.service", service.as_str().unwrap().to_owned());
            stage.run(&event, step_of(job), &context);
        }
    }
}

/// Runs the workflow for an event, and checks that it released both services by the digests of `from`.
fn promote(stage: &Stage, event: &Event, [from, to]: [&str; 2], source: &str) {
    let job = yaml::read(&text("promote.yml"))["jobs"]["promote"].take();
    let logins = [from, to].map(|name| format!("{}_LOGIN", name.to_uppercase()));
    let mut context = secrets(&[&logins[0], &logins[1]]);
    let by_hand = event.name == "workflow_dispatch";
    context.insert("inputs.source", source.to_owned());
    context.insert("inputs.environment", to.repeat(usize::from(by_hand)));
    let ran = stage.run(event, step_of(&job), &context);
    let log = &ran.log;
    assert!(log.contains("promote of 2 services: 2 released"), "{log}");
    let matrix: Value = serde_json::from_str(&stage.place.output("matrix")).unwrap();
    let released = matrix["include"].as_array().unwrap();
    assert_eq!(released.len(), 2);
    let sha_tag = format!("sha-{}", &event.commit[..7]);
    for cell in released {
        let repository = format!("team/{}", cell["service"].as_str().unwrap());
        let digest = &stage.registry(from).tags(&repository)[&sha_tag];
        let host = stage.registry(to).host();
        assert_eq!(cell["image"], format!("{host}/{repository}@{digest}"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_example_of_a_fleet_runs() {
    let stage = Stage::set().await;
    let workflow = yaml::read(&text("build.yml"));
    let mut builds = 0;
    for commit in &COMMITS {
        build(&stage, &workflow, commit, &mut builds);
    }
    assert_eq!(builds, 4);
    for service in ["web", "api"] {
        assert_eq!(stage.tags("dev", service), "main sha-2b2e927 sha-9f3c2a1");
    }
    for Commit { sha, tag } in COMMITS {
        let tagged = Event {
            name: "push",
            git_ref: tag,
            commit: sha,
        };
        promote(&stage, &tagged, ["dev", "stage"], "");
        let by_hand = Event {
            name: "workflow_dispatch",
            git_ref: "refs/heads/main",
            commit: sha,
        };
        let version = tag.trim_start_matches("refs/tags/v");
        promote(&stage, &by_hand, ["stage", "prod"], version);
    }
    for (environment, service) in [("stage", "web"), ("prod", "web"), ("prod", "api")] {
        let lines = "1 1.4 1.4.0 1.5 1.5.0 latest";
        let expected = match environment {
            "stage" => format!("{lines} sha-2b2e927 sha-9f3c2a1 stage"),
            _ => format!("{lines} prod sha-2b2e927 sha-9f3c2a1"),
        };
        assert_eq!(stage.tags(environment, service), expected);
    }
}
