//! Verification summary of a release: exactly one digest was released to exactly one environment (SLSA,
//! "Verification Summary Attestation", v1).

use serde_json::{Value, json};

use super::{RecordTime, RecordedEvidence, RecordedPolicy};
use crate::image::Digest;
use crate::tagging::EnvironmentName;

/// Verifier of the summaries that this program makes.
pub const SUMMARY_VERIFIER: &str = "https://shipmark.dev/promote";
/// What a released image meets. No level of SLSA is claimed.
const RELEASED_LEVEL: &str = "SHIPMARK_RELEASED";
/// What SLSA demands in place of levels where the result is FAILED.
const FAILED_LEVEL: &str = "FAILED";

/// Verification summary of one root in one environment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VerificationSummary {
    /// Environment.
    pub environment: EnvironmentName,
    /// Repository of the environment that the root is released to.
    pub destination: String,
    /// Result.
    pub result: SummaryResult,
    /// Policy file that the run followed.
    pub policy: RecordedPolicy,
    /// Documents that the run considered.
    pub evidence: Vec<RecordedEvidence>,
    /// Time of the record that goes with the summary.
    pub verified_at: RecordTime,
}

/// Result of a verification.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SummaryResult {
    /// The root was released.
    Passed,
    /// The root was withdrawn.
    Failed,
}

/// What a stored summary says, as far as later runs depend on it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredSummary {
    /// Result.
    pub result: SummaryResult,
    /// Time of the verification.
    pub verified_at: RecordTime,
}

impl SummaryResult {
    /// Returns the word of the format.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Passed => "PASSED",
            Self::Failed => "FAILED",
        }
    }

    const fn level(self) -> &'static str {
        match self {
            Self::Passed => RELEASED_LEVEL,
            Self::Failed => FAILED_LEVEL,
        }
    }
}

impl VerificationSummary {
    /// Returns the predicate.
    pub fn to_predicate(&self) -> Value {
        let evidence: Vec<Value> = self.evidence.iter().map(evidence_descriptor).collect();
        json!({
            "verifier": {"id": SUMMARY_VERIFIER},
            "timeVerified": self.verified_at.to_string(),
            "resourceUri": resource_uri(&self.destination),
            "policy": policy_descriptor(&self.policy),
            "inputAttestations": evidence,
            "verificationResult": self.result.as_str(),
            "verifiedLevels": [self.result.level()],
            "shipmark_environment": self.environment.as_str(),
        })
    }
}

impl StoredSummary {
    /// Reads a predicate; `None` if it is no summary of a release to this environment in this repository.
    pub fn from_predicate(
        predicate: &Value,
        environment: &EnvironmentName,
        destination: &str,
    ) -> Option<Self> {
        let text = |place: &str| predicate.pointer(place)?.as_str();
        let is_own = text("/verifier/id") == Some(SUMMARY_VERIFIER)
            && text("/shipmark_environment") == Some(environment.as_str())
            && text("/resourceUri") == Some(resource_uri(destination).as_str());
        let result = match text("/verificationResult")? {
            "PASSED" => SummaryResult::Passed,
            "FAILED" => SummaryResult::Failed,
            _ => return None,
        };
        let verified_at = text("/timeVerified")?.parse().ok()?;
        is_own.then_some(Self {
            result,
            verified_at,
        })
    }
}

fn resource_uri(destination: &str) -> String {
    format!("oci://{destination}")
}

fn digest_set(digest: Digest) -> Value {
    json!({"sha256": digest.to_hex()})
}

fn policy_descriptor(policy: &RecordedPolicy) -> Value {
    let mut value = json!({"uri": policy.uri, "digest": digest_set(policy.digest)});
    if let Some(commit) = &policy.commit {
        value["annotations"] = json!({"commit": commit});
    }
    value
}

fn evidence_descriptor(evidence: &RecordedEvidence) -> Value {
    let mut value = json!({"digest": digest_set(evidence.digest)});
    // A path is a name: the descriptors of in-toto have addresses in `uri`.
    if let Some(uri) = &evidence.uri {
        let member = if uri.contains("://") { "uri" } else { "name" };
        value[member] = json!(uri);
    }
    value
}

#[cfg(test)]
mod tests {
    use super::*;

    fn summary(result: SummaryResult) -> VerificationSummary {
        VerificationSummary {
            environment: "prod".parse().unwrap(),
            destination: "prod.example.com/team/web".to_owned(),
            result,
            policy: RecordedPolicy {
                uri: ".github/shipmark.yml".to_owned(),
                digest: Digest::from_bytes(b"policy"),
                commit: Some("a".repeat(40)),
            },
            evidence: vec![RecordedEvidence {
                kind: "scan-report".to_owned(),
                media_type: None,
                digest: Digest::from_bytes(b"report"),
                size: None,
                uri: None,
                tool: Some("trivy".to_owned()),
                result: Some("passed".to_owned()),
                by: None,
            }],
            verified_at: "2026-11-20T21:48:08.123Z".parse().unwrap(),
        }
    }

    #[test]
    fn a_summary_has_the_members_of_the_format() {
        let hex = |bytes: &[u8]| Digest::from_bytes(bytes).to_hex();
        let expected = json!({
            "verifier": {"id": "https://shipmark.dev/promote"},
            "timeVerified": "2026-11-20T21:48:08.123Z",
            "resourceUri": "oci://prod.example.com/team/web",
            "policy": {
                "uri": ".github/shipmark.yml",
                "digest": {"sha256": hex(b"policy")},
                "annotations": {"commit": "a".repeat(40)},
            },
            "inputAttestations": [{"digest": {"sha256": hex(b"report")}}],
            "verificationResult": "PASSED",
            "verifiedLevels": ["SHIPMARK_RELEASED"],
            "shipmark_environment": "prod",
        });
        assert_eq!(summary(SummaryResult::Passed).to_predicate(), expected);
        let failed = summary(SummaryResult::Failed).to_predicate();
        assert_eq!(failed["verificationResult"], "FAILED");
        assert_eq!(failed["verifiedLevels"], json!(["FAILED"]));
    }

    #[test]
    fn a_stored_summary_is_of_one_environment_and_repository() {
        let predicate = summary(SummaryResult::Passed).to_predicate();
        let read = |environment: &str, destination: &str| {
            let environment = environment.parse().unwrap();
            StoredSummary::from_predicate(&predicate, &environment, destination)
        };
        let found = read("prod", "prod.example.com/team/web").unwrap();
        assert_eq!(found.result, SummaryResult::Passed);
        assert_eq!(
            found.verified_at,
            summary(SummaryResult::Passed).verified_at
        );
        assert_eq!(read("stage", "prod.example.com/team/web"), None);
        assert_eq!(read("prod", "stage.example.com/team/web"), None);
        let environment = "prod".parse().unwrap();
        for (place, value) in [
            ("/verifier/id", "https://example.com/other"),
            ("/verificationResult", "MAYBE"),
            ("/timeVerified", "yesterday"),
        ] {
            let mut other = predicate.clone();
            *other.pointer_mut(place).unwrap() = json!(value);
            let read =
                StoredSummary::from_predicate(&other, &environment, "prod.example.com/team/web");
            assert_eq!(read, None, "{place}");
        }
    }
}
