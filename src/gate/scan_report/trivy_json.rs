use std::collections::BTreeSet;

use jiff::Timestamp;

use super::finding_table::FindingTable;
use super::json_values::{read_digest, read_time};
use super::report::{ReportFormat, ScanReport};
use super::report_error::{ScanReportError, refuse_problem};
use super::scan_subject::{PlatformMembers, ScanSubject};
use super::suppressed_list::SuppressedList;
use super::trivy_result::TrivyResult;
use crate::gate::json_stream::JsonStream;

/// Most classes of results that are named.
const CLASS_COUNT: usize = 8;

/// Members of Trivy's JSON (Trivy, 'Reporting', schema version 2).
#[derive(Default)]
pub(super) struct TrivyMembers {
    schema_version: Option<String>,
    tool_version: Option<String>,
    created_at: Option<Timestamp>,
    artifact_name: Option<String>,
    artifact_type: Option<String>,
    subject: ScanSubject,
    platform: PlatformMembers,
    result_count: usize,
    /// Whether a result shows that vulnerabilities were looked for.
    has_vulnerability_scan: bool,
    /// Classes of the other results.
    other_classes: BTreeSet<String>,
    findings: FindingTable,
    suppressed: SuppressedList,
}

impl TrivyMembers {
    pub fn read_member(
        &mut self,
        json: &mut JsonStream<'_>,
        name: &str,
    ) -> Result<(), ScanReportError> {
        match name {
            "SchemaVersion" => self.schema_version = json.number()?.map(str::to_owned),
            "Trivy" => {
                json.object(|json, name| {
                    if name == "Version" {
                        self.tool_version = json.short_text()?;
                    }
                    Ok::<_, ScanReportError>(())
                })?;
            }
            "CreatedAt" => self.created_at = read_time(json)?,
            "ArtifactName" => self.artifact_name = json.short_text()?,
            "ArtifactType" => self.artifact_type = json.short_text()?,
            "Metadata" => {
                json.object(|json, name| self.read_metadata(json, name))?;
            }
            "Results" => {
                json.list(|json| self.read_result(json))?;
            }
            _ => {}
        }
        Ok(())
    }

    /// Returns the report, if it is one of a container image that was searched for vulnerabilities.
    pub fn into_report(mut self, problem: Option<&str>) -> Result<ScanReport, ScanReportError> {
        self.refuse_unusable()?;
        refuse_problem(problem)?;
        self.findings.join_duplicates();
        Ok(ScanReport {
            format: ReportFormat::TrivyJson,
            tool: Some("trivy".to_owned()),
            tool_version: self.tool_version,
            artifact_name: self.artifact_name,
            created_at: self.created_at,
            database_built_at: None,
            subject: self.subject,
            platform: self.platform.into_platform(),
            findings: self.findings,
            suppressed: self.suppressed.into_findings(),
            filters: Vec::new(),
        })
    }

    fn refuse_unusable(&self) -> Result<(), ScanReportError> {
        match self.schema_version.as_deref() {
            Some("2") => {}
            Some(version) => {
                let text = format!("schema version {version} of Trivy's JSON, expected 2");
                return Err(ScanReportError::UnsupportedSchema(text));
            }
            None => {
                let text = "Trivy's JSON without a schema version".to_owned();
                return Err(ScanReportError::UnsupportedSchema(text));
            }
        }
        match self.artifact_type.as_deref() {
            Some("container_image") => {}
            Some(other) => return Err(ScanReportError::NotAnImage(other.to_owned())),
            None => {
                let text = "it has no ArtifactType".to_owned();
                return Err(ScanReportError::NotAnImage(text));
            }
        }
        if self.result_count == 0 {
            return Err(ScanReportError::Empty("Trivy found nothing to examine"));
        }
        if !self.has_vulnerability_scan {
            let classes: Vec<_> = self.other_classes.iter().map(String::as_str).collect();
            let text = format!("its results are of {}", classes.join(", "));
            return Err(ScanReportError::NoVulnerabilityScan(text));
        }
        Ok(())
    }

    fn read_metadata(
        &mut self,
        json: &mut JsonStream<'_>,
        name: &str,
    ) -> Result<(), ScanReportError> {
        match name {
            "ImageID" => self.subject.config_digest = read_digest(json)?,
            "RepoDigests" => self.subject.read_repo_digests(json)?,
            "DiffIDs" => {
                json.list(|json| {
                    let layer = read_digest(json)?;
                    self.subject.add_layer(layer)
                })?;
            }
            "ImageConfig" => {
                json.object(|json, name| self.platform.read_member(json, name))?;
            }
            _ => {}
        }
        Ok(())
    }

    fn read_result(&mut self, json: &mut JsonStream<'_>) -> Result<(), ScanReportError> {
        self.result_count += 1;
        let first = self.findings.len();
        let mut result = TrivyResult::new(&mut self.findings, &mut self.suppressed);
        json.object(|json, name| result.read_member(json, name))?;
        let TrivyResult {
            target,
            class,
            has_vulnerabilities,
            ..
        } = result;
        self.findings.set_target(first, &target)?;
        let is_package_class = match class.as_str() {
            "os-pkgs" | "lang-pkgs" => true,
            // The first reports of version 2 have no classes.
            "" => !target.is_empty(),
            _ => false,
        };
        if has_vulnerabilities || is_package_class {
            self.has_vulnerability_scan = true;
        } else if self.other_classes.len() < CLASS_COUNT {
            self.other_classes.insert(format!("class {class:?}"));
        }
        Ok(())
    }
}
