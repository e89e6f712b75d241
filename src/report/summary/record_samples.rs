//! Samples of records: a history with a rollback, and the account of an image.

use crate::image::{Destination, Digest};
use crate::record::{
    EntryKnowledge, EntryName, EntryRemark, EntryState, HistoryFilter, HistoryLine, RecordAction,
    RecordId, RecordTime, RecordedBuild, RecordedCommit, RecordedEvidence, ReleaseMark,
    ReleasePredicate, TagDrift, TimelineEntry,
};
use crate::referrers::ReferrerKind;
use crate::release::{
    CarriedRecord, EnvironmentAccount, HistoryOutcome, InspectOutcome, InspectedEvidence,
    KnownImage, RecordedCurrent, ReleaseAccount, TimelineSigning,
};
use crate::report::history_report::{HistoryReport, TimelineReport};
use crate::report::inspect_report::{ImageReport, InspectReport};

const COMMIT: &str = "860c1904a1ce19322e91ac35af1ab07466440c37";
const SIGNER: &str = "https://github.com/acme/web/.github/workflows/release.yml@refs/heads/main";

fn root(version: &str) -> Digest {
    Digest::from_bytes(version.as_bytes())
}

fn place() -> Destination {
    "ghcr.io/acme/web/prod".parse().unwrap()
}

fn time(text: &str) -> RecordTime {
    format!("2026-11-{text}.123Z").parse().unwrap()
}

fn record(at: RecordTime) -> RecordId {
    RecordId::from_blob(at.to_string().as_bytes())
}

fn line(at: &str, action: RecordAction, version: &str, state: Option<EntryState>) -> HistoryLine {
    let planned_at = time(at);
    let entry = TimelineEntry {
        deletions: Vec::new(),
        record: record(planned_at),
        root: root(version),
        action: action.clone(),
        planned_at,
        restores: None,
        reinstates: Vec::new(),
        hold: None,
        previous: Vec::new(),
        version: Some(version.to_owned()),
        commit: Some(COMMIT.to_owned()),
        actor: Some("octocat".to_owned()),
        is_summary: true,
    };
    HistoryLine {
        name: EntryName::new(
            "prod".parse().unwrap(),
            planned_at,
            action,
            entry.root,
            entry.record,
        ),
        entry: Some(entry),
        state,
        mark: None,
        known: EntryKnowledge::Vouched(record(time("20T09:30:00"))),
        reason: None,
        link: None,
        remarks: Vec::new(),
    }
}

/// Returns the history of an environment that was rolled back.
pub(in crate::report) fn history() -> HistoryReport {
    let mut rollback = line("20T09:30:00", RecordAction::Rollback, "1.5.0", None);
    rollback.known = EntryKnowledge::Verified(SIGNER.to_owned());
    rollback.reason = Some("errors at *checkout*".to_owned());
    rollback.link = Some("https://example.com/incidents/7".to_owned());
    if let Some(entry) = &mut rollback.entry {
        entry.restores = Some(root("1.4.1"));
        entry.version = None;
    }
    let withdrawn = Some(EntryState::Withdrawn);
    let mut failed = line("20T09:00:00", RecordAction::Promote, "1.5.0", withdrawn);
    failed.mark = Some(ReleaseMark::Failed);
    let mut current = line(
        "12T14:05:00",
        RecordAction::Promote,
        "1.4.1",
        Some(EntryState::Current),
    );
    current.mark = Some(ReleaseMark::Deployed);
    let mut gone = line(
        "03T08:00:00",
        RecordAction::Promote,
        "1.4.0",
        Some(EntryState::Superseded),
    );
    gone.remarks.push(EntryRemark::Gone);
    let mut foreign = line("02T08:00:00", RecordAction::Promote, "9.9.9", None);
    foreign.entry = None;
    foreign.known = EntryKnowledge::NotCounted(
        "its record is not signed, expected a signature of the *release* workflow".to_owned(),
    );
    HistoryReport {
        environment: "prod".parse().unwrap(),
        tag: None,
        has_policy: true,
        failed: Vec::new(),
        timelines: vec![TimelineReport {
            service: None,
            history: HistoryOutcome {
                environment: "prod".parse().unwrap(),
                place: place(),
                entries_at: None,
                signing: TimelineSigning::Verified,
                filter: HistoryFilter::default(),
                lines: vec![rollback, failed, current, gone, foreign],
                has_more: false,
                current: Some(RecordedCurrent {
                    root: root("1.4.1"),
                    version: Some("1.4.1".to_owned()),
                    record: record(time("20T09:30:00")),
                    since: time("20T09:30:00"),
                    good_before: Some((root("1.4.0"), Some("1.4.0".to_owned()))),
                }),
                drift: vec![TagDrift {
                    tag: "1.4".parse().unwrap(),
                    expected: Some(root("1.4.1")),
                    found: Some(root("1.4.0")),
                    expected_version: Some("1.4.1".to_owned()),
                    found_version: Some("1.4.0".to_owned()),
                    is_immutable: false,
                }],
                unfinished: Vec::new(),
                periods: None,
            },
        }],
    }
}

fn predicate(version: &str, at: &str) -> ReleasePredicate {
    let json = serde_json::json!({
        "environment": "prod", "destination": place().to_string(), "action": "promote",
        "version": version, "tool": "shipmark 0.1.0", "plannedAt": time(at).to_string(),
        "source": {"uri": format!("ghcr.io/acme/web/stage@{}", root(version))},
        "run": {"uri": "https://github.com/acme/web/actions/runs/18233541042", "actor": "octocat"},
        "reason": "the *weekly* release",
    });
    serde_json::from_value(json).unwrap()
}

fn release(version: &str, at: &str) -> ReleaseAccount {
    ReleaseAccount {
        record: record(time(at)),
        signer: Some(SIGNER.to_owned()),
        predicate: Box::new(predicate(version, at)),
    }
}

/// Returns the account of an image that is current in one environment and unfinished in another.
pub(in crate::report) fn inspection() -> InspectReport {
    let environment = |name: &str| EnvironmentAccount {
        environment: name.parse().unwrap(),
        place: place(),
        state: None,
        release: None,
        lines: Vec::new(),
        before: None,
        good_before: None,
        since: None,
        tag_drift: None,
        carried: Vec::new(),
        unfinished: Vec::new(),
    };
    let prod = EnvironmentAccount {
        state: Some(EntryState::Current),
        release: Some(release("1.4.1", "12T14:05:00")),
        lines: vec![HistoryLine {
            reason: Some("the *weekly* release".to_owned()),
            ..line(
                "12T14:05:00",
                RecordAction::Promote,
                "1.4.1",
                Some(EntryState::Current),
            )
        }],
        before: Some((root("1.5.0-rc.1"), None)),
        since: Some(time("12T14:05:00")),
        tag_drift: Some(TagDrift {
            tag: "1.4.1".parse().unwrap(),
            expected: Some(root("1.4.0")),
            found: Some(root("1.4.1")),
            expected_version: Some("1.4.1".to_owned()),
            found_version: None,
            is_immutable: true,
        }),
        carried: vec![CarriedRecord {
            release: release("1.4.1", "11T08:00:00"),
            rejection: None,
        }],
        good_before: Some((root("1.4.0"), Some("1.4.0".to_owned()))),
        ..environment("prod")
    };
    let eu = EnvironmentAccount {
        unfinished: vec![release("1.4.1", "13T07:00:00")],
        ..environment("prod-eu")
    };
    let evidence = |kind, content: &str| InspectedEvidence {
        kind,
        at: Digest::from_bytes(content.as_bytes()).to_string(),
        predicate_type: None,
    };
    let document = RecordedEvidence {
        kind: "sbom".to_owned(),
        media_type: Some("application/spdx+json".to_owned()),
        digest: Digest::from_bytes(b"document"),
        size: Some(48_130),
        uri: None,
        tool: None,
        result: None,
        by: None,
    };
    InspectReport {
        has_policy: true,
        images: vec![ImageReport {
            service: None,
            outcome: InspectOutcome {
                environment: None,
                image: KnownImage {
                    source: "ghcr.io/acme/web/prod:1.4.1".parse().unwrap(),
                    place: place(),
                    root: root("1.4.1"),
                    media_type: "application/vnd.oci.image.index.v1+json".to_owned(),
                    version: Some("1.4.1".to_owned()),
                    commit: Some(RecordedCommit {
                        repository: Some("https://github.com/acme/web".to_owned()),
                        sha: COMMIT.to_owned(),
                        git_ref: None,
                        committed_at: None,
                    }),
                    origin_from: Some("record"),
                    build: RecordedBuild {
                        dockerfile: Some("docker/Dockerfile".to_owned()),
                        target: Some("runtime".to_owned()),
                        from: Some("inputs".to_owned()),
                    },
                    documents: vec![document],
                },
                evidence: vec![
                    evidence(Some(ReferrerKind::Signature), "signature"),
                    evidence(Some(ReferrerKind::Sbom), "sbom"),
                    evidence(None, "something"),
                ],
                verification: None,
                environments: vec![prod, eu],
            },
        }],
    }
}
