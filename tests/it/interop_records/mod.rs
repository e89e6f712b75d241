//! Release records against other programs: the distribution registry, a registry with the referrers API, cosign
//! and oras. Left out of a plain `cargo test`; scripts/interop.sh starts the servers and runs them.

mod admission;
mod air_gap;
mod attestations;
mod keyless;
mod story;
mod summaries;
mod untouched;

use std::collections::BTreeMap;
use std::process::{Command, Output};

use serde_json::Value;

use crate::support::process::{Place, Ran};

const RECORD_TYPE: &str = "https://shipmark.dev/attestation/release/v0.1";
const ENTRY_TYPE: &str = "application/vnd.shipmark.timeline-entry.v0.1";
const PASSWORD: &str = "not a secret";

fn variable(name: &str) -> String {
    std::env::var(name).unwrap_or_else(|_| panic!("{name} is not set: run scripts/interop.sh"))
}

/// The registries, each with a path of the test's own, which ends in a slash.
fn bases(test: &str) -> [String; 2] {
    ["SHIPMARK_TEST_REGISTRY", "SHIPMARK_TEST_REFREGISTRY"]
        .map(|name| format!("{}/{test}-{}/", variable(name), std::process::id()))
}

/// A folder with a policy and with keys that cosign made.
struct Desk(Place);

impl Desk {
    fn new(policy: &str, keys: &[&str]) -> Self {
        let desk = Self(Place::new());
        std::fs::create_dir(desk.0.path(".github")).unwrap();
        desk.write(".github/shipmark.yml", policy);
        for name in keys {
            desk.must(
                "cosign",
                &["generate-key-pair", "--output-key-prefix", name],
            );
        }
        desk
    }

    fn write(&self, name: &str, content: &str) {
        std::fs::write(self.0.path(name), content).unwrap();
    }

    fn read(&self, name: &str) -> Vec<u8> {
        std::fs::read(self.0.path(name)).unwrap()
    }

    fn run(&self, program: &str, arguments: &[&str]) -> Output {
        let mut command = Command::new(program);
        command
            .args(arguments)
            .current_dir(self.0.root())
            .env("COSIGN_PASSWORD", PASSWORD)
            .env("HOME", self.0.root());
        let output = command.output();
        output.unwrap_or_else(|error| panic!("{program}: {error}"))
    }

    fn must(&self, program: &str, arguments: &[&str]) -> String {
        let output = self.run(program, arguments);
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{program} {arguments:?}: {errors}");
        String::from_utf8(output.stdout).unwrap()
    }

    fn succeeds(&self, program: &str, arguments: &[&str]) -> bool {
        self.run(program, arguments).status.success()
    }

    /// Our program with the password of the keys.
    fn shipmark(&self) -> Command {
        let mut command = self.0.command();
        command.env("COSIGN_PASSWORD", PASSWORD);
        command
    }

    /// Runs our program to a good end.
    fn ship(&self, arguments: &[&str]) -> String {
        let ran = Ran::of(self.shipmark().args(arguments).output().unwrap());
        assert_eq!(ran.status, Some(0), "{arguments:?}: {}", ran.log);
        ran.out
    }

    /// The entries of a repository by their action, as oras reads them.
    fn entries(&self, repository: &str) -> BTreeMap<String, Value> {
        let tags = self.must("oras", &["repo", "tags", "--plain-http", repository]);
        let entries = tags.lines().filter(|tag| tag.starts_with("shipmark."));
        let fetched = entries.map(|tag| {
            let reference = format!("{repository}:{tag}");
            let arguments = ["manifest", "fetch", "--plain-http", &reference];
            let manifest = serde_json::from_str(&self.must("oras", &arguments)).unwrap();
            (tag.split('.').nth(3).unwrap().to_owned(), manifest)
        });
        fetched.collect()
    }

    /// The content of a layer of an entry, as oras reads it.
    fn layer(&self, repository: &str, layer: &Value) -> Vec<u8> {
        let reference = format!("{repository}@{}", layer["digest"].as_str().unwrap());
        let output = "--output=layer.json";
        self.must(
            "oras",
            &["blob", "fetch", "--plain-http", output, &reference],
        );
        self.read("layer.json")
    }
}
