//! Sources of the version and the SHA tag of a release, for its report.

use std::fmt;

/// Source that gave the version of a release.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum VersionOrigin {
    /// The input `version`.
    Input,
    /// The event: a git tag, a published release or a release branch.
    Event,
    /// The tag that was given as source.
    SourceTag,
    /// The label or annotation `org.opencontainers.image.version`.
    Label,
    /// The version tags of the source repository that name the image.
    RepositoryTags,
}

/// Source that gave the spelling of the SHA tag of a release.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CommitTagOrigin {
    /// The tag that was given as source.
    SourceTag,
    /// The rule for SHA tags of the environment that the image comes from.
    FromRule,
    /// A tag of the source repository that ends in the commit and names the image.
    RepositoryTags,
    /// The commit alone, written as `git-<sha7>`.
    Commit,
}

/// Sources of the version and the SHA tag, and what contradicts them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TagProvenance {
    /// Source of the version; `None` if rules give the tags, or no source names a full version.
    pub version: Option<VersionOrigin>,
    /// Source of the SHA tag; `None` if rules give the tags, or the commit is unknown.
    pub commit_tag: Option<CommitTagOrigin>,
    /// Sources that name another version. May hold text from outside, made printable.
    pub version_contradictions: Vec<String>,
    /// Label that names another commit than the tag given as source. Printable, as above.
    pub commit_contradiction: Option<String>,
}

impl TagProvenance {
    /// Returns what sources say against each other.
    pub fn contradictions(&self) -> impl Iterator<Item = &String> {
        let of_version = self.version_contradictions.iter();
        of_version.chain(&self.commit_contradiction)
    }
}

impl VersionOrigin {
    /// Returns the name of the source in the output `json`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Input => "input",
            Self::Event => "event",
            Self::SourceTag => "source-tag",
            Self::Label => "label",
            Self::RepositoryTags => "repository-tags",
        }
    }
}

impl CommitTagOrigin {
    /// Returns the name of the source in the output `json`.
    pub fn name(self) -> &'static str {
        match self {
            Self::SourceTag => "source-tag",
            Self::FromRule => "from-rule",
            Self::RepositoryTags => "repository-tags",
            Self::Commit => "commit",
        }
    }
}

/// The source, for people.
impl fmt::Display for VersionOrigin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Input => "the input version",
            Self::Event => "the event",
            Self::SourceTag => "the tag given as source",
            Self::Label => "the label of the image",
            Self::RepositoryTags => "the version tags of the source repository",
        })
    }
}

/// The source, for people.
impl fmt::Display for CommitTagOrigin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::SourceTag => "the tag given as source",
            Self::FromRule => "the rule of the environment in from",
            Self::RepositoryTags => "a tag of the source repository",
            Self::Commit => "the commit",
        })
    }
}
