use std::fmt;

use semver::Version;

use super::{ReleaseSeries, TagProvenance, VersionLine, line_tag, tag_name};
use crate::image::Tag;

/// What may happen to a tag once it is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TagKind {
    /// It names one digest for ever.
    Immutable(ImmutableTagSource),
    /// It follows something.
    Moving(MovingTagSource),
}

/// What an immutable tag names its image after.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ImmutableTagSource {
    /// A version.
    Version,
    /// The commit that it was built from.
    Commit,
    /// Something else: a git tag that is no version, or what a rule says.
    Other,
}

/// What a moving tag follows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MovingTagSource {
    /// A version line, moved to a release of it only if that is the highest
    /// (`line_move`).
    Line {
        /// The line.
        line: VersionLine,
        /// The releases whose line it is.
        series: ReleaseSeries,
        /// The release it is to be moved to.
        version: Version,
    },
    /// A branch.
    Branch,
    /// A pull request.
    PullRequest,
    /// What was last released to an environment.
    Environment,
    /// What the user says: a rule of `tags` names it.
    Other,
}

/// A tag that is to be written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlannedTag {
    /// Its name.
    pub tag: Tag,
    /// Whether it may ever be moved.
    pub kind: TagKind,
    /// Where it comes from, for people: `the version of the tag v1.4.0`. May hold text from
    /// outside, made printable.
    pub rule: String,
}

/// The tags of a run.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DerivedTags {
    /// The version: a release's, else the name that goes with the branch or pull request, else the
    /// first rule's.
    pub version: Option<String>,
    /// At least one, none twice, the immutable ones first.
    pub tags: Vec<PlannedTag>,
    /// What was skipped or defaulted, and why. May hold text from outside, made printable.
    pub notes: Vec<String>,
    /// Sources of the version and the SHA tag.
    pub provenance: TagProvenance,
}

impl PlannedTag {
    /// Whether what happened gives the tag its name: a branch or a pull request, which anybody who may
    /// push can call anything.
    pub fn is_named_by_event(&self) -> bool {
        let named = [
            TagKind::Moving(MovingTagSource::Branch),
            TagKind::Moving(MovingTagSource::PullRequest),
        ];
        named.contains(&self.kind)
    }

    /// Whether only the tags of a repository tell if this is the tag of a version line.
    pub fn may_take_line(&self) -> bool {
        self.is_named_by_event() && line_tag::line_of(&self.tag).is_some()
    }

    /// Whether the tag is called as a version or a version line is, apart from `latest`, which rules
    /// give to branches too.
    pub fn reads_as_release(&self) -> bool {
        let meaning = tag_name::reserved_from_branches(&self.tag);
        matches!(meaning, Some("a version" | "a version line"))
    }

    /// What an immutable tag of this name would stand for: `a version` or `a commit`.
    pub fn immutable_form(&self) -> Option<&'static str> {
        tag_name::immutable_form(&self.tag)
    }
}

impl TagKind {
    /// Whether a tag of this kind is never moved.
    pub fn is_immutable(&self) -> bool {
        matches!(self, Self::Immutable(_))
    }

    /// Whether a tag of this kind follows a version line.
    pub fn is_line(&self) -> bool {
        matches!(self, Self::Moving(MovingTagSource::Line { .. }))
    }
}

impl fmt::Display for TagKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Immutable(_) => f.write_str("immutable"),
            Self::Moving(MovingTagSource::Line { .. }) => f.write_str("follows the version line"),
            Self::Moving(MovingTagSource::Branch) => f.write_str("follows the branch"),
            Self::Moving(MovingTagSource::PullRequest) => f.write_str("follows the pull request"),
            Self::Moving(MovingTagSource::Environment) => f.write_str("follows the environment"),
            Self::Moving(MovingTagSource::Other) => f.write_str("moving"),
        }
    }
}

impl DerivedTags {
    pub(super) fn add_tag(&mut self, tag: Tag, kind: TagKind, rule: impl Into<String>) {
        let rule = rule.into();
        self.tags.push(PlannedTag { tag, kind, rule });
    }

    pub(super) fn add_note(&mut self, note: impl Into<String>) {
        self.notes.push(note.into());
    }

    /// Puts the immutable tags first and drops what is there twice. Where one name is wanted as
    /// both kinds, the immutable one is the safe one.
    pub(super) fn into_ordered(mut self) -> Self {
        let mut tags: Vec<PlannedTag> = Vec::with_capacity(self.tags.len());
        self.tags
            .sort_by_key(|planned| !planned.kind.is_immutable());
        for planned in self.tags {
            match tags.iter().find(|earlier| earlier.tag == planned.tag) {
                Some(earlier) if earlier.kind != planned.kind => self.notes.push(format!(
                    "the tag {} is given twice: taken as {} ({}), not as {} ({})",
                    planned.tag, earlier.kind, earlier.rule, planned.kind, planned.rule
                )),
                Some(_) => {}
                None => tags.push(planned),
            }
        }
        Self { tags, ..self }
    }
}
