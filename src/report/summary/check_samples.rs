//! Samples of checks with text from outside that is not what it seems.

use crate::gate::{GateName, GateReport, GateVerdict};
use crate::image::Digest;
use crate::policy::{DifferenceKind, PolicyDifference, PolicyValue};
use crate::release::{
    CheckOutcome, CheckedDestination, CheckedRelease, CheckedService, CheckedTag, CurrentImage,
    Failure, LabelChange, NamedRoot, PromotionPath, TagMutability,
};
use crate::report::check_report::CheckReport;
use crate::report::omitted_comment::OmittedComment;
use crate::report::policy_comparison::{PolicyComparison, ProposedPolicy};

/// Returns a check in which each text from outside is `text`.
pub(in crate::report) fn check_with(text: &str) -> CheckReport {
    let checked = CheckedService {
        service: Some("web".parse().unwrap()),
        release: Some(Box::new(release(text))),
        failures: vec![Failure::refused(text).with_reason(text).with_hint(text)],
    };
    let difference = PolicyDifference {
        environment: Some("prod".parse().unwrap()),
        service: None,
        key: text.to_owned(),
        kind: DifferenceKind::Loosened,
        before: vec![PolicyValue::Text(text.to_owned())],
        after: Vec::new(),
    };
    CheckReport {
        outcome: CheckOutcome {
            environment: Some("prod".parse().unwrap()),
            path: PromotionPath {
                from: Some("stage".parse().unwrap()),
                next: Vec::new(),
            },
            services: vec![checked],
            ..CheckOutcome::default()
        },
        policy: None,
        comparison: Some(PolicyComparison {
            file: text.to_owned(),
            proposed: ProposedPolicy::Valid(vec![difference]),
        }),
        omitted_comment: Some(OmittedComment {
            why: text.to_owned(),
            hint: None,
        }),
    }
}

fn release(text: &str) -> CheckedRelease {
    let digest = Digest::from_bytes(b"sample");
    let mut scan = GateVerdict::new(GateName::Scan);
    scan.fail(text);
    scan.add_fact(text);
    let current = CurrentImage {
        image: NamedRoot {
            digest,
            version: Some(text.to_owned()),
        },
        tag: None,
        commit: None,
        source_repository: Some(text.to_owned()),
        labels: vec![LabelChange {
            name: text.to_owned(),
            before: Some(text.to_owned()),
            after: None,
        }],
        unread: Some(text.to_owned()),
    };
    let tag = CheckedTag {
        tag: "1.4.0".parse().unwrap(),
        is_immutable: true,
        rule: text.to_owned(),
        change: None,
    };
    CheckedRelease {
        source: "ghcr.io/acme/web:1.4.0".parse().unwrap(),
        source_digest: digest,
        root: digest,
        version: Some(text.to_owned()),
        commit: None,
        source_repository: Some(text.to_owned()),
        gates: GateReport::new(vec![scan]),
        destinations: vec![CheckedDestination {
            place: "ghcr.io/acme/web/prod".parse().unwrap(),
            tags: vec![tag],
            is_recorded: true,
            record: None,
            records_place: None,
            current: Some(current),
            mutability: TagMutability::Moved {
                tag: text.to_owned(),
                at: "2026-11-20T21:48:08.123Z".parse().unwrap(),
            },
        }],
        would_write: false,
        notes: vec![text.to_owned()],
    }
}
