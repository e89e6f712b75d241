//! Reads the version lines again after the writes, and corrects them until they are right (promise
//! 4).
//!
//! Registries have no compare-and-swap, so a run that decided on what it saw earlier may write a line
//! over a higher release, which another run has finished meanwhile. Each run undoes what it overwrote;
//! no run points a line at an image that it does not release for any other reason. The rules:
//!
//! 1. A version's own tag is written before any line is.
//! 2. A run whose first list has a higher version on a line writes the line only if that version is
//!    none, by the age of its image. A line moves to that version only if an earlier attempt of the run
//!    wrote this version's tag, and the two images were created within 24 hours of each other or at
//!    unknown times. The line then names this run's image, which the attempt may have written over that
//!    version, or a release between the two: the attempt may have followed rule 3, and have died. Any
//!    other line that names this run's image was set back by hand, and stays.
//! 3. After the last line that it wrote, a run lists the tags, and then reads every line that it wrote.
//!    It stops only where each line names its image, or a higher release. A line goes to the highest
//!    release that the first list did not have, if there is one; a line that names anything else it
//!    writes again, and then begins again.
//!
//! Take runs of releases that are in progress for each other, each of which completes, if need be by
//! being repeated; and take the highest release H of a line once all have stopped. H's run finds no
//! higher version, so it writes the line (or finds that it names H), and later reads it. Suppose that
//! the line names less at the end. Then the last write to it is by another run, W, after H's run has
//! read the line for the last time; so the tag of H was there before W's write, and is in the list that
//! W reads behind it. If W's first list lacked H, W moves the line to H, which is a later write. If W's
//! first list had H, rule 2 lets W write only what undoes a write of its own: a later write of H. If W
//! dies before it reads, its repetition finds H in its first list, and on the line its own image or a
//! release between the two, and rule 2 moves the line to H. So there is no such last write.
//!
//! A line that names an image which the list cannot explain may have been moved by a run whose version
//! is newer than the list: its tag was written before the line, so a list behind this reading has it.
//! Only if that list has no higher release of this image either, the line names less.
//!
//! What is left: a higher version that is none by age is passed, although its run is under way. If
//! that run completes between another's last reading and its write, the line ends at the lower release.
//! The run that passes the version warns about it, and reads list and line again just before its write
//! (`line_recheck.rs`).
//!
//! A list may be behind. One that lacks our own tag is asked for again; two in a row are taken
//! together. A repetition that finds nothing to write has read one list alone.
//!
//! What a line needs is decided in `plan/line_correction.rs`.

use std::collections::BTreeSet;

use futures_util::future::try_join;

use super::write;
use crate::image::{Digest, Manifest, Tag};
use crate::notices::TagNews;
use crate::release::Failure;
use crate::release::context::ReleaseContext;
use crate::release::destination::OpenDestination;
use crate::release::outcome::TagChange;
use crate::release::plan::destination_state::DestinationState;
use crate::release::plan::line_correction::{LineAction, LineCorrection, TrackedLine};
use crate::release::plan::observe;
use crate::release::plan::tags::{TagPlan, TagStep, immutable_tag_conflict};
use crate::release::resolve::image;
use crate::tagging::PlannedTag;
use crate::transfer::{ImageStore, Side, StoreError};

/// Lists in a row.
const LISTS: usize = 2;
/// How often lines are read: each time another run came between.
const READINGS_LIMIT: u32 = 12;
/// How often a list that lacks our own tag is asked for again.
const STALE_LIST_RETRIES: u32 = 5;

struct LineReconciler<'a> {
    context: &'a ReleaseContext,
    destination: &'a OpenDestination,
    root: &'a Manifest,
    correction: LineCorrection<'a>,
}

/// Reads the lines of a destination again and corrects them.
///
/// # Errors
/// A refusal where our version's tag was lost to another run (the lines are right then), lines that do
/// not stay as they are written, and a store that fails.
pub(crate) async fn reconcile_lines(
    context: &ReleaseContext,
    destination: &OpenDestination,
    plan: &mut TagPlan,
    seen: &DestinationState,
    root: &Manifest,
) -> Result<(), Failure> {
    let mut lines = TrackedLine::of_plan(plan);
    if lines.is_empty() || !plan.steps.iter().any(|step| step.change.writes_tag()) {
        return Ok(());
    }
    let reconciler = LineReconciler {
        context,
        destination,
        root,
        correction: LineCorrection::new(plan, seen, root.digest),
    };
    for _ in 0..READINGS_LIMIT {
        let now = reconciler.read_state(&lines).await?;
        let mut are_right = true;
        for line in &mut lines {
            let step = &mut plan.steps[line.step_index];
            are_right &= reconciler.reconcile_line(step, line, &now).await?;
        }
        if are_right {
            return reconciler.check_own_version(&now);
        }
    }
    Err(reconciler.unstable_lines_failure())
}

impl LineReconciler<'_> {
    fn to_failure(&self, error: StoreError) -> Failure {
        Failure::from_store_error(Side::Destination, &self.destination.name, error)
    }

    /// Reads the list of tags, and then the lines, our version's tag and the higher releases.
    async fn read_state(&self, lines: &[TrackedLine]) -> Result<DestinationState, Failure> {
        let failed = |error| self.to_failure(error);
        let mut tags = BTreeSet::new();
        for _ in 0..LISTS {
            let (list, is_behind) = self.list_tags().await.map_err(failed)?;
            tags.extend(list);
            if is_behind {
                break;
            }
        }
        let mut now = self.correction.seen.with_tags(tags);
        now.tag_digests.retain(|_, digest| digest.is_some());
        let read = self.correction.tags_to_read(lines);
        let newer = self.correction.newer_tags(lines, &now);
        let (named, newer) = try_join(
            observe::resolve_tags(self.destination, &read),
            observe::resolve_tags(self.destination, &newer),
        )
        .await
        .map_err(failed)?;
        now.tag_digests.extend(named);
        now.record_digests(newer);
        // What a line names that does not name what it should is found among the higher releases.
        let unknown = self.correction.explaining_tags(lines, &now);
        let digests = observe::resolve_tags(self.destination, &unknown).await;
        now.record_digests(digests.map_err(failed)?);
        Ok(now)
    }

    /// The list of tags, and whether it is known to be behind, since it still lacks what this run wrote.
    async fn list_tags(&self) -> Result<(BTreeSet<Tag>, bool), StoreError> {
        let mut attempts = 0;
        loop {
            let mut tags = self.destination.store.tags().await?;
            let own = self.correction.own_version.as_ref();
            let Some(own) = own.filter(|own| !tags.contains(&own.tag)) else {
                return Ok((tags, false));
            };
            attempts += 1;
            if attempts > STALE_LIST_RETRIES {
                self.context.notices.warning(format!(
                    "{}: the list of tags does not contain {} yet, so a release at the same time cannot be excluded; \
                     repeat the run to check the version lines",
                    self.destination.name, own.tag
                ));
                tags.insert(own.tag.clone());
                return Ok((tags, true));
            }
            // At once the first time: another of the registry's servers may answer.
            if let ImageStore::Registry(remote) = &self.destination.store
                && attempts > 1
            {
                tokio::time::sleep(remote.timing().retry * 2u32.pow(attempts - 2)).await;
            }
        }
    }

    /// Corrects a line; returns whether it was right.
    async fn reconcile_line(
        &self,
        step: &mut TagStep,
        line: &mut TrackedLine,
        now: &DestinationState,
    ) -> Result<bool, Failure> {
        match self.correction.choose_action(line, now) {
            LineAction::Keep => Ok(true),
            LineAction::KeepHigher(at, tag) => {
                let why = format!("{tag} is a higher release");
                step.change = TagChange::Stays { at: Some(at), why };
                Ok(true)
            }
            LineAction::ReadAgain(at) => {
                line.record_unexplained(at);
                Ok(false)
            }
            LineAction::Write(goal, why) => {
                self.write_line(&line.planned, goal.digest, why.as_deref())
                    .await?;
                let from = step.change.previous_digest(self.root.digest);
                step.change = match why {
                    Some(why) => TagChange::Corrected {
                        from,
                        to: goal.digest,
                        why,
                    },
                    None => from.map_or(TagChange::Created, |from| TagChange::Moved { from }),
                };
                line.record_write(goal);
                Ok(false)
            }
        }
    }

    async fn write_line(
        &self,
        line: &PlannedTag,
        to: Digest,
        why: Option<&str>,
    ) -> Result<(), Failure> {
        let (place, store) = (&self.destination.name, &self.destination.store);
        let found;
        let manifest = if to == self.root.digest {
            self.root
        } else {
            found = image::resolve_in_store(store, place, to).await?.root;
            &found
        };
        write::write_tag(self.destination, line, manifest).await?;
        let why = why.map_or_else(String::new, |why| format!(": {why}"));
        let text = format!("{place}: corrected tag {} to {}{why}", line.tag, to.short());
        self.context.notices.tag_change(TagNews::Written, text);
        Ok(())
    }

    fn check_own_version(&self, now: &DestinationState) -> Result<(), Failure> {
        let Some(own) = &self.correction.own_version else {
            return Ok(());
        };
        match now.tag_digest(&own.tag) {
            Some(there) if there == self.root.digest => Ok(()),
            Some(there) => {
                Err(
                    immutable_tag_conflict(&self.destination.name, own, there, self.root.digest)
                        .with_reason(write::CONCURRENT_WRITE),
                )
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
