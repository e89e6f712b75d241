//! Warnings about higher versions that the tags of lines do not name, one for each version.

use super::lines::{LineDecision, LineHold};
use crate::image::{Destination, Tag};
use crate::tagging::TaggedRelease;

/// What the reader should know of the lines of a destination.
#[derive(Debug, Clone, Default)]
pub(crate) struct LineWarnings {
    warnings: Vec<LineWarning>,
}

#[derive(Debug, Clone)]
struct LineWarning {
    kind: LineWarningKind,
    /// The odd version, where there is one.
    release: Option<TaggedRelease>,
    lines: Vec<Tag>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum LineWarningKind {
    Passed,
    InProgress,
    UnknownImage,
    TwoNumberRelease,
}

impl LineWarnings {
    /// Records the warning that a decision gives rise to.
    pub(crate) fn record_decision(&mut self, tag: &Tag, decision: &LineDecision) {
        let (kind, release) = match decision {
            LineDecision::OwnImage {
                passed: Some(release),
            } => (LineWarningKind::Passed, Some(release)),
            LineDecision::Stays(LineHold::InProgress(release))
            | LineDecision::HigherRelease(release, _) => {
                (LineWarningKind::InProgress, Some(release))
            }
            LineDecision::Stays(LineHold::UnknownImage(release)) => {
                (LineWarningKind::UnknownImage, Some(release))
            }
            LineDecision::Stays(LineHold::TwoNumberRelease) => {
                (LineWarningKind::TwoNumberRelease, None)
            }
            _ => return,
        };
        let alike = |it: &&mut LineWarning| it.kind == kind && it.release.as_ref() == release;
        match self.warnings.iter_mut().find(alike) {
            Some(warning) => warning.lines.push(tag.clone()),
            None => self.warnings.push(LineWarning {
                kind,
                release: release.cloned(),
                lines: vec![tag.clone()],
            }),
        }
    }

    /// Returns the warnings as text.
    pub(crate) fn to_texts(&self, place: &Destination) -> impl Iterator<Item = String> {
        self.warnings.iter().map(move |warning| {
            let lines: Vec<&str> = warning.lines.iter().map(Tag::as_str).collect();
            format!("{place}: {}", warning.text(&lines.join(", ")))
        })
    }
}

impl LineWarning {
    fn text(&self, lines: &str) -> String {
        let (tag, exclude) = match &self.release {
            Some(release) => (
                release.tag.as_str(),
                format!("exclude-versions: {}", release.version),
            ),
            None => ("", String::new()),
        };
        match self.kind {
            LineWarningKind::Passed => format!(
                "{lines} passes the higher version {tag}, which it does not name and which is more than 24 hours \
                 older than this image: if {tag} is no release, set {exclude}; if it is one, release it again"
            ),
            LineWarningKind::InProgress => format!(
                "{lines} is not moved to this image, since the higher version {tag} is in progress (its image is \
                 at most 24 hours older, or has no known creation time): if {tag} is no release, set {exclude}"
            ),
            LineWarningKind::UnknownImage => format!(
                "{lines} stays: it points to an image that no version tag names, and the version {tag} is higher \
                 than this one: if {tag} is no release, set {exclude}"
            ),
            LineWarningKind::TwoNumberRelease => format!(
                "{lines} stays: it is a release of two numbers, an immutable tag, since no version of three numbers \
                 names its image"
            ),
        }
    }
}
