use thiserror::Error;

use super::{ExpandError, RuleError};
use crate::event::ReleaseBranchError;
use crate::image::{CommitId, TagError};

/// Reason why no tags can be derived.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum TaggingError {
    /// There is neither an event nor a checkout, and no rules.
    #[error("there is no event and no git checkout to derive tags from")]
    NoFacts,
    /// The default table has no row for the event.
    #[error("the event {0} has no default tags")]
    NoDefaultTags(String),
    /// The event is about a branch or tag that was deleted.
    #[error("the event {event} deleted {what}: there is nothing to tag")]
    DeletedRef {
        /// The event.
        event: String,
        /// The ref that is gone.
        what: String,
    },
    /// Only a release that is out gives tags.
    #[error("the event is about a release that is {0}, not one that is published")]
    ReleaseNotOut(String),
    /// A `release` event without a tag.
    #[error("the release names no tag")]
    ReleaseWithoutTag,
    /// A pull request event without a number.
    #[error("the event {0} names no pull request")]
    NoPullRequest(String),
    /// No branch or tag is named.
    #[error("neither a branch nor a tag is named{0}")]
    NoRef(String),
    /// The ref is neither branch nor tag.
    #[error("{0} is neither a branch nor a tag")]
    OtherRef(String),
    /// Everything that could have been a tag was left out.
    #[error("no rule gives a tag: {0}")]
    NoTags(String),
    /// The release branch's name cannot be trusted to say what it seems to.
    #[error(transparent)]
    ReleaseBranch(#[from] ReleaseBranchError),
    /// The image was built from another commit than the release branch names.
    #[error(
        "the branch release/{label} names the commit {named}, but the image was built from {built}"
    )]
    OtherCommit {
        /// What follows `release/` in the branch's name.
        label: String,
        /// The commit it names, perhaps abbreviated.
        named: String,
        /// The commit of the image.
        built: CommitId,
    },
    /// The release branch names a commit, and the image does not say of which it is.
    #[error("the branch release/{label} names the commit {named}, but the image names none")]
    UnknownCommit {
        /// What follows `release/` in the branch's name.
        label: String,
        /// The commit it names, perhaps abbreviated.
        named: String,
    },
    /// A version is requested for the image of a pull request.
    #[error("version is {0}, and the event is about a pull request, which releases no version")]
    VersionOfPullRequest(String),
    /// A pushed image is requested under another version than its event names.
    #[error("version is {requested}, and the event names the version {named}")]
    OtherVersion {
        /// Version of the input.
        requested: String,
        /// Version of the event.
        named: String,
    },
    /// A list cannot be read.
    #[error("{}, line {}: {list}", list.input, list.line)]
    List {
        /// What is wrong.
        list: Box<RuleError>,
    },
    /// A rule cannot be expanded.
    #[error(transparent)]
    Rule(#[from] ExpandError),
    /// A rule gives what is no tag.
    #[error("{rule} gives {text:?}: {reason}")]
    BadTag {
        /// Which one.
        rule: String,
        /// What it gives.
        text: String,
        /// Why that is no tag.
        reason: TagError,
    },
    /// The tag is for signatures, referrers, records and holds.
    #[error(
        "{rule} gives {text:?}, a tag that is reserved for signatures, referrers, records and holds"
    )]
    ReservedTag {
        /// Which one.
        rule: String,
        /// What it gives.
        text: String,
    },
    /// The version makes no tag.
    #[error("the version {0} is too long for a tag")]
    LongVersion(String),
}

impl TaggingError {
    /// Returns whether a rule refuses the release, rather than the input being incomplete.
    pub fn is_refusal(&self) -> bool {
        match self {
            Self::OtherCommit { .. } | Self::UnknownCommit { .. } => true,
            Self::Rule(error) => error.is_refusal,
            _ => false,
        }
    }

    /// Returns what the reader can do.
    pub fn hint(&self) -> &'static str {
        match self {
            Self::NoDefaultTags(event) => rule_for_event(event),
            Self::DeletedRef { .. } => "remove this event from the triggers of the workflow",
            Self::ReleaseNotOut(_) => "trigger the workflow with release: types: [published]",
            Self::NoFacts | Self::NoRef(_) | Self::OtherRef(_) => {
                "set --ref refs/heads/NAME or refs/tags/NAME, or set the input tags"
            }
            Self::ReleaseBranch(_) => "name the branch release/VERSION-sha-COMMIT",
            Self::OtherCommit { .. } => {
                "promote the image of the commit that the branch names, or rename the branch"
            }
            Self::UnknownCommit { .. } => {
                "build the image with the label org.opencontainers.image.revision"
            }
            Self::Rule(error) if error.is_refusal => {
                "rename the branch or tag, or leave the rule out for it (enable=false)"
            }
            Self::VersionOfPullRequest(_) => "leave version out for pull requests",
            Self::OtherVersion { .. } => "leave version out, or push the git tag of that version",
            Self::List { .. } | Self::Rule(_) => "correct the rule",
            Self::ReservedTag { .. } => {
                "use another name: change the rule, flavor, version or git tag that gives the tag"
            }
            Self::BadTag { .. } => {
                "correct the rule, or set mode: strict, which replaces invalid characters"
            }
            Self::LongVersion(_) => "use a shorter pre-release part",
            _ => "set the input tags, one per line",
        }
    }
}

/// Returns a hint with a rule that gives a tag for an event without default tags.
fn rule_for_event(event: &str) -> &'static str {
    match event {
        "schedule" => "set tags to a rule for it, such as tags: type=schedule",
        "workflow_run" => {
            "set tags to a rule for it, such as tags: type=sha with mode: strict, which takes the commit that the other workflow ran on"
        }
        "repository_dispatch" => {
            "set tags to a rule for it, such as tags: type=raw,value=${{ github.event.client_payload.version }}"
        }
        _ => "set tags to a rule for it, such as tags: type=sha",
    }
}
