//! The verbs `history` and `inspect`: what they say of recorded releases, and what it costs.

mod command_line;
mod inspect;
mod lists;
mod verified;

use shipmark::record::{EntryKnowledge, EntryRemark, HistoryFilter, HistoryLine};
use shipmark::release::{HistoryOutcome, HistoryRequest, ReleaseOutcome, TimelineSigning, history};

use crate::registry::{Profile, Registry};
use crate::support::made_image::MadeImage;
use crate::support::records::*;
use crate::support::*;

/// Images of versions in a source repository, and a destination with a timeline.
pub struct Stage {
    pub registry: Registry,
}

impl Stage {
    pub async fn start(profile: Profile) -> Self {
        Self {
            // The clock of these tests counts, and not that of this machine.
            registry: Registry::start(profile.date("unknown")).await,
        }
    }

    pub fn place(&self, repository: &str) -> String {
        format!("{}/{repository}", self.registry.host())
    }

    /// Releases the image of a version, a minute after that of the number before.
    pub async fn promote(&self, number: u32, version: &str) -> (MadeImage, ReleaseOutcome) {
        let revision = commit(number);
        let image = MadeImage::new(number, &[("revision", &revision), ("version", version)]);
        image.put(&self.registry, "stage", &[&format!("v{version}"), version]);
        let source = format!("{}:{version}", self.place("stage"));
        let request = promote(&source, &[&self.place("prod")], "refs/heads/main");
        let request = recorded(request, "prod", i64::from(number), u64::from(number));
        (image, done(request, &context()).await)
    }

    pub fn request(&self) -> HistoryRequest {
        request_of(&self.place("prod"))
    }

    pub async fn history(&self) -> HistoryOutcome {
        history(&self.request(), &context()).await.unwrap()
    }
}

/// Returns the request for the newest entries of `prod` in a place.
pub fn request_of(place: &str) -> HistoryRequest {
    HistoryRequest {
        location: location("prod", place),
        clock: minute(60),
        limit: Some(20),
        reads_each: false,
        filter: HistoryFilter::default(),
        tag: None,
    }
}

/// Returns the commit of an image of that number.
pub fn commit(number: u32) -> String {
    format!("{number:07x}{}", "0".repeat(33))
}

fn versions(lines: &[HistoryLine]) -> Vec<String> {
    let entries = lines.iter().map(|line| line.entry.as_ref().unwrap());
    entries
        .map(|entry| entry.version.clone().unwrap())
        .collect()
}

fn states(lines: &[HistoryLine]) -> Vec<String> {
    lines.iter().map(HistoryLine::state_words).collect()
}

#[tokio::test]
async fn an_environment_has_a_history() {
    let stage = Stage::start(Profile::plain()).await;
    let mut images = Vec::new();
    for (number, version) in [(1, "1.4.0"), (2, "1.4.1"), (3, "1.5.0")] {
        images.push(stage.promote(number, version).await.0);
    }
    let shown = stage.history().await;
    assert_eq!(versions(&shown.lines), ["1.5.0", "1.4.1", "1.4.0"]);
    assert_eq!(
        states(&shown.lines),
        ["current", "superseded", "superseded"]
    );
    assert_eq!(shown.lines[0].known, EntryKnowledge::Unverified);
    let newest = shown.lines[0].record().unwrap();
    for line in &shown.lines[1..] {
        assert_eq!(line.known, EntryKnowledge::Vouched(newest));
        assert!(line.remarks.is_empty());
    }
    let entry = shown.lines[2].entry.as_ref().unwrap();
    assert_eq!(entry.actor.as_deref(), Some("octo"));
    assert_eq!(entry.commit.as_deref(), Some(commit(1).as_str()));
    let current = shown.current.unwrap();
    assert_eq!(current.root.to_string(), images[2].digest());
    assert_eq!(current.version.as_deref(), Some("1.5.0"));
    assert_eq!(current.since, minute(3));
    let (before, version) = current.good_before.unwrap();
    assert_eq!(before.to_string(), images[1].digest());
    assert_eq!(version.as_deref(), Some("1.4.1"));
    assert!(shown.drift.is_empty(), "{:?}", shown.drift);
    assert!(!shown.has_more && shown.signing == TimelineSigning::Unsigned);
    let two = HistoryRequest {
        limit: Some(2),
        reads_each: true,
        ..stage.request()
    };
    let shown = history(&two, &context()).await.unwrap();
    assert_eq!(versions(&shown.lines), ["1.5.0", "1.4.1"]);
    assert!(shown.has_more);
    assert!(
        shown
            .lines
            .iter()
            .all(|line| line.known == EntryKnowledge::Unverified)
    );
    assert!(shown.drift.is_empty(), "{:?}", shown.drift);
}

#[tokio::test]
async fn tags_that_somebody_moved_are_drift() {
    let stage = Stage::start(Profile::plain()).await;
    let old = stage.promote(1, "1.4.0").await.0.digest();
    let new = stage.promote(2, "1.4.1").await.0.digest();
    let mut tags = stage.registry.tags("prod");
    tags.insert("prod".to_owned(), old.clone());
    tags.insert("1.4".to_owned(), old.clone());
    tags.remove("latest");
    stage.registry.set_tags("prod", tags);
    let shown = stage.history().await;
    let drift = |shown: &HistoryOutcome| -> Vec<(String, String, Option<String>)> {
        let drift = shown.drift.iter().map(|drift| {
            (
                drift.tag.to_string(),
                drift.expected.unwrap().to_string(),
                drift.found.map(|root| root.to_string()),
            )
        });
        drift.collect()
    };
    let moved = |tag: &str, found: Option<&String>| (tag.to_owned(), new.clone(), found.cloned());
    assert_eq!(drift(&shown), [moved("prod", Some(&old))]);
    let each = HistoryRequest {
        reads_each: true,
        ..stage.request()
    };
    let shown = history(&each, &context()).await.unwrap();
    let expected = [
        moved("prod", Some(&old)),
        moved("1.4", Some(&old)),
        moved("latest", None),
    ];
    assert_eq!(drift(&shown), expected);
}

#[tokio::test]
async fn a_version_that_somebody_moved_is_drift() {
    let stage = Stage::start(Profile::plain()).await;
    let old = stage.promote(1, "1.4.0").await.0.digest();
    let new = stage.promote(2, "1.4.1").await.0.digest();
    let mut tags = stage.registry.tags("prod");
    tags.insert("1.4.0".to_owned(), new.clone());
    stage.registry.set_tags("prod", tags);
    let each = HistoryRequest {
        reads_each: true,
        ..stage.request()
    };
    let shown = history(&each, &context()).await.unwrap();
    let [drift] = shown.drift.as_slice() else {
        panic!("{:?}", shown.drift);
    };
    assert_eq!(drift.tag.as_str(), "1.4.0");
    assert_eq!(drift.expected.unwrap().to_string(), old);
    assert_eq!(drift.found.unwrap().to_string(), new);
    assert_eq!(drift.expected_version.as_deref(), Some("1.4.0"));
    assert_eq!(drift.found_version.as_deref(), Some("1.4.1"));
    assert!(drift.is_immutable);
}

#[tokio::test]
async fn drift_names_the_run_that_left_it() {
    let stage = Stage::start(Profile::plain()).await;
    stage.promote(1, "1.4.0").await;
    let new = stage.promote(2, "1.4.1").await.0.digest();
    let newest = entries(&stage.registry, "prod").pop().unwrap();
    let mut tags = stage.registry.tags("prod");
    tags.remove(&newest);
    stage.registry.set_tags("prod", tags);
    let shown = stage.history().await;
    let [drift] = shown.drift.as_slice() else {
        panic!("{:?}", shown.drift);
    };
    assert_eq!(drift.found.unwrap().to_string(), new);
    let [unfinished] = shown.unfinished.as_slice() else {
        panic!("{:?}", shown.unfinished);
    };
    let run = unfinished.predicate.run.as_ref().unwrap();
    let expected = "https://github.com/acme/web/actions/runs/2";
    assert_eq!(run.uri.as_deref(), Some(expected));
}

#[tokio::test]
async fn a_history_since_a_time_has_no_older_entries() {
    let stage = Stage::start(Profile::plain()).await;
    stage.promote(1, "1.4.0").await;
    stage.promote(2, "1.4.1").await;
    let since = |at| HistoryRequest {
        limit: None,
        filter: HistoryFilter {
            since: Some(minute(at)),
            ..HistoryFilter::default()
        },
        ..stage.request()
    };
    for (at, count) in [(2, 1), (1, 2)] {
        let shown = history(&since(at), &context()).await.unwrap();
        assert_eq!((shown.lines.len(), shown.has_more), (count, false));
    }
    let one = HistoryRequest {
        limit: Some(1),
        ..since(1)
    };
    let shown = history(&one, &context()).await.unwrap();
    assert_eq!((shown.lines.len(), shown.has_more), (1, true));
}

#[tokio::test]
async fn a_tag_has_the_images_that_it_named() {
    let stage = Stage::start(Profile::plain()).await;
    let first = stage.promote(1, "1.4.0").await.0.digest();
    let second = stage.promote(2, "1.4.1").await.0.digest();
    stage.promote(3, "1.5.0").await;
    let of_line = HistoryRequest {
        tag: Some("1.4".parse().unwrap()),
        ..stage.request()
    };
    let shown = history(&of_line, &context()).await.unwrap();
    let periods = shown.periods.unwrap();
    let periods: Vec<_> = periods
        .iter()
        .map(|period| {
            (
                period.root.to_string(),
                period.from,
                period.until,
                period.is_now,
            )
        })
        .collect();
    assert_eq!(
        periods,
        [
            (first, Some(minute(1)), Some(minute(2)), false),
            (second, Some(minute(2)), None, true),
        ]
    );
}

#[tokio::test]
async fn what_does_not_count_and_what_is_gone_is_shown() {
    let stage = Stage::start(Profile::plain()).await;
    for (number, version) in [(1, "1.4.0"), (2, "1.4.1"), (3, "1.5.0")] {
        stage.promote(number, version).await;
    }
    let names = entries(&stage.registry, "prod");
    let mut tags = stage.registry.tags("prod");
    let digest = tags.remove(&names[1]).unwrap();
    // The deleted entry under a later time, and a name without a record.
    let replayed = names[1].replace("20261120t100200000z", "20261120t100500000z");
    let forged = "shipmark.prod.20261120t100600000z.promote.0123456789ab.0123456789ab";
    tags.insert(replayed.clone(), digest);
    tags.insert(
        forged.to_owned(),
        stage.registry.tags("prod")["prod"].clone(),
    );
    stage.registry.set_tags("prod", tags);
    let shown = stage.history().await;
    let lines = &shown.lines;
    assert_eq!(lines.len(), 5);
    let reason = |line: &HistoryLine| match &line.known {
        EntryKnowledge::NotCounted(reason) => reason.clone(),
        other => panic!("{other:?}"),
    };
    assert_eq!(lines[0].name.to_string(), forged);
    assert!(
        reason(&lines[0]).contains("artifact type"),
        "{}",
        reason(&lines[0])
    );
    assert_eq!(lines[1].name.to_string(), replayed);
    assert!(
        reason(&lines[1]).contains("its tag says"),
        "{}",
        reason(&lines[1])
    );
    assert_eq!(lines[3].remarks, [EntryRemark::Gone]);
    assert_eq!(
        states(lines),
        ["", "", "current", "superseded", "superseded"]
    );
    assert!(shown.drift.is_empty());
    // The newest that count are shown, whatever stands before them.
    let one = HistoryRequest {
        limit: Some(1),
        ..stage.request()
    };
    let shown = history(&one, &context()).await.unwrap();
    let counted = shown.lines.iter().filter(|line| line.entry.is_some());
    assert_eq!(counted.count(), 1);
    assert_eq!(shown.lines.len(), 3);
}
