use super::finding_table::{FindingTable, FixState, ScanFinding};
use super::report::SuppressedFinding;
use super::report_error::ScanReportError;
use super::sarif_rules::{
    RuleIndex, SarifRule, find_line, fix_of_versions, read_level, read_score,
};
use super::suppressed_list::SuppressedList;
use crate::gate::json_stream::JsonStream;
use crate::gate::severity::Severity;

/// Results of a SARIF run, until its rules are known. The message of a result stands for its package.
#[derive(Default)]
pub(super) struct SarifResults {
    findings: FindingTable,
    /// What the rule adds to, of each finding.
    parts: Vec<SarifResult>,
    message: String,
    rule_id: String,
    target: String,
}

/// Members of a result that its rule adds to.
#[derive(Default)]
struct SarifResult {
    rule_index: Option<u32>,
    /// Severity that the level is the floor of.
    level: Option<Severity>,
    /// Band of the result's own `security-severity`.
    score: Option<Severity>,
    /// Why the result does not count, if it is suppressed.
    suppression: Option<Box<str>>,
    /// Whether a suppression is not accepted.
    is_contested: bool,
    /// Whether it states that something is in order.
    is_pass: bool,
}

/// Results that do not count.
#[derive(Default)]
pub(super) struct UncountedResults {
    pub suppressed: SuppressedList,
    /// Whether there were results of other things than vulnerabilities.
    pub has_other_classes: bool,
}

impl SarifResults {
    /// Reads the results; returns whether there is a list of them.
    pub fn read(&mut self, json: &mut JsonStream<'_>) -> Result<bool, ScanReportError> {
        json.list(|json| self.read_result(json))
    }

    /// Returns the results that count, rated by their rules, and those that do not.
    pub fn rate(
        self,
        rules: &RuleIndex<'_>,
    ) -> Result<(FindingTable, UncountedResults), ScanReportError> {
        let mut findings = self.findings;
        let mut uncounted = UncountedResults::default();
        let mut rated = Ok(());
        findings.rate_or_remove(|number, finding| {
            let rating = self.parts[number].rate(finding, rules, &mut uncounted);
            rating.unwrap_or_else(|error| {
                rated = Err(error);
                None
            })
        });
        rated?;
        findings.join_duplicates();
        Ok((findings, uncounted))
    }

    fn read_result(&mut self, json: &mut JsonStream<'_>) -> Result<(), ScanReportError> {
        let texts = [&mut self.message, &mut self.rule_id, &mut self.target];
        texts.into_iter().for_each(String::clear);
        let mut part = SarifResult::default();
        json.object(|json, name| self.read_member(json, name, &mut part))?;
        if self.rule_id.is_empty() {
            json.note_problem("a result has no ruleId");
        }
        let fix = find_line(&self.message, "Fixed Version:");
        self.findings.push(ScanFinding {
            id: &self.rule_id,
            package: &self.message,
            version: "",
            purl: "",
            target: &self.target,
            severity: Severity::Unknown,
            fix: fix.map_or(FixState::NotStated, fix_of_versions),
        })?;
        self.parts.push(part);
        Ok(())
    }

    fn read_member(
        &mut self,
        json: &mut JsonStream<'_>,
        name: &str,
        part: &mut SarifResult,
    ) -> Result<(), ScanReportError> {
        match name {
            "ruleId" => json.text_into(&mut self.rule_id)?,
            // -1 stands for no index.
            "ruleIndex" => part.rule_index = json.number()?.and_then(|text| text.parse().ok()),
            "kind" => part.is_pass = matches!(json.text()?, Some("pass" | "notApplicable")),
            "level" => part.level = read_level(json)?,
            "message" => {
                json.object(|json, name| {
                    if name == "text" {
                        json.text_into(&mut self.message)?;
                    }
                    Ok::<_, ScanReportError>(())
                })?;
            }
            "locations" => self.read_locations(json)?,
            "properties" => {
                json.object(|json, name| {
                    if name == "security-severity" {
                        part.score = read_score(json)?;
                    }
                    Ok::<_, ScanReportError>(())
                })?;
            }
            "suppressions" => {
                json.list(|json| part.read_suppression(json))?;
            }
            _ => {}
        }
        Ok(())
    }

    /// Reads the address in the first location.
    fn read_locations(&mut self, json: &mut JsonStream<'_>) -> Result<(), ScanReportError> {
        let mut is_first = true;
        json.list(|json| {
            if std::mem::take(&mut is_first) {
                self.read_location(json)?;
            }
            Ok(())
        })
        .map(drop)
    }

    fn read_location(&mut self, json: &mut JsonStream<'_>) -> Result<(), ScanReportError> {
        json.object(|json, name| match name {
            "physicalLocation" => json
                .object(|json, name| match name {
                    "artifactLocation" => json
                        .object(|json, name| {
                            if name == "uri" {
                                json.text_into(&mut self.target)?;
                            }
                            Ok(())
                        })
                        .map(drop),
                    _ => Ok(()),
                })
                .map(drop),
            _ => Ok(()),
        })
        .map(drop)
    }
}

impl SarifResult {
    /// Returns the severity and fix of a result that counts.
    fn rate(
        &self,
        finding: ScanFinding<'_>,
        rules: &RuleIndex<'_>,
        uncounted: &mut UncountedResults,
    ) -> Result<Option<(Severity, FixState)>, ScanReportError> {
        let index = self.rule_index.map(|index| index as usize);
        let rule = rules.find(finding.id, index)?;
        if rule.is_some_and(|rule| rule.is_other_class) {
            uncounted.has_other_classes = true;
            return Ok(None);
        }
        let severity = self.severity(rule);
        if let Some(cause) = self.cause() {
            let package = find_line(finding.package, "Package:").unwrap_or_default();
            uncounted.suppressed.push(SuppressedFinding {
                id: finding.id.to_owned(),
                package: package.to_owned(),
                severity,
                cause,
            })?;
            return Ok(None);
        }
        let fix = match finding.fix {
            FixState::NotStated => rule.and_then(|rule| rule.fix),
            stated => Some(stated),
        };
        let fix = fix.unwrap_or(FixState::NotStated);
        Ok((!self.is_pass).then_some((severity, fix)))
    }

    fn read_suppression(&mut self, json: &mut JsonStream<'_>) -> Result<(), ScanReportError> {
        let mut justification = String::new();
        json.object(|json, name| {
            match name {
                // Without a status, a suppression is accepted. Some tools write `state`.
                "status" | "state" => {
                    self.is_contested |= json.text()?.is_some_and(|status| status != "accepted");
                }
                "justification" => justification = json.short_text()?.unwrap_or_default(),
                _ => {}
            }
            Ok::<_, ScanReportError>(())
        })?;
        self.suppression.get_or_insert(justification.into());
        Ok(())
    }

    /// Returns what took the result out: a suppression, if none is under review or rejected.
    fn cause(&self) -> Option<String> {
        let justification = self.suppression.as_deref().filter(|_| !self.is_contested)?;
        Some(match justification {
            "" => "suppressed".to_owned(),
            justification => format!("suppressed: {justification}"),
        })
    }

    /// Returns the highest of the score, Trivy's word, and the floor of the level.
    fn severity(&self, rule: Option<&SarifRule>) -> Severity {
        let score = self.score.or(rule.and_then(|rule| rule.score));
        let word = rule.and_then(|rule| rule.word);
        let level = self.level.or(rule.and_then(|rule| rule.level));
        let level = level.unwrap_or(Severity::Medium);
        level.max(score.unwrap_or(level)).max(word.unwrap_or(level))
    }
}
