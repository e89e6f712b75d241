//! Decides what to do with the tag of a line that was read again, as a pure function of what was read
//! (promise 4). The rules and why they hold: `tags/reconcile.rs`.

use std::collections::BTreeSet;

mod recorded_line;

use super::destination_state::DestinationState;
use super::line_question::LineQuestion;
use super::lines::VERSION_LOOKUP_LIMIT;
use super::tags::{LineGoal, TagPlan, TagStep};
use crate::image::{Digest, Tag};
use crate::tagging::{LineTag, PlannedTag, TaggedRelease};

/// Line that this run has moved, or has found at its image.
pub(crate) struct TrackedLine {
    pub(crate) step_index: usize,
    pub(crate) planned: PlannedTag,
    line: LineTag,
    goal: LineGoal,
    /// Images that the line named in an earlier reading: the list is behind these.
    earlier: BTreeSet<Digest>,
}

/// What to do with a line after it was read.
#[derive(Debug)]
pub(crate) enum LineAction {
    /// It names what it should.
    Keep,
    /// It names a higher release, which another run has moved it to.
    KeepHigher(Digest, Tag),
    /// It names an image that the list does not explain: a list behind this reading decides.
    ReadAgain(Digest),
    /// It is written, with the reason where that is not with our image.
    Write(LineGoal, Option<String>),
    /// It names our image, which is withdrawn, and there is nothing to go back to.
    KeepWithdrawn,
}

/// Reason why a line goes to another image of our version.
const LOST_VERSION: &str = "another run wrote the version's tag at the same time";

/// What a run knows when it reads its lines again.
pub(crate) struct LineCorrection<'a> {
    /// State at the first look.
    pub(crate) seen: &'a DestinationState,
    pub(crate) root: Digest,
    /// The tag of our version, where this run gives it one.
    pub(crate) own_version: Option<PlannedTag>,
}

impl TrackedLine {
    /// Returns the lines of a plan that have a goal.
    pub(crate) fn of_plan(plan: &TagPlan) -> Vec<Self> {
        let steps = plan.steps.iter().enumerate();
        let lines = steps.filter_map(|(step_index, step)| Self::of_step(step_index, step));
        lines.collect()
    }

    /// Returns the line of a step; `None` if it is no line, or has no goal.
    pub(crate) fn of_step(step_index: usize, step: &TagStep) -> Option<Self> {
        Some(Self {
            step_index,
            planned: step.planned.clone(),
            line: step.planned.line()?.clone(),
            goal: step.line_goal.clone()?,
            earlier: BTreeSet::new(),
        })
    }

    /// Records that a line named an image that the list did not explain.
    pub(crate) fn record_unexplained(&mut self, at: Digest) {
        self.earlier.insert(at);
    }

    /// Records what the line was written with.
    pub(crate) fn record_write(&mut self, goal: LineGoal) {
        self.goal = goal;
    }

    /// Returns the goal of an image, by our version.
    fn goal_with(&self, digest: Digest) -> LineGoal {
        LineGoal {
            digest,
            version: self.line.version.clone(),
            passes_version: false,
        }
    }

    fn higher_releases(&self, now: &DestinationState) -> Vec<TaggedRelease> {
        let releases = now.compared_releases(&self.line);
        let higher = releases.higher_than(&self.line.line, &self.goal.version);
        higher.take(VERSION_LOOKUP_LIMIT).cloned().collect()
    }
}

impl<'a> LineCorrection<'a> {
    pub(crate) fn new(plan: &TagPlan, seen: &'a DestinationState, root: Digest) -> Self {
        Self {
            seen,
            root,
            own_version: own_version_tag(plan),
        }
    }

    /// Returns the tags that are read behind the list: the lines, and our version's tag.
    pub(crate) fn tags_to_read(&self, lines: &[TrackedLine]) -> BTreeSet<Tag> {
        let own = self.own_version.iter().map(|own| own.tag.clone());
        let lines = lines.iter().map(|line| line.planned.tag.clone());
        lines.chain(own).collect()
    }

    /// Returns the tags of the highest releases that were not there at the first look. With records it depends
    /// on these which are read.
    pub(crate) fn newer_tags(
        &self,
        lines: &[TrackedLine],
        now: &DestinationState,
    ) -> BTreeSet<Tag> {
        if now.records.is_some() {
            return BTreeSet::new();
        }
        let newer = lines
            .iter()
            .filter_map(|line| self.newer_release(line, now));
        newer
            .map(|release| release.tag)
            .filter(|tag| now.tag_digest(tag).is_none())
            .collect()
    }

    /// Returns the tags of the higher releases of the lines that do not name what they should.
    pub(crate) fn explaining_tags(
        &self,
        lines: &[TrackedLine],
        now: &DestinationState,
    ) -> BTreeSet<Tag> {
        let unexplained = lines
            .iter()
            .filter(|_| now.records.is_none())
            .filter(|line| {
                let at = now.tag_digest(&line.planned.tag);
                at.is_some_and(|at| at != line.goal.digest && at != self.root)
            });
        unexplained
            .flat_map(|line| line.higher_releases(now))
            .map(|release| release.tag)
            .filter(|tag| !now.tag_digests.contains_key(tag))
            .collect()
    }

    /// Chooses what to do with a line by what was read.
    pub(crate) fn choose_action(
        &self,
        line: &TrackedLine,
        now: &DestinationState,
    ) -> Result<LineAction, LineQuestion> {
        match now.records {
            Some(_) => self.choose_by_records(line, now),
            None => Ok(self.choose_by_list(line, now)),
        }
    }

    fn choose_by_list(&self, line: &TrackedLine, now: &DestinationState) -> LineAction {
        let (goal, why) = self.current_goal(line, now);
        let Some(at) = now.tag_digest(&line.planned.tag) else {
            return LineAction::Write(goal, why);
        };
        if at == goal.digest {
            return LineAction::Keep;
        }
        let higher = line.higher_releases(now).into_iter();
        let mut above = higher.filter(|release| release.version.is_higher_than(&goal.version));
        if let Some(release) = above.find(|release| now.tag_digest(&release.tag) == Some(at)) {
            return LineAction::KeepHigher(at, release.tag);
        }
        let is_own_write = at == self.root || at == line.goal.digest;
        match is_own_write || line.earlier.contains(&at) {
            true => LineAction::Write(goal, why),
            false => LineAction::ReadAgain(at),
        }
    }

    /// Returns the highest release that was not there at the first look.
    fn newer_release(&self, line: &TrackedLine, now: &DestinationState) -> Option<TaggedRelease> {
        let higher = line.higher_releases(now).into_iter();
        let mut newer = higher.filter(|release| !self.seen.tags.contains(&release.tag));
        newer.next()
    }

    /// Returns what the line is to name by now, with the reason where that is not our image.
    fn current_goal(
        &self,
        line: &TrackedLine,
        now: &DestinationState,
    ) -> (LineGoal, Option<String>) {
        let goal = |digest, version| LineGoal {
            digest,
            version,
            passes_version: false,
        };
        if let Some(release) = self.newer_release(line, now)
            && let Some(digest) = now.tag_digest(&release.tag)
        {
            let why = format!("{} is a higher release", release.tag);
            return (goal(digest, release.version), Some(why));
        }
        let is_ours = line.goal.version == line.line.version;
        let own = self.own_version.as_ref();
        match own.and_then(|own| now.tag_digest(&own.tag)) {
            Some(other) if is_ours && other != self.root => {
                let why = LOST_VERSION.to_owned();
                (goal(other, line.goal.version.clone()), Some(why))
            }
            _ if is_ours => (goal(self.root, line.goal.version.clone()), None),
            _ => {
                let why = "an earlier attempt wrote it before a higher release".to_owned();
                (line.goal.clone(), Some(why))
            }
        }
    }
}

/// Returns the lines of a plan that stayed, to be decided again where a higher release was withdrawn
/// meanwhile: by the name of an entry that was not there at the first look.
pub(crate) fn reopened_lines(
    plan: &TagPlan,
    seen: &DestinationState,
    now: &DestinationState,
) -> Vec<usize> {
    let Some((before, now)) = seen.records.as_ref().zip(now.records.as_ref()) else {
        return Vec::new();
    };
    if now.rollbacks.is_subset(&before.rollbacks) {
        return Vec::new();
    }
    let steps = plan.steps.iter().enumerate();
    let stayed = steps.filter(|(_, step)| step.planned.kind.is_line() && step.line_goal.is_none());
    stayed.map(|(step_index, _)| step_index).collect()
}

/// Returns the immutable tag that names the release the lines are moved to.
fn own_version_tag(plan: &TagPlan) -> Option<PlannedTag> {
    let planned = || plan.steps.iter().map(|step| &step.planned);
    let line = planned().find_map(PlannedTag::line)?;
    let is_own = |planned: &&PlannedTag| {
        let version = line.release_series.version(&planned.tag);
        planned.kind.is_immutable()
            && version.is_some_and(|version| version.cmp_precedence(&line.version).is_eq())
    };
    planned().find(is_own).cloned()
}

#[cfg(test)]
mod tests;
