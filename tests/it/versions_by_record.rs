//! Which versions are releases where records are kept: those that a record names, and no tag alone.

use crate::support::recorded_stage::*;
use crate::support::records::*;

/// Deletes the timeline entry of a version's release, and the referrers of its image.
fn delete_record(stage: &Stage, version: &str) {
    let registry = &stage.registry;
    let is_its = |entry: &String| {
        let record = record(registry, "prod", entry);
        record.predicate.version.as_deref() == Some(version)
    };
    let entry = entries(registry, "prod").into_iter().find(is_its).unwrap();
    let mut tags = registry.tags("prod");
    tags.remove(&entry);
    registry.set_tags("prod", tags);
    for referrer in registry.referrers("prod", &stage.digest(version)) {
        registry.remove_manifest("prod", referrer["digest"].as_str().unwrap());
    }
}

#[tokio::test]
async fn promise_4_a_version_tag_on_a_recorded_image_holds_no_line() {
    for by_hand in ["1.3.0", "1.4.0"] {
        let stage = Stage::released(&["1.3.0", "1.4.0"]).await;
        stage.set_tag("9.9.9", &stage.digest(by_hand));
        stage.release("1.5.0", 5).await;
        for tag in ["1", "latest", "prod"] {
            assert_eq!(stage.tag(tag), "1.5.0", "{tag}, 9.9.9 is {by_hand}");
        }
        // Nor does a rollback put the line back to it.
        stage.roll_back(6).await;
        for tag in ["1", "latest", "prod"] {
            assert_eq!(stage.tag(tag), "1.4.0", "{tag}, 9.9.9 is {by_hand}");
        }
    }
}

#[tokio::test]
async fn promise_4_a_release_that_only_a_summary_knows_holds_its_lines() {
    let stage = Stage::released(&["1.5.0", "1.4.0"]).await;
    delete_record(&stage, "1.5.0");
    for line in ["1", "latest"] {
        stage.set_tag(line, &stage.digest("1.4.0"));
    }
    stage.release("1.4.1", 5).await;
    for line in ["1", "latest"] {
        assert_eq!(stage.tag(line), "1.4.0", "{line} waits for 1.5.0");
    }
    assert_eq!(stage.tag("1.4"), "1.4.1");
}

#[tokio::test]
async fn promise_4_a_rollback_puts_lines_back_to_a_release_that_only_a_summary_knows() {
    let stage = Stage::released(&["1.5.0", "1.4.0", "1.6.0"]).await;
    delete_record(&stage, "1.5.0");
    let outcome = stage.roll_back(5).await;
    assert_eq!(version(&outcome.restored), "1.4.0");
    for line in ["1", "latest"] {
        assert_eq!(stage.tag(line), "1.5.0", "{line}");
    }
}
