use std::collections::BTreeSet;

use super::cyclonedx::CycloneDxMembers;
use super::grype_json::GrypeMembers;
use super::other_formats::{refuse_list, refuse_object};
use super::report::{ReportFormat, ScanReport};
use super::report_error::ScanReportError;
use super::sarif::SarifMembers;
use super::trivy_json::TrivyMembers;
use crate::gate::json_stream::{JsonStream, JsonType};

/// Most names of members that are kept, and most bytes of one, to tell other formats by.
const NAME_COUNT: usize = 64;
const NAME_LIMIT: usize = 128;

/// What a JSON document says in the members of each format. Members come in any order, so that only the whole
/// document tells its format.
pub(super) struct ReportDocument {
    root: JsonType,
    /// Names of the members, or of those of a list's first element.
    names: BTreeSet<String>,
    trivy: TrivyMembers,
    grype: GrypeMembers,
    cyclonedx: CycloneDxMembers,
    sarif: SarifMembers,
}

impl ReportDocument {
    pub fn read(json: &mut JsonStream<'_>) -> Result<Self, ScanReportError> {
        let mut document = Self {
            root: json.peek_type()?,
            names: BTreeSet::new(),
            trivy: TrivyMembers::default(),
            grype: GrypeMembers::default(),
            cyclonedx: CycloneDxMembers::default(),
            sarif: SarifMembers::default(),
        };
        match document.root {
            JsonType::Object => {
                json.object(|json, name| document.read_member(json, name))?;
            }
            JsonType::List => document.read_list(json)?,
            _ => json.skip()?,
        }
        Ok(document)
    }

    /// Returns the report. `problem` is the first value of the document that cannot be understood.
    pub fn into_report(self, problem: Option<&str>) -> Result<ScanReport, ScanReportError> {
        match self.root {
            JsonType::Object => {}
            JsonType::List => return Err(refuse_list(&self.names)),
            JsonType::Null => return Err(ScanReportError::Empty("the whole file is null")),
            other => {
                let text = format!("{} alone", other.name());
                return Err(ScanReportError::NotAScanReport(text));
            }
        }
        match self.format()? {
            ReportFormat::TrivyJson => self.trivy.into_report(problem),
            ReportFormat::GrypeJson => self.grype.into_report(problem),
            ReportFormat::CycloneDx => self.cyclonedx.into_report(problem),
            ReportFormat::Sarif => self.sarif.into_report(problem),
        }
    }

    fn read_member(
        &mut self,
        json: &mut JsonStream<'_>,
        name: &str,
    ) -> Result<(), ScanReportError> {
        self.add_name(name);
        match name {
            "SchemaVersion" | "Trivy" | "CreatedAt" | "ArtifactName" | "ArtifactType"
            | "Metadata" | "Results" => self.trivy.read_member(json, name),
            "matches" | "ignoredMatches" | "source" | "descriptor" => {
                self.grype.read_member(json, name)
            }
            "bomFormat" | "specVersion" | "metadata" | "components" | "vulnerabilities" => {
                self.cyclonedx.read_member(json, name)
            }
            "version" | "runs" => self.sarif.read_member(json, name),
            _ => Ok(()),
        }
    }

    /// Reads the names of the members of a list's first element.
    fn read_list(&mut self, json: &mut JsonStream<'_>) -> Result<(), ScanReportError> {
        let mut is_first = true;
        json.list(|json| {
            if is_first && json.peek_type()? == JsonType::Object {
                json.object(|_, name| {
                    self.add_name(name);
                    Ok::<_, ScanReportError>(())
                })?;
            }
            is_first = false;
            Ok::<_, ScanReportError>(())
        })?;
        if is_first {
            return Err(ScanReportError::Empty("the whole file is an empty list"));
        }
        Ok(())
    }

    fn add_name(&mut self, name: &str) {
        if self.names.len() < NAME_COUNT && name.len() <= NAME_LIMIT {
            self.names.insert(name.to_owned());
        }
    }

    /// Returns the one format whose members the document has.
    fn format(&self) -> Result<ReportFormat, ScanReportError> {
        let has = |name: &str| self.names.contains(name);
        let is_trivy = ["SchemaVersion", "ArtifactName", "ArtifactType"];
        let marks = [
            (ReportFormat::TrivyJson, is_trivy.into_iter().any(has)),
            (ReportFormat::GrypeJson, has("matches")),
            (ReportFormat::CycloneDx, has("bomFormat")),
            (ReportFormat::Sarif, has("runs")),
        ];
        let mut formats = marks.into_iter().filter(|(_, is_marked)| *is_marked);
        match (formats.next(), formats.next()) {
            (Some((format, _)), None) => Ok(format),
            (Some((one, _)), Some((other, _))) => {
                let text = format!("it has members of {one} and of {other}");
                Err(ScanReportError::UnsupportedSchema(text))
            }
            (None, _) => Err(refuse_object(&self.names)),
        }
    }
}
