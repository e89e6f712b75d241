//! What somebody who may push does to entries and intents that count: overwrites, copies, hides and renames them.

use shipmark::record::EntryName;

use super::forgery::{Forgery, Honest};
use super::*;

/// An index manifest that is no timeline entry.
const JUNK: &str =
    r#"{"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json","manifests":[]}"#;

fn put_junk(stage: &Stage, tag: &str) {
    let kind = "application/vnd.oci.image.index.v1+json";
    stage.registry.put_manifest("prod", tag, kind, JUNK);
}

/// The rollback of the first release, one minute after it, with other white space for each number.
fn rollback(honest: &Honest, copy: usize) -> Forgery {
    let mut blob = honest.rollback(|_| {});
    blob.extend(vec![b'\n'; copy]);
    honest.with_blob("rollback", "", blob)
}

/// Releases 1.4.0, withdraws it, and releases 1.5.0.
async fn withdrawn() -> (Stage, Honest) {
    let stage = Stage::start(Profile::plain()).await;
    stage.build(1, "1.4.0");
    stage.build(2, "1.5.0");
    stage.promote("1.4.0", 0, 1).await;
    let honest = Honest::read(&stage);
    rollback(&honest, 0).put(&stage.registry);
    stage.promote("1.5.0", 2, 2).await;
    (stage, honest)
}

fn reinstatement(stage: &Stage, now: i64, run: u64) -> ReleaseRequest {
    let mut request = stage.promotion("1.4.0", now, run);
    let options = request.record.as_mut().unwrap();
    options.reinstates = true;
    options.account.reason = Some("it was not the cause".to_owned());
    request
}

#[tokio::test]
async fn promise_6_an_overwritten_rollback_that_a_newer_record_names_still_withdraws() {
    let (stage, honest) = withdrawn().await;
    put_junk(&stage, &rollback(&honest, 0).name.to_string());
    let refusal = stage.refused(stage.promotion("1.4.0", 3, 3)).await;
    assert!(refusal.contains("is withdrawn from prod"), "{refusal}");
}

#[tokio::test]
async fn promise_6_a_copy_of_a_rollback_withdraws_nothing_after_the_reinstatement() {
    let (stage, honest) = withdrawn().await;
    let copies: Vec<_> = (1..4).map(|copy| rollback(&honest, copy)).collect();
    copies.iter().for_each(|copy| copy.put(&stage.registry));
    done(reinstatement(&stage, 3, 3), &context()).await;
    // Whichever copy the reinstatement may have named is gone.
    for copy in &copies {
        put_junk(&stage, &copy.name.to_string());
    }
    let original = rollback(&honest, 0).name.to_string();
    stage.promote("1.5.0", 4, 4).await;
    stage.promote("1.4.0", 5, 5).await;
    let mut tags = stage.registry.tags("prod");
    tags.remove(&original);
    stage.registry.set_tags("prod", tags);
    copies[0].put(&stage.registry);
    stage.promote("1.5.0", 6, 6).await;
    stage.promote("1.4.0", 7, 7).await;
}

#[tokio::test]
async fn promise_6_copies_do_not_push_entries_out_of_the_summary() {
    let (stage, honest) = withdrawn().await;
    for copy in 1..40 {
        rollback(&honest, copy).put(&stage.registry);
    }
    stage.build(3, "1.6.0");
    stage.promote("1.6.0", 3, 3).await;
    let newest = stage
        .entries()
        .into_iter()
        .filter(|tag| tag.contains(".promote."));
    let newest = newest.max().unwrap();
    let past = record(&stage.registry, "prod", &newest).predicate.past;
    let versions: Vec<_> = past
        .iter()
        .filter_map(|past| past.version.as_deref())
        .collect();
    assert!(
        versions.contains(&"1.5.0") && versions.contains(&"1.4.0"),
        "{versions:?}"
    );
}

#[tokio::test]
async fn an_entry_that_is_listed_and_not_there_is_unknown() {
    let (stage, honest) = withdrawn().await;
    let name = rollback(&honest, 0).name.to_string();
    let absent = Effect::status(404);
    stage
        .registry
        .fault(Fault::on("GET", &name, absent).always());
    let failure = run(&stage.promotion("1.4.0", 3, 3), &context())
        .await
        .unwrap_err();
    let Failure::Service(diagnostic) = failure else {
        panic!("{failure:?}");
    };
    assert!(
        diagnostic.what.contains("is listed, and is not there"),
        "{diagnostic}"
    );
}

#[tokio::test]
async fn an_empty_list_next_to_a_tag_is_no_empty_timeline() {
    let (stage, _) = withdrawn().await;
    let absent = Effect::status(404);
    stage
        .registry
        .fault(Fault::on("GET", "prod/tags/list", absent).always());
    let failure = run(&stage.promotion("1.5.0", 3, 3), &context())
        .await
        .unwrap_err();
    let Failure::Service(diagnostic) = failure else {
        panic!("{failure:?}");
    };
    assert!(diagnostic.what.contains("lists no tags"), "{diagnostic}");
}

#[tokio::test]
async fn promise_6_a_name_alone_does_not_make_an_intent_complete() {
    let stage = Stage::start(Profile::plain()).await;
    stage.build(1, "1.4.0");
    let new = stage.build(2, "1.5.0");
    let entry = Fault::on("PUT", "manifests/shipmark.", Effect::status(500));
    stage.registry.fault(entry.always());
    assert!(
        run(&stage.promotion("1.4.0", 0, 1), &context())
            .await
            .is_err()
    );
    stage.registry.clear_faults();
    stage.promote("1.5.0", 1, 2).await;
    let intent = stage
        .registry
        .referrers("prod", &stage.registry.tags("prod")["1.4.0"]);
    let digest = intent[0]["digest"].as_str().unwrap();
    let (_, manifest) = stage.registry.manifest("prod", digest).unwrap();
    let manifest: serde_json::Value = serde_json::from_slice(&manifest).unwrap();
    let blob = manifest["layers"][0]["digest"].as_str().unwrap();
    let root = stage.registry.tags("prod")["1.4.0"].clone();
    let name: EntryName = format!(
        "shipmark.prod.20200101t000000000z.promote.{}.{}",
        &root[7..19],
        &blob[7..19]
    )
    .parse()
    .unwrap();
    put_junk(&stage, &name.to_string());
    let mut again = stage.promotion("1.4.0", 9, 1);
    let account = &mut again.record.as_mut().unwrap().account;
    account.run.as_mut().unwrap().attempt = Some(2);
    let outcome = done(again, &context()).await;
    assert!(outcome.is_superseded());
    assert_eq!(stage.registry.tags("prod")["prod"], new.digest());
}

#[tokio::test]
async fn intents_that_do_not_count_are_one_warning() {
    let stage = Stage::start(Profile::plain()).await;
    let root = stage.build(1, "1.4.0").digest();
    stage.promote("1.4.0", 0, 1).await;
    let intent = &stage.registry.referrers("prod", &root)[0];
    let (kind, manifest) = stage
        .registry
        .manifest("prod", intent["digest"].as_str().unwrap())
        .unwrap();
    for copy in 1..4 {
        let mut manifest: serde_json::Value = serde_json::from_slice(&manifest).unwrap();
        let junk = "x".repeat(copy);
        let layer = &mut manifest["layers"][0];
        layer["size"] = copy.into();
        layer["digest"] = stage.registry.put_blob("prod", junk).into();
        let text = manifest.to_string();
        let digest = crate::registry::digest(text.as_bytes());
        stage.registry.put_manifest("prod", &digest, &kind, text);
    }
    let (context, log) = context_with(settings());
    assert!(
        !done(stage.promotion("1.4.0", 1, 1), &context)
            .await
            .has_changes()
    );
    let warnings = log.warnings();
    assert_eq!(warnings.matches("not count").count(), 1, "{warnings}");
    assert!(warnings.contains("3 records about"), "{warnings}");
}
