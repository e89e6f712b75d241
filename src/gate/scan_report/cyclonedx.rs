use jiff::Timestamp;

use super::cyclonedx_components::ComponentTable;
use super::cyclonedx_vulnerability::CycloneDxVulnerability;
use super::finding_table::{FindingTable, FixState};
use super::json_values::read_time;
use super::report::{ReportFormat, ScanReport};
use super::report_error::{ScanReportError, refuse_problem};
use super::scan_subject::{ScanSubject, digest_in_name};
use super::suppressed_list::SuppressedList;
use crate::gate::json_stream::{JsonStream, JsonType};
use crate::image::Platform;

/// Beginning of the properties that Trivy writes.
const TRIVY_PROPERTY: &str = "aquasecurity:trivy:";

/// Most tools of a document.
const TOOL_LIMIT: usize = 256;

/// Members of a CycloneDX document.
#[derive(Default)]
pub(super) struct CycloneDxMembers {
    bom_format: Option<String>,
    version: Option<String>,
    created_at: Option<Timestamp>,
    tools: Vec<Tool>,
    component_type: Option<String>,
    artifact_name: Option<String>,
    subject: ScanSubject,
    platform: Option<Platform>,
    components: ComponentTable,
    has_vulnerabilities: bool,
    vulnerability_count: usize,
    findings: FindingTable,
    suppressed: SuppressedList,
}

/// Program that took part in making a document.
#[derive(Default)]
struct Tool {
    name: String,
    version: Option<String>,
}

impl CycloneDxMembers {
    pub fn read_member(
        &mut self,
        json: &mut JsonStream<'_>,
        name: &str,
    ) -> Result<(), ScanReportError> {
        match name {
            "bomFormat" => self.bom_format = json.short_text()?,
            "specVersion" => self.version = json.short_text()?,
            "metadata" => {
                json.object(|json, name| self.read_metadata(json, name))?;
            }
            "components" => self.components.read_list(json)?,
            "vulnerabilities" => {
                self.has_vulnerabilities = json.list(|json| {
                    self.vulnerability_count += 1;
                    CycloneDxVulnerability::read(json, &mut self.findings, &mut self.suppressed)
                })?;
            }
            _ => {}
        }
        Ok(())
    }

    /// Returns the report, if the document is one of a container image with vulnerabilities.
    pub fn into_report(mut self, problem: Option<&str>) -> Result<ScanReport, ScanReportError> {
        self.refuse_unusable()?;
        refuse_problem(problem)?;
        self.findings.join_duplicates();
        if self.is_by_trivy_alone() {
            self.set_unfixed();
        }
        self.components.sort();
        let components = &self.components;
        self.findings
            .rename(|finding| components.find(finding.package))?;
        let tool = self.scanner();
        Ok(ScanReport {
            format: ReportFormat::CycloneDx,
            tool: tool.map(|tool| tool.name.clone()),
            tool_version: tool.and_then(|tool| tool.version.clone()),
            artifact_name: self.artifact_name,
            created_at: self.created_at,
            database_built_at: None,
            subject: self.subject,
            platform: self.platform,
            findings: self.findings,
            suppressed: self.suppressed.into_findings(),
            filters: Vec::new(),
        })
    }

    fn refuse_unusable(&self) -> Result<(), ScanReportError> {
        let sbom = |text: &str| Err(ScanReportError::SbomOnly(text.to_owned()));
        if self.bom_format.as_deref() != Some("CycloneDX") {
            let text = "its bomFormat is not CycloneDX".to_owned();
            return Err(ScanReportError::UnsupportedSchema(text));
        }
        if !self.has_vulnerabilities {
            return sbom("CycloneDX without vulnerabilities");
        }
        // Trivy writes the empty list also where it did not look for vulnerabilities.
        if self.vulnerability_count == 0 && self.tools.iter().any(Tool::is_trivy) {
            return sbom(
                "CycloneDX of Trivy with an empty list, which it writes without a scan too",
            );
        }
        if self.vulnerability_count == 0 && !self.tools.iter().any(Tool::is_scanner) {
            return sbom(
                "CycloneDX with an empty list, and none of its tools is a scanner that is known",
            );
        }
        match self.version.as_deref() {
            Some("1.4" | "1.5" | "1.6" | "1.7") => {}
            other => {
                let version = other.unwrap_or("without a version");
                let text = format!("CycloneDX {version}, expected 1.4 to 1.7");
                return Err(ScanReportError::UnsupportedSchema(text));
            }
        }
        match self.component_type.as_deref() {
            Some("container") => Ok(()),
            Some(other) => Err(ScanReportError::NotAnImage(format!("of type {other}"))),
            None => {
                let text = "its metadata names no component".to_owned();
                Err(ScanReportError::NotAnImage(text))
            }
        }
    }

    /// Returns the tool that scanned: a scanner that is known, else the first.
    fn scanner(&self) -> Option<&Tool> {
        let mut tools = self.tools.iter();
        let known = tools.find(|tool| matches!(tool.name.as_str(), "trivy" | "grype"));
        known.or(self.tools.first())
    }

    fn is_by_trivy_alone(&self) -> bool {
        !self.tools.is_empty() && self.tools.iter().all(Tool::is_trivy)
    }

    /// Marks findings without a fix as unfixed: Trivy writes a recommendation wherever there is one.
    fn set_unfixed(&mut self) {
        self.findings.rate_or_remove(|_, finding| {
            let fix = match finding.fix {
                FixState::Fixable => FixState::Fixable,
                FixState::NotStated | FixState::Unfixed => FixState::Unfixed,
            };
            Some((finding.severity, fix))
        });
    }

    fn read_metadata(
        &mut self,
        json: &mut JsonStream<'_>,
        name: &str,
    ) -> Result<(), ScanReportError> {
        match name {
            "timestamp" => self.created_at = read_time(json)?,
            // A list before version 1.5.
            "tools" if json.peek_type()? == JsonType::List => self.read_tools(json)?,
            "tools" => {
                json.object(|json, name| match name {
                    "components" => self.read_tools(json),
                    _ => Ok(()),
                })?;
            }
            "component" => {
                json.object(|json, name| self.read_component(json, name))?;
            }
            _ => {}
        }
        Ok(())
    }

    fn read_tools(&mut self, json: &mut JsonStream<'_>) -> Result<(), ScanReportError> {
        json.list(|json| {
            let mut tool = Tool::default();
            json.object(|json, name| {
                match name {
                    "name" => tool.name = json.short_text()?.unwrap_or_default(),
                    "version" => tool.version = json.short_text()?,
                    _ => {}
                }
                Ok::<_, ScanReportError>(())
            })?;
            tool.name.make_ascii_lowercase();
            if self.tools.len() == TOOL_LIMIT {
                let text = format!("it names more than {TOOL_LIMIT} tools");
                return Err(ScanReportError::TooLarge(text));
            }
            self.tools.push(tool);
            Ok(())
        })
        .map(drop)
    }

    /// Reads what the document is about.
    fn read_component(
        &mut self,
        json: &mut JsonStream<'_>,
        name: &str,
    ) -> Result<(), ScanReportError> {
        match name {
            "type" => self.component_type = json.short_text()?,
            "name" => self.artifact_name = json.short_text()?,
            "version" => {
                let digest = json.text()?.and_then(|text| text.parse().ok());
                self.subject.manifest_digest = digest;
            }
            "purl" => {
                let purl = json.owned_text()?.unwrap_or_default();
                self.platform = platform_in_purl(&purl);
                let digest = digest_in_name(&purl);
                digest.map_or(Ok(()), |digest| self.subject.add_repo_digest(digest))?;
            }
            "properties" => {
                json.list(|json| self.read_property(json))?;
            }
            _ => {}
        }
        Ok(())
    }

    fn read_property(&mut self, json: &mut JsonStream<'_>) -> Result<(), ScanReportError> {
        let [mut name, mut value] = [String::new(), String::new()];
        json.object(|json, member| {
            match member {
                "name" => json.text_into(&mut name)?,
                "value" => json.text_into(&mut value)?,
                _ => {}
            }
            Ok::<_, ScanReportError>(())
        })?;
        match name.strip_prefix(TRIVY_PROPERTY) {
            Some("ImageID") => self.subject.config_digest = value.parse().ok(),
            Some("RepoDigest") => {
                let digest = digest_in_name(&value);
                digest.map_or(Ok(()), |digest| self.subject.add_repo_digest(digest))?;
            }
            Some("DiffID") => self.subject.add_layer(value.parse().ok())?,
            _ => {}
        }
        Ok(())
    }
}

impl Tool {
    /// Returns whether the tool looks for vulnerabilities, and writes the list only where it did.
    fn is_scanner(&self) -> bool {
        self.name == "grype"
    }

    fn is_trivy(&self) -> bool {
        self.name == "trivy"
    }
}

/// Returns the platform of an image's package URL, which has the architecture alone: images of Linux.
fn platform_in_purl(purl: &str) -> Option<Platform> {
    let (_, qualifiers) = purl.split('#').next()?.split_once('?')?;
    let mut qualifiers = qualifiers.split('&');
    let architecture = qualifiers.find_map(|it| it.strip_prefix("arch="))?;
    (!architecture.is_empty()).then(|| Platform {
        os: "linux".to_owned(),
        architecture: architecture.to_owned(),
        variant: None,
        os_version: None,
    })
}
