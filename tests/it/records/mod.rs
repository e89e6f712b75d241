//! Release records as they are written: content, order, and what they rule out.

use shipmark::record::{RecordAction, RecordedTagKind};
use shipmark::release::{Failure, ReleaseOutcome, ReleaseRequest, TagChange, run};

mod cleanup;
mod crash;
mod forged;
mod forgery;
mod lists;
mod overwritten;
mod registries;
mod stories;
mod unrecorded_source;

use crate::registry::{Effect, Fault, Profile, Registry};
use crate::support::made_image::MadeImage;
use crate::support::records::*;
use crate::support::*;

/// Images of versions in a source repository, and a destination with a timeline.
struct Stage {
    registry: Registry,
}

impl Stage {
    async fn start(profile: Profile) -> Self {
        Self {
            // The clock of these tests counts, and not that of this machine.
            registry: Registry::start(profile.date("unknown")).await,
        }
    }

    fn place(&self, repository: &str) -> String {
        format!("{}/{repository}", self.registry.host())
    }

    /// Puts the image of a version into the source repository.
    fn build(&self, number: u32, version: &str) -> MadeImage {
        let revision = commit(number);
        let image = MadeImage::new(number, &[("revision", &revision), ("version", version)]);
        image.put(&self.registry, "stage", &[&format!("v{version}"), version]);
        image
    }

    fn promotion(&self, version: &str, now: i64, run: u64) -> ReleaseRequest {
        let source = format!("{}:{version}", self.place("stage"));
        let request = promote(&source, &[&self.place("prod")], "refs/heads/main");
        recorded(request, "prod", now, run)
    }

    async fn promote(&self, version: &str, now: i64, run: u64) -> ReleaseOutcome {
        done(self.promotion(version, now, run), &context()).await
    }

    async fn refused(&self, request: ReleaseRequest) -> String {
        self.registry.clear_log();
        let failure = run(&request, &context()).await.unwrap_err();
        let writes = self.registry.requests();
        let writes = writes
            .iter()
            .filter(|line| !line.starts_with("GET") && !line.starts_with("HEAD"));
        assert_eq!(writes.count(), 0, "a refusal writes nothing");
        match failure {
            Failure::Refused(diagnostic) => diagnostic.to_string(),
            other => panic!("{other:?}"),
        }
    }

    fn entries(&self) -> Vec<String> {
        entries(&self.registry, "prod")
    }
}

/// Returns the commit of an image of that number.
fn commit(number: u32) -> String {
    format!("{number:07x}{}", "0".repeat(33))
}

#[tokio::test]
async fn a_promotion_is_recorded_with_intent_and_entry() {
    let stage = Stage::start(Profile::plain()).await;
    let image = stage.build(1, "1.4.0");
    let outcome = stage.promote("1.4.0", 0, 1).await;
    let entries = stage.entries();
    let [entry] = entries.as_slice() else {
        panic!("{entries:?}");
    };
    assert!(
        entry.starts_with("shipmark.prod.20261120t100000000z.promote."),
        "{entry}"
    );
    let result = outcome.destinations[0].record.clone().unwrap();
    assert_eq!(result.entry.unwrap().as_str(), entry);
    let record = record(&stage.registry, "prod", entry);
    assert_eq!(record.root.to_string(), image.digest());
    let predicate = record.predicate;
    assert_eq!(predicate.destination, stage.place("prod"));
    assert_eq!(predicate.version.as_deref(), Some("1.4.0"));
    assert_eq!(predicate.commit.unwrap().sha, commit(1));
    assert_eq!(predicate.previous, []);
    let tags = predicate
        .tags
        .iter()
        .map(|tag| (tag.name.as_str(), tag.kind));
    let tags: Vec<_> = tags.collect();
    assert!(
        tags.contains(&("1.4.0", RecordedTagKind::Immutable)),
        "{tags:?}"
    );
    assert!(tags.contains(&("1.4", RecordedTagKind::Line)), "{tags:?}");
    assert!(
        tags.contains(&("prod", RecordedTagKind::Environment)),
        "{tags:?}"
    );
    let referrers = stage.registry.referrers("prod", &image.digest());
    assert_eq!(referrers.len(), 1);
    assert_eq!(
        referrers[0]["artifactType"],
        "application/vnd.shipmark.release.v0.1"
    );
    assert_eq!(
        referrers[0]["annotations"]["dev.shipmark.environment"],
        "prod"
    );
}

#[tokio::test]
async fn the_next_record_names_what_came_before() {
    let stage = Stage::start(Profile::plain()).await;
    for (number, version) in [(1, "1.4.0"), (2, "1.4.1"), (3, "1.5.0")] {
        stage.build(number, version);
        stage
            .promote(version, i64::from(number), u64::from(number))
            .await;
    }
    let entries = stage.entries();
    assert_eq!(entries.len(), 3);
    let newest = record(&stage.registry, "prod", &entries[2]).predicate;
    let past: Vec<_> = newest
        .past
        .iter()
        .filter_map(|past| past.version.clone())
        .collect();
    assert_eq!(past, ["1.4.1", "1.4.0"]);
    assert_eq!(newest.previous, [newest.past[0].record]);
    let line = newest.tags.iter().find(|tag| tag.name == "1").unwrap();
    assert_eq!(line.previous, Some(newest.past[0].root));
}

#[tokio::test]
async fn a_repeated_promotion_is_unchanged_and_writes_nothing() {
    for referrers in [true, false] {
        let stage = Stage::start(Profile::plain().referrers(referrers)).await;
        stage.build(1, "1.4.0");
        stage.promote("1.4.0", 0, 1).await;
        stage.registry.clear_log();
        let outcome = stage.promote("1.4.0", 5, 2).await;
        assert!(!outcome.has_changes());
        assert_eq!(stage.entries().len(), 1);
        let requests = stage.registry.requests();
        let mut writes = requests
            .iter()
            .filter(|line| line.starts_with("PUT") || line.starts_with("POST"));
        assert_eq!(writes.next(), None);
    }
}

#[tokio::test]
async fn a_lost_referrer_and_a_drifted_tag_are_repaired() {
    let stage = Stage::start(Profile::plain()).await;
    let image = stage.build(1, "1.4.0");
    stage.promote("1.4.0", 0, 1).await;
    let referrer = stage.registry.referrers("prod", &image.digest())[0]["digest"].clone();
    stage
        .registry
        .remove_manifest("prod", referrer.as_str().unwrap());
    let mut tags = stage.registry.tags("prod");
    tags.remove("prod");
    stage.registry.set_tags("prod", tags);
    let outcome = stage.promote("1.4.0", 5, 2).await;
    assert!(outcome.has_changes());
    let released = &outcome.destinations[0];
    let result = released.record.as_ref().unwrap();
    assert!(!result.is_new && result.is_intent_new);
    let environment = released
        .tags
        .iter()
        .find(|tag| tag.tag.as_str() == "prod")
        .unwrap();
    assert_eq!(environment.change, TagChange::Created);
    assert_eq!(
        stage.registry.referrers("prod", &image.digest())[0]["digest"],
        referrer
    );
    assert_eq!(stage.entries().len(), 1);
}

#[tokio::test]
async fn promise_2_a_run_that_dies_before_its_entry_is_completed_by_its_repetition() {
    let stage = Stage::start(Profile::plain()).await;
    let old = stage.build(1, "1.4.0");
    let new = stage.build(2, "1.5.0");
    stage
        .registry
        .fault(Fault::on("PUT", "manifests/shipmark.", Effect::status(500)).always());
    assert!(
        run(&stage.promotion("1.4.0", 0, 1), &context())
            .await
            .is_err()
    );
    stage.registry.clear_faults();
    assert_eq!(stage.entries(), [] as [&str; 0]);
    stage.promote("1.5.0", 1, 2).await;
    let mut again = stage.promotion("1.4.0", 9, 1);
    let record_options = again.record.as_mut().unwrap();
    record_options.account.run.as_mut().unwrap().attempt = Some(2);
    let outcome = done(again, &context()).await;
    let result = outcome.destinations[0].record.clone().unwrap();
    assert!(result.is_new && !result.is_intent_new);
    assert_eq!(result.planned_at, minute(0), "the intent's time");
    assert!(result.superseded.is_some());
    let tags = stage.registry.tags("prod");
    assert_eq!(
        tags["prod"],
        new.digest(),
        "the environment stays with the newer release"
    );
    assert_eq!(tags["1.4.0"], old.digest());
    assert_eq!(tags["latest"], new.digest());
    assert_eq!(stage.entries().len(), 2);
    assert_eq!(stage.registry.referrers("prod", &old.digest()).len(), 1);
}

#[tokio::test]
async fn a_repeated_job_of_an_old_run_is_refused() {
    let stage = Stage::start(Profile::plain()).await;
    stage.build(1, "1.4.0");
    stage.build(2, "1.5.0");
    stage.promote("1.4.0", 0, 1).await;
    stage.promote("1.5.0", 1, 2).await;
    let mut again = stage.promotion("1.4.0", 2, 1);
    let record_options = again.record.as_mut().unwrap();
    record_options.account.run.as_mut().unwrap().attempt = Some(2);
    let refusal = stage.refused(again).await;
    assert!(refusal.contains("1.5.0 was released after it"), "{refusal}");
}

#[tokio::test]
async fn a_repeated_job_of_an_old_run_is_refused_whoever_released_its_image_since() {
    let stage = Stage::start(Profile::plain()).await;
    stage.build(1, "1.4.0");
    stage.build(2, "1.5.0");
    for (now, version) in [(0, "1.4.0"), (1, "1.5.0"), (2, "1.4.0"), (3, "1.5.0")] {
        stage.promote(version, now, 1 + now.unsigned_abs()).await;
    }
    let mut again = stage.promotion("1.4.0", 4, 1);
    let record_options = again.record.as_mut().unwrap();
    record_options.account.run.as_mut().unwrap().attempt = Some(2);
    let refusal = stage.refused(again).await;
    assert!(refusal.contains("1.5.0 was released after it"), "{refusal}");
}

#[tokio::test]
async fn an_older_image_is_released_again_by_a_new_run() {
    let stage = Stage::start(Profile::plain()).await;
    let old = stage.build(1, "1.4.0");
    stage.build(2, "1.5.0");
    stage.promote("1.4.0", 0, 1).await;
    stage.promote("1.5.0", 1, 2).await;
    stage.promote("1.4.0", 2, 3).await;
    assert_eq!(stage.entries().len(), 3);
    assert_eq!(stage.registry.tags("prod")["prod"], old.digest());
}

#[tokio::test]
async fn the_record_carries_those_that_it_rests_on() {
    let stage = Stage::start(Profile::plain()).await;
    stage.build(1, "1.4.0");
    let source = format!("{}:1.4.0", stage.place("stage"));
    let to_stage = promote(&source, &[&stage.place("stage")], "refs/heads/main");
    done(recorded(to_stage, "stage", 0, 1), &context()).await;
    let mut promotion = stage.promotion("1.4.0", 1, 2);
    let from = location("stage", &stage.place("stage"));
    promotion.record.as_mut().unwrap().source = Some(from);
    done(promotion, &context()).await;
    let before = entries(&stage.registry, "stage");
    let (_, bytes) = stage.registry.manifest("stage", &before[0]).unwrap();
    let before: serde_json::Value = serde_json::from_slice(&bytes).unwrap();
    let (_, bytes) = stage
        .registry
        .manifest("prod", &stage.entries()[0])
        .unwrap();
    let entry: serde_json::Value = serde_json::from_slice(&bytes).unwrap();
    assert_eq!(entry["layers"][1]["digest"], before["layers"][0]["digest"]);
    let record = record(&stage.registry, "prod", &stage.entries()[0]).predicate;
    let source = record.source.unwrap();
    assert_eq!(source.environment.unwrap().as_str(), "stage");
    assert_eq!(
        source.record.unwrap().to_string(),
        before["layers"][0]["digest"]
    );
    assert_eq!(record.action, RecordAction::Promote);
}

#[tokio::test]
async fn a_clock_behind_a_record_of_the_future_is_refused() {
    let stage = Stage::start(Profile::plain()).await;
    stage.build(1, "1.4.0");
    stage.build(2, "1.5.0");
    stage.promote("1.4.0", 10, 1).await;
    let refusal = stage.refused(stage.promotion("1.5.0", 4, 2)).await;
    assert!(refusal.contains("a record of a later time"), "{refusal}");
    let tag = format!("delete the tag {}", stage.entries()[0]);
    assert!(refusal.contains(&tag), "{refusal}");
    // Five minutes are no refusal: the record comes right after.
    stage.promote("1.5.0", 5, 3).await;
    let entries = stage.entries();
    assert!(entries[1].contains(".20261120t101000001z."), "{entries:?}");
}

#[tokio::test]
async fn a_clock_far_from_the_registrys_gives_way() {
    let registry = Registry::start(Profile::plain().date("Fri, 20 Nov 2026 09:00:00 GMT")).await;
    let stage = Stage { registry };
    stage.build(1, "1.4.0");
    let (context, log) = context_with(settings());
    done(stage.promotion("1.4.0", 0, 1), &context).await;
    let entries = stage.entries();
    assert!(entries[0].contains(".20261120t090000000z."), "{entries:?}");
    let warnings = log.warnings();
    assert!(
        warnings.contains("the record takes the registry's time"),
        "{warnings}"
    );
}

/// An entry of a wrong time in the future would keep all others from being written.
#[tokio::test]
async fn a_registry_whose_clock_is_days_off_gets_no_record() {
    for date in [
        "Thu, 20 Nov 2036 09:00:00 GMT",
        "Thu, 19 Nov 2026 09:59:00 GMT",
    ] {
        let registry = Registry::start(Profile::plain().date(date)).await;
        let stage = Stage { registry };
        stage.build(1, "1.4.0");
        let failure = run(&stage.promotion("1.4.0", 0, 1), &context()).await;
        let Err(Failure::Service(diagnostic)) = failure else {
            panic!("{failure:?}");
        };
        let text = diagnostic.to_string();
        let both = "clock says 2026-11-20T10:00:00.000Z, the registry's 20";
        assert!(text.contains(both), "{text}");
        assert_eq!(stage.registry.tags("prod"), Default::default());
    }
}
