//! Expands all rules, or the lines of `labels` and `annotations`.

use super::ExpandError;
use super::expansion::RuleExpansion;
use super::rule_expander::{RuleExpander, finding_at};
use super::rule_output::RuleOutput;
use super::tag_context::TagContext;
use super::template::TemplateProblem;
use crate::tagging::default_tags::{refuse_deleted, require_published};
use crate::tagging::printable_name::printable_name;
use crate::tagging::rules::{ListEntry, TagRule, TagRuleSet};
use crate::tagging::{CompatDifference, CompatMode, Finding};

/// Expands rules.
///
/// # Errors
/// A template or regular expression that cannot be read or expanded, or, in strict mode, one that
/// says something unknown.
pub fn expand_rules(
    rules: &TagRuleSet,
    subject: &TagContext,
) -> Result<RuleExpansion, ExpandError> {
    let expander = RuleExpander::new(rules, subject);
    let mut expansion = RuleExpansion {
        findings: rules.findings.clone(),
        strict: rules.mode == CompatMode::Strict,
        ..RuleExpansion::default()
    };
    if expander.is_withheld(&mut expansion) {
        return Ok(expansion.into_findings_of(rules.mode));
    }
    let mut made = Vec::new();
    for rule in &rules.rules {
        if let Some(one) = expander.expand_enabled_rule(rule, &mut expansion.findings)? {
            made.push((rule, one));
        }
    }
    expander.finish_tags(made, &mut expansion)?;
    Ok(expansion.into_findings_of(rules.mode))
}

/// Expands a line of `labels` or `annotations`.
pub(crate) fn expand_lines(
    rules: &TagRuleSet,
    subject: &TagContext,
    input: &'static str,
    lines: &[ListEntry],
    findings: &mut Vec<Finding>,
) -> Result<Vec<String>, ExpandError> {
    let expander = RuleExpander::new(rules, subject);
    lines
        .iter()
        .map(|entry| {
            let expanded =
                expander
                    .language
                    .expand(&entry.text, rules.mode)
                    .map_err(|problem| {
                        ExpandError::for_entry(input, Some(entry.line), &entry.text, &problem)
                    })?;
            for warning in expander.differences.take() {
                let place = format!("{input}, line {}", entry.line);
                let finding = finding_at(&place, warning, &entry.text);
                findings.push(match rules.mode {
                    CompatMode::Strict => finding.into_strict(),
                    CompatMode::Compatible => finding,
                });
            }
            Ok(expanded)
        })
        .collect()
}

impl RuleExpander<'_> {
    fn expand_enabled_rule(
        &self,
        rule: &TagRule,
        findings: &mut Vec<Finding>,
    ) -> Result<Option<RuleOutput>, ExpandError> {
        let enabled = match self
            .expand_attribute(rule, "enable", &rule.enable)?
            .as_str()
        {
            "true" => true,
            "false" => false,
            other => {
                let text = format!(
                    "it comes to {:?}, neither true nor false",
                    printable_name(other)
                );
                let problem = TemplateProblem { text, column: 1 };
                return Err(ExpandError::for_attribute(
                    rule,
                    "enable",
                    &rule.enable,
                    &problem,
                ));
            }
        };
        let made = match enabled {
            true => self.expand_rule(rule, findings)?,
            false => None,
        };
        for warning in self.differences.take() {
            findings.push(finding_at(
                &format!("tags, line {}", rule.line),
                warning,
                &rule.text,
            ));
        }
        Ok(made)
    }

    /// Whether nothing is tagged because what the event is about is gone, or not out yet.
    fn is_withheld(&self, expansion: &mut RuleExpansion) -> bool {
        let Some(facts) = &self.context.facts else {
            return false;
        };
        let unpublished = || {
            let release = facts.release.as_ref();
            release.and_then(|release| require_published(release).err())
        };
        let (difference, why) = if facts.deleted {
            let gone = refuse_deleted(facts).err();
            (
                CompatDifference::Deleted,
                gone.map(|error| error.to_string()),
            )
        } else if let Some(error) = unpublished() {
            (CompatDifference::Draft, Some(error.to_string()))
        } else {
            return false;
        };
        let text = why.unwrap_or_else(|| difference.title().to_owned());
        expansion
            .findings
            .push(Finding::from_difference(difference, text));
        self.strict()
    }
}
