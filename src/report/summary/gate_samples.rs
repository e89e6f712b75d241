//! Sample of a release of two services that gates refuse.

use crate::gate::{GateName, GateReport, GateVerdict};
use crate::release::{BatchOutcome, Failure, ReleaseVerb, ServiceOutcome};

/// Returns a promotion of two services: `web` does not pass two of its gates, and a freeze is overridden.
pub(in crate::report) fn refused_by_gates() -> BatchOutcome {
    let refused = GateReport::new(vec![
        failed_scan(),
        missing_attestation(),
        overridden_freeze(),
    ]);
    let passed = GateReport::new(vec![passed_scan(), overridden_freeze()]);
    let failure = Failure::refused("sha256:4813494d137e1631bba301d5acab6e7bb7aa74ce1185d456565ef51d737677b2 does not pass 2 of 3 gates: scan (failed), attestations (unknown)")
        .with_reason("scan: trivy.json has 1 finding of high or above on linux/amd64: CVE-2026-1234 (openssl 3.0.1, high)\nscan: no scan report is about linux/arm64\nattestations: no attestation of the type https://slsa.dev/provenance/v1")
        .with_hint("scan: update what has a fix\nscan: scan linux/arm64: trivy image --format json --output scan-linux-arm64.json --platform linux/arm64 stage.example.com/team/web@sha256:4813494d137e1631bba301d5acab6e7bb7aa74ce1185d456565ef51d737677b2, and give scan-linux-arm64.json as scan-report\nattestations: attest the provenance where the image is built")
        .with_gates(&refused);
    BatchOutcome {
        verb: ReleaseVerb::Promote,
        dry_run: false,
        started: false,
        services: vec![
            ("web".parse().unwrap(), ServiceOutcome::Failed(failure)),
            ("api".parse().unwrap(), ServiceOutcome::NotStarted),
        ],
        gates: vec![refused, passed],
    }
}

fn failed_scan() -> GateVerdict {
    let mut scan = GateVerdict::new(GateName::Scan);
    scan.add_fact("trivy.json (trivy 0.68.1, Trivy JSON) has 1 high, 4 low on linux/amd64: scanned at 2026-11-30 20:12 UTC (2 h ago)");
    scan.fail("trivy.json has 1 finding of high or above on linux/amd64: CVE-2026-1234 (openssl 3.0.1, high)");
    scan.leave_unknown("no scan report is about linux/arm64");
    scan.add_warning("the exception for CVE-2026-1100 ended at 2026-11-01: its findings count");
    scan
}

fn passed_scan() -> GateVerdict {
    let mut scan = GateVerdict::new(GateName::Scan);
    scan.add_fact("api.json (trivy 0.68.1, Trivy JSON) has 2 low on linux/amd64: scanned at 2026-11-30 20:14 UTC (2 h ago)");
    scan
}

fn missing_attestation() -> GateVerdict {
    let mut attestations = GateVerdict::new(GateName::Attestations);
    attestations.leave_unknown("no attestation of the type https://slsa.dev/provenance/v1");
    attestations
}

fn overridden_freeze() -> GateVerdict {
    let mut freeze = GateVerdict::new(GateName::Freeze);
    freeze.add_fact("frozen by fri 15:00 to mon 06:00 (Europe/Berlin) until mon 06:00");
    freeze.record_override("incident 42: logins fail");
    freeze
}
