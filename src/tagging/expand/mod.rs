//! From rules to tags: expands each rule for the event, and assembles the tags of all of them.

mod error;
mod expand_rules;
mod expansion;
mod expression_values;
mod flavor_texts;
mod literal_commit_tag;
mod moment_format;
mod pep440;
mod recorded_differences;
mod regex;
mod rule_expander;
mod rule_expansion;
mod rule_output;
mod tag_assembly;
mod tag_context;
mod template;
mod template_helpers;
mod version_links;
mod version_rules;
mod version_syntax;

pub use error::ExpandError;
pub(super) use expand_rules::expand_lines;
pub use expand_rules::expand_rules;
pub use expansion::{ExpandedTag, RuleExpansion};
pub(super) use flavor_texts::{FlavorTexts, expand_flavor_texts};
pub use tag_context::TagContext;

#[cfg(test)]
mod tests;
