use super::csv::Field;
use super::list::Entry;
use super::problem::{RuleError, RuleProblem};
use crate::tagging::default::shown;
use crate::tagging::{Finding, Mode, Trap};

/// What goes for all rules: the input `flavor`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Flavor {
    pub(in crate::tagging) latest: Latest,
    pub(in crate::tagging) prefix: Affix,
    pub(in crate::tagging) suffix: Affix,
}

/// Whether there is a `latest` tag.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(in crate::tagging) enum Latest {
    #[default]
    Auto,
    Always,
    Never,
}

/// A template that goes before or after each tag.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(in crate::tagging) struct Affix {
    pub(in crate::tagging) text: String,
    /// Whether it goes with `latest` too.
    pub(in crate::tagging) on_latest: bool,
}

type At = (usize, RuleProblem);

impl Flavor {
    pub(super) fn read(
        entries: &[Entry],
        mode: Mode,
        findings: &mut Vec<Finding>,
    ) -> Result<Self, RuleError> {
        let mut flavor = Self::default();
        for entry in entries {
            flavor
                .take(entry, mode, findings)
                .map_err(|(column, problem)| RuleError {
                    input: "flavor",
                    line: entry.line,
                    rule: shown(&entry.text),
                    column,
                    problem,
                })?;
        }
        Ok(flavor)
    }

    fn take(&mut self, entry: &Entry, mode: Mode, findings: &mut Vec<Finding>) -> Result<(), At> {
        let mut onlatest_for = None;
        for field in fields(entry, mode, findings)? {
            let Some((key, rest)) = field.text.split_once('=') else {
                return Err((field.column, RuleProblem::NoValue(shown(&field.text))));
            };
            let value = value(entry, rest, mode, findings);
            match key.trim().to_lowercase().as_str() {
                "latest" => self.latest = latest(&field, value)?,
                "prefix" => {
                    value.clone_into(&mut self.prefix.text);
                    onlatest_for = Some(false);
                }
                "suffix" => {
                    value.clone_into(&mut self.suffix.text);
                    onlatest_for = Some(true);
                }
                "onlatest" => {
                    let on = flag(&field, value)?;
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

fn fields(entry: &Entry, mode: Mode, findings: &mut Vec<Finding>) -> Result<Vec<Field>, At> {
    if mode == Mode::Strict {
        return Ok(entry.fields().to_vec());
    }
    let twice = entry
        .fields_read_twice()
        .map_err(|(column, problem)| (column, RuleProblem::Quote(problem)))?;
    if !entry.reads_the_same(&twice) {
        let text = format!(
            "flavor, line {}: the quotes that protect a comma are lost, so the line is cut there",
            entry.line
        );
        findings.push(Finding::trap(Trap::Quotes, text));
    }
    Ok(twice)
}

fn value<'a>(entry: &Entry, rest: &'a str, mode: Mode, findings: &mut Vec<Finding>) -> &'a str {
    match (rest.split_once('='), mode) {
        (Some((value, lost)), Mode::Compatible) => {
            let text = format!(
                "flavor, line {}: a value ends at its first =, so ={} is left out",
                entry.line,
                shown(lost)
            );
            findings.push(Finding::trap(Trap::FlavorValue, text));
            value.trim()
        }
        _ => rest.trim(),
    }
}

fn latest(field: &Field, value: &str) -> Result<Latest, At> {
    match value {
        "auto" => Ok(Latest::Auto),
        "true" => Ok(Latest::Always),
        "false" => Ok(Latest::Never),
        other => {
            let valid = ["auto", "true", "false"];
            let problem = RuleProblem::unknown("the value of latest", other, &valid);
            Err((field.column, problem))
        }
    }
}

fn flag(field: &Field, value: &str) -> Result<bool, At> {
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
