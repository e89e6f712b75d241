//! The parts that the expansion of all rules shares: the context, the views of the ref, and the
//! template languages.

use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;

use super::ExpandError;
use super::expression_values::value_expressions;
use super::recorded_differences::RecordedDifferences;
use super::tag_context::{RefView, TagContext};
use super::template::TemplateLanguage;
use super::template_helpers::DateHelpers;
use crate::tagging::printable_name::printable_name;
use crate::tagging::rules::{TagRule, TagRuleSet};
use crate::tagging::{CompatDifference, CompatMode, Finding};

/// What all rules have in common.
pub(super) struct RuleExpander<'a> {
    pub(super) rules: &'a TagRuleSet,
    pub(super) context: &'a TagContext,
    pub(super) view: RefView,
    pub(super) intended: RefView,
    pub(super) language: TemplateLanguage,
    pub(super) dates: TemplateLanguage,
    /// What patterns may say of a version: most rules are about the same one.
    pub(super) versions: RefCell<HashMap<(&'static str, String), Rc<TemplateLanguage>>>,
    pub(super) differences: RecordedDifferences,
}

impl<'a> RuleExpander<'a> {
    pub(super) fn new(rules: &'a TagRuleSet, context: &'a TagContext) -> Self {
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

    pub(super) fn strict(&self) -> bool {
        self.rules.mode == CompatMode::Strict
    }

    /// Expands an attribute of a rule.
    pub(super) fn expand_attribute(
        &self,
        rule: &TagRule,
        name: &'static str,
        text: &str,
    ) -> Result<String, ExpandError> {
        let expanded = self.language.expand(text, self.rules.mode);
        expanded.map_err(|problem| ExpandError::for_attribute(rule, name, text, &problem))
    }

    /// The language of the version that was written as `raw`.
    pub(super) fn version_language(
        &self,
        kind: &'static str,
        raw: &str,
        make: impl FnOnce() -> TemplateLanguage,
    ) -> Rc<TemplateLanguage> {
        let mut versions = self.versions.borrow_mut();
        let language = versions.entry((kind, raw.to_owned()));
        language.or_insert_with(|| Rc::new(make())).clone()
    }
}

pub(super) fn finding_at(place: &str, difference: CompatDifference, text: &str) -> Finding {
    Finding::from_difference(
        difference,
        format!("{place}: {}: {}", difference.title(), printable_name(text)),
    )
}
