//! What a check says against what a promotion does right after it.

use super::*;

/// What became of a promotion or of its check: exit status, outcome, tags, and what was refused of which service.
#[derive(Debug, PartialEq, Eq)]
struct End {
    status: Option<i32>,
    outcome: String,
    tags: Vec<String>,
    refusals: Vec<String>,
}

fn sorted(lines: &str) -> Vec<String> {
    let mut lines: Vec<String> = lines.lines().map(str::to_owned).collect();
    lines.sort();
    lines
}

/// Returns what the objects of failures say.
fn whats<'a>(failures: impl IntoIterator<Item = &'a Value>) -> Vec<String> {
    let mut whats = Vec::new();
    for failure in failures {
        whats.extend(failure["what"].as_str().map(str::to_owned));
        let further = failure["further"].as_array();
        let further = further.into_iter().flatten();
        whats.extend(further.filter_map(|it| Some(it["what"].as_str()?.to_owned())));
    }
    whats.sort();
    whats
}

fn check_end(stage: &Stage, inputs: &[(&str, &str)]) -> End {
    let ran = check(stage, DISPATCH, inputs);
    let json = json(stage);
    let services = json["services"].as_array().unwrap();
    let of_services = services
        .iter()
        .flat_map(|it| it["failures"].as_array().unwrap());
    let of_run = json["failures"].as_array().unwrap();
    End {
        status: ran.status,
        outcome: stage.place.output("outcome"),
        tags: sorted(&stage.place.output("tags")),
        refusals: whats(of_services.chain(of_run)),
    }
}

fn promote_end(stage: &Stage, inputs: &[(&str, &str)]) -> End {
    let ran = stage.promote(DISPATCH, "prod", inputs);
    let json: Value = serde_json::from_str(&stage.place.output("json")).unwrap();
    let services = json["services"].as_array();
    let services = services.into_iter().flatten();
    let outcome = match stage.place.output("outcome").as_str() {
        "released" => "releasable".to_owned(),
        other => other.to_owned(),
    };
    End {
        status: ran.status,
        tags: match ran.status {
            Some(0) => sorted(&stage.place.output("tags")),
            _ => Vec::new(),
        },
        outcome,
        refusals: whats(services.chain([&json])),
    }
}

/// Checks a promotion, does it, and holds one against the other. Returns what became of both.
fn agree(stage: &Stage, inputs: &[(&str, &str)]) -> End {
    let checked = check_end(stage, inputs);
    let promoted = promote_end(stage, inputs);
    assert_eq!(checked, promoted);
    checked
}

#[tokio::test(flavor = "multi_thread")]
async fn a_check_says_what_a_promotion_right_after_it_does() {
    let stage = start(ONE, "").await;
    build(&stage, None, 1, COMMIT);
    let end = agree(&stage, &[]);
    assert_eq!((end.status, end.outcome.as_str()), (Some(0), "releasable"));
    assert_eq!(end.tags.len(), 2, "{end:?}");
    let end = agree(&stage, &[]);
    assert_eq!((end.status, end.outcome.as_str()), (Some(0), "unchanged"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_check_of_several_services_says_what_a_promotion_does() {
    let stage = start(SERVICES, "").await;
    build(&stage, Some("web"), 1, COMMIT);
    let end = agree(&stage, &[]);
    assert_eq!((end.status, end.refusals.len()), (Some(1), 1), "{end:?}");
    build(&stage, Some("api"), 2, COMMIT);
    assert_eq!(agree(&stage, &[("services", "web")]).outcome, "releasable");
    assert_eq!(agree(&stage, &[]).outcome, "releasable");
    assert_eq!(agree(&stage, &[]).outcome, "unchanged");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_check_is_refused_by_the_gates_and_tags_that_refuse_a_promotion() {
    let gates = "gates: {image: {user: non-root, labels: [team]}, soak: 24h}";
    let stage = start(ONE, gates).await;
    build(&stage, None, 1, COMMIT);
    let end = agree(&stage, &[("version", "1.4.0")]);
    assert_eq!((end.status, end.refusals.len()), (Some(1), 1), "{end:?}");
    assert!(
        end.refusals[0].contains("does not pass 2 of 2 gates"),
        "{end:?}"
    );
    // Tags that name another image are told with the gates.
    let other = MadeImage::new(9, &[]);
    other.put(&stage.registry, "prod", &["1.4.0", "git-9f3c2a1"]);
    let end = agree(&stage, &[("version", "1.4.0")]);
    assert_eq!((end.status, end.refusals.len()), (Some(1), 3), "{end:?}");
    for part in ["does not pass 2 of 2 gates", "tag 1.4.0", "tag git-9f3c2a1"] {
        assert!(
            end.refusals.iter().any(|it| it.contains(part)),
            "{part}: {end:?}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_check_of_a_withdrawn_image_is_refused_as_its_promotion() {
    let stage = start(ONE, "").await;
    let first = build(&stage, None, 1, COMMIT);
    stage.promoted(DISPATCH, "prod", &[("version", "1.4.0")]);
    let second = build(&stage, None, 2, OTHER);
    stage.promoted(
        DISPATCH,
        "prod",
        &[("source", &second), ("version", "1.4.1")],
    );
    let inputs = [
        ("command", "rollback"),
        ("environment", "prod"),
        ("reason", "broken"),
    ];
    let ran = stage.run(DISPATCH, &inputs);
    assert_eq!(ran.status, Some(0), "{}", ran.log);
    let end = agree(&stage, &[("source", &second), ("version", "1.4.1")]);
    assert_eq!((end.status, end.outcome.as_str()), (Some(1), "refused"));
    let reinstated = [
        ("source", second.as_str()),
        ("version", "1.4.1"),
        ("reinstate", "true"),
        ("reason", "the database was slow"),
    ];
    assert_eq!(agree(&stage, &reinstated).outcome, "releasable");
    assert_ne!(first, second);
}

#[tokio::test(flavor = "multi_thread")]
async fn every_service_is_told_with_all_reasons_although_one_is_not_found() {
    let stage = start(SERVICES, "gates: {image: {user: non-root}}").await;
    build(&stage, Some("api"), 2, COMMIT);
    let other = MadeImage::new(9, &[]);
    other.put(&stage.registry, "prod/api", &["git-9f3c2a1"]);
    let ran = check(&stage, DISPATCH, &[]);
    assert_eq!(ran.status, Some(1), "{}", ran.log);
    let json = json(&stage);
    let (web, api) = (&json["services"][0], &json["services"][1]);
    assert_eq!(
        (&web["release"], &web["outcome"]),
        (&Value::Null, &"refused".into())
    );
    assert_eq!(api["failures"].as_array().unwrap().len(), 2, "{api:#}");
    assert_eq!(api["release"]["gates"][0]["verdict"], "failed");
    assert_eq!(
        api["release"]["destinations"][0]["tags"][0]["tag"],
        "git-9f3c2a1"
    );
    for part in [
        "web: ",
        "api: tag git-9f3c2a1",
        "does not pass 1 of 1 gates",
    ] {
        assert!(ran.log.contains(part), "{part}: {}", ran.log);
    }
    for output in ["sources", "plan", "matrix", "tags"] {
        assert_eq!(stage.place.output(output), "", "{output}");
    }
}
