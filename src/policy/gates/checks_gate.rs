use std::sync::Arc;

use crate::gate::{GITHUB_ACTIONS_APP, RequiredCheck, RequiredJob};
use crate::policy::declared_gate_keys::CHECK_KEYS;
use crate::policy::declared_gate_keys::CHECK_LIST;
use crate::policy::error::{FilePosition, PolicyError, PolicyProblem};
use crate::policy::limits::GATE_TEXT_LENGTH;
use crate::policy::problem_list::ProblemList;
use crate::policy::ref_patterns::parse_refs;
use crate::policy::yaml_fields::YamlFields;
use crate::policy::yaml_node::{YamlNode, YamlText, not_a_value};

/// Parses the key `checks`.
pub(super) fn parse_checks(list: YamlNode, problems: &mut ProblemList) -> Arc<[RequiredCheck]> {
    let entries = problems.keep(list.into_entries(CHECK_LIST));
    let entries = entries.into_iter().flatten();
    entries
        .filter_map(|entry| parse_entry(entry, problems))
        .collect()
}

fn parse_entry(entry: YamlNode, problems: &mut ProblemList) -> Option<RequiredCheck> {
    let at = entry.position;
    let mut fields = entry.into_fields(&CHECK_KEYS, problems)?;
    match fields.read("status", problems, parse_name) {
        Some(context) => {
            let creator = fields.read("creator", problems, parse_login);
            refuse_keys(
                &mut fields,
                "status",
                &["app", "workflow", "branches"],
                problems,
            );
            let creator = require(at, "creator", creator, problems)?;
            Some(RequiredCheck::Status { context, creator })
        }
        None => {
            let name = fields.read("name", problems, parse_name);
            let app = fields.read("app", problems, parse_login);
            refuse_keys(&mut fields, "name", &["creator"], problems);
            match app.as_deref().unwrap_or(GITHUB_ACTIONS_APP) {
                GITHUB_ACTIONS_APP => parse_job(at, name?, &mut fields, problems),
                app => {
                    refuse_keys(&mut fields, "app", &["workflow", "branches"], problems);
                    let app = app.to_owned();
                    Some(RequiredCheck::CheckRun { name: name?, app })
                }
            }
        }
    }
}

fn parse_job(
    at: FilePosition,
    name: String,
    fields: &mut YamlFields,
    problems: &mut ProblemList,
) -> Option<RequiredCheck> {
    let is_given = fields.position("workflow").is_some();
    let workflow = fields.read("workflow", problems, parse_workflow);
    let branches = fields.read("branches", problems, parse_refs);
    if !is_given {
        problems.add(at.to_error(PolicyProblem::Missing("workflow")));
    }
    Some(RequiredCheck::Job(RequiredJob {
        name,
        workflow: workflow?,
        branches: branches.into_iter().collect(),
    }))
}

/// Adds a problem for a key that has no value and needs one.
fn require<T>(
    at: FilePosition,
    key: &'static str,
    value: Option<T>,
    problems: &mut ProblemList,
) -> Option<T> {
    if value.is_none() {
        problems.add(at.to_error(PolicyProblem::Missing(key)));
    }
    value
}

/// Adds a problem for each key that has no effect with `other`.
fn refuse_keys(
    fields: &mut YamlFields,
    other: &'static str,
    keys: &[&'static str],
    problems: &mut ProblemList,
) {
    for key in keys {
        if let Some((at, _)) = fields.take(key) {
            problems.add(at.to_error(PolicyProblem::KeyWithoutEffect(key, other)));
        }
    }
}

/// Returns whether commits with all checks of `own` have all of `base`.
pub(super) fn is_at_least_as_strict(own: &[RequiredCheck], base: &[RequiredCheck]) -> bool {
    base.iter().all(|wanted| own.contains(wanted))
}

fn parse_name(node: YamlNode) -> Result<String, PolicyError> {
    Ok(node.into_short_text(GATE_TEXT_LENGTH)?.text)
}

fn parse_login(node: YamlNode) -> Result<String, PolicyError> {
    let YamlText { text, position } = node.into_short_text(GATE_TEXT_LENGTH)?;
    let name = text.strip_suffix("[bot]").unwrap_or(&text);
    let is_name = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
    match !name.is_empty() && name.chars().all(is_name) {
        true => Ok(text),
        false => Err(position.to_error(not_a_value(
            &text,
            "is not a name of an account or an app on GitHub",
        ))),
    }
}

fn parse_workflow(node: YamlNode) -> Result<String, PolicyError> {
    let YamlText { text, position } = node.into_short_text(GATE_TEXT_LENGTH)?;
    let stem = text
        .strip_suffix(".yml")
        .or_else(|| text.strip_suffix(".yaml"));
    let is_file = stem.is_some_and(|stem| !stem.is_empty() && !stem.contains('/'));
    match is_file && !text.chars().any(char::is_control) {
        true => Ok(text),
        false => Err(position.to_error(not_a_value(
            &text,
            "is not the name of a file in .github/workflows/",
        ))),
    }
}
