//! Samples of verified environments: one that passes, and one with several services that does not.

use crate::gate::{GateName, GateReport, GateVerdict};
use crate::image::Digest;
use crate::record::RecordId;
use crate::release::{
    EnvironmentFinding, EnvironmentVerification, Failure, FindingKind, RecordedCurrent, ServiceEnd,
    ServiceVerification, VerifiedPlace,
};

fn current(version: &str) -> RecordedCurrent {
    RecordedCurrent {
        root: Digest::from_bytes(version.as_bytes()),
        version: Some(version.to_owned()),
        record: RecordId::from_blob(version.as_bytes()),
        since: "2026-11-20T21:48:08.123Z".parse().unwrap(),
        good_before: None,
    }
}

fn place(service: &str, end: ServiceEnd) -> VerifiedPlace {
    VerifiedPlace {
        service: service.parse().ok(),
        place: format!("ghcr.io/acme/{service}/prod").parse().unwrap(),
        end,
    }
}

fn judged(gates: Vec<GateVerdict>, findings: Vec<EnvironmentFinding>) -> ServiceEnd {
    ServiceEnd::Judged(Box::new(ServiceVerification {
        current: Some(current("1.4.1")),
        has_scan_gate: !gates.is_empty(),
        gates: GateReport::new(gates),
        findings,
    }))
}

fn finding(kind: FindingKind, text: &str, hint: Option<&str>) -> EnvironmentFinding {
    EnvironmentFinding {
        kind,
        text: text.to_owned(),
        hint: hint.map(str::to_owned),
    }
}

fn scan() -> GateVerdict {
    let mut scan = GateVerdict::new(GateName::Scan);
    scan.add_fact("web.json of trivy 0.68.1 covers linux/amd64: 1 critical");
    scan
}

/// Returns the verification of an environment without a scan gate that passes.
pub(in crate::report) fn passed() -> EnvironmentVerification {
    EnvironmentVerification {
        environment: "prod".parse().unwrap(),
        places: vec![VerifiedPlace {
            service: None,
            ..place("web", judged(Vec::new(), Vec::new()))
        }],
        unmatched_reports: Vec::new(),
    }
}

/// Returns the verification of an environment with a new critical, drift, a service without a record and one that
/// cannot be read.
pub(in crate::report) fn refused() -> EnvironmentVerification {
    let mut failed = scan();
    failed.fail("CVE-2026-0001 in openssl <3.0.1> is critical");
    let mut unknown = GateVerdict::new(GateName::Scan);
    unknown.leave_unknown("the current image cannot be judged");
    let findings = vec![
        finding(
            FindingKind::EnvironmentTag,
            "the tag prod names sha256:1f4dc096d58f, expected sha256:f0b672321a89",
            Some("release the expected image again"),
        ),
        finding(
            FindingKind::MovingTag,
            "the tag 1.4 is gone, expected sha256:f0b672321a89",
            None,
        ),
    ];
    let unrecorded = ServiceEnd::Judged(Box::new(ServiceVerification {
        current: None,
        has_scan_gate: true,
        gates: GateReport::new(vec![unknown]),
        findings: vec![finding(
            FindingKind::Unrecorded,
            "no record that counts says which image prod is on",
            None,
        )],
    }));
    let failure = Failure::service("ghcr.io/acme/worker/prod: the registry answered 500")
        .with_reason("it is down")
        .with_hint("repeat the run");
    EnvironmentVerification {
        environment: "prod".parse().unwrap(),
        places: vec![
            place("web", judged(vec![failed], findings)),
            place("api", unrecorded),
            place("worker", ServiceEnd::Unread(failure)),
        ],
        unmatched_reports: vec!["old.json".to_owned()],
    }
}
