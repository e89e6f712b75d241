//! What others' tools say of an image, as predicates of attestations (in-toto's attestation
//! framework): under the types that cosign uses, or that the formats name themselves.

use serde_json::{Value, json};
use thiserror::Error;

use super::in_toto_types::STATEMENT_TYPE;
use super::report_subject::ReportSubject;
use super::verify::check_json;
use crate::image::Digest;

/// What an attestation says.
#[derive(Debug, Clone, PartialEq)]
pub struct Predicate {
    /// Its type, an address: `https://spdx.dev/Document`.
    pub kind: &'static str,
    /// What is said.
    pub content: Value,
    /// The images that the parts of a scan report or an SBOM are about, as they say themselves; empty for other
    /// files.
    pub report_subjects: Vec<ReportSubject>,
    /// The images that the file itself says it is about, where it does.
    declared_subjects: Option<Vec<String>>,
}

/// What a file is given as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PredicateSource {
    /// A software bill of materials: CycloneDX or SPDX 2, as JSON.
    Sbom,
    /// What a scanner found: Trivy, Grype, SARIF 2.1.0, CycloneDX, or cosign's vulnerability predicate.
    ScanReport,
    /// SLSA provenance v1 or v0.2: the predicate, or a statement around it.
    Provenance,
    /// A SLSA verification summary v1: the predicate, or a statement around it.
    VerificationSummary,
}

/// Why a file is not what it is given as.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum PredicateError {
    /// It is no JSON that has one meaning.
    #[error("is not JSON: {0}")]
    Json(String),
    /// It is more than an attestation may hold.
    #[error("has {0} bytes, and an attestation holds at most {PREDICATE_LIMIT}")]
    TooLong(usize),
    /// It is JSON of something else.
    #[error("is not {0}")]
    Schema(&'static str),
    /// A member is missing, or says something that it cannot.
    #[error("is no {what}: {member} is not {wanted}")]
    Member {
        /// What it should be.
        what: &'static str,
        /// Where (RFC 6901).
        member: &'static str,
        /// What should stand there.
        wanted: &'static str,
    },
}

/// The most bytes that a file may have: a bundle around it has a third more.
const PREDICATE_LIMIT: usize = 5 << 20;

const CYCLONEDX: &str = "https://cyclonedx.org/bom";
const SPDX: &str = "https://spdx.dev/Document";
const VULNERABILITIES: &str = "https://cosign.sigstore.dev/attestation/vuln/v1";
const PROVENANCE_1: &str = "https://slsa.dev/provenance/v1";
const PROVENANCE_02: &str = "https://slsa.dev/provenance/v0.2";
const SUMMARY: &str = "https://slsa.dev/verification_summary/v1";

impl Predicate {
    /// Reads a file that is given as a document of some kind.
    ///
    /// # Errors
    /// It is not that.
    pub fn parse(document: PredicateSource, bytes: &[u8]) -> Result<Self, PredicateError> {
        if bytes.len() > PREDICATE_LIMIT {
            return Err(PredicateError::TooLong(bytes.len()));
        }
        let text =
            check_json(bytes).map_err(|json_error| PredicateError::Json(json_error.to_string()))?;
        let json: Value =
            serde_json::from_str(text).map_err(|error| PredicateError::Json(error.to_string()))?;
        match document {
            PredicateSource::Sbom => parse_sbom(json),
            PredicateSource::ScanReport => parse_scan_report(json),
            PredicateSource::Provenance => parse_provenance(json),
            PredicateSource::VerificationSummary => parse_verification_summary(json),
        }
    }

    /// Returns whether the document is a scan report, also in the form of CycloneDX.
    pub fn is_scan_report(&self) -> bool {
        self.kind == VULNERABILITIES
            || self.kind == CYCLONEDX && self.content["vulnerabilities"].is_array()
    }

    /// Returns the kind of document, in a word: `sbom`, `scan`, `provenance` or `verification-summary`.
    pub fn document_kind(&self) -> &'static str {
        match self.kind {
            CYCLONEDX | SPDX => "sbom",
            VULNERABILITIES => "scan",
            SUMMARY => "verification-summary",
            _ => "provenance",
        }
    }

    /// Returns the statement that an attestation signs: this, of an image.
    pub fn to_statement(&self, repository: &str, image: Digest) -> Vec<u8> {
        json!({
            "_type": STATEMENT_TYPE,
            "subject": [{"name": repository, "digest": {"sha256": image.to_hex()}}],
            "predicateType": self.kind,
            "predicate": self.content,
        })
        .to_string()
        .into_bytes()
    }

    /// Whether the file does not say itself that it is about another image.
    pub fn may_be_about(&self, image: Digest) -> bool {
        let about = self.declared_subjects.as_deref();
        about.is_none_or(|about| about.iter().any(|digest| *digest == image.to_hex()))
    }

    /// Returns a verification summary that this program makes.
    pub fn from_summary(content: Value) -> Self {
        Self::new(SUMMARY, content)
    }

    fn new(kind: &'static str, content: Value) -> Self {
        Self {
            kind,
            content,
            report_subjects: Vec::new(),
            declared_subjects: None,
        }
    }

    fn new_report(kind: &'static str, content: Value, subjects: Vec<ReportSubject>) -> Self {
        Self {
            report_subjects: subjects,
            ..Self::new(kind, content)
        }
    }
}

fn parse_sbom(json: Value) -> Result<Predicate, PredicateError> {
    let text = |name: &str| json[name].as_str().unwrap_or_default();
    if text("bomFormat") == "CycloneDX" && text("specVersion").starts_with("1.") {
        let subject = ReportSubject::from_sbom(&json);
        return Ok(Predicate::new_report(CYCLONEDX, json, vec![subject]));
    }
    if text("spdxVersion").starts_with("SPDX-2.") && text("SPDXID") == "SPDXRef-DOCUMENT" {
        let subject = ReportSubject::from_sbom(&json);
        return Ok(Predicate::new_report(SPDX, json, vec![subject]));
    }
    Err(PredicateError::Schema(
        "a bill of materials that is known: CycloneDX 1 or SPDX 2, as JSON",
    ))
}

/// A report with who made it when, as cosign's vulnerability predicate has it.
fn parse_scan_report(json: Value) -> Result<Predicate, PredicateError> {
    let text = |path: &str| {
        json.pointer(path)
            .and_then(Value::as_str)
            .unwrap_or_default()
    };
    let scanner = if json["scanner"]["result"].is_object() && json["metadata"].is_object() {
        let subjects = ReportSubject::from_scan_report(&json);
        return Ok(Predicate::new_report(VULNERABILITIES, json, subjects));
    } else if json["SchemaVersion"] == 2 && json["ArtifactName"].is_string() {
        let time = text("/CreatedAt");
        ScannerInfo {
            uri: "pkg:github/aquasecurity/trivy",
            version: text("/Trivy/Version"),
            times: [time, time],
        }
    } else if text("/descriptor/name") == "grype" && json["matches"].is_array() {
        let time = text("/descriptor/timestamp");
        ScannerInfo {
            uri: "pkg:github/anchore/grype",
            version: text("/descriptor/version"),
            times: [time, time],
        }
    } else if text("/version") == "2.1.0"
        && json["runs"].as_array().is_some_and(|runs| !runs.is_empty())
    {
        let driver = "/runs/0/tool/driver";
        ScannerInfo {
            uri: match text(&format!("{driver}/informationUri")) {
                "" => text(&format!("{driver}/name")),
                uri => uri,
            },
            version: text(&format!("{driver}/version")),
            times: ["startTimeUtc", "endTimeUtc"]
                .map(|name| text(&format!("/runs/0/invocations/0/{name}"))),
        }
    } else if text("/bomFormat") == "CycloneDX" && json["vulnerabilities"].is_array() {
        return parse_sbom(json);
    } else {
        return Err(PredicateError::Schema(
            "a scan report that is known: JSON of Trivy (schema 2) or Grype, SARIF 2.1.0, CycloneDX with vulnerabilities, or cosign's vulnerability predicate",
        ));
    };
    let content = scanner.to_predicate(&json);
    let subjects = ReportSubject::from_scan_report(&json);
    Ok(Predicate::new_report(VULNERABILITIES, content, subjects))
}

/// Who made a report, and when it was begun and done.
struct ScannerInfo<'a> {
    uri: &'a str,
    version: &'a str,
    times: [&'a str; 2],
}

impl ScannerInfo<'_> {
    fn to_predicate(&self, report: &Value) -> Value {
        let mut metadata = json!({});
        for (name, time) in ["scanStartedOn", "scanFinishedOn"].iter().zip(self.times) {
            if !time.is_empty() {
                metadata[*name] = json!(time);
            }
        }
        json!({
            "invocation": {},
            "scanner": {"uri": self.uri, "version": self.version, "db": {}, "result": report},
            "metadata": metadata,
        })
    }
}

fn parse_provenance(json: Value) -> Result<Predicate, PredicateError> {
    let (json, about) = unwrap_statement(
        json,
        &[PROVENANCE_1, PROVENANCE_02],
        "SLSA provenance v1 or v0.2",
    )?;
    let what = "SLSA provenance";
    let kind = if json["buildDefinition"].is_object() {
        let texts = ["/buildDefinition/buildType", "/runDetails/builder/id"];
        texts
            .into_iter()
            .try_for_each(|member| require_text(&json, what, member))?;
        PROVENANCE_1
    } else {
        let texts = ["/builder/id", "/buildType"];
        texts
            .into_iter()
            .try_for_each(|member| require_text(&json, what, member))?;
        PROVENANCE_02
    };
    Ok(Predicate {
        kind,
        content: json,
        report_subjects: Vec::new(),
        declared_subjects: about,
    })
}

fn parse_verification_summary(json: Value) -> Result<Predicate, PredicateError> {
    let (json, about) = unwrap_statement(json, &[SUMMARY], "a SLSA verification summary v1")?;
    let what = "SLSA verification summary";
    let texts = ["/verifier/id", "/timeVerified", "/resourceUri"];
    texts
        .into_iter()
        .try_for_each(|member| require_text(&json, what, member))?;
    let wrong = |member, wanted| PredicateError::Member {
        what,
        member,
        wanted,
    };
    if !json["policy"].is_object() {
        return Err(wrong("/policy", "an object"));
    }
    if !matches!(
        json["verificationResult"].as_str(),
        Some("PASSED" | "FAILED")
    ) {
        return Err(wrong("/verificationResult", "PASSED or FAILED"));
    }
    if !json["verifiedLevels"].is_array() {
        return Err(wrong("/verifiedLevels", "a list"));
    }
    Ok(Predicate {
        kind: SUMMARY,
        content: json,
        report_subjects: Vec::new(),
        declared_subjects: about,
    })
}

fn require_text(
    json: &Value,
    what: &'static str,
    member: &'static str,
) -> Result<(), PredicateError> {
    match json.pointer(member) {
        Some(Value::String(text)) if !text.is_empty() => Ok(()),
        _ => Err(PredicateError::Member {
            what,
            member,
            wanted: "a text",
        }),
    }
}

/// The predicate in a statement of one of these types, and what the statement is about; JSON that is
/// no statement comes back as it is.
fn unwrap_statement(
    mut json: Value,
    kinds: &[&str],
    what: &'static str,
) -> Result<(Value, Option<Vec<String>>), PredicateError> {
    if json.get("_type").is_none() {
        return Ok((json, None));
    }
    let is_statement = json["_type"]
        .as_str()
        .is_some_and(|kind| kind.starts_with("https://in-toto.io/Statement/"));
    let kind = json["predicateType"].as_str().unwrap_or_default();
    if !is_statement || !kinds.contains(&kind) {
        return Err(PredicateError::Schema(what));
    }
    let subjects = json["subject"].as_array();
    let digests = subjects.into_iter().flatten();
    let digests = digests.filter_map(|subject| subject["digest"]["sha256"].as_str());
    let about = digests.map(str::to_owned).collect();
    Ok((json["predicate"].take(), Some(about)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(document: PredicateSource, json: &Value) -> Result<Predicate, String> {
        let read = Predicate::parse(document, json.to_string().as_bytes());
        read.map_err(|error| error.to_string())
    }

    fn provenance_1() -> Value {
        json!({
            "buildDefinition": {"buildType": "https://example/build", "externalParameters": {}},
            "runDetails": {"builder": {"id": "https://example/builder"}},
        })
    }

    fn summary() -> Value {
        json!({
            "verifier": {"id": "https://example/verifier"},
            "timeVerified": "2026-11-20T21:48:08Z",
            "resourceUri": "pkg:oci/web",
            "policy": {"uri": "https://example/policy"},
            "verificationResult": "PASSED",
            "verifiedLevels": ["SLSA_BUILD_LEVEL_3"],
        })
    }

    #[test]
    fn each_format_has_its_type() {
        let trivy = json!({"SchemaVersion": 2, "ArtifactName": "web", "CreatedAt": "2026-11-20T21:48:08Z", "Trivy": {"Version": "0.70.0"}});
        let grype = json!({"matches": [], "descriptor": {"name": "grype", "version": "0.100.0"}});
        let sarif = json!({"version": "2.1.0", "runs": [{"tool": {"driver": {"name": "Snyk"}}}]});
        for (document, json, kind) in [
            (
                PredicateSource::Sbom,
                json!({"bomFormat": "CycloneDX", "specVersion": "1.6"}),
                CYCLONEDX,
            ),
            (
                PredicateSource::Sbom,
                json!({"spdxVersion": "SPDX-2.3", "SPDXID": "SPDXRef-DOCUMENT"}),
                SPDX,
            ),
            (PredicateSource::ScanReport, trivy, VULNERABILITIES),
            (PredicateSource::ScanReport, grype, VULNERABILITIES),
            (PredicateSource::ScanReport, sarif, VULNERABILITIES),
            (
                PredicateSource::ScanReport,
                json!({"scanner": {"result": {}}, "metadata": {}}),
                VULNERABILITIES,
            ),
            (PredicateSource::Provenance, provenance_1(), PROVENANCE_1),
            (
                PredicateSource::Provenance,
                json!({"builder": {"id": "x"}, "buildType": "y"}),
                PROVENANCE_02,
            ),
            (PredicateSource::VerificationSummary, summary(), SUMMARY),
        ] {
            assert_eq!(read(document, &json).unwrap().kind, kind, "{json}");
        }
    }

    #[test]
    fn a_report_says_who_made_it_when() {
        let trivy = json!({"SchemaVersion": 2, "ArtifactName": "web", "CreatedAt": "2026-11-20T21:48:08Z", "Trivy": {"Version": "0.70.0"}});
        let content = read(PredicateSource::ScanReport, &trivy).unwrap().content;
        assert_eq!(content["scanner"]["version"], "0.70.0");
        assert_eq!(content["scanner"]["result"], trivy);
        assert_eq!(content["metadata"]["scanStartedOn"], "2026-11-20T21:48:08Z");
    }

    #[test]
    fn a_statement_says_what_it_is_about() {
        let image = Digest::from_bytes(b"image");
        let mut statement = json!({
            "_type": "https://in-toto.io/Statement/v1",
            "subject": [{"name": "web", "digest": {"sha256": image.to_hex()}}],
            "predicateType": PROVENANCE_1,
            "predicate": provenance_1(),
        });
        let about = read(PredicateSource::Provenance, &statement).unwrap();
        assert_eq!(about.content, provenance_1());
        assert!(about.may_be_about(image) && !about.may_be_about(Digest::from_bytes(b"another")));
        let bare = read(PredicateSource::Provenance, &provenance_1()).unwrap();
        assert!(bare.may_be_about(image));
        statement["predicateType"] = json!(SUMMARY);
        assert!(read(PredicateSource::Provenance, &statement).is_err());
    }

    #[test]
    fn what_is_something_else_is_refused_with_its_reason() {
        let mut undecided = summary();
        undecided["verificationResult"] = json!("MAYBE");
        for (document, json, part) in [
            (
                PredicateSource::Sbom,
                json!({"spdxVersion": "SPDX-3.0"}),
                "bill of materials that is known",
            ),
            (
                PredicateSource::Sbom,
                json!([]),
                "bill of materials that is known",
            ),
            (
                PredicateSource::ScanReport,
                json!({"SchemaVersion": 1}),
                "scan report that is known",
            ),
            (
                PredicateSource::ScanReport,
                json!({"version": "2.1.0", "runs": []}),
                "scan report that is known",
            ),
            (
                PredicateSource::Provenance,
                json!({}),
                "/builder/id is not a text",
            ),
            (
                PredicateSource::Provenance,
                json!({"buildDefinition": {}}),
                "/buildDefinition/buildType is not a text",
            ),
            (
                PredicateSource::VerificationSummary,
                json!({"verifier": {"id": "x"}}),
                "/timeVerified is not a text",
            ),
            (
                PredicateSource::VerificationSummary,
                undecided,
                "is not PASSED or FAILED",
            ),
        ] {
            let reason = read(document, &json).unwrap_err();
            assert!(reason.contains(part), "{json}: {reason}");
        }
        for (bytes, part) in [
            (&b"{"[..], "is not JSON"),
            (b"{\"a\":1,\"a\":2}", "twice"),
            (b"\xff", "not UTF-8"),
        ] {
            let reason = Predicate::parse(PredicateSource::Sbom, bytes)
                .unwrap_err()
                .to_string();
            assert!(reason.contains(part), "{reason}");
        }
        let long = vec![b' '; PREDICATE_LIMIT + 1];
        let reason = Predicate::parse(PredicateSource::Sbom, &long).unwrap_err();
        assert_eq!(reason, PredicateError::TooLong(PREDICATE_LIMIT + 1));
    }
}
