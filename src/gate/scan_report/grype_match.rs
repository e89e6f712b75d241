use super::finding_table::FixState;
use super::json_values::check_finding;
use super::report_error::ScanReportError;
use crate::gate::json_stream::JsonStream;
use crate::gate::severity::Severity;

/// Most reasons of a match that are shown.
const REASON_COUNT: usize = 4;

/// Match of Grype's JSON: a vulnerability of a package.
#[derive(Default)]
pub(super) struct GrypeMatch {
    pub id: String,
    pub package: String,
    pub version: String,
    pub package_type: String,
    pub purl: String,
    severity: String,
    fix_state: String,
    /// Why rules took it out.
    reasons: Vec<String>,
}

impl GrypeMatch {
    /// Reads a match into this one.
    pub fn read(&mut self, json: &mut JsonStream<'_>) -> Result<(), ScanReportError> {
        self.clear();
        json.object(|json, name| {
            match name {
                "vulnerability" => json.object(|json, name| self.read_vulnerability(json, name))?,
                "artifact" => json.object(|json, name| self.read_artifact(json, name))?,
                "appliedIgnoreRules" => json.list(|json| {
                    if self.reasons.len() < REASON_COUNT {
                        self.reasons.extend(read_rule(json)?);
                    }
                    Ok::<_, ScanReportError>(())
                })?,
                _ => false,
            };
            Ok(())
        })
        .map(drop)
    }

    /// Requires an id and a severity that is known, and returns the severity.
    pub fn check(&self, json: &mut JsonStream<'_>) -> Severity {
        check_finding(json, &self.id, &self.severity)
    }

    /// Returns whether a fix is known, by the state alone as Grype's own `--only-fixed` does.
    pub fn fix(&self) -> FixState {
        match self.fix_state.as_str() {
            "fixed" => FixState::Fixable,
            "not-fixed" | "wont-fix" | "unknown" => FixState::Unfixed,
            _ => FixState::NotStated,
        }
    }

    /// Returns what took the match out.
    pub fn cause(&self) -> String {
        match self.reasons.is_empty() {
            true => "ignored by Grype".to_owned(),
            false => format!("ignored by Grype: {}", self.reasons.join("; ")),
        }
    }

    fn clear(&mut self) {
        let texts = [
            &mut self.id,
            &mut self.package,
            &mut self.version,
            &mut self.package_type,
            &mut self.purl,
            &mut self.severity,
            &mut self.fix_state,
        ];
        texts.into_iter().for_each(String::clear);
        self.reasons.clear();
    }

    fn read_vulnerability(
        &mut self,
        json: &mut JsonStream<'_>,
        name: &str,
    ) -> Result<(), ScanReportError> {
        match name {
            "id" => json.text_into(&mut self.id)?,
            "severity" => json.text_into(&mut self.severity)?,
            "fix" => {
                json.object(|json, name| {
                    if name == "state" {
                        json.text_into(&mut self.fix_state)?;
                    }
                    Ok::<_, ScanReportError>(())
                })?;
            }
            _ => {}
        }
        Ok(())
    }

    fn read_artifact(
        &mut self,
        json: &mut JsonStream<'_>,
        name: &str,
    ) -> Result<(), ScanReportError> {
        match name {
            "name" => json.text_into(&mut self.package)?,
            "version" => json.text_into(&mut self.version)?,
            "type" => json.text_into(&mut self.package_type)?,
            "purl" => json.text_into(&mut self.purl)?,
            _ => {}
        }
        Ok(())
    }
}

/// Reads why an ignore rule took a match out: its reason, else its other members.
fn read_rule(json: &mut JsonStream<'_>) -> Result<Option<String>, ScanReportError> {
    let mut reason = None;
    let mut conditions = Vec::new();
    json.object(|json, name| {
        match name {
            "reason" => reason = json.short_text()?,
            "fix-state" | "vex-status" | "vex-justification" | "match-type" => {
                let value = json.short_text()?;
                conditions.extend(value.map(|value| format!("{name} {value}")));
            }
            _ => {}
        }
        Ok::<_, ScanReportError>(())
    })?;
    let conditions = (!conditions.is_empty()).then(|| conditions.join(", "));
    Ok(reason.or(conditions))
}
