//! What a check tells of a release: current against proposed, and what to set in registries.

use super::*;

fn shown(stage: &Stage, log: &str) -> String {
    let report = log.split("::group::Report\n").nth(1).unwrap();
    let report = report.split("::endgroup::").next().unwrap();
    report.replace(&stage.registry.host(), "HOST")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_check_compares_the_current_image_with_the_proposed_one() {
    let stage = start(ONE, "").await;
    let source = ("source", "https://github.com/acme/web");
    let image = |number, sha, version| {
        MadeImage::new(number, &[("revision", sha), ("version", version), source])
    };
    let first = image(1, COMMIT, "1.3.0");
    stage.push("dev", COMMIT, &first, &[]);
    passed(&stage, &[]);
    let release = json(&stage)["services"][0]["release"].take();
    let destination = &release["destinations"][0];
    assert_eq!(destination["current"], Value::Null);
    assert_eq!(destination["immutability"]["state"], "unknown");
    assert_eq!(destination["retention"]["keepTags"][0], "shipmark.*");
    let excluded = destination["immutability"]["exclude"].as_array().unwrap();
    assert!(
        excluded.contains(&"prod".into()) && excluded.contains(&"sha256-*".into()),
        "{excluded:?}"
    );
    stage.promoted(DISPATCH, "prod", &[]);
    let second = image(2, OTHER, "1.4.0");
    stage.push("dev", OTHER, &second, &[]);
    let digest = second.digest();
    let log = passed(&stage, &[("source", &digest)]);
    let current = json(&stage)["services"][0]["release"]["destinations"][0]["current"].take();
    assert_eq!(current["digest"], first.digest().as_str());
    assert_eq!(current["version"], "1.3.0");
    assert_eq!(
        current["labels"][0]["name"],
        "org.opencontainers.image.revision"
    );
    assert_eq!(current["labels"][1]["before"], "1.3.0");
    let report = shown(&stage, &log);
    for part in [
        "current: 1.3.0 (sha256:",
        "commits: 9f3c2a1...2222222",
        "label org.opencontainers.image.version: 1.3.0 -> 1.4.0",
        "immutable tags: not visible before a write",
        "cleanup: keep the tags shipmark.*, sha256-*, ",
    ] {
        assert!(report.contains(part), "{part}: {report}");
    }
    stage.promoted(DISPATCH, "prod", &[("source", &digest)]);
    // The tag of the environment has moved by now.
    passed(&stage, &[("source", &digest)]);
    let release = json(&stage)["services"][0]["release"].take();
    let immutability = &release["destinations"][0]["immutability"];
    assert_eq!(immutability["state"], "moving", "{release:#}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_check_links_the_commits_at_the_server_of_the_run() {
    let stage = start(ONE, "").await;
    let label = ("source", "https://git.acme.example/acme/web");
    for (number, sha) in [(1, COMMIT), (2, OTHER)] {
        let image = MadeImage::new(number, &[("revision", sha), label]);
        stage.push("dev", sha, &image, &[]);
        let inputs = [
            ("command", "check"),
            ("environment", "prod"),
            ("source", &image.digest()),
        ];
        let mut step = stage.place.step("refs/heads/main", &inputs);
        step.env("GITHUB_EVENT_NAME", "workflow_dispatch")
            .env("GITHUB_SERVER_URL", "https://git.acme.example")
            .env("GITHUB_WORKFLOW_SHA", head(&stage))
            .env("GITHUB_WORKSPACE", stage.place.root());
        let ran = Ran::of(step.output().unwrap());
        assert_eq!(ran.status, Some(0), "{}", ran.log);
        if number == 1 {
            stage.promoted(DISPATCH, "prod", &[("source", &image.digest())]);
        }
    }
    let link = format!("https://git.acme.example/acme/web/compare/{COMMIT}...{OTHER}");
    let current = json(&stage)["services"][0]["release"]["destinations"][0]["current"].take();
    assert_eq!(current["comparison"], link.as_str());
    assert!(stage.place.read("summary").contains(&link));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_check_warns_of_what_the_policy_hardly_means() {
    let policy = "environments:\n  dev: {repository: HOST/dev, tags: 'type=raw,value=latest'}\n  prod: {repository: HOST/prod}\n";
    let stage = start(policy, "").await;
    MadeImage::new(1, &[("revision", COMMIT)]).put(&stage.registry, "prod", &["git-9f3c2a1"]);
    let log = passed(&stage, &[]);
    assert!(log.contains("::warning"), "{log}");
    assert!(log.contains("the environment prod has no from"), "{log}");
}
