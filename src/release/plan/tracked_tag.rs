//! Moving tags of a release that no version line gives, where records are kept: what becomes of them after
//! the entry of the release is written.

use std::collections::BTreeSet;

use super::destination_state::DestinationState;
use super::environment_tag::{EnvironmentFacts, EnvironmentTagGoal, environment_tag_goal};
use super::line_question::LineQuestion;
use super::tags::TagPlan;
use crate::image::Digest;
use crate::release::outcome::TagChange;
use crate::tagging::{MovingTagSource, PlannedTag, TagKind};

/// Moving tag that this run has written, or has found at its root.
pub(crate) struct TrackedTag {
    pub(crate) step_index: usize,
    pub(crate) planned: PlannedTag,
    /// What the tag named before this release.
    previous: Option<Digest>,
    /// What this run wrote the tag with, apart from its root.
    written: BTreeSet<Digest>,
}

/// What to do with a moving tag after it was read.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum TagAction {
    /// It names what it should, or what another run wrote.
    Keep,
    /// It is written, for the reason.
    Write(Digest, &'static str),
    /// It names this run's root, which is withdrawn, and there is nothing to go back to.
    KeepWithdrawn,
}

/// Reason why a tag goes off this run's root.
pub(crate) const WITHDRAWN_MEANWHILE: &str = "this release was withdrawn meanwhile";
/// Reason why the tag of an environment goes to the root that this run sets.
const LATEST_RELEASE: &str = "it is the latest release";
/// Reason why the tag of an environment goes on to another root.
const LATER_RELEASE: &str = "the environment is on a later release";

impl TrackedTag {
    /// Returns the moving tags of a plan that this run writes, or an earlier attempt has written, lines apart.
    pub(crate) fn of_plan(plan: &TagPlan, seen: &DestinationState) -> Vec<Self> {
        let Some(records) = &seen.records else {
            return Vec::new();
        };
        let steps = plan.steps.iter().enumerate();
        let moving = steps.filter(|(_, step)| {
            let kind = &step.planned.kind;
            !kind.is_immutable() && !kind.is_line() && step.is_own_write()
        });
        moving
            .map(|(step_index, step)| {
                let recorded = records.previous.get(&step.planned.tag).copied();
                let before = || seen.tag_digest(&step.planned.tag);
                Self {
                    step_index,
                    planned: step.planned.clone(),
                    previous: recorded.or_else(before).filter(|at| *at != plan.root),
                    written: match &step.change {
                        TagChange::Corrected { to, .. } => [*to].into(),
                        _ => BTreeSet::new(),
                    },
                }
            })
            .collect()
    }

    /// Returns whether the tag is an environment's: it is read each time, also where the root is not withdrawn.
    pub(crate) fn is_environment(&self) -> bool {
        self.planned.kind == TagKind::Moving(MovingTagSource::Environment)
    }

    /// Records what the tag was written with.
    pub(crate) fn record_write(&mut self, digest: Digest) {
        self.written.insert(digest);
    }

    /// Chooses what to do with the tag by what was read.
    pub(crate) fn choose_action(
        &self,
        now: &DestinationState,
        root: Digest,
    ) -> Result<TagAction, LineQuestion> {
        match self.is_environment() {
            true => self.follow_environment(now, root),
            false => self.leave_withdrawn(now, root),
        }
    }

    fn follow_environment(
        &self,
        now: &DestinationState,
        root: Digest,
    ) -> Result<TagAction, LineQuestion> {
        let is_withdrawn = now.is_withdrawn(root)?;
        let records = now.records.as_ref();
        let current = records.and_then(|records| records.current_root(root, is_withdrawn));
        let restores = records.and_then(|records| records.restores);
        let goal = environment_tag_goal(EnvironmentFacts {
            root,
            sets: restores.unwrap_or(root),
            is_withdrawn,
            current,
            at: now.tag_digest(&self.planned.tag),
            written: &self.written,
        });
        Ok(match goal {
            EnvironmentTagGoal::Right | EnvironmentTagGoal::Superseded => TagAction::Keep,
            EnvironmentTagGoal::OwnRoot(own) => TagAction::Write(own, LATEST_RELEASE),
            EnvironmentTagGoal::OtherRoot(current) if is_withdrawn => {
                TagAction::Write(current, WITHDRAWN_MEANWHILE)
            }
            EnvironmentTagGoal::OtherRoot(current) => TagAction::Write(current, LATER_RELEASE),
            EnvironmentTagGoal::NoRoot => TagAction::KeepWithdrawn,
        })
    }

    /// Takes the tag off a root that was withdrawn meanwhile, back to what the tag named before.
    fn leave_withdrawn(
        &self,
        now: &DestinationState,
        root: Digest,
    ) -> Result<TagAction, LineQuestion> {
        if !now.is_withdrawn(root)? {
            return Ok(TagAction::Keep);
        }
        let tag = &self.planned.tag;
        match now.tag_digests.get(tag) {
            None => return Err(LineQuestion::Digests(vec![tag.clone()])),
            Some(at) if *at != Some(root) => return Ok(TagAction::Keep),
            Some(_) => {}
        }
        Ok(match now.usable_previous(self.previous)? {
            Some(previous) => TagAction::Write(previous, WITHDRAWN_MEANWHILE),
            None => TagAction::KeepWithdrawn,
        })
    }
}

#[cfg(test)]
mod tests;
