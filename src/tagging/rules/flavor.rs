use super::csv::CsvField;
use super::list_input::ListEntry;
use super::rule_error::{RuleError, RuleProblem};
use crate::tagging::printable_name::printable_name;
use crate::tagging::{CompatDifference, CompatMode, Finding};

/// What goes for all rules: the input `flavor`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Flavor {
    pub(crate) latest: LatestFlavor,
    pub(crate) prefix: FlavorAffix,
    pub(crate) suffix: FlavorAffix,
}

/// Whether there is a `latest` tag.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum LatestFlavor {
    #[default]
    Auto,
    Always,
    Never,
}

/// A template that goes before or after each tag.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct FlavorAffix {
    pub(crate) text: String,
    /// Whether it goes with `latest` too.
    pub(crate) on_latest: bool,
}

type FlavorProblem = (usize, RuleProblem);

impl Flavor {
    pub(super) fn parse(
        entries: &[ListEntry],
        mode: CompatMode,
        findings: &mut Vec<Finding>,
    ) -> Result<Self, RuleError> {
        let mut flavor = Self::default();
        for entry in entries {
            flavor
                .apply_entry(entry, mode, findings)
                .map_err(|(column, problem)| RuleError {
                    input: "flavor",
                    line: entry.line,
                    rule: printable_name(&entry.text),
                    column,
                    problem,
                })?;
        }
        Ok(flavor)
    }

    fn apply_entry(
        &mut self,
        entry: &ListEntry,
        mode: CompatMode,
        findings: &mut Vec<Finding>,
    ) -> Result<(), FlavorProblem> {
        let mut onlatest_for = None;
        for field in parse_fields(entry, mode, findings)? {
            let Some((key, rest)) = field.text.split_once('=') else {
                return Err((
                    field.column,
                    RuleProblem::NoValue(printable_name(&field.text)),
                ));
            };
            let value = parse_value(entry, rest, mode, findings);
            match key.trim().to_lowercase().as_str() {
                "latest" => self.latest = parse_latest(&field, value)?,
                "prefix" => {
                    value.clone_into(&mut self.prefix.text);
                    onlatest_for = Some(false);
                }
                "suffix" => {
                    value.clone_into(&mut self.suffix.text);
                    onlatest_for = Some(true);
                }
                "onlatest" => {
                    let on = parse_flag(&field, value)?;
                    match onlatest_for {
                        Some(false) => self.prefix.on_latest = on,
                        Some(true) => self.suffix.on_latest = on,
                        None => {}
                    }
                }
                other => {
                    let valid = ["latest", "prefix", "suffix", "onlatest"];
                    let problem = RuleProblem::unknown("the attribute", other, &valid);
                    return Err((field.column, problem));
                }
            }
        }
        Ok(())
    }
}

fn parse_fields(
    entry: &ListEntry,
    mode: CompatMode,
    findings: &mut Vec<Finding>,
) -> Result<Vec<CsvField>, FlavorProblem> {
    if mode == CompatMode::Strict {
        return Ok(entry.fields().to_vec());
    }
    let twice = entry
        .reparse_fields()
        .map_err(|(column, problem)| (column, RuleProblem::Quote(problem)))?;
    if !entry.is_same_when_reparsed(&twice) {
        let text = format!(
            "flavor, line {}: the quotes that protect a comma are lost, so the line is cut there",
            entry.line
        );
        findings.push(Finding::from_difference(CompatDifference::Quotes, text));
    }
    Ok(twice)
}

fn parse_value<'a>(
    entry: &ListEntry,
    rest: &'a str,
    mode: CompatMode,
    findings: &mut Vec<Finding>,
) -> &'a str {
    match (rest.split_once('='), mode) {
        (Some((value, lost)), CompatMode::Compatible) => {
            let text = format!(
                "flavor, line {}: a value ends at its first =, so ={} is left out",
                entry.line,
                printable_name(lost)
            );
            findings.push(Finding::from_difference(
                CompatDifference::FlavorValue,
                text,
            ));
            value.trim()
        }
        _ => rest.trim(),
    }
}

fn parse_latest(field: &CsvField, value: &str) -> Result<LatestFlavor, FlavorProblem> {
    match value {
        "auto" => Ok(LatestFlavor::Auto),
        "true" => Ok(LatestFlavor::Always),
        "false" => Ok(LatestFlavor::Never),
        other => {
            let valid = ["auto", "true", "false"];
            let problem = RuleProblem::unknown("the value of latest", other, &valid);
            Err((field.column, problem))
        }
    }
}

fn parse_flag(field: &CsvField, value: &str) -> Result<bool, FlavorProblem> {
    match value {
        "true" => Ok(true),
        "false" => Ok(false),
        other => {
            let valid = ["true", "false"];
            let problem = RuleProblem::unknown("the value of onlatest", other, &valid);
            Err((field.column, problem))
        }
    }
}
