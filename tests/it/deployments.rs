//! Deployments at GitHub: what is asked, and that nothing of it changes what the registry holds.

mod process;

use std::time::{Duration, Instant};

use futures_util::{StreamExt, stream};
use serde_json::{Value, json};
use shipmark::github::GithubApi;
use shipmark::http::{HttpClient, HttpSettings};
use shipmark::release::{
    DeploymentOptions, GithubDeployment, GithubEnvironment, GithubReport, ReleaseContext,
    ReleaseRequest, run,
};
use shipmark::tagging::TagRules;

use crate::crash::die_at;
use crate::github::{GithubServer, faults};
use crate::registry::{Effect, Fault, Profile, Registry};
use crate::support::*;

const RUN: &str = "https://github.com/acme/web/actions/runs/7";
const DEPLOYMENTS: &str = "/repos/acme/web/deployments";

/// Two registries and GitHub.
struct DeploymentStage {
    from: Registry,
    to: Registry,
    github: GithubServer,
    folder: tempfile::TempDir,
}

impl DeploymentStage {
    async fn set() -> Self {
        let stage = Self {
            from: Registry::start(Profile::plain()).await,
            to: Registry::start(Profile::plain()).await,
            github: GithubServer::start().await,
            folder: tempfile::tempdir().unwrap(),
        };
        put_example(&stage.from, "dev/web", "it");
        std::fs::write(stage.folder.path().join("ca.pem"), stage.github.ca_pem()).unwrap();
        stage
    }

    fn options(&self) -> DeploymentOptions {
        let http = HttpSettings {
            ca_file: Some(self.folder.path().join("ca.pem")),
            ..settings().http
        };
        let client = HttpClient::new(http, Said::default().notices()).unwrap();
        let base = self.github.url().parse().unwrap();
        let api = GithubApi::new(client, &base, "acme/web", Some("t".into())).unwrap();
        DeploymentOptions {
            api: Ok(api),
            creates_deployment: true,
            creates_storage_record: false,
            environment: GithubEnvironment {
                name: "prod/eu".to_owned(),
                is_production: true,
            },
            repository: "acme/web".to_owned(),
            run_uri: Some(RUN.to_owned()),
            run_commit: Some("1".repeat(40)),
            dry_run: false,
        }
    }

    fn context(&self, options: DeploymentOptions) -> ReleaseContext {
        ReleaseContext {
            github: Some(GithubDeployment::new(options)),
            ..context()
        }
    }

    fn promotion(&self) -> ReleaseRequest {
        let source = format!("{}/dev/web:it", self.from.host());
        let place = format!("{}/prod/web", self.to.host());
        let mut request = promote(&source, &[&place], "refs/heads/main");
        request.rules = TagRules::parse(["1.4.0", "prod"]).unwrap();
        request
    }

    /// Promotes, and returns what the report says.
    async fn promote(&self, options: DeploymentOptions) -> GithubReport {
        let context = self.context(options);
        done(self.promotion(), &context).await;
        context.github.unwrap().report()
    }

    fn tags(&self) -> Vec<String> {
        self.to.tags("prod/web").into_keys().collect()
    }

    /// Requires that one deployment of the run is active, and the image released.
    fn assert_one(&self, when: &str) {
        let active = self.github.deployments_in_state("prod/eu", "success");
        let all = self.github.deployments();
        assert_eq!((all.len(), active.len()), (1, 1), "{when}: {all:?}");
        assert_eq!(self.tags(), ["1.4.0", "prod"], "{when}");
        assert_eq!(self.to.dangling(), Vec::<String>::new(), "{when}");
    }
}

/// What a release of the same run plans, made by somebody.
fn payload_of(stage: &DeploymentStage) -> Value {
    stage.github.deployments()[0]["payload"].clone()
}

#[tokio::test]
async fn a_release_costs_four_requests_and_two_for_each_active_deployment() {
    let stage = DeploymentStage::set().await;
    let report = stage.promote(stage.options()).await;
    let first = report.deployment.as_ref().unwrap().id;
    assert_eq!(
        stage.github.requests(),
        [
            format!("GET {DEPLOYMENTS}?environment=prod/eu&per_page=100 200"),
            format!("POST {DEPLOYMENTS} 201"),
            format!("POST {DEPLOYMENTS}/{first}/statuses 201"),
            format!("POST {DEPLOYMENTS}/{first}/statuses 201"),
        ]
    );
    assert_eq!(report.left_out_line(), None, "{report:?}");
    stage.assert_one("first");
    let deployment = &stage.github.deployments()[0];
    assert_eq!(deployment["task"], "shipmark");
    assert_eq!(deployment["production_environment"], true);
    assert_eq!(deployment["sha"].as_str().unwrap().len(), 40);
    let service = &deployment["payload"]["services"][0];
    assert_eq!(service["digest"], example_root().to_string());
    assert_eq!(deployment["payload"]["run"], RUN);
    assert_eq!(
        stage.github.deployment_states(first),
        ["in_progress", "success"]
    );

    // Another run: one statuses' request and one status for the active one.
    stage.github.clear_log();
    let next = DeploymentOptions {
        run_uri: Some(format!("{RUN}8")),
        ..stage.options()
    };
    let report = stage.promote(next).await;
    assert_eq!(stage.github.count(), 6, "{:?}", stage.github.requests());
    let told = report.deployment.unwrap();
    assert_eq!((told.state, told.replaced), ("success", 1));
    let active = stage.github.deployments_in_state("prod/eu", "success");
    assert_eq!(active, [told.id]);
    let states = stage.github.deployment_states(first);
    assert_eq!(states.last().unwrap(), "inactive");

    // The same run again adds statuses to its own, and one request finds that the earlier one is replaced.
    stage.github.clear_log();
    let again = DeploymentOptions {
        run_uri: Some(format!("{RUN}8")),
        ..stage.options()
    };
    assert_eq!(stage.promote(again).await.deployment.unwrap().id, told.id);
    assert_eq!(stage.github.count(), 4, "{:?}", stage.github.requests());
    assert_eq!(stage.github.deployments().len(), 2);
}

#[tokio::test]
async fn github_sees_to_earlier_deployments_outside_of_production() {
    let stage = DeploymentStage::set().await;
    let mut options = stage.options();
    options.environment.is_production = false;
    stage.promote(options.clone()).await;
    options.run_uri = Some(format!("{RUN}8"));
    stage.github.clear_log();
    stage.promote(options).await;
    assert_eq!(stage.github.count(), 4);
    let active = stage.github.deployments_in_state("prod/eu", "success");
    assert_eq!(active.len(), 1);
}

/// Of all requests to GitHub, the last one alone comes after those to the registry.
#[tokio::test]
async fn one_request_adds_to_the_time_of_a_release() {
    let stage = DeploymentStage::set().await;
    let slow = Fault::on("*", "/v2/", Effect::Delay(Duration::from_millis(60)));
    stage.to.fault(slow.always());
    stage.promote(stage.options()).await;
    let last = stage.to.log().iter().map(|it| it.arrived).max().unwrap();
    let first = stage.to.log().iter().map(|it| it.arrived).min().unwrap();
    let log = stage.github.log();
    let after: Vec<Instant> = log
        .iter()
        .map(|it| it.arrived)
        .filter(|it| *it > last)
        .collect();
    assert_eq!(after.len(), 1, "{:?}", stage.github.requests());
    assert!(log[0].arrived > first, "the gates come first");
}

#[tokio::test]
async fn whatever_github_does_the_registry_has_the_same() {
    let routes = [
        ("GET", "/deployments?"),
        ("POST", "/deployments"),
        ("POST", "/statuses"),
    ];
    let each = routes.into_iter().flat_map(|(method, route)| {
        let all = faults::all().into_iter();
        all.map(move |(name, effect)| (method, route, name, effect))
    });
    stream::iter(each)
        .for_each_concurrent(8, |(method, route, name, effect)| async move {
            let stage = DeploymentStage::set().await;
            stage
                .github
                .fault(Fault::on(method, route, effect).always());
            let began = Instant::now();
            let report = stage.promote(stage.options()).await;
            let when = format!("{name} at {method} {route}");
            assert!(began.elapsed() < Duration::from_secs(30), "{when}");
            assert_eq!(stage.tags(), ["1.4.0", "prod"], "{when}");
            assert!(stage.github.deployments().len() <= 1, "{when}");
            let is_told = report.left_out_line().is_some();
            let was_taken = !stage.github.deployments().is_empty();
            assert!(is_told || was_taken, "{when}: {report:?}");
        })
        .await;
}

#[tokio::test]
async fn a_lost_answer_makes_no_second_deployment() {
    for effect in [Effect::status_after(502, "<html>"), Effect::ResetAfter] {
        let stage = DeploymentStage::set().await;
        let lost = Fault::on("POST", "/deployments", effect);
        stage.github.fault(lost);
        let report = stage.promote(stage.options()).await;
        assert_eq!(report.left_out_line(), None);
        stage.assert_one("lost");
    }
}

#[tokio::test]
async fn a_missing_permission_is_named() {
    for is_named in [true, false] {
        let stage = DeploymentStage::set().await;
        stage.github.forbid("deployments: write");
        if !is_named {
            stage.github.hide_permissions();
        }
        let line = stage.promote(stage.options()).await.left_out_line();
        let line = line.unwrap();
        assert!(line.starts_with("left out on GitHub: the deployment, because "));
        assert!(line.contains(", add permissions: deployments: "), "{line}");
        assert_eq!(stage.tags(), ["1.4.0", "prod"]);
    }
}

#[tokio::test]
async fn a_run_that_dies_at_any_request_has_one_deployment_when_repeated() {
    let undisturbed = DeploymentStage::set().await;
    undisturbed.promote(undisturbed.options()).await;
    let counts = [undisturbed.github.count(), undisturbed.to.count()];
    for effect in [Effect::StopForGood, Effect::StopForGoodAfter] {
        let each = (0..2).flat_map(|which| (1..=counts[which]).map(move |at| (which, at)));
        let effect = &effect;
        stream::iter(each)
            .for_each_concurrent(4, |(which, at)| async move {
                let stage = DeploymentStage::set().await;
                let request = stage.promotion();
                let context = stage.context(stage.options());
                let fault = Fault::at(at, effect.clone());
                let when = format!("{which}, request {at}, {effect:?}");
                if which == 0 {
                    stage.github.fault(fault);
                    tokio::select! {
                        _ = run(&request, &context) => {}
                        () = stage.github.stopped() => {
                            tokio::time::sleep(Duration::from_millis(20)).await;
                        }
                    }
                } else {
                    stage.to.fault(fault);
                    die_at(run(&request, &context), &stage.to, at).await;
                }
                stage.github.clear_faults();
                stage.github.resume();
                stage.to.clear_faults();
                stage.to.resume();
                let report = stage.promote(stage.options()).await;
                assert_eq!(report.left_out_line(), None, "{when}");
                stage.assert_one(&when);
            })
            .await;
    }
}

#[tokio::test]
async fn a_job_with_an_environment_keeps_its_own_deployment() {
    let stage = DeploymentStage::set().await;
    let options = stage.options();
    let commit = options.run_commit.clone().unwrap();
    let body = json!({"environment": "prod/eu", "task": "deploy"});
    let job = stage
        .github
        .add_deployment(&commit, "github-actions[bot]", &body, &["in_progress"]);
    let report = stage.promote(options).await;
    assert_eq!(report.deployment, None);
    assert!(report.notes[0].contains(&format!("deployment {job} ")));
    assert!(report.notes[0].contains("deployment: false"));
    assert_eq!(stage.github.deployments().len(), 1);
    assert_eq!(stage.tags(), ["1.4.0", "prod"]);
}

#[tokio::test]
async fn a_forged_deployment_is_not_taken_for_the_run_s_own() {
    let stage = DeploymentStage::set().await;
    stage.promote(stage.options()).await;
    let payload = payload_of(&stage);
    let sha = stage.github.deployments()[0]["sha"].clone();
    let sha = sha.as_str().unwrap();
    let forged = DeploymentStage::set().await;
    // The payload names another repository: the registry of the first stage.
    for (task, payload, commit) in [
        ("deploy", &payload, sha),
        ("shipmark", &payload, "2".repeat(40).as_str()),
        ("shipmark", &json!({"run": RUN}), sha),
        ("shipmark", &json!(RUN), sha),
    ] {
        let body = json!({
            "environment": "prod/eu", "task": task, "payload": payload,
            "production_environment": true,
        });
        forged
            .github
            .add_deployment(commit, "mallory", &body, &["in_progress"]);
    }
    let report = forged.promote(forged.options()).await;
    let own = report.deployment.unwrap().id;
    assert_eq!(forged.github.deployments().len(), 5);
    assert_eq!(
        forged.github.deployments_in_state("prod/eu", "success"),
        [own]
    );
}

#[tokio::test]
async fn a_dry_run_asks_nothing_and_says_what_it_would_create() {
    let stage = DeploymentStage::set().await;
    let options = DeploymentOptions {
        dry_run: true,
        ..stage.options()
    };
    let context = stage.context(options);
    let mut request = stage.promotion();
    request.dry_run = true;
    done(request, &context).await;
    let report = context.github.unwrap().report();
    assert!(
        report
            .planned
            .unwrap()
            .starts_with("would create a deployment of ")
    );
    assert_eq!(stage.github.count(), 0);
}

#[tokio::test]
async fn a_release_that_fails_ends_its_deployment() {
    let stage = DeploymentStage::set().await;
    let broken = Fault::on("PUT", "/manifests/", Effect::status(400));
    stage.to.fault(broken.always());
    let context = stage.context(stage.options());
    failed(stage.promotion(), &context).await;
    let id = context.github.unwrap().report().deployment.unwrap().id;
    assert_eq!(
        stage.github.deployment_states(id),
        ["in_progress", "failure"]
    );
}

#[tokio::test]
async fn linked_artifacts_have_both_records() {
    let stage = DeploymentStage::set().await;
    stage.github.with(|content| content.unknown_artifacts = 1);
    let options = DeploymentOptions {
        creates_storage_record: true,
        creates_deployment: false,
        ..stage.options()
    };
    let report = stage.promote(options.clone()).await;
    assert_eq!(report.storage_records, 1, "{report:?}");
    let stored = &stage.github.storage_records()[0];
    assert_eq!(stored["digest"], example_root().to_string());
    assert_eq!(stored["repository"], "prod/web");
    let deployed = &stage.github.deployment_records()[0];
    assert_eq!(deployed["logical_environment"], "prod/eu");
    assert_eq!(deployed["status"], "deployed");
    stage
        .github
        .with(|content| content.owner_type = "User".to_owned());
    let line = stage.promote(options).await.left_out_line().unwrap();
    assert!(line.contains("of an organization only"), "{line}");
    assert!(line.contains("artifact-metadata: write"), "{line}");
}
