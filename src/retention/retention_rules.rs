//! Rules of retention: what stays, what may go, and the limits of a run.

use std::fmt;

use super::registry_api_rule::RegistryApiRule;
use super::version_class::read_version;
use crate::image::{RegistryName, Tag};
use crate::rule_duration::RuleDuration;
use crate::tagging::TagPattern;

/// Hours of the grace where the policy names none.
const DEFAULT_GRACE_HOURS: u16 = 24;

/// Rules for some repositories. Without prune rules nothing goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RetentionRules {
    /// What stays, whatever prune rules say.
    pub keep: KeepRules,
    /// What may go. Their order has no meaning.
    pub prune: Vec<PruneRule>,
    /// Time during which nothing new goes.
    pub grace: RuleDuration,
    /// Limits beyond which nothing goes at all.
    pub limits: DeletionLimits,
    /// Registries with an API of their own whose host does not tell it.
    pub apis: Vec<RegistryApiRule>,
}

/// What stays.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct KeepRules {
    /// Time after its last use in an environment during which a released image stays.
    pub released: Option<RuleDuration>,
    /// Number of the newest releases of each environment that stay.
    pub rollback: Option<usize>,
    /// Tags that stay, with their images.
    pub tags: Vec<TagPattern>,
    /// Patterns of the files whose digests stay.
    pub pinned: Vec<String>,
}

/// What may go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PruneRule {
    /// The images it is about.
    pub selector: PruneSelector,
    /// Age below which an image stays.
    pub older_than: Option<RuleDuration>,
    /// Number of the newest images that stay, counted before their age.
    pub keep_last: Option<usize>,
}

/// Images that a prune rule is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PruneSelector {
    /// Those with a tag that one of the patterns describes.
    Tags(Vec<TagPattern>),
    /// Those with a tag that is a full version and that one of the patterns describes.
    Versions(Vec<TagPattern>),
    /// Those without a tag.
    Untagged {
        /// Whether evidence goes too whose subject is gone.
        orphans: bool,
    },
}

/// Limits on what one plan deletes of a repository.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DeletionLimits {
    /// Share of the images, in percent.
    pub share: u8,
    /// Number of images.
    pub images: usize,
}

impl Default for RetentionRules {
    /// Returns rules by which nothing goes.
    fn default() -> Self {
        Self {
            keep: KeepRules::default(),
            prune: Vec::new(),
            grace: RuleDuration::from_hours(DEFAULT_GRACE_HOURS),
            limits: DeletionLimits::default(),
            apis: Vec::new(),
        }
    }
}

impl Default for DeletionLimits {
    fn default() -> Self {
        Self {
            share: 30,
            images: 100,
        }
    }
}

impl PruneSelector {
    /// Returns the patterns of tags.
    pub(super) fn patterns(&self) -> &[TagPattern] {
        match self {
            Self::Tags(patterns) | Self::Versions(patterns) => patterns,
            Self::Untagged { .. } => &[],
        }
    }
}

impl RetentionRules {
    /// Returns whether the age of an image with this tag decides on anything: a prune rule describes the tag.
    pub fn describes(&self, tag: &Tag) -> bool {
        let mut rules = self.prune.iter();
        rules.any(|rule| is_described(&rule.selector, tag))
    }

    /// Returns the rule about the API of a registry.
    pub fn find_api(&self, registry: &RegistryName) -> Option<&RegistryApiRule> {
        self.apis.iter().find(|rule| rule.registry == *registry)
    }

    /// Returns whether a prune rule is about images without a tag.
    pub fn describes_untagged(&self) -> bool {
        let mut rules = self.prune.iter();
        rules.any(|rule| matches!(rule.selector, PruneSelector::Untagged { .. }))
    }
}

impl fmt::Display for PruneRule {
    /// Writes the rule as the policy does: `tags: pr-*, older-than: 14d`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let patterns: Vec<&str> = self
            .selector
            .patterns()
            .iter()
            .map(TagPattern::as_str)
            .collect();
        let patterns = patterns.join(" ");
        match &self.selector {
            PruneSelector::Tags(_) => write!(f, "tags: {patterns}")?,
            PruneSelector::Versions(_) => write!(f, "versions: {patterns}")?,
            PruneSelector::Untagged { orphans: false } => f.write_str("untagged")?,
            PruneSelector::Untagged { orphans: true } => f.write_str("untagged and orphans")?,
        }
        if let Some(age) = &self.older_than {
            write!(f, ", older-than: {age}")?;
        }
        match self.keep_last {
            Some(number) => write!(f, ", keep-last: {number}"),
            None => Ok(()),
        }
    }
}

/// Returns whether a rule about tags describes a tag.
pub(super) fn is_described(selector: &PruneSelector, tag: &Tag) -> bool {
    let mut patterns = selector.patterns().iter();
    let has_form = || match selector {
        PruneSelector::Tags(_) => true,
        PruneSelector::Versions(_) => read_version(tag).is_some(),
        PruneSelector::Untagged { .. } => false,
    };
    patterns.any(|pattern| pattern.matches(tag)) && has_form()
}
