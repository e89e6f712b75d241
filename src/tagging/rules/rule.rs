/// One rule of `tags`.
#[derive(Debug, Clone, PartialEq)]
pub struct TagRule {
    /// The line of the input that it stands on, from 1.
    pub line: usize,
    /// The rule as it was written.
    pub text: String,
    pub(crate) kind: RuleKind,
    /// Higher goes first; none where it is no number.
    pub(crate) priority: Option<f64>,
    /// A template that comes to `true` or `false`.
    pub(crate) enable: String,
    /// Templates that go before and after the text, in place of the flavor's.
    pub(crate) prefix: Option<String>,
    pub(crate) suffix: Option<String>,
    /// Whether the tag may be moved, where the rule says so.
    pub(crate) immutable: Option<bool>,
}

/// What a rule takes its text from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum RuleKind {
    Schedule {
        pattern: String,
    },
    Semver(VersionRule),
    Pep440(VersionRule),
    Match {
        pattern: String,
        group: String,
        value: String,
    },
    Edge {
        branch: String,
    },
    Ref(RefRuleKind),
    Raw {
        value: String,
    },
    Sha {
        long: bool,
    },
    /// A release branch, or a release that is published.
    Release {
        pattern: String,
    },
    /// The environment that is released to.
    Env,
}

/// A version, and how it is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct VersionRule {
    pub(crate) pattern: String,
    /// Where it is, if not in the tag's name: a template.
    pub(crate) value: String,
    /// What part of that it is: a regular expression; empty for all of it.
    pub(crate) matching: String,
}

/// Which refs a rule of `type=ref` is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum RefRuleKind {
    Branch,
    Tag,
    Pull,
}

impl RuleKind {
    /// Rules whose priority is not said go in this order.
    pub(super) fn default_priority(&self) -> f64 {
        match self {
            Self::Schedule { .. } => 1000.0,
            Self::Release { .. } => 950.0,
            Self::Semver(_) | Self::Pep440(_) => 900.0,
            Self::Match { .. } => 800.0,
            Self::Edge { .. } => 700.0,
            Self::Ref(_) => 600.0,
            Self::Raw { .. } => 200.0,
            Self::Env => 150.0,
            Self::Sha { .. } => 100.0,
        }
    }
}

impl TagRule {
    /// The texts of the rule that are templates, or may be.
    pub(crate) fn templates(&self) -> impl Iterator<Item = &str> {
        let own = match &self.kind {
            RuleKind::Schedule { pattern } | RuleKind::Release { pattern } => Some(pattern),
            RuleKind::Semver(versioned) | RuleKind::Pep440(versioned) => Some(&versioned.value),
            RuleKind::Match { value, .. } | RuleKind::Raw { value } => Some(value),
            _ => None,
        };
        [
            Some(&self.enable),
            self.prefix.as_ref(),
            self.suffix.as_ref(),
            own,
        ]
        .into_iter()
        .flatten()
        .map(String::as_str)
    }
}
