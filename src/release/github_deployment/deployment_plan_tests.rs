//! The decisions on deployments, by tables.

use serde_json::json;

use super::deployment_plan::*;
use super::options::*;
use crate::github::{Deployment, DeploymentState, DeploymentStatus};
use crate::image::Digest;
use crate::record::ReleaseMark;

const COMMIT: &str = "2b2e9271b3a9d0c4f1e2a3b4c5d6e7f809182736";
const OTHER: &str = "3c3e9271b3a9d0c4f1e2a3b4c5d6e7f809182736";
const RUN: &str = "https://github.com/acme/web/actions/runs/7";

fn options() -> DeploymentOptions {
    DeploymentOptions {
        api: Err(GithubLeftOut {
            what: "the deployment",
            why: "no request is sent here".to_owned(),
            add: None,
        }),
        creates_deployment: true,
        creates_storage_record: false,
        environment: GithubEnvironment {
            name: "prod".to_owned(),
            is_production: true,
        },
        repository: "acme/web".to_owned(),
        run_uri: Some(RUN.to_owned()),
        run_commit: Some(OTHER.to_owned()),
        dry_run: false,
    }
}

fn digest(of: u8) -> Digest {
    format!("sha256:{}", format!("{of:02x}").repeat(32))
        .parse()
        .unwrap()
}

fn service(name: &str, version: Option<&str>, commit: Option<&str>) -> DeployedService {
    DeployedService {
        service: Some(name.parse().unwrap()),
        places: vec![format!("ghcr.io/acme/{name}").parse().unwrap()],
        digest: digest(1),
        version: version.map(str::to_owned),
        commit: commit.map(|commit| commit.parse().unwrap()),
    }
}

/// What GitHub lists of the deployment that a run plans.
fn listed(options: &DeploymentOptions, services: &[DeployedService], id: u64) -> Deployment {
    let new = options.plan_deployment(services).unwrap().new;
    Deployment {
        id,
        sha: new.reference.clone(),
        reference: new.reference,
        task: new.task,
        environment: new.environment,
        payload: new.payload,
        created_at: "2026-11-20T10:00:00Z".to_owned(),
        production_environment: new.production_environment,
    }
}

fn statuses(newest_first: &[&str]) -> Vec<DeploymentStatus> {
    let each = newest_first.iter().map(|state| DeploymentStatus {
        id: 1,
        state: (*state).to_owned(),
        description: None,
        created_at: "2026-11-20T10:00:00Z".to_owned(),
    });
    each.collect()
}

#[test]
fn a_run_has_one_deployment_on_the_commit_of_its_first_service() {
    let services = [
        service("web", Some("1.4.0"), Some(COMMIT)),
        service("api", None, Some(OTHER)),
    ];
    let planned = options().plan_deployment(&services).unwrap();
    assert_eq!(planned.new.reference, COMMIT);
    assert!(planned.note.unwrap().contains("2 commits"));
    let payload = &planned.new.payload;
    assert_eq!(payload["run"], RUN);
    assert_eq!(payload["services"][1]["commit"], OTHER);
    assert_eq!(payload["services"][0]["version"], "1.4.0");
    let one = options().plan_deployment(&services[..1]).unwrap();
    assert_eq!(one.note, None);
    let unknown = options().plan_deployment(&[service("web", None, None)]);
    assert!(unknown.err().unwrap().why.contains("unknown"));
}

#[test]
fn text_from_outside_is_short_and_printable() {
    let hostile = format!("1.0\u{202e}\n::error::{}", "x".repeat(100_000));
    let services = [service("web", Some(&hostile), Some(COMMIT))];
    let planned = options().plan_deployment(&services).unwrap().new;
    assert!(planned.description.chars().count() <= 140);
    assert!(!planned.description.contains('\n'));
    assert!(planned.payload.to_string().len() < 1500);
    let end = DeploymentEnd {
        failed: vec![hostile],
        ..DeploymentEnd::default()
    };
    let status = end_status(&options(), &services, &end);
    assert!(status.description.chars().count() <= 140);
    let many = vec![service("web", None, Some(COMMIT)); 1000];
    let payload = options().plan_deployment(&many).unwrap().new.payload;
    assert_eq!(payload["services"].as_array().unwrap().len(), 100);
    assert_eq!(payload["more"], 900);
}

#[test]
fn a_repeated_run_finds_its_deployment_and_no_other() {
    let services = [service("web", Some("1.4.0"), Some(COMMIT))];
    let options = options();
    let wanted = options.plan_deployment(&services).unwrap().new;
    let own = listed(&options, &services, 5);
    assert_eq!(find_own(std::slice::from_ref(&own), &wanted), Some(&own));
    let other = |change: &dyn Fn(&mut Deployment)| {
        let mut deployment = own.clone();
        change(&mut deployment);
        deployment
    };
    let others = [
        other(&|it| it.task = "deploy".to_owned()),
        other(&|it| it.environment = "dev".to_owned()),
        other(&|it| it.sha = OTHER.to_owned()),
        other(&|it| it.production_environment = false),
        other(&|it| it.payload["run"] = json!(format!("{RUN}1"))),
        other(&|it| it.payload["services"][0]["digest"] = json!(digest(2).to_string())),
        other(&|it| it.payload = json!(RUN)),
        other(&|it| it.payload = json!(null)),
    ];
    assert_eq!(find_own(&others, &wanted), None);
    let mut nameless = options;
    nameless.run_uri = None;
    let wanted = nameless.plan_deployment(&services).unwrap().new;
    let listed = [listed(&nameless, &services, 5)];
    assert_eq!(find_own(&listed, &wanted), None);
}

#[test]
fn a_job_with_an_environment_has_a_deployment_under_way() {
    let services = [service("web", None, Some(COMMIT))];
    let options = options();
    let mut job = listed(&options, &services, 5);
    job.task = "deploy".to_owned();
    job.sha = OTHER.to_owned();
    let found = |deployment: &Deployment| {
        let list = std::slice::from_ref(deployment);
        find_job_deployments(list, &options).count()
    };
    assert_eq!(found(&job), 1);
    let elsewhere = Deployment {
        environment: "dev".to_owned(),
        ..job.clone()
    };
    let earlier = Deployment {
        sha: COMMIT.to_owned(),
        ..job.clone()
    };
    let own = Deployment {
        task: TASK.to_owned(),
        ..job
    };
    assert_eq!([&elsewhere, &earlier, &own].map(found), [0, 0, 0]);
    for (states, is_it) in [
        (&["in_progress"][..], true),
        (&["queued"], true),
        (&["success", "in_progress"], false),
        (&["failure"], false),
        (&[], false),
    ] {
        assert_eq!(is_under_way(&statuses(states)), is_it, "{states:?}");
    }
}

#[test]
fn at_most_ten_earlier_deployments_are_looked_at() {
    let services = [service("web", None, Some(COMMIT))];
    let options = options();
    let all: Vec<Deployment> = (1..=20)
        .rev()
        .map(|id| listed(&options, &services, id))
        .collect();
    let found: Vec<u64> = find_earlier(&all, "prod", 18).map(|it| it.id).collect();
    assert_eq!(found, (8..=17).rev().collect::<Vec<_>>());
    assert_eq!(find_earlier(&all, "dev", 18).count(), 0);
    for (states, state) in [
        (&["success", "in_progress"][..], EarlierState::Active),
        (&["inactive", "success"], EarlierState::Replaced),
        (&["failure"], EarlierState::Unfinished),
        (&["in_progress"], EarlierState::Unfinished),
        (&[], EarlierState::Unfinished),
    ] {
        let found = EarlierState::of_statuses(&statuses(states));
        assert_eq!(found, state, "{states:?}");
    }
}

#[test]
fn the_last_status_says_what_became_of_the_release() {
    let services = [service("web", Some("1.4.0"), Some(COMMIT))];
    let end = |released, superseded, failed: &[&str]| DeploymentEnd {
        released,
        superseded,
        failed: failed.iter().map(|name| (*name).to_owned()).collect(),
        records: vec![digest(3).to_string()],
    };
    for (end, state, text) in [
        (
            end(1, 0, &[]),
            DeploymentState::Success,
            "released web 1.4.0, record sha256:0303",
        ),
        (
            end(1, 1, &[]),
            DeploymentState::Success,
            "released web 1.4.0",
        ),
        (end(0, 1, &[]), DeploymentState::Inactive, "a newer release"),
        (
            end(1, 0, &["api"]),
            DeploymentState::Failure,
            "not released: api",
        ),
    ] {
        let status = end_status(&options(), &services, &end);
        assert_eq!(status.state, state);
        assert!(status.description.contains(text), "{}", status.description);
        assert!(status.auto_inactive);
    }
    let marked = mark_status(&options(), ReleaseMark::Failed);
    assert_eq!(marked.state, DeploymentState::Failure);
    let marked = mark_status(&options(), ReleaseMark::Deployed);
    assert_eq!(marked.state, DeploymentState::Success);
}

#[test]
fn a_mark_is_about_the_newest_deployment_of_the_digest() {
    let services = [service("web", None, Some(COMMIT))];
    let options = options();
    let mut foreign = listed(&options, &services, 9);
    foreign.task = "deploy".to_owned();
    let newest_first = [
        foreign,
        listed(&options, &services, 5),
        listed(&options, &services, 3),
    ];
    let found = find_marked(&newest_first, "prod", &[digest(1), digest(1)]);
    assert_eq!(found.iter().map(|it| it.id).collect::<Vec<_>>(), [5]);
    assert!(find_marked(&newest_first, "prod", &[digest(2)]).is_empty());
    assert!(find_marked(&newest_first, "dev", &[digest(1)]).is_empty());
}

#[test]
fn a_dry_run_says_what_it_would_create() {
    let services = [service("web", None, Some(COMMIT))];
    let phrase = dry_run_phrase(&options(), DeploymentTask::Release, &services);
    let wanted = format!("would create a deployment of {COMMIT} in prod");
    assert_eq!(phrase, Some(wanted));
    let mark = DeploymentTask::Mark(ReleaseMark::Deployed);
    assert_eq!(dry_run_phrase(&options(), mark, &services), None);
}
