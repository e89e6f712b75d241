//! The rule language: parsers of the inputs `tags`, `flavor` and `images` of docker/metadata-action.

mod csv;
mod flavor;
mod image_names;
mod immutable_form;
mod javascript_number;
mod list_input;
mod literal_commit_tag;
mod rule;
mod rule_error;
mod rule_parser;
mod rule_set;

pub use csv::CsvProblem;
pub use flavor::Flavor;
pub use image_names::parse_image_names;
pub use rule::TagRule;
pub use rule_error::{RuleError, RuleProblem};
pub use rule_set::TagRuleSet;

pub(super) use flavor::{FlavorAffix, LatestFlavor};
pub(super) use javascript_number::parse_javascript_number;
pub(super) use list_input::{ListEntry, parse_entries};
pub(super) use rule::{RefRuleKind, RuleKind, VersionRule};

#[cfg(test)]
mod tests;
