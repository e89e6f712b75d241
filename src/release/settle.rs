//! The version lines after the writes: read again, and corrected until they are right (promise 4).
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

use super::look::Seen;
use super::plan::{Due, Plan, due, taken};
use super::{Change, Context, Destination, Failure, look, source, tag};
use crate::image::{Digest, Manifest, Tag};
use crate::tagging::{Follows, Kind, PlannedTag};
use crate::transfer::{Side, Store, StoreError};

/// How many lists in a row must agree.
const READINGS: u32 = 2;
/// How often lines are corrected before it is given up: each time another run came between.
const CORRECTIONS: u32 = 8;
/// How often a list that lacks our own tag is asked for again.
const BEHIND: u32 = 5;

/// The tag of a line.
struct Standing {
    step: usize,
    /// What it names, unless that has to be read: `Some(None)` is nothing.
    names: Option<Option<Digest>>,
}

struct Settling<'a> {
    context: &'a Context,
    destination: &'a Destination,
    root: &'a Manifest,
    /// The planned lines.
    lines: Vec<PlannedTag>,
    /// The tag of our version, where this run gives it one.
    own: Option<PlannedTag>,
}

/// Reads the lines of a destination again and corrects them.
///
/// # Errors
/// A refusal where our version's tag was lost to another run (the lines are right then), lines that do
/// not stay as they are written, and a store that fails.
pub(super) async fn lines(
    context: &Context,
    destination: &Destination,
    plan: &mut Plan,
    seen: &Seen,
    root: &Manifest,
) -> Result<(), Failure> {
    let mut standings = standings(plan);
    if standings.is_empty() || !plan.steps.iter().any(|step| step.change.touches()) {
        return Ok(());
    }
    let settling = Settling {
        context,
        destination,
        root,
        lines: planned_lines(plan),
        own: own_version(plan),
    };
    // What the releases of other runs name, as far as this run copies none of them.
    let mut known = seen.named.clone();
    settling.forget_own(&mut known);
    let (mut readings, mut corrections) = (0, 0);
    loop {
        let (now, is_behind) = settling.read(seen, known).await?;
        let wrote = settling.correct(plan, &mut standings, &now).await?;
        if !wrote {
            readings += if is_behind { READINGS } else { 1 };
            known = now.named;
        } else {
            corrections += 1;
            readings = 0;
            known = BTreeMap::new();
        }
        if readings >= READINGS {
            return settling.not_lost(&known);
        }
        if corrections > CORRECTIONS {
            return Err(settling.unsettled());
        }
    }
}

/// What is known of each line after this run's writes.
fn standings(plan: &Plan) -> Vec<Standing> {
    let lines = plan.steps.iter().enumerate();
    lines
        .filter(|(_, step)| step.planned.kind.is_line())
        .map(|(step, it)| Standing {
            step,
            names: match it.change {
                Change::Created | Change::Moved { .. } => Some(Some(plan.root)),
                Change::Unchanged => None,
                Change::Stays { at, .. } | Change::Corrected { from: at, .. } => Some(at),
            },
        })
        .collect()
}

fn planned_lines(plan: &Plan) -> Vec<PlannedTag> {
    let planned = plan.steps.iter().map(|step| &step.planned);
    planned
        .filter(|planned| planned.kind.is_line())
        .cloned()
        .collect()
}

/// The immutable tag that names the release the lines are moved to.
fn own_version(plan: &Plan) -> Option<PlannedTag> {
    let mut planned = plan.steps.iter().map(|step| &step.planned);
    let of_line = planned.clone().find_map(|planned| match &planned.kind {
        Kind::Moving(Follows::Line {
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

impl Settling<'_> {
    fn failed(&self, error: StoreError) -> Failure {
        Failure::store(Side::Destination, &self.destination.place, error)
    }

    fn forget_own(&self, known: &mut BTreeMap<Tag, Option<Digest>>) {
        if let Some(own) = &self.own {
            known.remove(&own.tag);
        }
    }

    /// The tags as they are now, and whether their list is behind; what is `known` is not asked for again.
    async fn read(
        &self,
        before: &Seen,
        mut known: BTreeMap<Tag, Option<Digest>>,
    ) -> Result<(Seen, bool), Failure> {
        let own = self.own.iter().map(|own| own.tag.clone());
        let unknown = own.filter(|tag| !known.contains_key(tag)).collect();
        let failed = |error| self.failed(error);
        let (named, (tags, is_behind)) =
            futures_util::future::try_join(look::named(self.destination, &unknown), self.list())
                .await
                .map_err(failed)?;
        known.extend(named);
        let mut now = Seen {
            named: known,
            tags,
            withdrawn: before.withdrawn.clone(),
            ..Seen::default()
        };
        now.look_up_highest(self.destination, &self.lines)
            .await
            .map_err(failed)?;
        Ok((now, is_behind))
    }

    /// The list of tags, and whether it is known to be behind, since it still lacks what this run wrote.
    async fn list(&self) -> Result<(BTreeSet<Tag>, bool), StoreError> {
        let mut asked = 0;
        loop {
            let mut tags = self.destination.store.tags().await?;
            let Some(own) = self.own.as_ref().filter(|own| !tags.contains(&own.tag)) else {
                return Ok((tags, false));
            };
            asked += 1;
            if asked > BEHIND {
                self.context.notices.warning(format!(
                    "{}: the list of tags does not show {} yet: whether another release was made at the same time cannot be told; \
                     repeat the run to make sure of the version lines",
                    self.destination.place, own.tag
                ));
                tags.insert(own.tag.clone());
                return Ok((tags, true));
            }
            // At once the first time: another of the registry's servers may answer.
            if let Store::Registry(remote) = &self.destination.store
                && asked > 1
            {
                tokio::time::sleep(remote.timing().retry * 2u32.pow(asked - 2)).await;
            }
        }
    }

    /// Writes every line that names something else than it should; whether there was one.
    async fn correct(
        &self,
        plan: &mut Plan,
        standings: &mut [Standing],
        now: &Seen,
    ) -> Result<bool, Failure> {
        let mut wrote = false;
        for standing in standings {
            let step = &mut plan.steps[standing.step];
            let Some((to, why)) = self.due(&step.planned, now) else {
                continue;
            };
            if standing.names == Some(Some(to)) {
                continue;
            }
            let tag = &step.planned.tag;
            let at = self.destination.store.resolve(tag).await;
            let at = at.map_err(|error| self.failed(error))?;
            if at != Some(to) {
                self.write(&step.planned, to, why.as_deref()).await?;
                wrote = true;
            }
            standing.names = Some(Some(to));
            step.change = self.change(&step.change, at, to, why);
        }
        Ok(wrote)
    }

    /// What a line is to name, with the reason where it is not the root.
    fn due(&self, line: &PlannedTag, now: &Seen) -> Option<(Digest, Option<String>)> {
        match due(line, now)? {
            Due::Ours => match self.own.as_ref().and_then(|own| now.named(&own.tag)) {
                Some(other) if other != self.root.digest => {
                    let why = "another run wrote the version's tag at the same time";
                    Some((other, Some(why.to_owned())))
                }
                _ => Some((self.root.digest, None)),
            },
            Due::Other { to, why } => Some((to, Some(why))),
            Due::Unknown { .. } => None,
        }
    }

    async fn write(&self, line: &PlannedTag, to: Digest, why: Option<&str>) -> Result<(), Failure> {
        let Destination { place, store, .. } = self.destination;
        let found;
        let manifest = if to == self.root.digest {
            self.root
        } else {
            found = source::at_store(store, place, to).await?.root;
            &found
        };
        tag::put(self.destination, line, manifest).await?;
        let why = why.map_or_else(String::new, |why| format!(": {why}"));
        self.context.notices.info(format!(
            "{place}: put tag {} right, to {}{why}",
            line.tag,
            to.short()
        ));
        Ok(())
    }

    /// What became of a line that named `at` just now, and names `to`.
    fn change(&self, was: &Change, at: Option<Digest>, to: Digest, why: Option<String>) -> Change {
        let from = was.before(self.root.digest);
        match why {
            // Another run has moved it already.
            Some(why) if at == Some(to) => Change::Stays { at, why },
            Some(why) => Change::Corrected { from, to, why },
            None if at == Some(to) => was.clone(),
            None => at.map_or(Change::Created, |from| Change::Moved { from }),
        }
    }

    fn not_lost(&self, known: &BTreeMap<Tag, Option<Digest>>) -> Result<(), Failure> {
        let Some(own) = &self.own else { return Ok(()) };
        match known.get(&own.tag).copied().flatten() {
            Some(there) if there == self.root.digest => Ok(()),
            Some(there) => {
                Err(taken(&self.destination.place, own, there, self.root.digest).why(tag::RACED))
            }
            None => Err(tag::vanished(self.destination, own)),
        }
    }

    fn unsettled(&self) -> Failure {
        Failure::service(format!(
            "destination {}: the version lines do not stay as they are written: other runs keep moving them",
            self.destination.place
        ))
        .hint("repeat the run once the others have ended")
    }
}
