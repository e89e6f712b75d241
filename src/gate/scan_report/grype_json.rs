use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use jiff::Timestamp;

use super::finding_table::{FindingTable, ScanFinding};
use super::grype_filters::GrypeFilters;
use super::grype_match::GrypeMatch;
use super::json_values::{read_digest, read_time};
use super::report::{ReportFormat, ScanReport, SuppressedFinding};
use super::report_error::{ScanReportError, refuse_problem};
use super::scan_subject::{PlatformMembers, ScanSubject};
use super::suppressed_list::SuppressedList;
use crate::gate::json_stream::{JsonStream, JsonType};
use crate::image::Platform;

/// Members of Grype's JSON.
#[derive(Default)]
pub(super) struct GrypeMembers {
    /// Whether there is a list of matches: a scan that did not run has none.
    has_matches: bool,
    has_source: bool,
    source_type: Option<String>,
    artifact_name: Option<String>,
    subject: ScanSubject,
    platform: PlatformMembers,
    /// Platform in the config of the image.
    config_platform: Option<Platform>,
    tool: Option<String>,
    tool_version: Option<String>,
    created_at: Option<Timestamp>,
    database_built_at: Option<Timestamp>,
    filters: GrypeFilters,
    findings: FindingTable,
    suppressed: SuppressedList,
    entry: GrypeMatch,
}

impl GrypeMembers {
    pub fn read_member(
        &mut self,
        json: &mut JsonStream<'_>,
        name: &str,
    ) -> Result<(), ScanReportError> {
        match name {
            "matches" => {
                self.has_matches = json.list(|json| self.read_match(json))?;
                self.has_matches
            }
            "ignoredMatches" => json.list(|json| self.read_ignored_match(json))?,
            "source" => {
                self.has_source = json.object(|json, name| self.read_source(json, name))?;
                self.has_source
            }
            "descriptor" => json.object(|json, name| self.read_descriptor(json, name))?,
            _ => false,
        };
        Ok(())
    }

    /// Returns the report, if it is one of a container image.
    pub fn into_report(mut self, problem: Option<&str>) -> Result<ScanReport, ScanReportError> {
        self.refuse_unusable()?;
        refuse_problem(problem)?;
        self.findings.join_duplicates();
        Ok(ScanReport {
            format: ReportFormat::GrypeJson,
            tool: self.tool,
            tool_version: self.tool_version,
            artifact_name: self.artifact_name,
            created_at: self.created_at,
            database_built_at: self.database_built_at,
            subject: self.subject,
            platform: self.platform.into_platform().or(self.config_platform),
            findings: self.findings,
            suppressed: self.suppressed.into_findings(),
            filters: self.filters.into_texts(),
        })
    }

    fn refuse_unusable(&self) -> Result<(), ScanReportError> {
        let unsupported = |text: &str| Err(ScanReportError::UnsupportedSchema(text.to_owned()));
        if !self.has_source {
            return unsupported("a part of Grype's JSON, without a source");
        }
        if self.tool.as_deref() != Some("grype") {
            return unsupported(
                "the JSON of a scanner like Grype: its descriptor does not name grype",
            );
        }
        match self.source_type.as_deref() {
            Some("image") if !self.has_matches => Err(ScanReportError::Empty(
                "it is Grype's JSON without a list of matches",
            )),
            Some("image") => Ok(()),
            Some(other) => Err(ScanReportError::NotAnImage(other.to_owned())),
            None => {
                let text = "its source has no type".to_owned();
                Err(ScanReportError::NotAnImage(text))
            }
        }
    }

    fn read_match(&mut self, json: &mut JsonStream<'_>) -> Result<(), ScanReportError> {
        self.entry.read(json)?;
        let severity = self.entry.check(json);
        self.findings.push(ScanFinding {
            id: &self.entry.id,
            package: &self.entry.package,
            version: &self.entry.version,
            purl: &self.entry.purl,
            target: &self.entry.package_type,
            severity,
            fix: self.entry.fix(),
        })
    }

    fn read_ignored_match(&mut self, json: &mut JsonStream<'_>) -> Result<(), ScanReportError> {
        self.entry.read(json)?;
        let severity = self.entry.check(json);
        self.suppressed.push(SuppressedFinding {
            id: self.entry.id.clone(),
            package: self.entry.package.clone(),
            severity,
            cause: self.entry.cause(),
        })
    }

    fn read_source(
        &mut self,
        json: &mut JsonStream<'_>,
        name: &str,
    ) -> Result<(), ScanReportError> {
        match name {
            "type" => self.source_type = json.short_text()?,
            // What is not an image has a path.
            "target" if json.peek_type()? == JsonType::Object => {
                json.object(|json, name| self.read_target(json, name))?;
            }
            _ => {}
        }
        Ok(())
    }

    fn read_target(
        &mut self,
        json: &mut JsonStream<'_>,
        name: &str,
    ) -> Result<(), ScanReportError> {
        match name {
            "userInput" => self.artifact_name = json.short_text()?,
            "imageID" => self.subject.config_digest = read_digest(json)?,
            "manifestDigest" => self.subject.manifest_digest = read_digest(json)?,
            "repoDigests" => self.subject.read_repo_digests(json)?,
            "layers" => {
                json.list(|json| {
                    json.object(|json, name| {
                        if name == "digest" {
                            let layer = read_digest(json)?;
                            self.subject.add_layer(layer)?;
                        }
                        Ok::<_, ScanReportError>(())
                    })
                    .map(drop)
                })?;
            }
            "config" => {
                let config = json
                    .text()?
                    .and_then(|text| BASE64_STANDARD.decode(text).ok());
                self.config_platform = config.as_deref().and_then(Platform::from_config);
            }
            _ => self.platform.read_member(json, name)?,
        }
        Ok(())
    }

    fn read_descriptor(
        &mut self,
        json: &mut JsonStream<'_>,
        name: &str,
    ) -> Result<(), ScanReportError> {
        match name {
            "name" => self.tool = json.short_text()?,
            "version" => self.tool_version = json.short_text()?,
            "timestamp" => self.created_at = read_time(json)?,
            "configuration" => {
                json.object(|json, name| self.filters.read_member(json, name))?;
            }
            "db" => {
                json.object(|json, name| self.read_database(json, name))?;
            }
            _ => {}
        }
        Ok(())
    }

    /// Reads the time of the database: `built`, since version 6 of the database `status.built`.
    fn read_database(
        &mut self,
        json: &mut JsonStream<'_>,
        name: &str,
    ) -> Result<(), ScanReportError> {
        match name {
            "built" => self.database_built_at = read_time(json)?,
            "status" => {
                json.object(|json, name| {
                    if name == "built" {
                        self.database_built_at = read_time(json)?;
                    }
                    Ok::<_, ScanReportError>(())
                })?;
            }
            _ => {}
        }
        Ok(())
    }
}
