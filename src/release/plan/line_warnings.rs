//! Warnings about higher versions that the tags of lines do not name, one for each version.

use super::lines::{LineDecision, LineHold};
use crate::image::{Destination, Tag};
use crate::tagging::{PlannedTag, ReleaseVersion, TaggedRelease};

/// What the reader should know of the lines of a destination.
#[derive(Debug, Clone, Default)]
pub(crate) struct LineWarnings {
    /// Whether records decide which versions are releases.
    has_records: bool,
    warnings: Vec<LineWarning>,
}

#[derive(Debug, Clone)]
struct LineWarning {
    kind: LineWarningKind,
    /// The odd version, where there is one.
    release: Option<TaggedRelease>,
    lines: Vec<Tag>,
    /// The version of this run.
    own: Option<ReleaseVersion>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum LineWarningKind {
    Passed,
    InProgress,
    UnknownImage,
    TwoNumberRelease,
    AtOwnImage,
    Corrected,
    LookupLimit,
    NamesOddTag,
    OddTag,
}

impl LineWarnings {
    pub(crate) fn new(has_records: bool) -> Self {
        Self {
            has_records,
            warnings: Vec::new(),
        }
    }

    /// Records the warning that a decision gives rise to, in place of what an earlier decision on the
    /// line gave rise to.
    pub(crate) fn record_decision(&mut self, planned: &PlannedTag, decision: &LineDecision) {
        for warning in &mut self.warnings {
            warning.lines.retain(|line| *line != planned.tag);
        }
        self.warnings.retain(|warning| !warning.lines.is_empty());
        let Some((kind, release)) = warning_of(decision) else {
            return;
        };
        let alike = |it: &&mut LineWarning| it.kind == kind && it.release.as_ref() == release;
        match self.warnings.iter_mut().find(alike) {
            Some(warning) => warning.lines.push(planned.tag.clone()),
            None => self.warnings.push(LineWarning {
                kind,
                release: release.cloned(),
                lines: vec![planned.tag.clone()],
                own: planned.line().map(|line| line.version.clone()),
            }),
        }
    }

    /// Returns the warnings as text.
    pub(crate) fn to_texts(&self, place: &Destination) -> impl Iterator<Item = String> {
        self.warnings.iter().map(move |warning| {
            let lines: Vec<&str> = warning.lines.iter().map(Tag::as_str).collect();
            let lines = lines.join(", ");
            let text = warning.text_by_records(&lines).filter(|_| self.has_records);
            let text = text.unwrap_or_else(|| warning.text(&lines));
            format!("{place}: {text}")
        })
    }
}

fn warning_of(decision: &LineDecision) -> Option<(LineWarningKind, Option<&TaggedRelease>)> {
    let hold = match decision {
        LineDecision::OwnImage { passed } => {
            return passed
                .as_ref()
                .map(|release| (LineWarningKind::Passed, Some(release)));
        }
        LineDecision::HigherRelease(release, _) => {
            return Some((LineWarningKind::Corrected, Some(release)));
        }
        LineDecision::Stays(hold) => hold,
        LineDecision::Needs(_) => return None,
    };
    match hold {
        LineHold::InProgress(release) => Some((LineWarningKind::InProgress, Some(release))),
        LineHold::UnknownImage(release) => Some((LineWarningKind::UnknownImage, Some(release))),
        LineHold::AtOwnImage(release) => Some((LineWarningKind::AtOwnImage, Some(release))),
        LineHold::LookupLimit(release) => Some((LineWarningKind::LookupLimit, Some(release))),
        LineHold::NamesOddTag(release) => Some((LineWarningKind::NamesOddTag, Some(release))),
        LineHold::OddTag(release) => Some((LineWarningKind::OddTag, Some(release))),
        LineHold::TwoNumberRelease => Some((LineWarningKind::TwoNumberRelease, None)),
        LineHold::Decided(_) | LineHold::OtherSeries(_) => None,
    }
}

impl LineWarning {
    /// Returns the text where records decide, if that is another one.
    fn text_by_records(&self, lines: &str) -> Option<String> {
        let TaggedRelease { version, tag } = self.release.as_ref()?;
        Some(match self.kind {
            LineWarningKind::Passed => format!(
                "{lines} passes the higher version {tag}, which it does not name and of which no record says that it was \
                 released: if {tag} is no release, set exclude-versions: {version}; if it is one, release it again"
            ),
            LineWarningKind::InProgress => format!(
                "{lines} is not moved to this image ({}), since the higher version {tag} is released or in progress, by \
                 its record: if it is to count no more, withdraw it, or set exclude-versions: {version}",
                self.own.as_ref()?
            ),
            _ => return None,
        })
    }

    fn text(&self, lines: &str) -> String {
        let (tag, exclude) = match &self.release {
            Some(release) => (
                release.tag.as_str(),
                format!("exclude-versions: {}", release.version),
            ),
            None => ("", String::new()),
        };
        let own = self
            .own
            .as_ref()
            .map_or_else(String::new, ToString::to_string);
        match self.kind {
            LineWarningKind::Passed => format!(
                "{lines} passes the higher version {tag}, which it does not name and which is more than 24 hours \
                 older than this image: if {tag} is no release, set {exclude}; if it is one, release it again"
            ),
            LineWarningKind::InProgress => format!(
                "{lines} is not moved to this image ({own}), since the higher version {tag} is in progress (its \
                 image is newer, or at most 24 hours older, or has no known creation time): if {tag} is no \
                 release, set {exclude}"
            ),
            LineWarningKind::AtOwnImage => format!(
                "{lines} stays at {own}, although {tag} is higher: it was set so by hand, or the run of {tag} is \
                 in progress; if {tag} is no release, set {exclude}; if it is one, repeat its run"
            ),
            LineWarningKind::Corrected => format!(
                "{lines} moves to the higher version {tag}, since an earlier attempt of this run ({own}) may have \
                 written it over that release: if {tag} is no release, set {exclude}"
            ),
            LineWarningKind::LookupLimit => format!(
                "{lines} stays: it names none of the sixteen highest versions, such as {tag}, so {own} may be lower \
                 than what it names: move it by hand, or exclude versions that are no releases (exclude-versions)"
            ),
            LineWarningKind::NamesOddTag => format!(
                "{lines} stays: it names {tag}, which reads as a pre-release of a higher version than {own}, but may \
                 be a build: if it is no release, set {exclude}"
            ),
            LineWarningKind::OddTag => format!(
                "{lines} stays: {tag} reads as a pre-release, but may be a build of a higher version than {own}, and \
                 the line names no known release: if {tag} is no release, set {exclude}"
            ),
            LineWarningKind::UnknownImage => format!(
                "{lines} stays: it points to an image that no version tag names, and the version {tag} is higher \
                 than this one: if {tag} is no release, set {exclude}"
            ),
            LineWarningKind::TwoNumberRelease => format!(
                "{lines} stays: it is taken as a release of two numbers, an immutable tag, since no version of \
                 three numbers (of the sixteen highest) names its image: if it is a line, move it by hand"
            ),
        }
    }
}
