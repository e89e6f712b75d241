//! Promotion to prod that all gates judge: of an image that is signed, attested and recorded in stage.

use std::sync::Arc;

use serde_json::json;
use shipmark::gate::{FreezeWindow, ImageRule, RequiredAttestation, ScanRule, SoakRule};
use shipmark::image::Digest;
use shipmark::record::RecordedPolicy;
use shipmark::release::{
    AttestationGateRequest, GateRequest, GateSignerList, GivenReport, GivenReports, RecordTrust,
    ReleaseRequest, ScanGateRequest,
};
use shipmark::signing::{Predicate, PredicateSource, PrivateKey, Requirement};

use super::made_image::MadeImage;
use super::records::{account, minute};

/// Type of the attestation that the gate wants.
const PROVENANCE: &str = "https://slsa.dev/provenance/v1";

/// A provenance that a build attests.
pub fn provenance() -> Predicate {
    let document = json!({
        "buildDefinition": {"buildType": "https://example.com/build", "externalParameters": {}},
        "runDetails": {"builder": {"id": "https://example.com/builder"}},
    });
    Predicate::parse(PredicateSource::Provenance, document.to_string().as_bytes()).unwrap()
}

/// A report of Trivy about an image, made at the begin of the tests, without findings. `scan` tells it from others.
pub fn report(image: &MadeImage, scan: &str) -> GivenReport {
    let report = json!({
        "SchemaVersion": 2,
        "CreatedAt": minute(0).to_string(),
        "ArtifactName": scan,
        "ArtifactType": "container_image",
        "Metadata": {"ImageID": image.config_digest()},
        "Results": [{"Target": "web", "Class": "os-pkgs", "Type": "debian", "Vulnerabilities": []}],
    });
    GivenReport::read("report.json".to_owned(), report.to_string().as_bytes()).unwrap()
}

/// A window of a freeze, with a zone.
pub fn window(from: &str, to: &str) -> FreezeWindow {
    let (from, to) = (from.parse().unwrap(), to.parse().unwrap());
    FreezeWindow::new(from, to, "UTC".parse().unwrap(), true).unwrap()
}

/// All gates, of which each passes, at a time in minutes.
pub fn all_gates(key: &PrivateKey, now: i64, reports: Vec<GivenReport>) -> GateRequest {
    let requirement = Requirement::Key {
        key: key.public().clone(),
        log: None,
    };
    let signers = GateSignerList::Own(0);
    GateRequest {
        unjudged_reports: None,
        now: account(now, 1).now,
        own_signers: vec![RecordTrust::from_signer(requirement)],
        scan: Some(ScanGateRequest {
            rule: ScanRule {
                fail_on: "high".parse().unwrap(),
                ignore_unfixed: false,
                max_age: None,
                allows_unbound: false,
                denies_suppressed: false,
                ignore: Vec::new(),
            },
            reports: Arc::new(GivenReports::new(reports, false)),
            vex: Vec::new(),
            attested: None,
            vex_signers: None,
        }),
        signature: Some(signers),
        attestations: vec![AttestationGateRequest {
            required: RequiredAttestation {
                rule: PROVENANCE.parse().unwrap(),
                is_signed: true,
            },
            signers,
        }],
        soak: Some(SoakRule {
            duration: "1m".parse().unwrap(),
            is_still_current: false,
        }),
        freeze: vec![window("2026-12-23T00:00", "2026-12-24T00:00")],
        freeze_override: None,
        image: Some(ImageRule {
            platforms: Vec::new(),
            user: None,
            max_size: Some("1MiB".parse().unwrap()),
            max_age: None,
            labels: Vec::new(),
        }),
        checks: Vec::new(),
        approvals: None,
        github: None,
    }
}

/// The policy of the releases, by the text of its file.
pub fn policy(text: &str) -> RecordedPolicy {
    RecordedPolicy {
        uri: ".github/shipmark.yml".to_owned(),
        digest: Digest::from_bytes(text.as_bytes()),
        commit: None,
    }
}

/// Adds summaries to a recorded release.
pub fn with_summary(mut request: ReleaseRequest) -> ReleaseRequest {
    let options = request.record.as_mut().unwrap();
    options.account.policy = Some(policy("one"));
    options.adds_summary = true;
    request
}
