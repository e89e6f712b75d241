//! Reads the version lines again after the writes, and corrects them until they are right (promise
//! 4).
//!
//! Registries have no compare-and-swap, so a run that decided on what it saw earlier may write a line
//! over a higher release, which another run has finished meanwhile. What makes lines right in the end,
//! whatever the order, is where each run may stop:
//!
//! 1. A version's own tag is written before any line is.
//! 2. After the last line that it wrote, a run lists the tags anew, and looks anew at what its own
//!    version names. It stops only where each line names what the highest of these releases names; what
//!    is not so it writes, and then begins anew. A line that it found right and left alone, it reads
//!    again after its own version's tag was written.
//!
//! Take the last write to a line, by any run, and the highest release once all have stopped. If the
//! writer's last list holds that release, the writer wrote what it names, or it would have written
//! again. If the list does not hold it, its tag was written later, so its own run came to the line
//! after the last write, and either wrote it, which cannot be, or read that it was right. A run that
//! dies is one that wrote less, or that did not look: the next run that begins after it and completes
//! sees the lines of its version, finds their highest releases by listing, and corrects them, also
//! where those are not its own. What a run's version is not on, it does not look at.
//!
//! A list may be behind. One that lacks our own tag shows that it is, and is asked for again. One that
//! has ours and lacks another's cannot be told from one that is up to date: if the other run ends
//! between our version's tag and our line, nothing but a list shows it. So one list is not believed,
//! and two in a row must find nothing to do. A run that finds nothing to write believes the one it
//! has: a list that is behind while a dead run is mended waits for the next.

use std::collections::{BTreeMap, BTreeSet};

use super::write;
use crate::image::{Digest, Manifest, Tag};
use crate::release::Failure;
use crate::release::context::ReleaseContext;
use crate::release::destination::OpenDestination;
use crate::release::outcome::TagChange;
use crate::release::plan::observe::{self, DestinationState};
use crate::release::plan::tags::{LineTarget, TagPlan, immutable_tag_conflict, line_target};
use crate::release::resolve::image;
use crate::tagging::{MovingTagSource, PlannedTag, TagKind};
use crate::transfer::{ImageStore, Side, StoreError};

/// How many lists in a row must agree.
const AGREEING_LISTS: u32 = 2;
/// How often lines are corrected before it is given up: each time another run came between.
const CORRECTIONS_LIMIT: u32 = 8;
/// How often a list that lacks our own tag is asked for again.
const STALE_LIST_RETRIES: u32 = 5;

/// The tag of a line.
struct LineTagState {
    step_index: usize,
    /// What it names, unless that has to be read: `Some(None)` is nothing.
    digest: Option<Option<Digest>>,
}

struct LineReconciler<'a> {
    context: &'a ReleaseContext,
    destination: &'a OpenDestination,
    root: &'a Manifest,
    /// The planned lines.
    lines: Vec<PlannedTag>,
    /// The tag of our version, where this run gives it one.
    own_version: Option<PlannedTag>,
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
    let mut line_states = line_states(plan);
    if line_states.is_empty() || !plan.steps.iter().any(|step| step.change.writes_tag()) {
        return Ok(());
    }
    let reconciler = LineReconciler {
        context,
        destination,
        root,
        lines: planned_lines(plan),
        own_version: own_version_tag(plan),
    };
    // What the releases of other runs name, as far as this run copies none of them.
    let mut known = seen.tag_digests.clone();
    reconciler.forget_own_version(&mut known);
    let (mut readings, mut corrections) = (0, 0);
    loop {
        let (now, is_behind) = reconciler.read_state(seen, known).await?;
        let wrote = reconciler
            .correct_lines(plan, &mut line_states, &now)
            .await?;
        if !wrote {
            readings += if is_behind { AGREEING_LISTS } else { 1 };
            known = now.tag_digests;
        } else {
            corrections += 1;
            readings = 0;
            known = BTreeMap::new();
        }
        if readings >= AGREEING_LISTS {
            return reconciler.check_own_version(&known);
        }
        if corrections > CORRECTIONS_LIMIT {
            return Err(reconciler.unstable_lines_failure());
        }
    }
}

/// What is known of each line after this run's writes.
fn line_states(plan: &TagPlan) -> Vec<LineTagState> {
    let lines = plan.steps.iter().enumerate();
    lines
        .filter(|(_, step)| step.planned.kind.is_line())
        .map(|(step, it)| LineTagState {
            step_index: step,
            digest: match it.change {
                TagChange::Created | TagChange::Moved { .. } => Some(Some(plan.root)),
                TagChange::Unchanged => None,
                TagChange::Stays { at, .. } | TagChange::Corrected { from: at, .. } => Some(at),
            },
        })
        .collect()
}

fn planned_lines(plan: &TagPlan) -> Vec<PlannedTag> {
    let planned = plan.steps.iter().map(|step| &step.planned);
    planned
        .filter(|planned| planned.kind.is_line())
        .cloned()
        .collect()
}

/// The immutable tag that names the release the lines are moved to.
fn own_version_tag(plan: &TagPlan) -> Option<PlannedTag> {
    let mut planned = plan.steps.iter().map(|step| &step.planned);
    let of_line = planned.clone().find_map(|planned| match &planned.kind {
        TagKind::Moving(MovingTagSource::Line {
            series, version, ..
        }) => Some((series, version)),
        _ => None,
    });
    let (series, version) = of_line?;
    let is_own = |planned: &&PlannedTag| {
        let release = series.release(&planned.tag);
        planned.kind.is_immutable()
            && release.is_some_and(|release| release.cmp_precedence(version).is_eq())
    };
    planned.find(is_own).cloned()
}

impl LineReconciler<'_> {
    fn to_failure(&self, error: StoreError) -> Failure {
        Failure::from_store_error(Side::Destination, &self.destination.name, error)
    }

    fn forget_own_version(&self, known: &mut BTreeMap<Tag, Option<Digest>>) {
        if let Some(own) = &self.own_version {
            known.remove(&own.tag);
        }
    }

    /// The tags as they are now, and whether their list is behind; what is `known` is not asked for again.
    async fn read_state(
        &self,
        before: &DestinationState,
        mut known: BTreeMap<Tag, Option<Digest>>,
    ) -> Result<(DestinationState, bool), Failure> {
        let own = self.own_version.iter().map(|own| own.tag.clone());
        let unknown = own.filter(|tag| !known.contains_key(tag)).collect();
        let failed = |error| self.to_failure(error);
        let (named, (tags, is_behind)) = futures_util::future::try_join(
            observe::resolve_tags(self.destination, &unknown),
            self.list_tags(),
        )
        .await
        .map_err(failed)?;
        known.extend(named);
        let mut now = DestinationState {
            tag_digests: known,
            tags,
            withdrawn: before.withdrawn.clone(),
            ..DestinationState::default()
        };
        now.resolve_highest_releases(self.destination, &self.lines)
            .await
            .map_err(failed)?;
        Ok((now, is_behind))
    }

    /// The list of tags, and whether it is known to be behind, since it still lacks what this run wrote.
    async fn list_tags(&self) -> Result<(BTreeSet<Tag>, bool), StoreError> {
        let mut attempts = 0;
        loop {
            let mut tags = self.destination.store.tags().await?;
            let Some(own) = self
                .own_version
                .as_ref()
                .filter(|own| !tags.contains(&own.tag))
            else {
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

    /// Writes every line that names something else than it should; whether there was one.
    async fn correct_lines(
        &self,
        plan: &mut TagPlan,
        line_states: &mut [LineTagState],
        now: &DestinationState,
    ) -> Result<bool, Failure> {
        let mut wrote = false;
        for line in line_states {
            let step = &mut plan.steps[line.step_index];
            let Some((to, why)) = self.target_digest(&step.planned, now) else {
                continue;
            };
            if line.digest == Some(Some(to)) {
                continue;
            }
            let tag = &step.planned.tag;
            let at = self.destination.store.resolve_tag(tag).await;
            let at = at.map_err(|error| self.to_failure(error))?;
            if at != Some(to) {
                self.write_line(&step.planned, to, why.as_deref()).await?;
                wrote = true;
            }
            line.digest = Some(Some(to));
            step.change = self.resulting_change(&step.change, at, to, why);
        }
        Ok(wrote)
    }

    /// What a line is to name, with the reason where it is not the root.
    fn target_digest(
        &self,
        line: &PlannedTag,
        now: &DestinationState,
    ) -> Option<(Digest, Option<String>)> {
        match line_target(line, now)? {
            LineTarget::OwnRelease => match self
                .own_version
                .as_ref()
                .and_then(|own| now.tag_digest(&own.tag))
            {
                Some(other) if other != self.root.digest => {
                    let why = "another run wrote the version's tag at the same time";
                    Some((other, Some(why.to_owned())))
                }
                _ => Some((self.root.digest, None)),
            },
            LineTarget::OtherRelease { to, why } => Some((to, Some(why))),
            LineTarget::Unknown { .. } => None,
        }
    }

    async fn write_line(
        &self,
        line: &PlannedTag,
        to: Digest,
        why: Option<&str>,
    ) -> Result<(), Failure> {
        let OpenDestination {
            name: place, store, ..
        } = self.destination;
        let found;
        let manifest = if to == self.root.digest {
            self.root
        } else {
            found = image::resolve_in_store(store, place, to).await?.root;
            &found
        };
        write::write_tag(self.destination, line, manifest).await?;
        let why = why.map_or_else(String::new, |why| format!(": {why}"));
        self.context.notices.info(format!(
            "{place}: corrected tag {} to {}{why}",
            line.tag,
            to.short()
        ));
        Ok(())
    }

    /// What became of a line that named `at` just now, and names `to`.
    fn resulting_change(
        &self,
        was: &TagChange,
        at: Option<Digest>,
        to: Digest,
        why: Option<String>,
    ) -> TagChange {
        let from = was.previous_digest(self.root.digest);
        match why {
            // Another run has moved it already.
            Some(why) if at == Some(to) => TagChange::Stays { at, why },
            Some(why) => TagChange::Corrected { from, to, why },
            None if at == Some(to) => was.clone(),
            None => at.map_or(TagChange::Created, |from| TagChange::Moved { from }),
        }
    }

    fn check_own_version(&self, known: &BTreeMap<Tag, Option<Digest>>) -> Result<(), Failure> {
        let Some(own) = &self.own_version else {
            return Ok(());
        };
        match known.get(&own.tag).copied().flatten() {
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
