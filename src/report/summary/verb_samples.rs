//! Samples of what is recorded after a release: a rollback, a mark, a hold and an adoption.

use crate::image::{Destination, Digest};
use crate::record::{RecordAction, RecordId, RecordedTagKind, ReleaseMark};
use crate::release::{
    AdoptOutcome, AdoptedRelease, Failure, HoldOutcome, HoldTagChange, MarkOutcome, NamedRoot,
    RecordBatchOutcome, RecordResult, RollbackOutcome, RollbackTag, RollbackTagChange,
    ServiceOutcome,
};
use crate::report::adopt_report::AdoptReport;
use crate::retention::HoldName;

fn root(version: &str) -> NamedRoot {
    NamedRoot {
        digest: Digest::from_bytes(version.as_bytes()),
        version: Some(version.to_owned()),
    }
}

fn place() -> Destination {
    "ghcr.io/acme/web/prod".parse().unwrap()
}

pub(super) fn hold() -> HoldOutcome {
    let name: HoldName = "case-7".parse().unwrap();
    HoldOutcome {
        dry_run: false,
        tag: name.to_tag(),
        name,
        place: place(),
        environment: Some("prod".parse().unwrap()),
        is_lifted: false,
        digest: Some(root("1.4.0").digest),
        tag_change: HoldTagChange::Written,
        record: Some(record(RecordAction::Hold)),
        recorded: None,
        reason: "audit | see <b>INC-17</b>".to_owned(),
    }
}

fn record(action: RecordAction) -> RecordResult {
    RecordResult {
        environment: "prod".parse().unwrap(),
        id: Some(RecordId::from_blob(action.as_str().as_bytes())),
        action,
        reason: None,
        link: None,
        planned_at: "2026-11-20T21:48:08.123Z".parse().unwrap(),
        entry: "shipmark.prod.20261120t214808123z.x.0123456789ab.cdef01234567"
            .parse()
            .ok(),
        is_new: true,
        is_intent_new: true,
        superseded: None,
    }
}

fn tag(name: &str, kind: RecordedTagKind, change: RollbackTagChange) -> RollbackTag {
    RollbackTag {
        tag: name.parse().unwrap(),
        kind,
        from: Some(root("1.5.0").digest),
        change,
    }
}

fn moved(to: &str, why: &str) -> RollbackTagChange {
    RollbackTagChange::Moved {
        to: root(to).digest,
        why: why.to_owned(),
    }
}

/// Returns a rollback with a line that stays.
pub(in crate::report) fn rollback() -> RollbackOutcome {
    use RecordedTagKind::{Environment, Line, Moving};
    let stays = RollbackTagChange::Stays {
        why: "no other release of its line is recorded, and no record says what it named before"
            .to_owned(),
    };
    RollbackOutcome {
        dry_run: false,
        environment: "prod".parse().unwrap(),
        place: place(),
        withdrawn: root("1.5.0"),
        restored: Some(root("1.3.0")),
        current: Some(root("1.3.0")),
        between: vec![root("1.4.0")],
        tags: vec![
            tag("prod", Environment, moved("1.3.0", "current")),
            tag("1", Line, moved("1.4.0", "1.4.0, the highest release")),
            tag("1.5", Line, stays),
            tag("edge", Moving, RollbackTagChange::Unchanged),
        ],
        record: Some(record(RecordAction::Rollback)),
        recorded: None,
        reason: Some("orders fail | see <b>INC-17</b>".to_owned()),
        notes: vec!["the tag nightly still names the withdrawn image".to_owned()],
    }
}

/// Returns a mark.
pub(in crate::report) fn mark() -> MarkOutcome {
    MarkOutcome {
        environment: "prod".parse().unwrap(),
        place: place(),
        release: root("1.5.0"),
        state: ReleaseMark::Failed,
        record: Some(record(RecordAction::Failed)),
        recorded: None,
        reason: Some("orders fail".to_owned()),
        link: Some("https://status.example.com/17".to_owned()),
    }
}

/// Returns a rollback of three services, of which one was refused after another was withdrawn.
pub(in crate::report) fn rollback_services() -> RecordBatchOutcome<RollbackOutcome> {
    let refused = Failure::refused("prod has no release to go back to from sha256:1f4dc096d58f")
        .with_reason(
            "no release before it is recorded that is neither withdrawn nor marked as failed",
        )
        .with_hint("release another image, or name a release with to");
    let services = [
        ("web", ServiceOutcome::Completed(Box::new(rollback()))),
        ("api", ServiceOutcome::Failed(refused)),
        ("worker", ServiceOutcome::NotStarted),
    ];
    RecordBatchOutcome {
        environment: "prod".parse().unwrap(),
        dry_run: false,
        started: true,
        services: services
            .map(|(name, end)| (name.parse().unwrap(), end))
            .into(),
    }
}

/// Returns a mark of two services.
pub(in crate::report) fn mark_services() -> RecordBatchOutcome<MarkOutcome> {
    let services = ["web", "api"].map(|name| {
        let place = format!("ghcr.io/acme/{name}/prod").parse().unwrap();
        let outcome = MarkOutcome { place, ..mark() };
        (
            name.parse().unwrap(),
            ServiceOutcome::Completed(Box::new(outcome)),
        )
    });
    RecordBatchOutcome {
        environment: "prod".parse().unwrap(),
        dry_run: false,
        started: true,
        services: services.into(),
    }
}

/// Returns the adoption of one service.
pub(in crate::report) fn adoption() -> AdoptReport {
    let release = |version: &str, tags: &[&str]| AdoptedRelease {
        root: root(version).digest,
        version: Some(version.to_owned()),
        tags: tags.iter().map(|tag| tag.parse().unwrap()).collect(),
        record: Some(RecordId::from_blob(version.as_bytes())),
    };
    let outcome = AdoptOutcome {
        dry_run: false,
        environment: "prod".parse().unwrap(),
        place: place(),
        adopted: vec![
            release("1.3.0", &["1.3.0", "1.3"]),
            release("1.4.0", &["1.4.0", "1.4", "1", "prod"]),
        ],
        known: 1,
        current: Some(root("1.4.0")),
        notes: vec!["the tag prod names an image that is withdrawn".to_owned()],
    };
    AdoptReport {
        environment: "prod".parse().unwrap(),
        dry_run: false,
        outcomes: vec![("web".parse().ok(), outcome)],
    }
}
