use std::sync::Arc;

use jiff::Timestamp;

use super::expand::{ExpandedTag, RuleExpansion, TagContext, expand_rules};
use super::rules::{RuleError, TagRuleSet};
use super::tag_plan::DerivedTags;
use super::{CompatMode, NamedRelease, TaggingError};
use crate::image::{CommitId, Tag};

/// Which tags are wanted: the inputs `tags` and `flavor`.
#[derive(Debug, Clone, PartialEq)]
pub enum TagRules {
    /// Those of the default table.
    Default,
    /// Those of the default table, with the flavor, the mode and the lines of the inputs.
    FlavoredDefault(Arc<TagInputs>),
    /// Those of the rules, in place of the table. Shared: what they are expanded for holds the event,
    /// and a run may release many images.
    Custom(Arc<TagInputs>),
}

/// Rules, and what they are expanded for.
#[derive(Debug, Clone, PartialEq)]
pub struct TagInputs {
    /// The rules.
    pub rules: TagRuleSet,
    /// What they are expanded for.
    pub context: TagContext,
}

impl TagRules {
    /// Rules that go by no event; none are [`TagRules::Default`].
    ///
    /// # Errors
    /// The first rule that is malformed.
    pub fn parse<'a>(lines: impl IntoIterator<Item = &'a str>) -> Result<Self, RuleError> {
        let lines: Vec<_> = lines.into_iter().collect();
        let rules = TagRuleSet::parse(&lines.join("\n"), "", CompatMode::Compatible)?;
        Ok(Self::new(
            rules,
            TagContext::from_facts(None, Timestamp::UNIX_EPOCH),
        ))
    }

    /// The rules, for this subject. No rules are the default table.
    pub fn new(rules: TagRuleSet, subject: TagContext) -> Self {
        if rules.is_plain_default() {
            return Self::Default;
        }
        let is_default = rules.is_default();
        let inputs = Arc::new(TagInputs {
            rules,
            context: subject,
        });
        match is_default {
            true => Self::FlavoredDefault(inputs),
            false => Self::Custom(inputs),
        }
    }

    /// Returns whether the default table gives the tags.
    pub fn is_default(&self) -> bool {
        !matches!(self, Self::Custom(_))
    }

    /// Returns how closely docker/metadata-action is followed.
    pub fn mode(&self) -> CompatMode {
        match self {
            Self::Default => CompatMode::default(),
            Self::FlavoredDefault(inputs) | Self::Custom(inputs) => inputs.rules.mode(),
        }
    }

    /// Marks tags of the default table that are immutable whatever gives them, and orders all.
    ///
    /// # Errors
    /// As [`DerivedTags::into_ordered`].
    pub(super) fn order_tags(&self, mut derived: DerivedTags) -> Result<DerivedTags, TaggingError> {
        match self {
            Self::Default => {}
            Self::FlavoredDefault(inputs) | Self::Custom(inputs) => {
                derived.fix_tags(inputs.rules.immutable_tags());
            }
        }
        derived.into_ordered()
    }

    /// Whether the tags depend on the commit that the image was built from.
    pub fn need_commit(&self) -> bool {
        match self {
            Self::Default | Self::FlavoredDefault(_) => true,
            Self::Custom(given) => given.rules.needs_commit(),
        }
    }
}

impl TagInputs {
    /// The tags of an image that is built from what the event is about.
    pub(super) fn derive_tags(&self) -> Result<DerivedTags, TaggingError> {
        self.to_derived_tags(expand_rules(&self.rules, &self.context)?)
    }

    /// The tags of an image that was built from `commit`, whatever the event's own is.
    pub(super) fn derive_tags_for(
        &self,
        commit: Option<&CommitId>,
    ) -> Result<DerivedTags, TaggingError> {
        self.to_derived_tags(expand_rules(
            &self.rules,
            &self.context.for_built_commit(commit),
        )?)
    }

    fn to_derived_tags(&self, expansion: RuleExpansion) -> Result<DerivedTags, TaggingError> {
        let mut derived = DerivedTags {
            version: expansion.version().map(str::to_owned),
            ..DerivedTags::default()
        };
        for finding in &expansion.findings {
            match finding.difference {
                Some(_) => derived.add_warning(format!("{finding} (strict mode differs)")),
                None => derived.add_note(finding.to_string()),
            }
        }
        for ExpandedTag { text, kind, rule } in expansion.tags.into_iter().chain(expansion.latest) {
            let tag: Tag = match to_registry_text(&text).parse() {
                Ok(tag) => tag,
                Err(reason) => return Err(TaggingError::BadTag { rule, text, reason }),
            };
            derived.add_tag(tag, kind, rule);
        }
        if derived.tags.is_empty() {
            derived.add_note("no rule applies to the event");
            return Err(derived.no_tags_error());
        }
        derived.fix_tags(self.rules.immutable_tags());
        derived.into_ordered()
    }
}

/// Returns the text of a tag as a registry takes it: a component such as `@acme/web@1.2.3` leaves a dash
/// before its name.
fn to_registry_text(text: &str) -> &str {
    let trimmed = text.trim_start_matches(['-', '.']);
    match NamedRelease::parse(trimmed) {
        Some(_) => trimmed,
        None => text,
    }
}
