use std::borrow::Cow;

use jiff::Timestamp;

use super::finding_table::{FindingNames, ScanFinding};
use super::json_values::{read_digest, read_time};
use super::report::{ReportFormat, ScanReport};
use super::report_error::{ScanReportError, refuse_problem};
use super::sarif_result::SarifResults;
use super::sarif_rules::{RuleIndex, SarifRules, find_line};
use super::scan_subject::ScanSubject;
use crate::gate::json_stream::{JsonStream, JsonType};

/// Drivers that scan images for vulnerabilities, in lower case. What others report is no vulnerability.
const SCANNERS: [&str; 4] = ["trivy", "grype", "snyk container", "docker scout"];

/// Members of a SARIF file.
#[derive(Default)]
pub(super) struct SarifMembers {
    version: Option<String>,
    run_count: usize,
    driver: String,
    driver_version: Option<String>,
    semantic_version: Option<String>,
    artifact_name: Option<String>,
    created_at: Option<Timestamp>,
    subject: ScanSubject,
    rules: SarifRules,
    /// Whether there is a list of results: a scan that did not run has none.
    has_results: bool,
    results: SarifResults,
    /// Whether an invocation of the scanner failed.
    has_failed: bool,
}

impl SarifMembers {
    pub fn read_member(
        &mut self,
        json: &mut JsonStream<'_>,
        name: &str,
    ) -> Result<(), ScanReportError> {
        match (name, json.peek_type()?) {
            // Other formats have a number.
            ("version", JsonType::Text) => self.version = json.short_text()?,
            ("runs", _) => {
                json.list(|json| {
                    self.run_count += 1;
                    json.object(|json, name| self.read_run(json, name))
                        .map(drop)
                })?;
            }
            _ => {}
        }
        Ok(())
    }

    /// Returns the report, if it is one run of a scanner for vulnerabilities.
    pub fn into_report(self, problem: Option<&str>) -> Result<ScanReport, ScanReportError> {
        self.refuse_unusable()?;
        refuse_problem(problem)?;
        let rules = self.rules.to_index();
        let (mut findings, uncounted) = self.results.rate(&rules)?;
        if uncounted.has_other_classes && findings.is_empty() {
            let text = "its results are misconfigurations, secrets or licences".to_owned();
            return Err(ScanReportError::NoVulnerabilityScan(text));
        }
        let is_grype = self.driver == "grype";
        findings.rename(|finding| match is_grype {
            true => names_of_grype(finding, &rules),
            false => Some(names_in_message(finding)),
        })?;
        Ok(ScanReport {
            format: ReportFormat::Sarif,
            tool: Some(self.driver),
            tool_version: self.driver_version.or(self.semantic_version),
            artifact_name: self.artifact_name,
            created_at: self.created_at,
            database_built_at: None,
            subject: self.subject,
            platform: None,
            findings,
            suppressed: uncounted.suppressed.into_findings(),
            filters: Vec::new(),
        })
    }

    fn refuse_unusable(&self) -> Result<(), ScanReportError> {
        let unsupported = |text: String| Err(ScanReportError::UnsupportedSchema(text));
        if self.run_count == 0 {
            return Err(ScanReportError::Empty("it is SARIF without a run"));
        }
        match self.version.as_deref() {
            Some("2.1.0") => {}
            Some(version) => return unsupported(format!("SARIF {version}, expected 2.1.0")),
            None => return unsupported("SARIF without a version".to_owned()),
        }
        if self.run_count > 1 {
            return unsupported(format!("SARIF with {} runs, expected 1", self.run_count));
        }
        if !SCANNERS.contains(&self.driver.as_str()) {
            let text = match self.driver.as_str() {
                "" => "SARIF that does not name its tool".to_owned(),
                driver => format!("SARIF of {driver}"),
            };
            return Err(ScanReportError::NotAScanReport(text));
        }
        if !self.has_results {
            return Err(ScanReportError::Empty("it is SARIF without results"));
        }
        if self.has_failed {
            let text = "an invocation in its SARIF did not succeed".to_owned();
            return Err(ScanReportError::NoVulnerabilityScan(text));
        }
        Ok(())
    }

    fn read_run(&mut self, json: &mut JsonStream<'_>, name: &str) -> Result<(), ScanReportError> {
        match name {
            "tool" => {
                json.object(|json, name| match name {
                    "driver" => json
                        .object(|json, name| self.read_driver(json, name))
                        .map(drop),
                    _ => Ok(()),
                })?;
            }
            "results" => self.has_results |= self.results.read(json)?,
            "properties" => {
                json.object(|json, name| self.read_property(json, name))?;
            }
            "invocations" => {
                json.list(|json| {
                    json.object(|json, name| self.read_invocation(json, name))
                        .map(drop)
                })?;
            }
            _ => {}
        }
        Ok(())
    }

    fn read_driver(
        &mut self,
        json: &mut JsonStream<'_>,
        name: &str,
    ) -> Result<(), ScanReportError> {
        match name {
            "name" => {
                self.driver = json.short_text()?.unwrap_or_default();
                self.driver.make_ascii_lowercase();
            }
            "version" => self.driver_version = json.short_text()?,
            "semanticVersion" => self.semantic_version = json.short_text()?,
            "rules" => self.rules.read(json)?,
            _ => {}
        }
        Ok(())
    }

    /// Reads what Trivy alone writes of the image.
    fn read_property(
        &mut self,
        json: &mut JsonStream<'_>,
        name: &str,
    ) -> Result<(), ScanReportError> {
        match name {
            "imageID" => self.subject.config_digest = read_digest(json)?,
            "imageName" => self.artifact_name = json.short_text()?,
            "repoDigests" => self.subject.read_repo_digests(json)?,
            _ => {}
        }
        Ok(())
    }

    /// Reads the earliest time of the run, and whether it failed.
    fn read_invocation(
        &mut self,
        json: &mut JsonStream<'_>,
        name: &str,
    ) -> Result<(), ScanReportError> {
        if name == "executionSuccessful" {
            self.has_failed |= json.flag()? == Some(false);
        }
        if matches!(name, "startTimeUtc" | "endTimeUtc") {
            let times = [self.created_at, read_time(json)?];
            self.created_at = times.into_iter().flatten().min();
        }
        Ok(())
    }
}

/// Returns the names that Trivy writes into a message.
fn names_in_message(finding: ScanFinding<'_>) -> FindingNames<'static> {
    let line = |name| {
        find_line(finding.package, name)
            .unwrap_or_default()
            .to_owned()
    };
    FindingNames {
        id: None,
        package: Cow::Owned(line("Package:")),
        version: Cow::Owned(line("Installed Version:")),
        purl: Cow::Borrowed(""),
    }
}

/// Returns the names that Grype writes into the rule. Its id is that of the vulnerability and the package's name.
fn names_of_grype<'a>(finding: ScanFinding<'_>, rules: &RuleIndex<'a>) -> Option<FindingNames<'a>> {
    let rule = rules.find(finding.id, None).ok()??;
    let ending = finding.id.strip_suffix(rule.package.as_str());
    let id = ending.and_then(|id| id.strip_suffix('-'));
    let id = id.filter(|id| !id.is_empty() && !rule.package.is_empty());
    Some(FindingNames {
        id: id.map(|id| Cow::Owned(id.to_owned())),
        package: Cow::Borrowed(&rule.package),
        version: Cow::Borrowed(&rule.version),
        purl: Cow::Borrowed(""),
    })
}
