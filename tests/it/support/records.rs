//! Releases that are recorded: options, and what a registry has of a timeline.

use bytes::Bytes;
use shipmark::image::{Digest, Manifest};
use shipmark::record::{
    RecordTime, RecordedBuild, RecordedRun, ReleaseRecord, parse_entry_manifest,
};
use shipmark::release::{RecordOptions, ReleaseRequest, RunAccount, TimelineLocation};
use shipmark::signing::StatementBundle;

use crate::registry::Registry;

/// Time of the releases: minutes after this.
const BEGIN: &str = "2026-11-20T10:00:00Z";

/// Returns a time of the test, `minute` minutes after its begin.
pub fn minute(minute: i64) -> RecordTime {
    let begin: jiff::Timestamp = BEGIN.parse().unwrap();
    RecordTime::from_timestamp(begin + jiff::SignedDuration::from_mins(minute)).unwrap()
}

/// Returns what a run of that number says of itself.
pub fn account(now: i64, run: u64) -> RunAccount {
    RunAccount {
        now: minute(now),
        tool: "shipmark test".to_owned(),
        run: Some(RecordedRun {
            uri: Some(format!("https://github.com/acme/web/actions/runs/{run}")),
            attempt: Some(1),
            actor: Some("octo".to_owned()),
            workflow: None,
            approvals: Vec::new(),
        }),
        policy: None,
        build: RecordedBuild::default(),
        reason: None,
        link: None,
    }
}

/// Returns the options of a run to `environment`.
pub fn options(environment: &str, now: i64, run: u64) -> RecordOptions {
    RecordOptions {
        environment: environment.parse().unwrap(),
        entries_at: None,
        trust: None,
        source: None,
        other_sources: Vec::new(),
        account: account(now, run),
        expected_head: None,
        reinstates: false,
        adds_summary: false,
    }
}

/// Returns the timeline of `environment` in a place.
pub fn location(environment: &str, place: &str) -> TimelineLocation {
    TimelineLocation {
        environment: environment.parse().unwrap(),
        destination: place.parse().unwrap(),
        entries_at: None,
        trust: None,
    }
}

/// Records the release in the timeline of an environment.
pub fn recorded(
    mut request: ReleaseRequest,
    environment: &str,
    now: i64,
    run: u64,
) -> ReleaseRequest {
    request.environment = Some(environment.parse().unwrap());
    request.record = Some(options(environment, now, run));
    request
}

/// Returns whether a tag is that of a timeline entry.
pub fn is_entry(tag: &str) -> bool {
    tag.starts_with("shipmark.")
}

/// Returns the tags of the timeline entries of a repository, oldest first.
pub fn entries(registry: &Registry, repository: &str) -> Vec<String> {
    let tags = registry.tags(repository).into_keys();
    tags.filter(|tag| is_entry(tag)).collect()
}

/// Returns the record of a timeline entry, signed or not.
pub fn any_record(registry: &Registry, repository: &str, tag: &str) -> ReleaseRecord {
    let blob = stored_record(registry, repository, tag);
    let statement = match StatementBundle::parse(&blob) {
        Ok(bundle) => bundle.payload().to_vec(),
        Err(_) => blob.to_vec(),
    };
    ReleaseRecord::parse_statement(&statement).unwrap()
}

/// Returns the record of a timeline entry that is not signed.
pub fn record(registry: &Registry, repository: &str, tag: &str) -> ReleaseRecord {
    ReleaseRecord::parse_statement(&stored_record(registry, repository, tag)).unwrap()
}

/// Returns the record of a timeline entry as it is stored.
pub fn stored_record(registry: &Registry, repository: &str, tag: &str) -> Bytes {
    let (kind, bytes) = registry.manifest(repository, tag).unwrap();
    let manifest = Manifest::parse(bytes, Some(&kind)).unwrap();
    let layers = parse_entry_manifest(&manifest).unwrap();
    let blob = registry
        .blob(repository, &layers.record.digest.to_string())
        .unwrap();
    assert_eq!(layers.record.data.as_ref(), Some(&blob));
    assert_eq!(Digest::from_bytes(&blob), layers.record.digest);
    blob
}
