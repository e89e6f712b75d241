use std::sync::Arc;

use jiff::Timestamp;

use super::derived::Derived;
use super::expand::{Expanded, Expansion, Subject, expand};
use super::rules::{RuleError, Rules};
use super::{Mode, TaggingError};
use crate::image::{Commit, Tag};

/// Which tags are wanted: the inputs `tags` and `flavor`.
#[derive(Debug, Clone, PartialEq)]
pub enum TagRules {
    /// Those of the default table.
    Default,
    /// Those of the rules, in place of the table. Shared: what they are expanded for holds the event,
    /// and a run may release many images.
    Given(Arc<Given>),
}

/// Rules, and what they are expanded for.
#[derive(Debug, Clone, PartialEq)]
pub struct Given {
    /// The rules.
    pub rules: Rules,
    /// What they are expanded for.
    pub subject: Subject,
}

impl TagRules {
    /// Rules that go by no event; none are [`TagRules::Default`].
    ///
    /// # Errors
    /// The first rule that is malformed.
    pub fn read<'a>(lines: impl IntoIterator<Item = &'a str>) -> Result<Self, RuleError> {
        let lines: Vec<_> = lines.into_iter().collect();
        let rules = Rules::read(&lines.join("\n"), "", Mode::Compatible)?;
        Ok(Self::of(rules, Subject::of(None, Timestamp::UNIX_EPOCH)))
    }

    /// The rules, for this subject. No rules are [`TagRules::Default`].
    pub fn of(rules: Rules, subject: Subject) -> Self {
        match rules.is_default() {
            true => Self::Default,
            false => Self::Given(Arc::new(Given { rules, subject })),
        }
    }

    /// Whether the tags depend on the commit that the image was built from.
    pub fn need_commit(&self) -> bool {
        match self {
            Self::Default => true,
            Self::Given(given) => given.rules.need_commit(),
        }
    }
}

impl Given {
    /// The tags of an image that is built from what the event is about.
    pub(super) fn derive(&self) -> Result<Derived, TaggingError> {
        planned(expand(&self.rules, &self.subject)?)
    }

    /// The tags of an image that was built from `commit`, whatever the event's own is.
    pub(super) fn derive_for(&self, commit: Option<&Commit>) -> Result<Derived, TaggingError> {
        planned(expand(&self.rules, &self.subject.built_from(commit))?)
    }
}

fn planned(expansion: Expansion) -> Result<Derived, TaggingError> {
    let mut derived = Derived {
        version: expansion.version().map(str::to_owned),
        ..Derived::default()
    };
    for finding in &expansion.findings {
        derived.note(finding.to_string());
    }
    for Expanded { text, kind, rule } in expansion.tags.into_iter().chain(expansion.latest) {
        let tag: Tag = match text.parse() {
            Ok(tag) => tag,
            Err(reason) => return Err(TaggingError::BadTag { rule, text, reason }),
        };
        derived.plan(tag, kind, rule);
    }
    if derived.tags.is_empty() {
        derived.note("no rule applies to the event");
        return Err(TaggingError::Nothing(derived.notes.join("; ")));
    }
    Ok(derived.settle())
}
