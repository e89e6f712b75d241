//! Gates that judge the time: soak and freeze.

use super::*;

const WINDOW: &str = "{from: 2020-01-01T00:00, to: 2100-01-01T00:00, zone: Europe/Berlin";

#[tokio::test(flavor = "multi_thread")]
async fn promise_6_a_freeze_is_overridden_with_a_reason_alone() {
    let stage = start(&format!("gates: {{freeze: [{WINDOW}, override: true}}]}}")).await;
    build(&stage, &[]);
    let refusal = refused(&stage, &[]);
    assert!(refusal.contains("freeze (failed)"), "{refusal}");
    assert!(refusal.contains("override-freeze"), "{refusal}");
    promoted(&stage, &[("override-freeze", "logins fail since 14:00")]);
    // Everybody who may pull the image can read its records.
    let inputs = [
        ("command", "promote"),
        ("environment", "prod"),
        SIGNED,
        ("credentials", "other.example=robot:not-for-all"),
        ("override-freeze", "logs in with not-for-all"),
    ];
    stage.registry.clear_log();
    let refusal = stage.failed(stage.run(DISPATCH, &inputs), 2);
    assert!(refusal.contains("has a secret of this run"), "{refusal}");
    let reason = recorded(&stage).reason.unwrap();
    assert_eq!(reason, "freeze overridden: logins fail since 14:00");
    let stage = start(&format!("gates: {{freeze: [{WINDOW}}}]}}")).await;
    build(&stage, &[]);
    let refusal = refused(&stage, &[("override-freeze", "logins fail since 14:00")]);
    assert!(refusal.contains("freeze (failed)"), "{refusal}");
}

#[tokio::test(flavor = "multi_thread")]
async fn promise_6_a_rollback_knows_no_gates() {
    let stage = start(&format!("gates: {{freeze: [{WINDOW}, override: true}}]}}")).await;
    build(&stage, &[]);
    promoted(&stage, &[("override-freeze", "first")]);
    let image = MadeImage::run_as(2, "1000", OTHER);
    stage.push("dev", OTHER, &image, &[SIGNED]);
    let digest = image.digest();
    promoted(
        &stage,
        &[("override-freeze", "second"), ("source", &digest)],
    );
    let inputs = [
        ("command", "rollback"),
        ("environment", "prod"),
        ("reason", "broken"),
        SIGNED,
    ];
    let ran = stage.run(DISPATCH, &inputs);
    assert_eq!(ran.status, Some(0), "{}", ran.log);
}

#[tokio::test(flavor = "multi_thread")]
async fn promise_6_a_soak_that_is_too_short_says_when_it_ends() {
    let stage = start("gates: {soak: 1h}").await;
    build(&stage, &[]);
    let refusal = refused(&stage, &[]);
    assert!(refusal.contains("soak (failed)"), "{refusal}");
    assert!(refusal.contains("current in dev for"), "{refusal}");
    let stage = start("gates: {soak: 1s}").await;
    build(&stage, &[]);
    std::thread::sleep(std::time::Duration::from_millis(1_500));
    promoted(&stage, &[]);
}
