use super::finding_table::{FindingTable, FixState, ScanFinding};
use super::json_values::check_finding;
use super::report::SuppressedFinding;
use super::report_error::ScanReportError;
use super::suppressed_list::SuppressedList;
use crate::gate::json_stream::JsonStream;
use crate::gate::severity::Severity;

/// Result of Trivy's JSON: one target, such as a package database or a lock file.
pub(super) struct TrivyResult<'a> {
    pub target: String,
    pub class: String,
    /// Whether it lists vulnerabilities.
    pub has_vulnerabilities: bool,
    entry: TrivyVulnerability,
    findings: &'a mut FindingTable,
    suppressed: &'a mut SuppressedList,
}

/// Vulnerability of Trivy's JSON.
#[derive(Default)]
struct TrivyVulnerability {
    id: String,
    package: String,
    version: String,
    purl: String,
    fixed_version: String,
    status: String,
    severity: String,
}

/// Finding that Trivy took out, with `--show-suppressed`.
#[derive(Default)]
struct ModifiedFinding {
    kind: String,
    status: String,
    source: String,
    vulnerability: TrivyVulnerability,
}

impl<'a> TrivyResult<'a> {
    pub fn new(findings: &'a mut FindingTable, suppressed: &'a mut SuppressedList) -> Self {
        Self {
            target: String::new(),
            class: String::new(),
            has_vulnerabilities: false,
            entry: TrivyVulnerability::default(),
            findings,
            suppressed,
        }
    }

    pub fn read_member(
        &mut self,
        json: &mut JsonStream<'_>,
        name: &str,
    ) -> Result<(), ScanReportError> {
        match name {
            "Target" => json.text_into(&mut self.target)?,
            "Class" => self.class = json.short_text()?.unwrap_or_default(),
            "Vulnerabilities" => {
                self.has_vulnerabilities = json.list(|json| self.read_vulnerability(json))?;
            }
            "ExperimentalModifiedFindings" => {
                json.list(|json| self.read_modified_finding(json))?;
            }
            _ => {}
        }
        Ok(())
    }

    fn read_vulnerability(&mut self, json: &mut JsonStream<'_>) -> Result<(), ScanReportError> {
        self.entry.clear();
        json.object(|json, name| self.entry.read_member(json, name))?;
        let severity = self.entry.check(json);
        self.findings.push(ScanFinding {
            id: &self.entry.id,
            package: &self.entry.package,
            version: &self.entry.version,
            purl: &self.entry.purl,
            target: "",
            severity,
            fix: self.entry.fix(),
        })
    }

    fn read_modified_finding(&mut self, json: &mut JsonStream<'_>) -> Result<(), ScanReportError> {
        let mut modified = ModifiedFinding::default();
        json.object(|json, name| modified.read_member(json, name))?;
        if modified.kind != "vulnerability" {
            return Ok(());
        }
        let severity = modified.vulnerability.check(json);
        let ModifiedFinding {
            status,
            source,
            vulnerability,
            ..
        } = modified;
        self.suppressed.push(SuppressedFinding {
            id: vulnerability.id,
            package: vulnerability.package,
            severity,
            cause: match source.is_empty() {
                true => format!("status {status}"),
                false => format!("status {status} of {source}"),
            },
        })
    }
}

impl ModifiedFinding {
    fn read_member(
        &mut self,
        json: &mut JsonStream<'_>,
        name: &str,
    ) -> Result<(), ScanReportError> {
        match name {
            "Type" => json.text_into(&mut self.kind)?,
            "Status" => self.status = json.short_text()?.unwrap_or_default(),
            "Source" => self.source = json.short_text()?.unwrap_or_default(),
            "Finding" => {
                json.object(|json, name| self.vulnerability.read_member(json, name))?;
            }
            _ => {}
        }
        Ok(())
    }
}

impl TrivyVulnerability {
    fn clear(&mut self) {
        let texts = [
            &mut self.id,
            &mut self.package,
            &mut self.version,
            &mut self.purl,
            &mut self.fixed_version,
            &mut self.status,
            &mut self.severity,
        ];
        texts.into_iter().for_each(String::clear);
    }

    fn read_member(
        &mut self,
        json: &mut JsonStream<'_>,
        name: &str,
    ) -> Result<(), ScanReportError> {
        match name {
            "VulnerabilityID" => json.text_into(&mut self.id)?,
            "PkgName" => json.text_into(&mut self.package)?,
            "InstalledVersion" => json.text_into(&mut self.version)?,
            "FixedVersion" => json.text_into(&mut self.fixed_version)?,
            "Status" => json.text_into(&mut self.status)?,
            "Severity" => json.text_into(&mut self.severity)?,
            "PkgIdentifier" => {
                json.object(|json, name| {
                    if name == "PURL" {
                        json.text_into(&mut self.purl)?;
                    }
                    Ok::<_, ScanReportError>(())
                })?;
            }
            _ => {}
        }
        Ok(())
    }

    /// Requires an id and a severity that is known, and returns the severity.
    fn check(&self, json: &mut JsonStream<'_>) -> Severity {
        check_finding(json, &self.id, &self.severity)
    }

    /// Returns whether a fix is known. Trivy sets the status `fixed` wherever there is a fixed version; older files have
    /// no status.
    fn fix(&self) -> FixState {
        match self.status.as_str() {
            _ if !self.fixed_version.is_empty() => FixState::Fixable,
            "fixed" => FixState::Fixable,
            ""
            | "unknown"
            | "not_affected"
            | "affected"
            | "under_investigation"
            | "will_not_fix"
            | "fix_deferred"
            | "end_of_life" => FixState::Unfixed,
            _ => FixState::NotStated,
        }
    }
}
