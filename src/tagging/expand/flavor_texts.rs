//! Texts of the flavor, expanded for tags that no rule gives.

use super::ExpandError;
use super::rule_expander::RuleExpander;
use super::tag_context::TagContext;
use crate::tagging::rules::{FlavorAffix, TagRuleSet};
use crate::tagging::tag_name::replace_invalid_characters;

/// What the flavor puts around tags.
pub(crate) struct FlavorTexts {
    pub(crate) prefix: String,
    pub(crate) suffix: String,
    /// The same for `latest`.
    pub(crate) latest_prefix: String,
    pub(crate) latest_suffix: String,
}

/// Expands prefix and suffix of the flavor.
pub(crate) fn expand_flavor_texts(
    rules: &TagRuleSet,
    subject: &TagContext,
) -> Result<FlavorTexts, ExpandError> {
    let expander = RuleExpander::new(rules, subject);
    let expand = |affix: &FlavorAffix| -> Result<String, ExpandError> {
        Ok(replace_invalid_characters(
            &expander.expand_flavor(&affix.text)?,
        ))
    };
    let flavor = &rules.flavor;
    let (prefix, suffix) = (expand(&flavor.prefix)?, expand(&flavor.suffix)?);
    let of_latest = |affix: &FlavorAffix, text: &str| match affix.on_latest {
        true => text.to_owned(),
        false => String::new(),
    };
    Ok(FlavorTexts {
        latest_prefix: of_latest(&flavor.prefix, &prefix),
        latest_suffix: of_latest(&flavor.suffix, &suffix),
        prefix,
        suffix,
    })
}
