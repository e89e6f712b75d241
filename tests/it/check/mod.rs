//! The verb `check`: what it says is what a promotion right after it does, and nothing is written.

mod access;
mod agreement;
mod plan;
pub(crate) mod pull_request;
mod report;

use serde_json::Value;
use shipmark::signing::PrivateKey;

use crate::support::COMMIT;
use crate::support::checkout::commit;
use crate::support::keys;
use crate::support::made_image::MadeImage;
use crate::support::output_schema::OutputSchema;
use crate::support::process::Ran;
use crate::which_image::{Stage, Trigger};

const DISPATCH: Trigger<'static> = ("workflow_dispatch", "refs/heads/main", COMMIT);
/// Commit of a second image.
const OTHER: &str = "2222222222222222222222222222222222222222";

/// Environments of two services, of which the second one's gates are MORE.
const SERVICES: &str = "\
environments:
  dev: {repository: 'HOST/dev/{service}', tags: 'type=raw,value=latest'}
  prod: {repository: 'HOST/prod/{service}', from: dev, MORE}
services: [web, api]
";

/// Environments of one repository each; the second one has MORE.
const ONE: &str = "\
environments:
  dev: {repository: HOST/dev, tags: 'type=raw,value=latest'}
  prod: {repository: HOST/prod, from: dev, MORE}
";

async fn start(policy: &str, more: &str) -> Stage {
    let public = PrivateKey::parse(&keys::pem(), "")
        .unwrap()
        .public()
        .to_pem();
    let policy = policy.replace(
        ", MORE",
        &match more {
            "" => String::new(),
            more => format!(", {more}"),
        },
    );
    let stage = Stage::with(&policy, &[("dev.pub", &public)]).await;
    std::fs::write(stage.place.path("dev.key"), keys::pem()).unwrap();
    stage
}

/// Checks a promotion to `prod` as a step: nothing is written, and no registry is asked for more than to read.
fn check(stage: &Stage, trigger: Trigger<'_>, more: &[(&str, &str)]) -> Ran {
    stage.registry.clear_log();
    let inputs = [("command", "check"), ("environment", "prod")];
    let ran = stage.run(trigger, &[&inputs[..], more].concat());
    require_reads(stage);
    ran
}

fn require_reads(stage: &Stage) {
    let requests = stage.registry.requests();
    let is_read = |line: &&String| line.starts_with("GET ") || line.starts_with("HEAD ");
    let writes: Vec<_> = requests.iter().filter(|line| !is_read(line)).collect();
    assert!(writes.is_empty(), "{writes:?}");
    let tokens = stage.registry.token_requests();
    assert!(!tokens.iter().any(|it| it.contains("push")), "{tokens:?}");
}

/// A check that finds nothing against a promotion. Returns its log.
fn passed(stage: &Stage, more: &[(&str, &str)]) -> String {
    let ran = check(stage, DISPATCH, more);
    assert_eq!(ran.status, Some(0), "{}", ran.log);
    ran.log
}

/// The object of the last check, which its schema describes.
fn json(stage: &Stage) -> Value {
    OutputSchema::load().check("check", &stage.place.output("json"))
}

/// Commits another policy with no history. Returns the commit.
fn commit_policy(stage: &Stage, policy: &str) -> String {
    let policy = policy.replace("HOST", &stage.registry.host());
    let repository = git2::Repository::open(stage.place.root()).unwrap();
    repository.set_head("refs/heads/changed").unwrap();
    commit(
        stage.place.root(),
        &[(".github/shipmark.yml", policy.as_str())],
    )
}

/// Returns the commit that HEAD names.
fn head(stage: &Stage) -> String {
    let repository = git2::Repository::open(stage.place.root()).unwrap();
    repository.head().unwrap().target().unwrap().to_string()
}

/// Releases an image of a commit to `dev`, of a service if there are any.
fn build(stage: &Stage, service: Option<&str>, number: u32, sha: &str) -> String {
    let image = MadeImage::new(number, &[("revision", sha)]);
    let services = service.map(|service| ("services", service));
    let services: Vec<_> = services.into_iter().collect();
    stage.push("dev", sha, &image, &services);
    image.digest()
}
