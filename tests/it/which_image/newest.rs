//! `source: newest`: the current release of the environments before.

use super::*;

const DISPATCH: Trigger<'static> = ("workflow_dispatch", "refs/heads/main", COMMIT);
const NEWEST: (&str, &str) = ("source", "newest");

#[tokio::test(flavor = "multi_thread")]
async fn the_newest_is_the_current_release_of_the_environments_before() {
    let stage = Stage::new().await;
    let refusal = stage.refused(DISPATCH, "stage", &[NEWEST]);
    assert!(
        refusal.contains("no release is current in dev or hotfix"),
        "{refusal}"
    );
    let first = stage.build("dev", COMMIT, 1);
    let second = stage.build("hotfix", TWIN, 2);
    stage.promoted(DISPATCH, "stage", &[NEWEST]);
    assert_eq!(stage.current("stage"), second);
    assert_eq!(stage.source_of("stage").as_deref(), Some("hotfix"));
    // A tag that was moved by hand is no release, and neither is what a rollback withdrew.
    let mut tags = stage.registry.tags("dev");
    tags.insert("newest".to_owned(), first.clone());
    stage.registry.set_tags("dev", tags);
    let third = stage.build("dev", OTHER, 3);
    stage.promoted(DISPATCH, "stage", &[NEWEST]);
    assert_eq!(stage.current("stage"), third);
    let rollback = [
        ("command", "rollback"),
        ("environment", "dev"),
        ("reason", "x"),
    ];
    let ran = stage.run(DISPATCH, &rollback);
    assert_eq!(ran.status, Some(0), "{}", ran.log);
    let log = stage.promoted(DISPATCH, "stage", &[NEWEST, ("dry-run", "true")]);
    assert!(
        log.contains("source: the newest release of hotfix"),
        "{log}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn promise_5_the_newest_is_not_released_to_production() {
    let stage = Stage::new().await;
    stage.build("dev", COMMIT, 1);
    stage.promoted(DISPATCH, "stage", &[NEWEST]);
    insta::assert_snapshot!(stage.refused(DISPATCH, "prod", &[NEWEST]), @r"
    refused: source: newest in a release to the production environment prod
     why:  what is newest can be newer than what was tested and approved
     hint: give the tag or digest that was tested, or in sources what check gave out
    ");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_newest_of_nothing_is_bad_input() {
    let stage = Stage::new().await;
    let ran = stage.promote(DISPATCH, "dev", &[NEWEST]);
    let failure = stage.failed(ran, 2);
    assert!(
        failure.contains("dev takes its images from none"),
        "{failure}"
    );
    let inputs = [("command", "promote"), ("images", "oci:out"), NEWEST];
    let failure = stage.failed(stage.run(DISPATCH, &inputs), 2);
    assert!(failure.contains("no policy names one"), "{failure}");
}
