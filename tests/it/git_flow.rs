//! Git Flow over three registries with the policy of docs/policy.md: develop to dev, a release branch to
//! stage, main to production, and a hotfix on the same road.

use std::path::Path;

use crate::registry::{Profile, Registry};
use crate::support::checkout::commit;
use crate::support::made_image::MadeImage;
use crate::support::process::{Place, Ran};
use crate::support::*;

const ENVIRONMENTS: [&str; 3] = ["dev", "stage", "prod"];
const SERVICES: [&str; 2] = ["web", "api"];
/// The merge commit of main, of which nothing was built.
const MERGE: &str = "1111111111111111111111111111111111111111";
const HOTFIX: &str = "2b2e9270c0ffee2b2e9270c0ffee2b2e9270c0ff";

/// What a workflow runs for: event, ref and commit.
type Trigger<'a> = (&'a str, &'a str, &'a str);

const DISPATCH_ON_MAIN: Trigger<'static> = ("workflow_dispatch", "refs/heads/main", MERGE);

struct Stage {
    registries: Vec<Registry>,
    place: Place,
    policy_commit: String,
}

impl Stage {
    async fn new() -> Self {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/policy.md");
        let text = std::fs::read_to_string(path).unwrap();
        let (_, block) = text.split_once("```yaml\n").unwrap();
        let mut policy = block.split_once("```").unwrap().0.to_owned();
        let mut registries = Vec::new();
        for environment in ENVIRONMENTS {
            let registry = Registry::start(Profile::plain()).await;
            policy = policy.replace(&format!("{environment}.example.com"), &registry.host());
            registries.push(registry);
        }
        let place = Place::new();
        let policy_commit = commit(place.root(), &[(".github/shipmark.yml", &policy)]);
        Self {
            registries,
            place,
            policy_commit,
        }
    }

    fn run(&self, (event, git_ref, sha): Trigger<'_>, inputs: &[(&str, &str)]) -> Ran {
        let mut step = self.place.step(git_ref, inputs);
        step.env("GITHUB_EVENT_NAME", event)
            .env("GITHUB_SHA", sha)
            .env("GITHUB_WORKFLOW_SHA", &self.policy_commit)
            .env("GITHUB_WORKSPACE", self.place.root());
        Ran::of(step.output().unwrap())
    }

    fn done(&self, trigger: Trigger<'_>, inputs: &[(&str, &str)]) {
        let ran = self.run(trigger, inputs);
        assert_eq!(ran.status, Some(0), "{trigger:?} {inputs:?}: {}", ran.log);
    }

    /// Builds each service of a branch once and pushes it to dev. Returns the digest.
    fn build(&self, branch: &str, commit: &str, number: u32) -> String {
        let labels = [("revision", commit), ("version", "develop")];
        let image = MadeImage::new(number, &labels);
        image.write_archive(&self.place.path("image.tar"));
        for service in SERVICES {
            let inputs = [
                ("command", "push"),
                ("environment", "dev"),
                ("services", service),
                ("source", "oci-archive:image.tar"),
            ];
            self.done(("push", &format!("refs/heads/{branch}"), commit), &inputs);
        }
        image.digest()
    }

    fn promote(&self, trigger: Trigger<'_>, to: &str, source: &str, more: &[(&str, &str)]) {
        let inputs = [
            ("command", "promote"),
            ("environment", to),
            ("source", source),
        ];
        self.done(trigger, &[&inputs[..], more].concat());
    }

    /// The tags of a service in an environment that name the digest.
    fn names(&self, environment: &str, service: &str, digest: &str) -> String {
        let at = ENVIRONMENTS.iter().position(|name| *name == environment);
        let tags = self.registries[at.unwrap()].tags(&format!("team/{service}"));
        let named = tags.into_iter().filter(|(_, named)| named == digest);
        named.map(|(tag, _)| tag).collect::<Vec<_>>().join(" ")
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn promise_1_git_flow_keeps_the_names_of_an_image_from_dev_to_production() {
    let stage = Stage::new().await;
    let built = stage.build("develop", COMMIT, 1);
    let branch = "refs/heads/release/v1.2.0-sha-9f3c2a1";
    stage.promote(("push", branch, COMMIT), "stage", "sha-9f3c2a1", &[]);
    // The same image under its SHA tag and by its digest.
    stage.promote(
        DISPATCH_ON_MAIN,
        "prod",
        "sha-9f3c2a1",
        &[("services", "web")],
    );
    stage.promote(DISPATCH_ON_MAIN, "prod", &built, &[("services", "api")]);
    for service in SERVICES {
        assert_eq!(stage.names("dev", service, &built), "latest sha-9f3c2a1");
        let released = "1 1.2 1.2.0 latest sha-9f3c2a1 stage";
        assert_eq!(stage.names("stage", service, &built), released);
        let released = "1 1.2 1.2.0 latest prod sha-9f3c2a1";
        assert_eq!(stage.names("prod", service, &built), released);
    }

    let fixed = stage.build("hotfix/login", HOTFIX, 2);
    let dispatch = ("workflow_dispatch", "refs/heads/hotfix/login", HOTFIX);
    stage.promote(dispatch, "stage", "sha-2b2e927", &[("version", "1.2.1")]);
    stage.promote(DISPATCH_ON_MAIN, "prod", "sha-2b2e927", &[]);
    for service in SERVICES {
        let released = "1 1.2 1.2.1 latest sha-2b2e927 stage";
        assert_eq!(stage.names("stage", service, &fixed), released);
        let released = "1 1.2 1.2.1 latest prod sha-2b2e927";
        assert_eq!(stage.names("prod", service, &fixed), released);
        assert_eq!(stage.names("prod", service, &built), "1.2.0 sha-9f3c2a1");
    }
}

/// The tag that the release branch names is another version than the image was released as.
#[tokio::test(flavor = "multi_thread")]
async fn the_policy_refuses_versions_that_contradict_each_other() {
    let stage = Stage::new().await;
    stage.build("develop", COMMIT, 1);
    let branch = "refs/heads/release/v1.2.0-sha-9f3c2a1";
    stage.promote(("push", branch, COMMIT), "stage", "sha-9f3c2a1", &[]);
    let inputs = [
        ("command", "promote"),
        ("environment", "prod"),
        ("source", "1.2.0"),
    ];
    let tagged = ("push", "refs/tags/v1.3.0", MERGE);
    let ran = stage.run(tagged, &inputs);
    assert_eq!(ran.status, Some(1), "{}", ran.log);
    assert!(ran.log.contains("the version is 1.3.0"), "{}", ran.log);
    assert_eq!(stage.registries[2].tags("team/web").len(), 0);
    let by_input = stage.run(tagged, &[&inputs[..], &[("version", "1.3.0")]].concat());
    assert_eq!(by_input.status, Some(1), "{}", by_input.log);
    stage.promote(tagged, "prod", "sha-9f3c2a1", &[]);
}

#[test]
fn a_version_gives_the_tags_of_a_push_outside_of_a_checkout() {
    let place = Place::new();
    let source = format!("--source={}", crate::support::example());
    let push = ["push", &source, "--images=oci:out"];
    let ran = place.run(&push);
    assert_eq!(ran.status, Some(2), "{}", ran.log);
    assert!(
        ran.log.contains("or set ref, version or tags"),
        "{}",
        ran.log
    );
    let ran = place.run(&[&push[..], &["--version=v3.1.0"]].concat());
    assert_eq!(ran.status, Some(0), "{}", ran.log);
    let index = place.read("out/index.json");
    for tag in ["3.1.0", "3.1", "3", "latest"] {
        assert!(index.contains(&format!("\"{tag}\"")), "{tag}: {index}");
    }
}

#[test]
fn a_version_that_is_none_is_bad_input() {
    let place = Place::new();
    for (version, more, word) in [
        ("1.4", &[][..], "is not a full version"),
        ("latest", &[], "is not a full version"),
        (
            "refs/tags/v1.4.0",
            &[],
            "is the name of a ref: did you mean 1.4.0?",
        ),
        (
            "hotfix-1.4.1",
            &[],
            "is the name of a ref: did you mean 1.4.1?",
        ),
        (
            "release/1.4.0",
            &[],
            "is the name of a ref: did you mean 1.4.0?",
        ),
        (
            "1.4.0",
            &["--tags", "nightly"],
            "version and tag rules are both given",
        ),
    ] {
        let arguments = [
            "promote",
            "--source",
            "oci:dev",
            "--images",
            "oci:prod",
            "--version",
            version,
        ];
        let ran = place.run(&[&arguments[..], more].concat());
        assert_eq!(ran.status, Some(2), "{}", ran.log);
        assert!(ran.log.contains(word), "{}", ran.log);
    }
}
