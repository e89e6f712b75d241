//! Derives the tags of an image from facts and rules, and decides where moving tags point.
//!
//! Pure: no registry and no clock. The release pipeline checks the plan against the registry:
//! immutable tags must be absent or name the same digest, and version lines move only as
//! [`VersionLine`] allows.

mod branch_tag;
mod commit_tag_form;
mod compat_difference;
mod default_flavor;
mod default_tags;
mod environment_name;
mod error;
mod excluded_versions;
mod expand;
mod higher_variants;
mod image_origin;
mod immutable_tags;
mod labels;
mod line_tag;
mod printable_name;
mod promote_tags;
mod promoted_commit_tag;
mod promoted_version;
mod provenance;
mod push_tags;
mod release_series;
mod release_version;
mod released_git_tag;
mod requested_version;
mod rules;
mod star_match;
mod tag_name;
mod tag_plan;
mod tag_preview;
mod tag_rules;
mod unknown_names;
mod unknown_words;
mod version_lines;

pub use branch_tag::affixed_immutable_form;
pub use commit_tag_form::{
    CommitTagForm, is_commit_spelling, names_other_commit, usual_commit_tags,
};
pub use compat_difference::{CompatDifference, CompatMode, Finding};
pub use default_tags::refuse_deleted;
pub use environment_name::{EnvironmentName, EnvironmentNameError};
pub use error::TaggingError;
pub use excluded_versions::{ExcludedVersions, ExcludedVersionsError};
pub use expand::{ExpandError, ExpandedTag, RuleExpansion, TagContext, expand_rules};
pub use higher_variants::higher_variants;
pub use image_origin::{ImageNames, ImageOrigin};
pub use immutable_tags::{ImmutableTags, TagPattern, TagPatternError};
pub use labels::{OrderedLabels, build_labels};
pub use line_tag::{FollowedLine, release_on_line};
pub use promote_tags::derive_promote_tags;
pub use promoted_commit_tag::tags_of_commit;
pub use provenance::{CommitTagOrigin, TagProvenance, VersionOrigin};
pub use push_tags::derive_push_tags;
pub use release_series::{NamedRelease, ReleaseSeries};
pub use release_version::{ReleaseVersion, VersionNumber, is_prerelease_word};
pub use released_git_tag::released_tag_without_version;
pub use rules::{
    CsvProblem, Flavor, RuleError, RuleProblem, TagRule, TagRuleSet, parse_image_names,
};
pub use star_match::{matches_pattern, matches_sequence};
pub use tag_plan::{
    DerivedTags, ImmutableTagSource, LineTag, MovingTagSource, PlannedTag, TagKind,
};
pub use tag_preview::preview_tags;
pub use tag_rules::{TagInputs, TagRules};
pub use unknown_names::UnknownNames;
pub use unknown_words::unknown_words;
pub use version_lines::{SeriesReleases, TaggedRelease, VersionLine};

#[cfg(test)]
mod promotion_tests;
#[cfg(test)]
mod tests;
