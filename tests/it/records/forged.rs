//! Timeline entries that are not what they claim: each is named with its reason, and changes nothing.

use serde_json::{Value, json};
use shipmark::record::{EntryName, RecordAction, entry_config};

use super::forgery::{Forgery, Honest};
use super::*;
use crate::registry::digest;

const IMAGE_MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";

/// Releases 1.4.0, forges an entry, and releases 1.5.0 and 1.4.0 again: as if the entry were not there, but
/// for the warning.
async fn assert_passed_over(forge: impl Fn(&Honest) -> Forgery) {
    let stage = Stage::start(Profile::plain()).await;
    let old = stage.build(1, "1.4.0");
    let new = stage.build(2, "1.5.0");
    stage.promote("1.4.0", 0, 1).await;
    let honest = Honest::read(&stage);
    let forged = forge(&honest);
    let what = forged.what;
    forged.put(&stage.registry);
    let (context, log) = context_with(settings());
    done(stage.promotion("1.5.0", 2, 2), &context).await;
    let warnings = log.warnings();
    let named = format!("{} does not count: ", forged.name);
    assert!(warnings.contains(&named), "{what}: {warnings}");
    assert!(warnings.contains(forged.reason), "{what}: {warnings}");
    let entry = newest_promotion(&stage);
    let predicate = record(&stage.registry, "prod", &entry).predicate;
    let past: Vec<_> = predicate.past.iter().map(|past| past.record).collect();
    assert_eq!(predicate.previous, past, "{what}");
    assert_eq!(past.len(), 1, "{what}");
    assert!(honest.name.record.is_of(past[0].digest()), "{what}");
    assert_eq!(stage.registry.tags("prod")["prod"], new.digest(), "{what}");
    // A rollback that counted would refuse this.
    stage.promote("1.4.0", 3, 3).await;
    assert_eq!(stage.registry.tags("prod")["prod"], old.digest(), "{what}");
}

fn newest_promotion(stage: &Stage) -> String {
    let entries = stage.entries();
    let mut promotions = entries
        .iter()
        .filter(|tag| tag.starts_with("shipmark.prod.") && tag.contains(".promote."));
    promotions.next_back().unwrap().clone()
}

#[tokio::test]
async fn promise_6_a_rollback_that_counts_is_what_the_forged_ones_lack() {
    let stage = Stage::start(Profile::plain()).await;
    stage.build(1, "1.4.0");
    stage.promote("1.4.0", 0, 1).await;
    let honest = Honest::read(&stage);
    let counted = honest.with_blob("honest", "", honest.rollback(|_| {}));
    counted.put(&stage.registry);
    let refusal = stage.refused(stage.promotion("1.4.0", 3, 3)).await;
    assert!(refusal.contains("is withdrawn from prod"), "{refusal}");
}

#[tokio::test]
async fn promise_6_a_record_counts_under_its_own_name_only() {
    let reason = "expected shipmark.prod.20261120t100100000z.rollback.";
    assert_passed_over(|honest| {
        honest.renamed("another time", reason, |name| EntryName {
            planned_at: minute(4),
            ..name
        })
    })
    .await;
    assert_passed_over(|honest| {
        honest.renamed("another action", reason, |name| EntryName {
            action: RecordAction::Failed,
            ..name
        })
    })
    .await;
    assert_passed_over(|honest| {
        honest.renamed("another root", reason, |name| EntryName {
            root: name.record,
            ..name
        })
    })
    .await;
    assert_passed_over(|honest| {
        honest.renamed("another id", reason, |name| EntryName {
            record: name.root,
            ..name
        })
    })
    .await;
}

#[tokio::test]
async fn promise_6_a_record_of_another_place_does_not_count() {
    assert_passed_over(|honest| {
        let blob = honest.rollback(|statement| statement["predicate"]["environment"] = json!("qa"));
        honest.with_blob("environment", "of the environment qa", blob)
    })
    .await;
    assert_passed_over(|honest| {
        let blob = honest.rollback(|statement| {
            let other = json!("registry.example/other");
            statement["subject"][0]["name"] = other.clone();
            statement["predicate"]["destination"] = other;
        });
        honest.with_blob("repository", "registry.example/other", blob)
    })
    .await;
}

/// The record is copied with its entry, from the repository of another service and from the timeline of
/// another environment.
#[tokio::test]
async fn promise_6_a_copied_entry_does_not_count() {
    for (environment, repository) in [("prod", "api"), ("qa", "prod")] {
        let stage = Stage::start(Profile::plain()).await;
        let image = stage.build(1, "1.4.0");
        stage.build(2, "1.5.0");
        stage.promote("1.4.0", 0, 1).await;
        let source = format!("{}:1.4.0", stage.place("stage"));
        let other = promote(&source, &[&stage.place(repository)], "refs/heads/main");
        done(recorded(other, environment, 1, 2), &context()).await;
        let names = entries(&stage.registry, repository);
        let named = names.iter().find(|name| name.contains("t1001")).unwrap();
        let (kind, manifest) = stage.registry.manifest(repository, named).unwrap();
        let copied = named.replace(".qa.", ".prod.");
        stage
            .registry
            .put_manifest("prod", &copied, &kind, manifest);
        let (context, log) = context_with(settings());
        done(stage.promotion("1.5.0", 2, 3), &context).await;
        let warnings = log.warnings();
        let named = format!("{copied} does not count: ");
        assert!(warnings.contains(&named), "{warnings}");
        let predicate = record(&stage.registry, "prod", &newest_promotion(&stage)).predicate;
        assert_eq!(predicate.past.len(), 1, "{environment} {repository}");
        assert_eq!(predicate.past[0].root.to_string(), image.digest());
    }
}

#[tokio::test]
async fn promise_6_a_blob_that_is_no_record_of_one_root_does_not_count() {
    assert_passed_over(|honest| {
        let mut blob = honest.rollback(|_| {});
        blob.truncate(blob.len() / 2);
        honest.with_blob("truncated", "EOF while parsing", blob)
    })
    .await;
    assert_passed_over(|honest| {
        let blob = honest.rollback(|statement| {
            let subject = statement["subject"][0].clone();
            statement["subject"].as_array_mut().unwrap().push(subject);
        });
        honest.with_blob("two subjects", "has 2 subjects, expected one", blob)
    })
    .await;
    assert_passed_over(|honest| {
        let provenance = json!("https://slsa.dev/provenance/v1");
        let blob = honest.rollback(|statement| statement["predicateType"] = provenance.clone());
        honest.with_blob("predicate type", "predicateType is", blob)
    })
    .await;
    assert_passed_over(|honest| {
        let twice = String::from_utf8(honest.rollback(|_| {})).unwrap();
        let twice = twice.replacen("{", r#"{"_type":"x","#, 1);
        honest.with_blob("two meanings", "_type", twice.into_bytes())
    })
    .await;
}

#[tokio::test]
async fn promise_6_a_record_of_more_than_one_mebibyte_does_not_count() {
    for (size, reason) in [
        ((1 << 20) + 1, "1048577 bytes"),
        ((2 << 20) + 1, "2097153 bytes"),
    ] {
        assert_passed_over(|honest| {
            let mut blob = honest.rollback(|_| {});
            blob.resize(size, b' ');
            honest.with_blob("large", reason, blob)
        })
        .await;
    }
}

#[tokio::test]
async fn promise_6_a_record_that_is_not_what_its_descriptor_says_does_not_count() {
    // Inline data of another digest is no data: the blob is read, which is not there.
    assert_passed_over(|honest| {
        let mut forged = honest.with_manifest(
            "digest of the data",
            "its record cannot be read",
            |manifest| {
                manifest["layers"][0]["digest"] = json!(digest(b"another record"));
            },
        );
        forged.blobs = vec![entry_config()];
        forged
    })
    .await;
    assert_passed_over(|honest| {
        let mut forged =
            honest.with_manifest("missing blob", "its record cannot be read", |manifest| {
                manifest["layers"][0]
                    .as_object_mut()
                    .unwrap()
                    .remove("data");
            });
        forged.blobs = vec![entry_config()];
        forged
    })
    .await;
    assert_passed_over(|honest| {
        honest.with_manifest("size", "its record cannot be read", |manifest| {
            let layer = manifest["layers"][0].as_object_mut().unwrap();
            layer.remove("data");
            layer["size"] = json!(12);
        })
    })
    .await;
}

/// A record whose data was left out of the manifest counts by its blob.
#[tokio::test]
async fn a_record_without_inline_data_is_read_as_a_blob() {
    let stage = Stage::start(Profile::plain()).await;
    stage.build(1, "1.4.0");
    stage.promote("1.4.0", 0, 1).await;
    let honest = Honest::read(&stage);
    let remove_data = |manifest: &mut Value| {
        manifest["layers"][0]
            .as_object_mut()
            .unwrap()
            .remove("data");
    };
    let counted = honest.with_manifest("honest", "", remove_data);
    counted.put(&stage.registry);
    let refusal = stage.refused(stage.promotion("1.4.0", 3, 3)).await;
    assert!(refusal.contains("is withdrawn from prod"), "{refusal}");
}

#[tokio::test]
async fn promise_6_a_manifest_that_is_no_entry_does_not_count() {
    let image_type = "its artifact type is \"\"";
    assert_passed_over(|honest| {
        let mut forged = honest.with_manifest("image", image_type, |_| {});
        let config = json!({"architecture": "amd64", "os": "linux"}).to_string();
        let image = json!({
            "schemaVersion": 2, "mediaType": IMAGE_MANIFEST,
            "config": {
                "mediaType": "application/vnd.oci.image.config.v1+json",
                "digest": digest(config.as_bytes()), "size": config.len(),
            },
            "layers": [],
        });
        forged.blobs = vec![config.into()];
        forged.manifest = image.to_string().into();
        forged
    })
    .await;
    assert_passed_over(|honest| {
        let mut forged = honest.with_manifest("index", image_type, |_| {});
        let kind = "application/vnd.oci.image.index.v1+json";
        let index = json!({"schemaVersion": 2, "mediaType": kind, "manifests": []});
        forged.manifest = index.to_string().into();
        forged
    })
    .await;
    assert_passed_over(|honest| {
        let root = honest.root.to_string();
        honest.with_manifest("subject", "it has a subject, expected none", |manifest| {
            manifest["subject"] =
                json!({"mediaType": IMAGE_MANIFEST, "digest": root.clone(), "size": 1});
        })
    })
    .await;
    assert_passed_over(|honest| {
        honest.with_manifest("artifact type", "its artifact type is", |manifest| {
            manifest["artifactType"] = json!("application/vnd.shipmark.release.v0.1");
        })
    })
    .await;
    for (count, reason) in [(0, "it has 0 layers"), (10, "it has 10 layers")] {
        assert_passed_over(|honest| {
            honest.with_manifest("layers", reason, |manifest| {
                let layer = manifest["layers"][0].clone();
                manifest["layers"] = json!(vec![layer; count]);
            })
        })
        .await;
    }
    assert_passed_over(|honest| {
        honest.with_manifest("large", "is larger than 8 MiB", |manifest| {
            manifest["annotations"] = json!({"filler": "x".repeat(8 << 20)});
        })
    })
    .await;
}

/// A tag with the prefix that is no name of an entry is not even read.
#[tokio::test]
async fn a_tag_that_is_no_entry_name_is_left_alone() {
    let stage = Stage::start(Profile::plain()).await;
    let image = stage.build(1, "1.4.0");
    stage.build(2, "1.5.0");
    stage.promote("1.4.0", 0, 1).await;
    let mut tags = stage.registry.tags("prod");
    let name = stage.entries()[0].clone();
    for odd in ["shipmark.prod.cache", "shipmark.prod", &format!("{name}.x")] {
        tags.insert(odd.to_owned(), image.digest());
    }
    stage.registry.set_tags("prod", tags);
    stage.registry.clear_log();
    let (context, log) = context_with(settings());
    done(stage.promotion("1.5.0", 2, 2), &context).await;
    assert!(!log.warnings().contains("does not count"));
    let odd = |line: &String| {
        line.contains("cache") || line.contains("shipmark.prod ") || line.contains(".x ")
    };
    assert!(!stage.registry.requests().iter().any(odd));
    let read = stage
        .registry
        .count_of(&format!("GET /v2/prod/manifests/{name}"));
    assert_eq!(read, 1, "two readers share one reading");
}

#[tokio::test]
async fn a_future_entry_that_does_not_count_blocks_nobody_and_one_that_counts_refuses() {
    let future = minute(400_000);
    assert_passed_over(|honest| {
        honest.renamed("future", "expected shipmark.prod.", |name| EntryName {
            planned_at: future,
            ..name
        })
    })
    .await;
    let stage = Stage::start(Profile::plain()).await;
    stage.build(1, "1.4.0");
    stage.build(2, "1.5.0");
    stage.promote("1.4.0", 0, 1).await;
    let honest = Honest::read(&stage);
    let blob = honest.rollback(|statement| {
        statement["predicate"]["action"] = json!("deployed");
        statement["predicate"]["plannedAt"] = json!(future.to_string());
    });
    let mut counted = honest.with_blob("future", "", blob);
    counted.name.planned_at = future;
    counted.name.action = RecordAction::Deployed;
    counted.put(&stage.registry);
    let refusal = stage.refused(stage.promotion("1.5.0", 2, 2)).await;
    assert!(refusal.contains("a record of a later time"), "{refusal}");
    let hint = format!("delete the tag {}", counted.name);
    assert!(refusal.contains(&hint), "{refusal}");
}

/// Whoever may push can stop releases with entries that do not count, and forge none.
#[tokio::test]
async fn more_than_64_entries_that_do_not_count_end_the_search_with_their_tags() {
    let stage = Stage::start(Profile::plain()).await;
    stage.build(1, "1.4.0");
    let new = stage.build(2, "1.5.0");
    stage.promote("1.4.0", 0, 1).await;
    let honest = Honest::read(&stage);
    let mut forged = Vec::new();
    for number in 0..65 {
        let entry = honest.renamed("stray", "", |name| EntryName {
            planned_at: minute(10 + number),
            ..name
        });
        entry.put(&stage.registry);
        forged.push(entry.name.to_string());
    }
    stage.registry.clear_log();
    let failure = run(&stage.promotion("1.5.0", 2, 2), &context()).await;
    let Err(Failure::Service(diagnostic)) = failure else {
        panic!("{failure:?}");
    };
    let text = diagnostic.to_string();
    assert!(text.contains("more than 64 timeline entries"), "{text}");
    for name in &forged {
        assert!(text.contains(name), "{name} is not named");
    }
    assert_eq!(stage.registry.count_of("PUT "), 0);
    assert_eq!(stage.registry.count_of("POST "), 0);
    // One less, and the release is done.
    let mut tags = stage.registry.tags("prod");
    tags.remove(&forged[64]);
    stage.registry.set_tags("prod", tags);
    stage.promote("1.5.0", 2, 2).await;
    assert_eq!(stage.registry.tags("prod")["prod"], new.digest());
}
