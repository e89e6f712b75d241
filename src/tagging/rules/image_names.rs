use super::list_input::{self, ListEntry};
use super::rule_error::{RuleError, RuleProblem};
use crate::image::{ReferenceError, Repository};
use crate::tagging::printable_name::printable_name;

/// The names of the images that are enabled, in the form of docker/metadata-action's input
/// `images`: lower-cased.
///
/// # Errors
/// A line that is none of a name, `name=` and `enable=`.
pub fn parse_image_names(input: &str) -> Result<Vec<String>, RuleError> {
    let entries = list_input::parse_entries(input)
        .map_err(|error| RuleError::from_list_error("images", &error))?;
    if let [entry] = entries.as_slice()
        && let Some(names) = parse_bare_names(entry)?
    {
        for name in &names {
            check_name(name).map_err(|problem| rule_error(entry, 1, problem))?;
        }
        return Ok(names);
    }
    let mut names = Vec::new();
    for entry in &entries {
        let name =
            parse_image(entry).map_err(|(column, problem)| rule_error(entry, column, problem))?;
        if let Some(name) = &name {
            check_name(name).map_err(|problem| rule_error(entry, 1, problem))?;
        }
        names.extend(name);
    }
    Ok(names)
}

/// Refuses a name that no registry takes. A name may be empty in the old form, and a directory is none.
fn check_name(name: &str) -> Result<(), RuleProblem> {
    if name.is_empty() || name.starts_with("oci:") {
        return Ok(());
    }
    let parsed: Result<Repository, ReferenceError> = name.parse();
    parsed.map(drop).map_err(RuleProblem::ImageName)
}

fn rule_error(entry: &ListEntry, column: usize, problem: RuleProblem) -> RuleError {
    RuleError {
        input: "images",
        line: entry.line,
        rule: printable_name(&entry.text),
        column,
        problem,
    }
}

/// The old form: one line of names between commas.
fn parse_bare_names(entry: &ListEntry) -> Result<Option<Vec<String>>, RuleError> {
    let fields = entry
        .reparse_fields()
        .map_err(|(column, problem)| rule_error(entry, column, problem.into()))?;
    if fields.iter().any(|field| field.text.contains('=')) {
        return Ok(None);
    }
    let name = |field: &super::csv::CsvField| field.text.trim().to_lowercase();
    Ok(Some(fields.iter().map(name).collect()))
}

fn parse_image(entry: &ListEntry) -> Result<Option<String>, (usize, RuleProblem)> {
    let fields = entry
        .reparse_fields()
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
