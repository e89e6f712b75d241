//! A branch's tag that names a newer image already: another run was faster, or this one is repeated.

use super::look::Seen;
use super::plan::Plan;
use super::{Change, Context, Destination, Failure, origin, source};
use crate::git::{Ancestry, Descent};
use crate::image::{Commit, Digest, Tag};
use crate::tagging::{Derived, Follows, Kind, PlannedTag};
use crate::transfer::Side;

/// A look at branch tags with what git knows. What they name is only looked at where the clone may know
/// of a commit after ours.
pub(super) struct Watch<'a> {
    context: &'a Context,
    ancestry: &'a Ancestry,
    commit: Commit,
}

impl<'a> Watch<'a> {
    pub(super) fn of(
        context: &'a Context,
        derived: &Derived,
        commit: Option<&Commit>,
    ) -> Option<Self> {
        let (ancestry, commit) = (context.ancestry.as_ref()?, commit?);
        let has_branch = derived.tags.iter().any(is_branch);
        (has_branch && ancestry.may_know_after(commit)).then_some(Self {
            context,
            ancestry,
            commit: commit.clone(),
        })
    }

    /// Notes the branch tags that stay: what they name was built from a commit after ours. Where git
    /// cannot tell, they move.
    pub(super) async fn hold_newer(
        &self,
        destinations: &[Destination],
        derived: &Derived,
        seen: &mut [Seen],
        root: Digest,
    ) -> Result<(), Failure> {
        for (destination, seen) in destinations.iter().zip(seen) {
            for PlannedTag { tag, .. } in derived.tags.iter().filter(|tag| is_branch(tag)) {
                let Some(there) = seen.named(tag).filter(|there| *there != root) else {
                    continue;
                };
                if let Some(why) = self.why_it_stays(destination, tag, there).await? {
                    seen.newer.insert(tag.clone(), why);
                }
            }
        }
        Ok(())
    }

    /// Looks again just before the write: a newer run may have ended while this one copied.
    pub(super) async fn look_again(
        &self,
        destinations: &[Destination],
        plans: &mut [Plan],
    ) -> Result<(), Failure> {
        for (destination, plan) in destinations.iter().zip(plans) {
            let root = plan.root;
            let steps = plan.steps.iter_mut();
            for step in steps.filter(|step| is_branch(&step.planned) && step.writes()) {
                let tag = &step.planned.tag;
                let at = destination.store.resolve(tag).await.map_err(|error| {
                    Failure::store(Side::Destination, &destination.place, error)
                })?;
                let Some(there) =
                    at.filter(|there| *there != root && step.change.before(root) != at)
                else {
                    continue;
                };
                if let Some(why) = self.why_it_stays(destination, tag, there).await? {
                    let notices = &self.context.notices;
                    notices.info(format!("{}: tag {tag}: {why}", destination.place));
                    step.change = Change::Stays { at, why };
                }
            }
        }
        Ok(())
    }

    async fn why_it_stays(
        &self,
        destination: &Destination,
        tag: &Tag,
        there: Digest,
    ) -> Result<Option<String>, Failure> {
        let Destination { place, store, .. } = destination;
        let image = source::at_store(store, place, there).await?;
        let origin = origin::of(&image.source, &image.root)
            .await
            .map_err(|error| Failure::store(Side::Destination, place, error))?;
        let Some(theirs) = origin.revision else {
            return Ok(None);
        };
        if theirs == self.commit {
            return Ok(None);
        }
        let (ours, short) = (self.commit.short(), theirs.short());
        match self.ancestry.descent(&theirs, &self.commit) {
            Descent::After => Ok(Some(format!(
                "{tag} stays at the image of commit {short}, which comes after {ours}"
            ))),
            Descent::NotAfter => Ok(None),
            Descent::Unknown => {
                self.context.notices.info(format!(
                    "{place}: tag {tag} names an image of commit {short}: the git checkout does not say whether that comes after {ours}, so the tag moves"
                ));
                Ok(None)
            }
        }
    }
}

fn is_branch(planned: &PlannedTag) -> bool {
    matches!(planned.kind, Kind::Moving(Follows::Branch))
}
