use std::collections::BTreeSet;

use super::report_error::ScanReportError;

/// What a document of a format that is not read is.
#[derive(Clone, Copy)]
enum OtherFormat {
    /// Report of a scanner.
    Scanner(&'static str),
    /// Bill of materials.
    Sbom(&'static str),
    /// Something else.
    Other(&'static str),
}

use OtherFormat::{Other, Sbom, Scanner};

/// Formats of objects, by members that they all have. The first that matches holds.
const OBJECTS: &[(&[&str], OtherFormat)] = &[
    (&["payloadType", "payload"], Scanner("a DSSE envelope")),
    (&["mediaType", "dsseEnvelope"], Scanner("a Sigstore bundle")),
    (&["_type", "predicateType"], Scanner("an in-toto statement")),
    (
        &["scanner", "invocation"],
        Scanner(
            "cosign's vulnerability predicate, which is read from attestations alone: give the scanner's own report",
        ),
    ),
    (&["@context", "statements"], Other("an OpenVEX document")),
    (&["document", "product_tree"], Other("a CSAF document")),
    (&["document", "vulnerabilities"], Other("a CSAF document")),
    (
        &["Pass", "Fail", "Total"],
        Other("a report of container-structure-test"),
    ),
    (
        &["image", "summary", "details"],
        Other("a report of Dockle"),
    ),
    (&["spdxVersion"], Sbom("SPDX")),
    (&["SPDXID"], Sbom("SPDX")),
    (&["@context", "@graph"], Sbom("SPDX 3")),
    (&["artifacts", "artifactRelationships"], Sbom("Syft's JSON")),
    (
        &["detector", "manifests"],
        Sbom("a dependency snapshot of GitHub"),
    ),
    (&["scan", "vulnerabilities"], Scanner("GitLab's JSON")),
    (&["vulnerabilities", "ok"], Scanner("Snyk's JSON")),
    (&["vulnerabilities", "unapproved"], Scanner("Clair's JSON")),
    (
        &["vulnerabilities", "manifest_hash"],
        Scanner("Clair's JSON"),
    ),
    (&["resources", "scan_started"], Scanner("Aqua's JSON")),
    (&["image", "resources"], Scanner("Aqua's JSON")),
    (&["image_assurance_results"], Scanner("Aqua's JSON")),
    (&["artifacts"], Scanner("JFrog Xray's JSON")),
    (&["results"], Scanner("OSV-Scanner's JSON")),
    (
        &["vulnerabilities"],
        Scanner("the JSON of a scanner that is not known"),
    ),
    (
        &["Vulnerabilities"],
        Scanner("the JSON of a scanner that is not known"),
    ),
];

/// Formats of lists, by members of their first element.
const LISTS: &[(&[&str], OtherFormat)] = &[
    (
        &["Target", "Type"],
        Scanner("Trivy's JSON of schema version 1"),
    ),
    (
        &["Target", "Vulnerabilities"],
        Scanner("Trivy's JSON of schema version 1"),
    ),
    (&["code", "level", "line"], Other("a report of Hadolint")),
    (
        &["check_name", "location"],
        Other("a report in Code Climate's format"),
    ),
    (&["vulnerabilities", "ok"], Scanner("Snyk's JSON")),
    (
        &["vulnerabilities", "component_id"],
        Scanner("JFrog Xray's JSON"),
    ),
    (
        &["vulnerabilities"],
        Scanner("the JSON of a scanner that is not known"),
    ),
    (&["runs"], Scanner("a list of SARIF files")),
    (&["SchemaVersion"], Scanner("a list of reports of Trivy")),
    (&["matches"], Scanner("a list of reports of Grype")),
];

/// Beginnings of the only member of Harbor's reports.
const HARBOR: [&str; 2] = [
    "application/vnd.scanner.adapter.vuln.report.",
    "application/vnd.security.vulnerability.report",
];

/// Returns why an object with these members is not read, with the name of its format.
pub(super) fn refuse_object(names: &BTreeSet<String>) -> ScanReportError {
    if names.is_empty() {
        return ScanReportError::Empty("the whole file is an empty object");
    }
    let is_harbor = |name: &String| HARBOR.iter().any(|start| name.starts_with(start));
    if names.iter().any(is_harbor) {
        return Scanner("Harbor's JSON").into_error();
    }
    refuse(OBJECTS, names)
}

/// Returns why a list whose first element has these members is not read, with the name of its format.
pub(super) fn refuse_list(names: &BTreeSet<String>) -> ScanReportError {
    refuse(LISTS, names)
}

fn refuse(formats: &[(&[&str], OtherFormat)], names: &BTreeSet<String>) -> ScanReportError {
    let has_all = |members: &[&str]| members.iter().all(|name| names.contains(*name));
    let format = formats.iter().find(|(members, _)| has_all(members));
    format
        .map_or(Other("JSON of no format that is known"), |(_, format)| {
            *format
        })
        .into_error()
}

impl OtherFormat {
    fn into_error(self) -> ScanReportError {
        match self {
            Scanner(name) => ScanReportError::UnsupportedSchema(name.to_owned()),
            Sbom(name) => ScanReportError::SbomOnly(name.to_owned()),
            Other(name) => ScanReportError::NotAScanReport(name.to_owned()),
        }
    }
}
