//! Reads the moving tags again after the writes, and corrects them until they are right (promise 4).
//!
//! Registries have no compare-and-swap, so a run that decided on what it saw earlier may write a line
//! over a higher release, which another run has finished meanwhile. Each run undoes what it overwrote;
//! no run points a line at an image that it does not release for any other reason. The rules:
//!
//! 1. A version's own tag is written before any line is. Where records are kept, the intent is written before
//!    the tag, and the entry after the lines.
//! 2. A run whose first list has a higher version on a line writes the line only if that version is none: no
//!    record or intent releases it. A line moves to a release that is higher only if an earlier attempt of the
//!    run wrote this version's tag. The line then names this run's image, which the attempt may have written
//!    over that release, or a version between the two: the attempt may have followed rule 3, and have died. Any
//!    other line that names this run's image was set back by hand, and stays. Without records the age of its
//!    image tells whether a version is none, and such a line moves only if the two images were created within 24
//!    hours of each other or at unknown times.
//! 3. After the last line that it wrote, and after its entry, a run lists the tags, and then reads every line
//!    that it wrote. It stops only where each line names its image, or a higher release. A line goes to the
//!    highest release by the records, without records to the highest that the first list did not have, if there
//!    is one; a line that names anything else it writes again, and then begins again.
//!
//! Take runs of releases that are in progress for each other, each of which completes, if need be by
//! being repeated; and take the highest release H of a line once all have stopped. H's run finds no
//! higher version, so it writes the line (or finds that it names H), and later reads it. Suppose that
//! the line names less at the end. Then the last write to it is by another run, W, after H's run has
//! read the line for the last time; so the tag of H was there before W's write, and is in the list that
//! W reads behind it. If W's first list lacked H, W moves the line to H, which is a later write. If W's
//! first list had H, rule 2 lets W write only what undoes a write of its own: a later write of H. If W
//! dies before it reads, its repetition finds H in its first list, and on the line its own image or a
//! version between the two, and rule 2 moves the line to H. So there is no such last write.
//!
//! With records all releases are in progress for each other, however old their images are: whoever lists the
//! tag of H finds its intent, since that was written first. No order is left.
//!
//! **Rollbacks.** A withdrawn root's version is as if it were not there. Its lines go to the highest version
//! with a counted release, else to what they named before. A rollback is a run like the others: it writes the
//! lines of the root, then its entry E, and then lists and reads all lines that the withdrawn release wrote.
//! Suppose that a line names the withdrawn root at the end. If the list behind the last write of it has E,
//! that run takes the line off again. If not, the write came before E, so the rollback reads it, and takes the
//! line off. The line then names the highest release H that is left: had the rollback written less, H's entry
//! came after the list of the rollback, so after E, and H's run reads behind its entry. It wrote the line, or
//! had left it to the withdrawn release: lines that stayed are decided again where the list has the name of a
//! rollback that the first list lacked.
//!
//! **The environment's tag** goes to the current root of the timeline (`plan/environment_tag.rs`). Each run that
//! writes it reads it behind its entry. Take the entry that makes the current root current, of a release or of
//! the rollback of a later one. If another run's last write of the tag came before that entry, the entry's run
//! reads and corrects it; if after, the writer's list has the entry.
//!
//! A run that dies after its entry is not repeated once a newer release is there: what it had not corrected is
//! for the next run. The model of `plan/line_correction/tests/` plays these runs, with deaths and with lists
//! that are behind.
//!
//! A line that names an image which the list cannot explain may have been moved by a run whose version
//! is newer than the list: its tag was written before the line, so a list behind this reading has it.
//! Only if that list has no higher release of this image either, the line names less.
//!
//! What is left without records: a higher version that is none by age is passed, although its run is under
//! way. If that run completes between another's last reading and its write, the line ends at the lower release.
//! The run that passes the version warns about it, and reads list and line again just before its write
//! (`line_recheck.rs`).
//!
//! A list may be behind. One that lacks our own tag is asked for again; two in a row are taken
//! together. A repetition that finds nothing to write has read one list alone.
//!
//! What a tag needs is decided in `plan/line_correction.rs` and `plan/tracked_tag.rs`.

use super::tag_reader::{TagReader, TrackedTags};
use super::write;
use crate::image::Digest;
use crate::notices::TagNews;
use crate::release::Failure;
use crate::release::context::ReleaseContext;
use crate::release::destination::OpenDestination;
use crate::release::outcome::TagChange;
use crate::release::plan::destination_state::DestinationState;
use crate::release::plan::line_correction::{
    LineAction, LineCorrection, TrackedLine, reopened_lines,
};
use crate::release::plan::line_facts::read_lines_again;
use crate::release::plan::lines::{LineDecision, decide_line};
use crate::release::plan::tags::{TagPlan, TagStep, immutable_tag_conflict, plan_line};
use crate::release::plan::tracked_tag::{TagAction, TrackedTag, WITHDRAWN_MEANWHILE};
use crate::release::resolve::image::{self, ResolvedImage};
/// How often lines are read: each time another run came between.
const READINGS_LIMIT: u32 = 12;
struct TagReconciler<'a> {
    context: &'a ReleaseContext,
    destination: &'a OpenDestination,
    image: &'a ResolvedImage,
    correction: &'a LineCorrection<'a>,
}

/// Reads the moving tags of a destination again and corrects them: version lines, and with records those
/// of environments and others too. Records must be written before.
///
/// # Errors
/// A refusal where our version's tag was lost to another run (the lines are right then), lines that do
/// not stay as they are written, and a store that fails.
pub(crate) async fn reconcile_tags(
    context: &ReleaseContext,
    destination: &OpenDestination,
    plan: &mut TagPlan,
    seen: &DestinationState,
    image: &ResolvedImage,
) -> Result<(), Failure> {
    let mut tracked = TrackedTags {
        lines: TrackedLine::of_plan(plan),
        others: TrackedTag::of_plan(plan, seen),
    };
    if !needs_reading(plan, seen, &tracked) {
        return Ok(());
    }
    let correction = &LineCorrection::new(plan, seen, image.root.digest);
    let reader = TagReader {
        context,
        destination,
        correction,
    };
    let reconciler = TagReconciler {
        context,
        destination,
        image,
        correction,
    };
    for _ in 0..READINGS_LIMIT {
        let now = reader.read_state(&tracked).await?;
        let mut are_right = reconciler.reopen_lines(plan, &mut tracked, &now).await?;
        for line in &mut tracked.lines {
            let step = &mut plan.steps[line.step_index];
            are_right &= reconciler.reconcile_line(step, line, &now).await?;
        }
        for tag in &mut tracked.others {
            let step = &mut plan.steps[tag.step_index];
            are_right &= reconciler.reconcile_tag(step, tag, &now).await?;
        }
        if are_right {
            return reconciler.check_own_version(&now);
        }
    }
    Err(reconciler.unstable_lines_failure())
}

/// Returns whether tags are read again. With records also those of a run that found them right: it has
/// written its entry, and a line that stayed is its own where the higher release was withdrawn meanwhile.
fn needs_reading(plan: &TagPlan, seen: &DestinationState, tracked: &TrackedTags) -> bool {
    if seen.records.is_some() {
        let has_lines = plan.steps.iter().any(|step| step.planned.kind.is_line());
        return has_lines || !tracked.others.is_empty();
    }
    let writes = plan.steps.iter().any(|step| step.change.writes_tag());
    writes && !tracked.lines.is_empty()
}

impl TagReconciler<'_> {
    /// Corrects a line; returns whether it was right.
    async fn reconcile_line(
        &self,
        step: &mut TagStep,
        line: &mut TrackedLine,
        now: &DestinationState,
    ) -> Result<bool, Failure> {
        // What a line needs that was decided again is read the next time.
        let Ok(action) = self.correction.choose_action(line, now) else {
            return Ok(false);
        };
        match action {
            LineAction::Keep => Ok(true),
            LineAction::KeepHigher(at, tag) => {
                let why = format!("{tag} is a higher release");
                step.change = TagChange::Stays { at: Some(at), why };
                Ok(true)
            }
            LineAction::KeepWithdrawn => {
                self.report_withdrawn(step);
                Ok(true)
            }
            LineAction::ReadAgain(at) => {
                line.record_unexplained(at);
                Ok(false)
            }
            LineAction::Write(goal, why) => {
                self.write_step(step, goal.digest, why).await?;
                line.record_write(goal);
                Ok(false)
            }
        }
    }

    /// Corrects a moving tag of another kind; returns whether it was right.
    async fn reconcile_tag(
        &self,
        step: &mut TagStep,
        tag: &mut TrackedTag,
        now: &DestinationState,
    ) -> Result<bool, Failure> {
        let root = self.image.root.digest;
        match tag.choose_action(now, root) {
            Err(_) => Ok(false),
            Ok(TagAction::Keep) => Ok(true),
            Ok(TagAction::KeepWithdrawn) => {
                self.report_withdrawn(step);
                Ok(true)
            }
            Ok(TagAction::Write(digest, why)) => {
                let why = (digest != root).then(|| why.to_owned());
                self.write_step(step, digest, why).await?;
                tag.record_write(digest);
                Ok(false)
            }
        }
    }

    /// Decides again on lines that stayed for a release which was withdrawn meanwhile; returns whether none
    /// of them was written.
    async fn reopen_lines(
        &self,
        plan: &mut TagPlan,
        tracked: &mut TrackedTags,
        now: &DestinationState,
    ) -> Result<bool, Failure> {
        let (seen, root) = (self.correction.seen, self.image.root.digest);
        let reopened = reopened_lines(plan, seen, now);
        if reopened.is_empty() {
            return Ok(true);
        }
        let lines = reopened.iter();
        let lines: Vec<_> = lines.map(|at| plan.steps[*at].planned.clone()).collect();
        let again = read_lines_again(self.destination, &lines, seen, self.image).await?;
        let mut are_right = true;
        for (step_index, planned) in reopened.into_iter().zip(&lines) {
            let decision = decide_line(planned, &again, root);
            let Some(decision @ LineDecision::OwnImage { .. }) = decision else {
                continue;
            };
            let step = &mut plan.steps[step_index];
            *step = plan_line(planned, &again, root, decision, &mut plan.line_warnings);
            tracked.lines.extend(TrackedLine::of_step(step_index, step));
            if step.writes() {
                self.write_step(step, root, None).await?;
                are_right = false;
            }
        }
        Ok(are_right)
    }

    /// Writes the tag of a step, with the reason where that is not with our image.
    async fn write_step(
        &self,
        step: &mut TagStep,
        to: Digest,
        why: Option<String>,
    ) -> Result<(), Failure> {
        let (place, store) = (&self.destination.name, &self.destination.store);
        let root = &self.image.root;
        let found;
        let manifest = if to == root.digest {
            root
        } else {
            found = image::resolve_in_store(store, place, to).await?.root;
            &found
        };
        write::write_tag(self.destination, &step.planned, manifest).await?;
        let (tag, short) = (&step.planned.tag, to.short());
        let reason = why
            .as_ref()
            .map_or_else(String::new, |why| format!(": {why}"));
        let text = format!("{place}: corrected tag {tag} to {short}{reason}");
        self.context.notices.tag_change(TagNews::Written, text);
        let from = step.change.previous_digest(root.digest);
        step.change = match why {
            Some(why) => TagChange::Corrected { from, to, why },
            None => from.map_or(TagChange::Created, |from| TagChange::Moved { from }),
        };
        Ok(())
    }

    /// Reports a tag that stays at our image, though it was withdrawn meanwhile.
    fn report_withdrawn(&self, step: &mut TagStep) {
        let (place, tag) = (&self.destination.name, &step.planned.tag);
        let why = format!("{tag} stays: {WITHDRAWN_MEANWHILE}, and there is nothing to go back to");
        let at = Some(self.image.root.digest);
        let is_reported =
            matches!(&step.change, TagChange::Stays { why: earlier, .. } if *earlier == why);
        if !is_reported {
            self.context.notices.warning(format!("{place}: {why}"));
        }
        step.change = TagChange::Stays { at, why };
    }

    fn check_own_version(&self, now: &DestinationState) -> Result<(), Failure> {
        let Some(own) = &self.correction.own_version else {
            return Ok(());
        };
        match now.tag_digest(&own.tag) {
            Some(there) if there == self.image.root.digest => Ok(()),
            Some(there) => {
                let root = self.image.root.digest;
                let lost = immutable_tag_conflict(&self.destination.name, own, there, root);
                Err(lost.with_reason(write::CONCURRENT_WRITE))
            }
            None => Err(write::missing_tag_failure(self.destination, own)),
        }
    }

    fn unstable_lines_failure(&self) -> Failure {
        Failure::service(format!(
            "destination {}: other runs keep moving the version lines",
            self.destination.name
        ))
        .with_hint("repeat the run once the others have ended")
    }
}
