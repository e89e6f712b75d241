use std::fmt;

use super::{
    ImmutableTags, NamedRelease, ReleaseSeries, ReleaseVersion, TagProvenance, TaggingError,
    VersionLine, line_tag, tag_name,
};
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
    /// A version line.
    Line(Box<LineTag>),
    /// A branch.
    Branch,
    /// A pull request.
    PullRequest,
    /// What was last released to an environment.
    Environment,
    /// What the user says: a rule of `tags` names it.
    Other,
}

/// The line that a tag follows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LineTag {
    /// Line.
    pub line: VersionLine,
    /// Series of the tag itself: what it has around the line's name.
    pub series: ReleaseSeries,
    /// Series of the tag that names the release; another one where a variant or a component gives
    /// `latest`.
    pub release_series: ReleaseSeries,
    /// Release that the tag is moved to.
    pub version: ReleaseVersion,
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
    /// What is hardly meant as it is. May hold text from outside, made printable.
    pub warnings: Vec<String>,
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
        match &self.kind {
            TagKind::Moving(MovingTagSource::Other) => line_tag::may_be_latest(&self.tag),
            _ => self.is_named_by_event() && line_tag::may_be_line(&self.tag),
        }
    }

    /// Returns the version that the tag names or follows.
    pub fn version(&self) -> Option<ReleaseVersion> {
        match &self.kind {
            TagKind::Immutable(ImmutableTagSource::Version) => {
                NamedRelease::parse(self.tag.as_str()).map(|release| release.version)
            }
            TagKind::Moving(MovingTagSource::Line(line)) => Some(line.version.clone()),
            _ => None,
        }
    }

    /// Returns the line that the tag follows.
    pub fn line(&self) -> Option<&LineTag> {
        match &self.kind {
            TagKind::Moving(MovingTagSource::Line(line)) => Some(line),
            _ => None,
        }
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
        matches!(self, Self::Moving(MovingTagSource::Line(_)))
    }
}

impl fmt::Display for TagKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Immutable(_) => f.write_str("immutable"),
            Self::Moving(MovingTagSource::Line(_)) => f.write_str("follows the version line"),
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

    pub(super) fn add_warning(&mut self, warning: impl Into<String>) {
        self.warnings.push(warning.into());
    }

    /// Makes the tags immutable that the patterns describe, whatever rule gives them.
    pub(super) fn fix_tags(&mut self, immutable: &ImmutableTags) {
        for planned in &mut self.tags {
            let Some(pattern) = immutable.find(&planned.tag) else {
                continue;
            };
            if !planned.kind.is_immutable() {
                planned.kind = TagKind::Immutable(ImmutableTagSource::Other);
                planned.rule += &format!(", immutable by the pattern {}", pattern.as_str());
            }
        }
    }

    /// Returns the error of a run without tags, with all that was noted.
    pub(super) fn no_tags_error(&self) -> TaggingError {
        let reasons = self.warnings.iter().chain(&self.notes);
        TaggingError::NoTags(reasons.cloned().collect::<Vec<_>>().join("; "))
    }

    /// Puts the immutable tags first, then version lines, and drops what is there twice. Where one
    /// name is wanted as several kinds, the first of them is the safe one.
    ///
    /// # Errors
    /// A tag that is reserved, whatever gives it: a rule, a version, the name of a component or a flavor.
    pub(super) fn into_ordered(mut self) -> Result<Self, TaggingError> {
        self.refuse_reserved()?;
        let mut tags: Vec<PlannedTag> = Vec::with_capacity(self.tags.len());
        self.tags.sort_by_key(|planned| {
            let kind = &planned.kind;
            (!kind.is_immutable(), !kind.is_line())
        });
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
        relate_lines_to_releases(&mut tags);
        Ok(Self { tags, ..self })
    }

    fn refuse_reserved(&self) -> Result<(), TaggingError> {
        let is_reserved = |planned: &&PlannedTag| tag_name::is_reserved(planned.tag.as_str());
        match self.tags.iter().find(is_reserved) {
            Some(planned) => Err(TaggingError::ReservedTag {
                rule: planned.rule.clone(),
                text: planned.tag.to_string(),
            }),
            None => Ok(()),
        }
    }
}

/// A line is about the releases of its own series where the run gives one of them.
fn relate_lines_to_releases(tags: &mut [PlannedTag]) {
    let releases: Vec<Tag> = tags
        .iter()
        .filter(|planned| planned.kind.is_immutable())
        .map(|planned| planned.tag.clone())
        .collect();
    for planned in tags {
        let TagKind::Moving(MovingTagSource::Line(line)) = &mut planned.kind else {
            continue;
        };
        let is_own = |tag: &Tag| {
            let version = line.series.version(tag);
            version.is_some_and(|it| it.cmp_precedence(&line.version).is_eq())
        };
        if releases.iter().any(is_own) {
            line.release_series = line.series.clone();
        }
    }
}
