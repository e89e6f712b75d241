//! Result of an expansion: tags, and what a person should know about them.

use crate::tagging::{CompatMode, Finding, TagKind};

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
    pub(super) strict: bool,
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
    /// Returns the expansion with its findings as the mode tells them.
    pub(super) fn into_findings_of(mut self, mode: CompatMode) -> Self {
        if mode == CompatMode::Strict {
            let findings = self.findings.into_iter();
            self.findings = findings.map(Finding::into_strict).collect();
        }
        self
    }

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
