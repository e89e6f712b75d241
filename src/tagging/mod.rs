//! Derives the tags of an image from facts and rules, and decides where moving tags point.
//!
//! Pure: no registry and no clock. The release pipeline checks the plan against the registry:
//! immutable tags must be absent or name the same digest, and version lines move only as
//! [`SeriesReleases::line_move`] says.

mod compat_difference;
mod default_tags;
mod environment_name;
mod error;
mod expand;
mod labels;
mod line_tag;
mod printable_name;
mod promote_tags;
mod push_tags;
mod rules;
mod tag_name;
mod tag_plan;
mod tag_preview;
mod tag_rules;
mod version_lines;

pub use compat_difference::{CompatDifference, CompatMode, Finding};
pub use environment_name::{EnvironmentName, EnvironmentNameError};
pub use error::TaggingError;
pub use expand::{ExpandError, ExpandedTag, RuleExpansion, TagContext, expand_rules};
pub use labels::{OrderedLabels, build_labels};
pub use line_tag::release_on_line;
pub use promote_tags::{ImageOrigin, derive_promote_tags};
pub use push_tags::derive_push_tags;
pub use rules::{
    CsvProblem, Flavor, RuleError, RuleProblem, TagRule, TagRuleSet, parse_image_names,
};
pub use tag_plan::{DerivedTags, ImmutableTagSource, MovingTagSource, PlannedTag, TagKind};
pub use tag_preview::preview_tags;
pub use tag_rules::{TagInputs, TagRules};
pub use version_lines::{LineMove, ReleaseSeries, SeriesReleases, TaggedRelease, VersionLine};

#[cfg(test)]
mod concurrency_model;
#[cfg(test)]
mod tests;
