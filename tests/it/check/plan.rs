//! The plan of a check as the input of a promotion: what was approved is released, and nothing else.

use super::*;

/// The outputs of a check that a promotion takes.
fn approved(stage: &Stage) -> (String, String) {
    passed(stage, &[]);
    (stage.place.output("sources"), stage.place.output("plan"))
}

#[tokio::test(flavor = "multi_thread")]
async fn promise_5_an_old_approval_promotes_what_was_approved() {
    let stage = start(SERVICES, "").await;
    let web = build(&stage, Some("web"), 1, COMMIT);
    let api = build(&stage, Some("api"), 2, COMMIT);
    let (sources, plan) = approved(&stage);
    assert_eq!(sources, format!("web={web}\napi={api}"));
    let matrix: Value = serde_json::from_str(&stage.place.output("matrix")).unwrap();
    assert_eq!(matrix["include"][0]["service"], "web");
    let source = format!("{}/dev/web@{web}", stage.registry.host());
    assert_eq!(matrix["include"][0]["image"], source.as_str());
    assert_eq!(matrix["include"][1]["digest"], api.as_str());
    // What is built for the same commit in the meantime.
    build(&stage, Some("web"), 11, COMMIT);
    stage.promoted(DISPATCH, "prod", &[("sources", &sources), ("plan", &plan)]);
    assert_eq!(stage.registry.tags("prod/web")["prod"], web);
    assert_eq!(stage.registry.tags("prod/api")["prod"], api);
    // A repetition has the same plan, although nothing is left to do.
    stage.promoted(DISPATCH, "prod", &[("sources", &sources), ("plan", &plan)]);
}

#[tokio::test(flavor = "multi_thread")]
async fn promise_5_another_plan_than_the_approved_one_is_refused() {
    let stage = start(SERVICES, "").await;
    let web = build(&stage, Some("web"), 1, COMMIT);
    let api = build(&stage, Some("api"), 2, COMMIT);
    let (sources, plan) = approved(&stage);
    let newer = build(&stage, Some("web"), 11, OTHER);
    for (sources, more) in [
        (format!("web={newer}\napi={api}"), ("dry-run", "false")),
        (format!("web={web}"), ("dry-run", "false")),
        (sources.clone(), ("version", "1.4.0")),
    ] {
        let inputs = [("sources", sources.as_str()), ("plan", &plan), more];
        let refusal = stage.refused(DISPATCH, "prod", &inputs);
        let expected = format!("expected {plan}");
        assert!(
            refusal.contains("the plan of this release is sha256:"),
            "{refusal}"
        );
        assert!(refusal.contains(&expected), "{refusal}");
    }
    let ran = stage.promote(
        DISPATCH,
        "prod",
        &[("source", &newer), ("services", "web"), ("plan", &plan)],
    );
    assert!(ran.log.contains("sources is not given"), "{}", ran.log);
    assert!(
        ran.log.contains("source sha256:") && ran.log.contains("the plan of this run is"),
        "{}",
        ran.log
    );
    let wrong = stage.failed(stage.promote(DISPATCH, "prod", &[("plan", "1.4.0")]), 2);
    assert!(wrong.contains("plan"), "{wrong}");
}

#[tokio::test(flavor = "multi_thread")]
async fn promise_5_a_changed_policy_is_another_plan() {
    let stage = start(ONE, "").await;
    let digest = build(&stage, None, 1, COMMIT);
    let (sources, plan) = approved(&stage);
    assert_eq!(sources, digest);
    let changed = commit_policy(&stage, &ONE.replace(", MORE", ", existing: fail"));
    let run = |plan: &str| {
        let inputs = [
            ("command", "promote"),
            ("environment", "prod"),
            ("sources", &sources),
            ("plan", plan),
        ];
        let mut step = stage.place.step("refs/heads/main", &inputs);
        step.env("GITHUB_EVENT_NAME", "workflow_dispatch")
            .env("GITHUB_WORKFLOW_SHA", &changed)
            .env("GITHUB_WORKSPACE", stage.place.root());
        stage.registry.clear_log();
        Ran::of(step.output().unwrap())
    };
    let refusal = stage.failed(run(&plan), 1);
    assert!(
        refusal.contains("policy, images, versions or tags differ"),
        "{refusal}"
    );
    stage.promoted(DISPATCH, "prod", &[("sources", &sources), ("plan", &plan)]);
}

/// The text in the report is what the digest is of.
#[tokio::test(flavor = "multi_thread")]
async fn the_plan_is_the_digest_of_its_text() {
    let stage = start(ONE, "").await;
    build(&stage, None, 1, COMMIT);
    let (_, plan) = approved(&stage);
    let json = json(&stage);
    let text = json["planText"].as_str().unwrap();
    assert_eq!(
        shipmark::image::Digest::from_bytes(text.as_bytes()).to_string(),
        plan
    );
    let text = text.replace(&stage.registry.host(), "HOST");
    let lines = text.lines().map(|line| match line.split_once(" sha256:") {
        Some((name, _)) => format!("{name} DIGEST"),
        None => line.to_owned(),
    });
    insta::assert_snapshot!(lines.collect::<Vec<_>>().join("\n"), @r#"
    shipmark plan 1
    policy DIGEST
    environment prod
    service -
    to "HOST/prod"
    source DIGEST
    image DIGEST
    version -
    tag git-9f3c2a1 immutable
    tag prod moving
    "#);
}
