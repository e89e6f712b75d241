//! The reviews of a run's deployments that records keep: which runs read them at GitHub, and how often.

use std::process::Command;

use crate::github::GithubServer;
use crate::prune::layout_stage::{LayoutStage, MANIFEST};
use crate::support::made_image::MadeImage;
use crate::support::process::{Place, Ran};

const RUN: u64 = 4711;
const NOW: &str = "2026-12-01T00:00:00Z";

/// A place with the authority of GitHub's test server.
async fn start() -> (Place, GithubServer) {
    let github = GithubServer::start().await;
    let place = Place::new();
    std::fs::write(place.path("ca.pem"), github.ca_pem()).unwrap();
    (place, github)
}

/// Runs a command of a run at GitHub that may call its API. Returns what it said, and the paths that it asked for.
fn run(place: &Place, github: &GithubServer, arguments: &[&str]) -> (Ran, Vec<String>) {
    github.clear_log();
    let mut command: Command = place.command();
    command
        .args(arguments)
        .args(["--github-token=ghs_secret", "--ca-file=ca.pem"])
        .env("GITHUB_API_URL", github.url())
        .env("GITHUB_REPOSITORY", "acme/web")
        .env("GITHUB_RUN_ID", RUN.to_string())
        .env("SHIPMARK_NOW", NOW);
    let ran = Ran::of(command.output().unwrap());
    let requests = github.requests();
    let paths = requests.iter().map(|line| {
        let path = line.split(['?', ' ']).nth(1).unwrap();
        path.replace("/repos/acme/web/", "")
    });
    (ran, paths.collect())
}

#[tokio::test(flavor = "multi_thread")]
async fn only_a_run_that_writes_a_record_reads_the_reviews() {
    let (place, github) = start().await;
    for (number, file) in [(7, "old.tar"), (8, "new.tar")] {
        let image = MadeImage::new(number, &[]);
        image.write_archive(&place.path(file));
    }
    let old = ["--source=oci-archive:old.tar", "--version=1.3.0"];
    let new = ["--source=oci-archive:new.tar", "--version=1.3.1"];
    let withdrawn = ["--withdraw=1.3.1", "--reason=orders fail"];
    let reviews = format!("actions/runs/{RUN}/approvals");
    for (verb, more, dry_run, reads) in [
        ("check", old, false, false),
        ("promote", old, true, false),
        ("promote", old, false, true),
        ("promote", new, false, true),
        ("rollback", withdrawn, true, false),
        ("rollback", withdrawn, false, true),
    ] {
        let on_prod = ["--images=oci:prod", "--environment=prod"];
        let mut arguments = [&[verb], &more[..], &on_prod].concat();
        if dry_run {
            arguments.push("--dry-run");
        }
        let (ran, asked) = run(&place, &github, &arguments);
        assert_eq!(ran.status, Some(0), "{verb} {dry_run}: {}", ran.log);
        let of_reviews = asked.iter().filter(|path| **path == reviews);
        assert_eq!(of_reviews.count(), usize::from(reads), "{verb} {dry_run}");
    }
}

/// A repository with a policy of two environments, each with an image that goes and one that stays.
fn write_stages(place: &Place) {
    let policy = "\
environments:
  dev: {repository: 'oci:dev'}
  stage: {repository: 'oci:stage'}
retention:
  prune: [{tags: 'pr-*', older-than: 14d}]
  limits: {share: 100%}
";
    std::fs::create_dir_all(place.path(".github")).unwrap();
    std::fs::write(place.path(".github/shipmark.yml"), policy).unwrap();
    for name in ["dev", "stage"] {
        let mut stage = LayoutStage::new(place.path(name));
        for (image, tag) in [("going", "pr-1"), ("kept", "1.0.0")] {
            let digest = stage.image(image, 30);
            stage.entry(&digest, MANIFEST, Some(tag));
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn deletions_of_several_environments_read_the_reviews_once() {
    let (place, github) = start().await;
    write_stages(&place);
    github.with(|content| {
        content
            .permissions
            .retain(|one| !one.starts_with("actions"))
    });
    let (ran, asked) = run(&place, &github, &["prune", "--plan-file=plan.json"]);
    assert_eq!(ran.status, Some(0), "{}", ran.log);
    assert!(asked.is_empty(), "{asked:?}");
    let (ran, asked) = run(&place, &github, &["prune", "--apply=plan.json"]);
    assert_eq!(ran.status, Some(0), "{}", ran.log);
    assert_eq!(asked, [format!("actions/runs/{RUN}/approvals")]);
    let left_out = ran.log.matches("left out of the record: approvals");
    assert_eq!(left_out.count(), 1, "{}", ran.log);
}
