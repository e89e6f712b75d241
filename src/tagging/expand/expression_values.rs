//! Values of the template expressions that do not depend on a rule: `branch`, `tag`, `sha` and others.

use super::tag_context::{RefView, TagContext};
use super::template::TemplateExpression;
use crate::tagging::CompatDifference;
use crate::tagging::printable_name::printable_name;
use crate::tagging::rules::parse_javascript_number;

/// The expressions that stand for a value.
pub(super) fn value_expressions(
    subject: &TagContext,
    given: &RefView,
    meant: &RefView,
) -> Vec<TemplateExpression> {
    let differ = (given != meant).then(|| subject.view_difference());
    let expression = |name, value: &dyn Fn(&RefView) -> String| TemplateExpression {
        name,
        compatible: Ok(value(given).into()),
        strict: Ok(value(meant).into()),
        difference: differ,
    };
    let short = |view: &RefView, strict| short_sha(subject, &view.sha, strict).map(Into::into);
    let owned = |text: Option<&str>| text.unwrap_or_default().to_owned();
    let mut all = vec![
        expression("branch", &|view| owned(view.branch())),
        expression("tag", &|view| owned(view.tag())),
        expression("base_ref", &|view| base_ref(subject, view)),
        TemplateExpression {
            name: "sha",
            compatible: short(given, false),
            strict: short(meant, true),
            difference: match short_sha(subject, &meant.sha, true) {
                Ok(_) => differ,
                Err(_) => Some(CompatDifference::ShortSha),
            },
        },
    ];
    for (name, yes) in [
        ("is_default_branch", true),
        ("is_not_default_branch", false),
    ] {
        let loosely = is_default_branch(subject, given, false) == yes;
        let strictly = is_default_branch(subject, meant, true) == yes;
        let on_create = loosely != strictly && given == meant;
        let difference = if on_create {
            CompatDifference::DefaultOnCreate
        } else {
            CompatDifference::FalseIsTrue
        };
        all.push(TemplateExpression {
            name,
            compatible: Ok(loosely.to_string().into()),
            strict: Ok(strictly.into()),
            difference: differ.or(Some(difference)),
        });
    }
    all
}

fn base_ref(subject: &TagContext, view: &RefView) -> String {
    let workflow = &subject.workflow;
    let base = match (view.tag(), view.pull_request()) {
        (Some(_), _) => workflow
            .base_ref
            .as_deref()
            .map(|base| base.strip_prefix("refs/heads/").unwrap_or(base)),
        (_, Some(_)) => workflow.pull_base.as_deref(),
        _ => None,
    };
    base.unwrap_or_default().to_owned()
}

fn is_default_branch(subject: &TagContext, view: &RefView, strict: bool) -> bool {
    let TagContext { workflow, .. } = subject;
    let branch = view.branch().unwrap_or(&view.git_ref);
    let always: &[&str] = match strict {
        true => &["discussion", "issues", "schedule"],
        false => &["create", "discussion", "issues", "schedule"],
    };
    !branch.is_empty()
        && (workflow.repository.default_branch.as_deref() == Some(branch)
            || always.iter().any(|name| workflow.event.contains(name)))
}

/// The first characters of a commit's id.
pub(super) fn short_sha(subject: &TagContext, sha: &str, strict: bool) -> Result<String, String> {
    let variable = "DOCKER_METADATA_SHORT_SHA_LENGTH";
    let length = match &subject.short_sha {
        Some(text) => parse_javascript_number(text).ok_or_else(|| {
            format!(
                "{variable} is {:?}, which is not a number",
                printable_name(text)
            )
        })?,
        None => 7.0,
    };
    let sensible = (4.0..=64.0).contains(&length) && length.fract() == 0.0;
    if strict && !sensible {
        return Err(format!(
            "{variable} is {length}, not a whole number from 4 to 64"
        ));
    }
    if length >= sha.len() as f64 {
        return Ok(sha.to_owned());
    }
    // Ids are hexadecimal; what is none is cut where a character ends.
    Ok(sha.chars().take(length.max(0.0) as usize).collect())
}
