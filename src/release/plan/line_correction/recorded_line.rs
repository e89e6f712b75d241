//! Decides what to do with a line that was read again, where records are kept.

use super::{LineAction, LineCorrection, TrackedLine};
use crate::image::Digest;
use crate::release::plan::destination_state::DestinationState;
use crate::release::plan::line_question::LineQuestion;
use crate::release::plan::lines::VERSION_LOOKUP_LIMIT;
use crate::release::plan::record_facts::RecordedRelease;
use crate::release::plan::tracked_tag::WITHDRAWN_MEANWHILE;
use crate::tagging::TaggedRelease;

/// What a line is to name.
enum RecordedGoal {
    /// The image of this run's version.
    OwnVersion(Digest),
    /// A higher release.
    HigherRelease(TaggedRelease, Digest),
    /// The highest version with a counted release, since the image of this run's version is withdrawn.
    Fallback(Digest),
    /// What the line named before, since there is no such version.
    Previous(Digest),
    /// Nothing: that image is withdrawn, and there is nothing to go back to.
    Nothing,
}

impl LineCorrection<'_> {
    /// Chooses what to do with a line by what was read and by the records.
    pub(super) fn choose_by_records(
        &self,
        line: &TrackedLine,
        now: &DestinationState,
    ) -> Result<LineAction, LineQuestion> {
        let at = now.tag_digest(&line.planned.tag);
        let is_own_write = at.is_some_and(|at| at == self.root || at == line.goal.digest);
        Ok(match self.find_recorded_goal(line, now)? {
            RecordedGoal::OwnVersion(digest) => {
                let why = (digest != self.root).then(|| super::LOST_VERSION.to_owned());
                self.reach_goal(line, now, digest, why)
            }
            RecordedGoal::HigherRelease(release, digest)
                if at == Some(digest) && line.goal.digest != digest =>
            {
                LineAction::KeepHigher(digest, release.tag)
            }
            RecordedGoal::HigherRelease(release, digest) => {
                let why = format!("{} is a higher release", release.tag);
                self.reach_goal(line, now, digest, Some(why))
            }
            RecordedGoal::Fallback(digest) => {
                let why = WITHDRAWN_MEANWHILE.to_owned();
                self.reach_goal(line, now, digest, Some(why))
            }
            RecordedGoal::Previous(digest) if is_own_write && at != Some(digest) => {
                let why = WITHDRAWN_MEANWHILE.to_owned();
                LineAction::Write(line.goal_with(digest), Some(why))
            }
            RecordedGoal::Nothing if is_own_write => LineAction::KeepWithdrawn,
            // Another run wrote it, such as that of the rollback.
            RecordedGoal::Previous(_) | RecordedGoal::Nothing => LineAction::Keep,
        })
    }

    /// Returns the action that makes the line name `goal`, unless it names a higher version by now.
    fn reach_goal(
        &self,
        line: &TrackedLine,
        now: &DestinationState,
        goal: Digest,
        why: Option<String>,
    ) -> LineAction {
        let write = || LineAction::Write(line.goal_with(goal), why);
        let Some(at) = now.tag_digest(&line.planned.tag) else {
            return write();
        };
        if at == goal {
            return LineAction::Keep;
        }
        let releases = now.compared_releases(&line.line);
        let on_line = releases.on_line(&line.line.line);
        let mut above = on_line.take_while(|it| now.tag_digest(&it.tag) != Some(goal));
        if let Some(release) = above.find(|it| now.tag_digest(&it.tag) == Some(at)) {
            return LineAction::KeepHigher(at, release.tag.clone());
        }
        let is_own_write = at == self.root || at == line.goal.digest;
        match is_own_write || line.earlier.contains(&at) {
            true => write(),
            false => LineAction::ReadAgain(at),
        }
    }

    fn find_recorded_goal(
        &self,
        line: &TrackedLine,
        now: &DestinationState,
    ) -> Result<RecordedGoal, LineQuestion> {
        let named = self.own_version.as_ref().map(|own| &own.tag);
        let own = named
            .and_then(|tag| now.tag_digest(tag))
            .unwrap_or(self.root);
        if now.is_withdrawn(own)? {
            return self.find_fallback(line, now);
        }
        let releases = now.compared_releases(&line.line);
        let higher = releases.higher_than(&line.line.line, &line.line.version);
        let higher: Vec<&TaggedRelease> = higher.take(VERSION_LOOKUP_LIMIT).collect();
        Ok(
            match now.find_recorded(&higher, RecordedRelease::is_release)? {
                Some((release, digest)) => RecordedGoal::HigherRelease(release.clone(), digest),
                None => RecordedGoal::OwnVersion(own),
            },
        )
    }

    /// Finds what a line goes back to: the highest version with a counted release that is not withdrawn, else
    /// what the line named before this release.
    fn find_fallback(
        &self,
        line: &TrackedLine,
        now: &DestinationState,
    ) -> Result<RecordedGoal, LineQuestion> {
        let releases = now.compared_releases(&line.line);
        let highest: Vec<&TaggedRelease> = releases
            .on_line(&line.line.line)
            .take(VERSION_LOOKUP_LIMIT)
            .collect();
        let is_counted = |release| release == RecordedRelease::Released;
        if let Some((_, digest)) = now.find_recorded(&highest, is_counted)? {
            return Ok(RecordedGoal::Fallback(digest));
        }
        let recorded = self.seen.records.as_ref();
        let recorded = recorded.and_then(|it| it.previous.get(&line.planned.tag).copied());
        let before = || self.seen.tag_digest(&line.planned.tag);
        let previous = recorded.or_else(before).filter(|at| *at != self.root);
        let usable = now.usable_previous(previous)?;
        Ok(usable.map_or(RecordedGoal::Nothing, RecordedGoal::Previous))
    }
}
