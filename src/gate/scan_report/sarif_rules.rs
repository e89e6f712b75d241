use std::collections::HashMap;

use super::finding_table::FixState;
use super::report_error::ScanReportError;
use crate::gate::json_stream::{JsonStream, JsonType};
use crate::gate::severity::Severity;

/// Most rules of a run.
const RULE_LIMIT: usize = 1 << 16;
/// Most bytes of the texts of rules.
const TEXT_LIMIT: usize = 8 << 20;

/// Rule of a SARIF run: for scanners, a vulnerability, or one of a package.
#[derive(Default)]
pub(super) struct SarifRule {
    pub id: String,
    /// Severity that the default level is the floor of.
    pub level: Option<Severity>,
    /// Band of `security-severity`.
    pub score: Option<Severity>,
    /// Trivy's word among the tags.
    pub word: Option<Severity>,
    /// Whether the tags say that it is something else than a vulnerability.
    pub is_other_class: bool,
    /// Lines `Package:`, `Version:` and `Fix Version:` of the help.
    pub package: String,
    pub version: String,
    pub fix: Option<FixState>,
}

/// Rules of a SARIF run.
#[derive(Default)]
pub(super) struct SarifRules {
    rules: Vec<SarifRule>,
    /// Bytes of their texts.
    bytes: usize,
}

/// Rules by their ids.
pub(super) struct RuleIndex<'a> {
    rules: &'a [SarifRule],
    by_id: HashMap<&'a str, &'a SarifRule>,
}

impl SarifRules {
    pub fn read(&mut self, json: &mut JsonStream<'_>) -> Result<(), ScanReportError> {
        json.list(|json| {
            let mut rule = SarifRule::default();
            json.object(|json, name| rule.read_member(json, name))?;
            self.bytes += rule.id.len() + rule.package.len() + rule.version.len();
            if self.rules.len() == RULE_LIMIT || self.bytes > TEXT_LIMIT {
                let text = format!("it has more than {RULE_LIMIT} rules, or very long ones");
                return Err(ScanReportError::TooLarge(text));
            }
            self.rules.push(rule);
            Ok(())
        })
        .map(drop)
    }

    pub fn to_index(&self) -> RuleIndex<'_> {
        let by_id = self.rules.iter().map(|rule| (rule.id.as_str(), rule));
        RuleIndex {
            rules: &self.rules,
            by_id: by_id.collect(),
        }
    }
}

impl<'a> RuleIndex<'a> {
    /// Returns the rule of a result (SARIF 2.1.0, 'ruleId property': the id of its rule, or one below that), if it has
    /// one.
    ///
    /// # Errors
    /// Returns why the result's id and index name different rules.
    pub fn find(
        &self,
        id: &str,
        index: Option<usize>,
    ) -> Result<Option<&'a SarifRule>, ScanReportError> {
        let parent = id.rsplit_once('/').map_or("", |(parent, _)| parent);
        let Some(index) = index else {
            let rule = self.by_id.get(id).or_else(|| self.by_id.get(parent));
            return Ok(rule.copied());
        };
        match self.rules.get(index) {
            Some(rule) if rule.id == id || rule.id == parent => Ok(Some(rule)),
            _ => {
                let id: String = id.chars().take(64).collect();
                let text = format!("a result of {id:?} names rule {index}, which is another");
                Err(ScanReportError::Unreadable(text))
            }
        }
    }
}

impl SarifRule {
    fn read_member(
        &mut self,
        json: &mut JsonStream<'_>,
        name: &str,
    ) -> Result<(), ScanReportError> {
        match name {
            "id" => json.text_into(&mut self.id)?,
            "defaultConfiguration" => {
                json.object(|json, name| {
                    if name == "level" {
                        self.level = read_level(json)?;
                    }
                    Ok::<_, ScanReportError>(())
                })?;
            }
            "help" => {
                json.object(|json, name| {
                    if name == "text" {
                        let help = json.text()?.unwrap_or_default();
                        self.read_help(help);
                    }
                    Ok::<_, ScanReportError>(())
                })?;
            }
            "properties" => {
                json.object(|json, name| self.read_property(json, name))?;
            }
            _ => {}
        }
        Ok(())
    }

    fn read_property(
        &mut self,
        json: &mut JsonStream<'_>,
        name: &str,
    ) -> Result<(), ScanReportError> {
        match name {
            "security-severity" => self.score = read_score(json)?,
            "tags" => {
                json.list(|json| {
                    let tag = json.text()?.unwrap_or_default();
                    self.is_other_class |= matches!(tag, "misconfiguration" | "secret" | "license");
                    let is_word = tag.bytes().all(|byte| byte.is_ascii_uppercase());
                    let word = Severity::from_word(tag).filter(|_| is_word);
                    self.word = self.word.max(word);
                    Ok::<_, ScanReportError>(())
                })?;
            }
            _ => {}
        }
        Ok(())
    }

    fn read_help(&mut self, help: &str) {
        let line = |name| find_line(help, name);
        self.package = line("Package:").unwrap_or_default().to_owned();
        self.version = line("Version:").unwrap_or_default().to_owned();
        self.fix = line("Fix Version:").map(fix_of_versions);
    }
}

/// Returns what follows a name at the beginning of a line.
pub(super) fn find_line<'a>(text: &'a str, name: &str) -> Option<&'a str> {
    let mut lines = text.lines();
    lines
        .find_map(|line| line.strip_prefix(name))
        .map(str::trim)
}

/// Returns whether a line of fixed versions names one.
pub(super) fn fix_of_versions(versions: &str) -> FixState {
    match versions.is_empty() {
        true => FixState::Unfixed,
        false => FixState::Fixable,
    }
}

/// Reads a level, as the severity that it is the floor of.
pub(super) fn read_level(json: &mut JsonStream<'_>) -> Result<Option<Severity>, ScanReportError> {
    let level = match json.text()? {
        None => return Ok(None),
        Some("error") => Severity::High,
        Some("warning") => Severity::Medium,
        Some("note") => Severity::Low,
        Some("none") => Severity::Unknown,
        Some(_) => {
            json.note_problem("a level is not error, warning, note or none");
            return Ok(None);
        }
    };
    Ok(Some(level))
}

/// Reads `security-severity`, as its band.
pub(super) fn read_score(json: &mut JsonStream<'_>) -> Result<Option<Severity>, ScanReportError> {
    let score = match json.peek_type()? {
        JsonType::Number => json.number()?,
        _ => json.text()?.filter(|text| !text.is_empty()),
    };
    let Some(score) = score else {
        return Ok(None);
    };
    let band = score.parse().ok().and_then(Severity::from_score);
    if band.is_none() {
        json.note_problem("a security-severity is not a number from 0 to 10");
    }
    Ok(band)
}
