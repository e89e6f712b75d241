use super::list::{self, Entry};
use super::problem::{RuleError, RuleProblem};
use crate::tagging::default::shown;

/// The names of the images that are enabled, in the form of docker/metadata-action's input
/// `images`: lower-cased, not checked.
///
/// # Errors
/// A line that is none of a name, `name=` and `enable=`.
pub fn image_names(input: &str) -> Result<Vec<String>, RuleError> {
    let entries = list::entries(input).map_err(|error| super::quote_error("images", &error))?;
    if let [entry] = entries.as_slice()
        && let Some(names) = bare_names(entry)?
    {
        return Ok(names);
    }
    let mut names = Vec::new();
    for entry in &entries {
        let name = image(entry).map_err(|(column, problem)| error(entry, column, problem))?;
        names.extend(name);
    }
    Ok(names)
}

fn error(entry: &Entry, column: usize, problem: RuleProblem) -> RuleError {
    RuleError {
        input: "images",
        line: entry.line,
        rule: shown(&entry.text),
        column,
        problem,
    }
}

/// The old form: one line of names between commas.
fn bare_names(entry: &Entry) -> Result<Option<Vec<String>>, RuleError> {
    let fields = entry
        .fields_read_twice()
        .map_err(|(column, problem)| error(entry, column, problem.into()))?;
    if fields.iter().any(|field| field.text.contains('=')) {
        return Ok(None);
    }
    let name = |field: &super::csv::Field| field.text.trim().to_lowercase();
    Ok(Some(fields.iter().map(name).collect()))
}

fn image(entry: &Entry) -> Result<Option<String>, (usize, RuleProblem)> {
    let fields = entry
        .fields_read_twice()
        .map_err(|(column, problem)| (column, problem.into()))?;
    let (mut name, mut enabled) = (String::new(), true);
    for field in fields {
        let mut parts = field.text.split('=').map(str::trim);
        let first = parts.next().unwrap_or_default();
        let Some(value) = parts.next() else {
            name = first.to_lowercase();
            continue;
        };
        match first.to_lowercase().as_str() {
            "name" => name = value.to_lowercase(),
            "enable" => match value {
                "true" => enabled = true,
                "false" => enabled = false,
                other => {
                    let valid = ["true", "false"];
                    let problem = RuleProblem::unknown("the value of enable", other, &valid);
                    return Err((field.column, problem));
                }
            },
            other => {
                let problem = RuleProblem::unknown("the attribute", other, &["name", "enable"]);
                return Err((field.column, problem));
            }
        }
    }
    match name.is_empty() {
        true => Err((1, RuleProblem::NoName)),
        false => Ok(enabled.then_some(name)),
    }
}
