//! From rules to tags: what each rule makes of the event, and what is made of all of them.

mod error;
mod moment_format;
mod pep440;
mod regex;
mod rule_expansion;
mod tag_assembly;
mod tag_context;
mod template;
mod template_helpers;
mod version_syntax;

use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;

use semver::Version;

pub use error::ExpandError;
pub use tag_context::TagContext;

use rule_expansion::RuleOutput;
use tag_context::RefView;
use template::{RecordedDifferences, TemplateExpression, TemplateLanguage, TemplateProblem};
use template_helpers::DateHelpers;

use super::rules::{TagRule, TagRuleSet, parse_javascript_number};
use super::{CompatDifference, CompatMode, Finding, TagKind};
use crate::tagging::default_tags::printable_name;

/// What rules come to.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct RuleExpansion {
    /// What the rules gave, in their order; some may be there twice.
    pub tags: Vec<ExpandedTag>,
    /// The tag `latest`, with what the flavor puts around it.
    pub latest: Option<ExpandedTag>,
    /// What a person should know of it.
    pub findings: Vec<Finding>,
    /// Whether a tag that is there twice is listed once.
    strict: bool,
}

/// A tag that a rule gives. In compatible mode it need not be a valid one.
#[derive(Debug, Clone, PartialEq)]
pub struct ExpandedTag {
    /// The text of the tag.
    pub text: String,
    /// Whether it may ever be moved.
    pub kind: TagKind,
    /// The rule, made printable.
    pub rule: String,
}

impl RuleExpansion {
    /// The text of the first rule that gave one.
    pub fn version(&self) -> Option<&str> {
        self.tags.first().map(|tag| tag.text.as_str())
    }

    /// The names of the tags in the order in which they are listed.
    pub fn names(&self) -> Vec<&str> {
        let mut names: Vec<&str> = Vec::new();
        for tag in &self.tags {
            if !names.contains(&tag.text.as_str()) {
                names.push(&tag.text);
            }
        }
        if let Some(latest) = &self.latest
            && !(self.strict && names.contains(&latest.text.as_str()))
        {
            names.push(&latest.text);
        }
        names
    }
}

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
        return Ok(expansion);
    }
    let mut made = Vec::new();
    for rule in &rules.rules {
        if let Some(one) = expander.expand_enabled_rule(rule, &mut expansion.findings)? {
            made.push((rule, one));
        }
    }
    expander.finish_tags(made, &mut expansion)?;
    Ok(expansion)
}

/// Expands a line of `labels` or `annotations`.
pub(super) fn expand_lines(
    rules: &TagRuleSet,
    subject: &TagContext,
    input: &'static str,
    lines: &[super::rules::ListEntry],
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
            for trap in expander.differences.take() {
                let place = format!("{input}, line {}", entry.line);
                findings.push(finding_at(&place, trap, &entry.text));
            }
            Ok(expanded)
        })
        .collect()
}

fn finding_at(place: &str, difference: CompatDifference, text: &str) -> Finding {
    Finding::from_difference(
        difference,
        format!("{place}: {}: {}", difference.title(), printable_name(text)),
    )
}

/// What all rules have in common.
struct RuleExpander<'a> {
    rules: &'a TagRuleSet,
    context: &'a TagContext,
    view: RefView,
    intended: RefView,
    language: TemplateLanguage,
    dates: TemplateLanguage,
    /// What patterns may say of a version: most rules are about the same one.
    versions: RefCell<HashMap<(&'static str, String), Rc<TemplateLanguage>>>,
    differences: RecordedDifferences,
}

impl<'a> RuleExpander<'a> {
    fn new(rules: &'a TagRuleSet, context: &'a TagContext) -> Self {
        let differences = RecordedDifferences::default();
        let (given, intended) = (context.to_given_view(), context.to_intended_view());
        let dates = DateHelpers {
            now: context.now,
            committed: context.commit_time,
            strict: false,
            steps: differences.clone(),
        };
        let expressions = value_expressions(context, &given, &intended);
        Self {
            language: TemplateLanguage::for_rules(expressions, &dates, &differences),
            dates: TemplateLanguage::for_dates(&dates, &differences),
            view: match rules.mode {
                CompatMode::Compatible => given,
                CompatMode::Strict => intended.clone(),
            },
            intended,
            versions: RefCell::default(),
            rules,
            context,
            differences,
        }
    }

    fn strict(&self) -> bool {
        self.rules.mode == CompatMode::Strict
    }

    /// Expands an attribute of a rule.
    fn expand_attribute(
        &self,
        rule: &TagRule,
        name: &'static str,
        text: &str,
    ) -> Result<String, ExpandError> {
        let expanded = self.language.expand(text, self.rules.mode);
        expanded.map_err(|problem| ExpandError::for_attribute(rule, name, text, &problem))
    }

    /// The language of the version that was written as `raw`.
    fn version_language(
        &self,
        kind: &'static str,
        raw: &str,
        make: impl FnOnce() -> TemplateLanguage,
    ) -> Rc<TemplateLanguage> {
        let mut versions = self.versions.borrow_mut();
        let language = versions.entry((kind, raw.to_owned()));
        language.or_insert_with(|| Rc::new(make())).clone()
    }

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
        for trap in self.differences.take() {
            findings.push(finding_at(
                &format!("tags, line {}", rule.line),
                trap,
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
            release.and_then(|release| super::default_tags::require_published(release).err())
        };
        let (difference, why) = if facts.deleted {
            let gone = super::default_tags::refuse_deleted(facts).err();
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

/// The expressions that stand for a value.
fn value_expressions(
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
fn short_sha(subject: &TagContext, sha: &str, strict: bool) -> Result<String, String> {
    let variable = "DOCKER_METADATA_SHORT_SHA_LENGTH";
    let length = match &subject.short_sha {
        Some(text) => parse_javascript_number(text).ok_or_else(|| {
            format!(
                "{variable} is {:?}, which is no number",
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

/// The release that a version is: none for a pre-release.
fn release_of(version: &Version) -> Option<Version> {
    version.pre.is_empty().then(|| version.clone())
}

#[cfg(test)]
mod tests;
