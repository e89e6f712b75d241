//! Decides the change of each tag of a destination, as a pure function of the observed state.

use std::collections::BTreeSet;

use super::destination_state::DestinationState;
use super::environment_tag::{EnvironmentFacts, EnvironmentTagGoal, environment_tag_goal};
use super::line_warnings::LineWarnings;
use super::lines::{LineDecision, LineHold, decide_line};
use super::next_version::next_free_version;
use crate::image::{Destination, Digest, Tag};
use crate::release::Failure;
use crate::release::outcome::{TagChange, TagResult};
use crate::tagging::{MovingTagSource, PlannedTag, ReleaseVersion, TagKind};

/// The tags of one destination.
#[derive(Clone)]
pub(crate) struct TagPlan {
    pub(crate) steps: Vec<TagStep>,
    /// What they are to name, lines apart that are not for it.
    pub(crate) root: Digest,
    /// What the reader should know of the lines.
    pub(crate) line_warnings: LineWarnings,
}

/// One tag, and what happens to it.
#[derive(Clone)]
pub(crate) struct TagStep {
    pub(crate) planned: PlannedTag,
    pub(crate) change: TagChange,
    pub(crate) line_goal: Option<LineGoal>,
}

/// What the tag of a line is to name, if this run moves it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct LineGoal {
    pub(crate) digest: Digest,
    pub(crate) version: ReleaseVersion,
    /// Whether the line passes a higher version: list and line are read again just before the write.
    pub(crate) passes_version: bool,
}

impl TagPlan {
    pub(crate) fn writes(&self) -> bool {
        self.steps.iter().any(TagStep::writes)
    }

    /// Returns whether a tag names the root already, or is going to.
    pub(crate) fn has_root(&self) -> bool {
        self.writes() || self.names_root()
    }

    /// Returns whether a tag names the root already.
    pub(crate) fn names_root(&self) -> bool {
        let mut steps = self.steps.iter();
        steps.any(|step| step.change == TagChange::Unchanged)
    }

    /// Returns whether a tag is written for certain: one that follows a branch may give way to
    /// another run's.
    pub(crate) fn is_certain_to_write(&self) -> bool {
        let mut steps = self.steps.iter();
        steps.any(|step| {
            step.writes() && step.planned.kind != TagKind::Moving(MovingTagSource::Branch)
        })
    }

    pub(crate) fn into_results(self) -> Vec<TagResult> {
        let result = |TagStep {
                          planned, change, ..
                      }| TagResult {
            tag: planned.tag,
            kind: planned.kind,
            rule: planned.rule,
            change,
        };
        self.steps.into_iter().map(result).collect()
    }
}

impl TagStep {
    pub(crate) fn writes(&self) -> bool {
        self.change.writes_root()
    }

    /// Returns whether this run or an earlier attempt of it writes the tag with the root: the tag names the
    /// root, is going to, or is taken off it.
    pub(crate) fn is_own_write(&self) -> bool {
        self.change.writes_tag() || self.change == TagChange::Unchanged
    }
}

/// Plans the tags of `place` for `root`.
///
/// # Errors
/// A refusal, where immutable tags name another image.
pub(crate) fn plan_tags(
    place: &Destination,
    tags: &[PlannedTag],
    seen: &DestinationState,
    root: Digest,
) -> Result<TagPlan, Failure> {
    let mut line_warnings = LineWarnings::new(seen.records.is_some());
    let steps = tags.iter().map(|planned| {
        if let Some(decision) = decide_line(planned, seen, root) {
            return Ok(plan_line(planned, seen, root, decision, &mut line_warnings));
        }
        Ok(TagStep {
            planned: planned.clone(),
            change: plan_change(place, planned, seen, root)?,
            line_goal: None,
        })
    });
    let (mut planned, mut failures) = (Vec::with_capacity(tags.len()), Vec::new());
    for step in steps {
        match step {
            Ok(step) => planned.push(step),
            Err(failure) => failures.push(failure),
        }
    }
    if let Some(failure) = Failure::join(failures) {
        return Err(failure);
    }
    Ok(TagPlan {
        steps: planned,
        root,
        line_warnings,
    })
}

/// Plans the tag of a line.
pub(crate) fn plan_line(
    planned: &PlannedTag,
    seen: &DestinationState,
    root: Digest,
    decision: LineDecision,
    warnings: &mut LineWarnings,
) -> TagStep {
    warnings.record_decision(planned, &decision);
    let at = seen.tag_digest(&planned.tag);
    let version = planned.line().map(|line| line.version.clone());
    let own_goal = |passes_version| {
        Some(LineGoal {
            digest: root,
            version: version?,
            passes_version,
        })
    };
    let (change, line_goal) = match decision {
        LineDecision::OwnImage { passed } => {
            let change = match at == Some(root) {
                true => TagChange::Unchanged,
                false => created_or_moved(at),
            };
            // With records a version that is passed is none for certain.
            (change, own_goal(passed.is_some() && seen.records.is_none()))
        }
        LineDecision::HigherRelease(release, to) => {
            let why = format!("{} is a higher release", release.tag);
            let goal = LineGoal {
                digest: to,
                version: release.version,
                passes_version: false,
            };
            (TagChange::Corrected { from: at, to, why }, Some(goal))
        }
        LineDecision::Stays(hold) => {
            let why = hold_reason(planned, hold);
            (TagChange::Stays { at, why }, None)
        }
        LineDecision::Needs(_) => {
            let why = format!("{} stays: its releases are not known", planned.tag);
            (TagChange::Stays { at, why }, None)
        }
    };
    TagStep {
        planned: planned.clone(),
        change,
        line_goal,
    }
}

fn hold_reason(planned: &PlannedTag, hold: LineHold) -> String {
    let tag = &planned.tag;
    match hold {
        LineHold::Decided(why) => why,
        LineHold::InProgress(release) => {
            format!(
                "{tag} stays: the higher release {} is in progress",
                release.tag
            )
        }
        LineHold::UnknownImage(release) => format!(
            "{tag} stays: it points to an image that no version tag names, and {} is higher",
            release.tag
        ),
        LineHold::TwoNumberRelease => {
            format!("{tag} stays: it is taken as a release of two numbers")
        }
        LineHold::AtOwnImage(release) => {
            format!(
                "{tag} stays at this image, although {} is higher",
                release.tag
            )
        }
        LineHold::LookupLimit(release) => format!(
            "{tag} stays: it names none of the sixteen highest versions, such as {}",
            release.tag
        ),
        LineHold::NamesOddTag(release) => format!(
            "{tag} stays: it names {}, which may be a build of a higher version",
            release.tag
        ),
        LineHold::OddTag(release) => format!(
            "{tag} stays: {} may be a build of a higher version",
            release.tag
        ),
        LineHold::OtherSeries(release) => {
            format!(
                "{tag} stays: it follows the releases such as {}",
                release.tag
            )
        }
    }
}

fn plan_change(
    place: &Destination,
    planned: &PlannedTag,
    seen: &DestinationState,
    root: Digest,
) -> Result<TagChange, Failure> {
    let there = seen.tag_digest(&planned.tag);
    if let Some(change) = plan_environment_change(planned, seen, root) {
        return Ok(change);
    }
    if there == Some(root) {
        return Ok(TagChange::Unchanged);
    }
    if let Some(why) = seen.lines.get(&planned.tag) {
        let why = why.clone();
        return Ok(TagChange::Stays { at: there, why });
    }
    match (&planned.kind, there) {
        (TagKind::Immutable(_), Some(other)) => {
            let refusal = immutable_tag_conflict(place, planned, other, root);
            Err(name_next_version(refusal, place, planned, seen))
        }
        (TagKind::Moving(MovingTagSource::Branch), Some(_)) => {
            Ok(match seen.newer_branches.get(&planned.tag) {
                Some(why) => TagChange::Stays {
                    at: there,
                    why: why.clone(),
                },
                None => created_or_moved(there),
            })
        }
        (_, at) => Ok(created_or_moved(at)),
    }
}

/// Plans the tag of an environment that keeps records; `None` for all other tags.
fn plan_environment_change(
    planned: &PlannedTag,
    seen: &DestinationState,
    root: Digest,
) -> Option<TagChange> {
    let records = seen.records.as_ref()?;
    if planned.kind != TagKind::Moving(MovingTagSource::Environment) {
        return None;
    }
    let (tag, at) = (&planned.tag, seen.tag_digest(&planned.tag));
    let is_withdrawn = records.is_withdrawn(root) == Some(true);
    let goal = environment_tag_goal(EnvironmentFacts {
        root,
        sets: root,
        is_withdrawn,
        current: records.current_root(root, is_withdrawn),
        at,
        written: &BTreeSet::new(),
    });
    Some(match goal {
        EnvironmentTagGoal::Right if at == Some(root) => TagChange::Unchanged,
        EnvironmentTagGoal::OwnRoot(_) => created_or_moved(at),
        EnvironmentTagGoal::OtherRoot(to) => TagChange::Corrected {
            from: at,
            to,
            why: "an earlier attempt wrote it before a newer release".to_owned(),
        },
        EnvironmentTagGoal::Right | EnvironmentTagGoal::Superseded => TagChange::Stays {
            at,
            why: format!("{tag} stays with a newer release"),
        },
        EnvironmentTagGoal::NoRoot => TagChange::Stays {
            at,
            why: format!("{tag} stays: this release is withdrawn, and no other is there"),
        },
    })
}

fn created_or_moved(at: Option<Digest>) -> TagChange {
    at.map_or(TagChange::Created, |from| TagChange::Moved { from })
}

/// Returns the refusal to move an immutable tag (promise 3).
pub(crate) fn immutable_tag_conflict(
    place: &Destination,
    planned: &PlannedTag,
    other: Digest,
    root: Digest,
) -> Failure {
    let tag = &planned.tag;
    Failure::refused(format!(
        "tag {tag} of {place} points to {other}, expected {root}"
    ))
    .with_reason(format!("{tag} is an immutable tag ({})", planned.rule))
    .with_hint(format!(
        "release under a new version, or release the existing image, with source {}",
        tag_reference(place, tag)
    ))
}

/// Names the next free version, where the tag is one and the list of tags is known.
fn name_next_version(
    refusal: Failure,
    place: &Destination,
    planned: &PlannedTag,
    seen: &DestinationState,
) -> Failure {
    let next = match seen.tags.is_empty() {
        true => None,
        false => next_free_version(&planned.tag, &seen.tags),
    };
    match next {
        Some(next) => refusal.with_hint(format!(
            "release under the next free version, {next}, or release the existing image, with source {}",
            tag_reference(place, &planned.tag)
        )),
        None => refusal,
    }
}

/// Returns `tag` of `place` in the syntax of a source.
pub(crate) fn tag_reference(place: &Destination, tag: &Tag) -> String {
    format!("{place}:{tag}")
}

#[cfg(test)]
mod tests;
