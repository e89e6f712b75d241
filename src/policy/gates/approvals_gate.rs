use crate::gate::ApprovalsRule;
use crate::policy::declared_gate_keys::{APPROVAL_KEYS, EXCLUDED_APPROVERS};
use crate::policy::error::PolicyError;
use crate::policy::limits::{APPROVALS, GITHUB_ENVIRONMENT_LENGTH};
use crate::policy::problem_list::ProblemList;
use crate::policy::yaml_node::{YamlNode, YamlText, not_a_value};

/// Parses the key `approvals`.
pub(super) fn parse_approvals(node: YamlNode, problems: &mut ProblemList) -> Option<ApprovalsRule> {
    let mut fields = node.into_fields(&APPROVAL_KEYS, problems)?;
    let environment = fields.read("environment", problems, parse_github_environment);
    let min = fields.read("min", problems, parse_count);
    let excluded = fields.read("not", problems, parse_excluded);
    let [excludes_author, excludes_actor] = excluded.unwrap_or_default();
    Some(ApprovalsRule {
        environment: environment?,
        min: min.unwrap_or(1),
        excludes_author,
        excludes_actor,
    })
}

/// Parses the name of an environment on GitHub.
pub(in crate::policy) fn parse_github_environment(node: YamlNode) -> Result<String, PolicyError> {
    let YamlText { text, position } = node.into_short_text(GITHUB_ENVIRONMENT_LENGTH)?;
    match text.trim().is_empty() || text.chars().any(char::is_control) {
        true => Err(position.to_error(not_a_value(
            &text,
            "is not a name of an environment on GitHub",
        ))),
        false => Ok(text),
    }
}

fn parse_count(node: YamlNode) -> Result<usize, PolicyError> {
    let YamlText { text, position } = node.into_text()?;
    let count = text
        .parse()
        .ok()
        .filter(|count| (1..=APPROVALS).contains(count));
    let is_plain = text.len() == 1;
    count.filter(|_| is_plain).ok_or_else(|| {
        position.to_error(not_a_value(
            &text,
            format!("is not a number from 1 to {APPROVALS}"),
        ))
    })
}

/// Returns whether the author, and whether the actor is excluded.
fn parse_excluded(list: YamlNode) -> Result<[bool; 2], PolicyError> {
    let mut excluded = [false; 2];
    for YamlText { text, position } in list.into_texts(EXCLUDED_APPROVERS)? {
        match text.as_str() {
            "author" => excluded[0] = true,
            "actor" => excluded[1] = true,
            _ => {
                return Err(position.to_error(not_a_value(&text, "is not a role: author or actor")));
            }
        }
    }
    Ok(excluded)
}
