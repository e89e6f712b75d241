//! Keeps a branch's tag that already points to a newer image: another run was faster, or this one is
//! repeated.

use super::destination_state::DestinationState;
use super::tags::TagPlan;
use crate::git::{CommitAncestry, CommitOrder};
use crate::image::{CommitId, Digest, Tag};
use crate::notices::TagNews;
use crate::release::Failure;
use crate::release::context::ReleaseContext;
use crate::release::destination::OpenDestination;
use crate::release::outcome::TagChange;
use crate::release::resolve::{image, image_origin};
use crate::tagging::{DerivedTags, MovingTagSource, PlannedTag, TagKind};
use crate::transfer::Side;

/// Guard of branch tags by the commits that git knows. Their images are only read where the clone may
/// know a descendant of this release's commit.
pub(crate) struct BranchTagGuard<'a> {
    context: &'a ReleaseContext,
    ancestry: &'a CommitAncestry,
    commit: CommitId,
}

impl<'a> BranchTagGuard<'a> {
    pub(crate) fn new(
        context: &'a ReleaseContext,
        derived: &DerivedTags,
        commit: Option<&CommitId>,
    ) -> Option<Self> {
        let (ancestry, commit) = (context.ancestry.as_ref()?, commit?);
        let has_branch = derived.tags.iter().any(is_branch_tag);
        (has_branch && ancestry.may_know_descendant(commit)).then_some(Self {
            context,
            ancestry,
            commit: commit.clone(),
        })
    }

    /// Records the branch tags that stay: their images were built from a descendant of our commit. Where
    /// git cannot order the commits, they move.
    pub(crate) async fn keep_newer_tags(
        &self,
        destinations: &[OpenDestination],
        derived: &DerivedTags,
        seen: &mut [DestinationState],
        root: Digest,
    ) -> Result<(), Failure> {
        for (destination, seen) in destinations.iter().zip(seen) {
            for PlannedTag { tag, .. } in derived.tags.iter().filter(|tag| is_branch_tag(tag)) {
                let Some(there) = seen.tag_digest(tag).filter(|there| *there != root) else {
                    continue;
                };
                if let Some(why) = self.reason_to_keep(destination, tag, there).await? {
                    seen.newer_branches.insert(tag.clone(), why);
                }
            }
        }
        Ok(())
    }

    /// Reads the tags again just before the write: a newer run may have ended while this one copied.
    pub(crate) async fn recheck_tags(
        &self,
        destinations: &[OpenDestination],
        plans: &mut [TagPlan],
    ) -> Result<(), Failure> {
        for (destination, plan) in destinations.iter().zip(plans) {
            let root = plan.root;
            let steps = plan.steps.iter_mut();
            for step in steps.filter(|step| is_branch_tag(&step.planned) && step.writes()) {
                let tag = &step.planned.tag;
                let at = destination.store.resolve_tag(tag).await.map_err(|error| {
                    Failure::from_store_error(Side::Destination, &destination.name, error)
                })?;
                let Some(there) =
                    at.filter(|there| *there != root && step.change.previous_digest(root) != at)
                else {
                    continue;
                };
                if let Some(why) = self.reason_to_keep(destination, tag, there).await? {
                    let notices = &self.context.notices;
                    let text = format!("{}: tag {tag}: {why}", destination.name);
                    notices.tag_change(TagNews::Kept, text);
                    step.change = TagChange::Stays { at, why };
                }
            }
        }
        Ok(())
    }

    async fn reason_to_keep(
        &self,
        destination: &OpenDestination,
        tag: &Tag,
        there: Digest,
    ) -> Result<Option<String>, Failure> {
        let OpenDestination {
            name: place, store, ..
        } = destination;
        let image = image::resolve_in_store(store, place, there).await?;
        let origin = image_origin::read_image_origin(&image.reader, &image.root)
            .await
            .map_err(|error| Failure::from_store_error(Side::Destination, place, error))?;
        let Some(theirs) = origin.revision else {
            return Ok(None);
        };
        if theirs == self.commit {
            return Ok(None);
        }
        let (ours, short) = (self.commit.short(), theirs.short());
        match self.ancestry.compare(&theirs, &self.commit) {
            CommitOrder::After => Ok(Some(format!(
                "{tag} stays at the image of commit {short}, which comes after {ours}"
            ))),
            CommitOrder::NotAfter => Ok(None),
            CommitOrder::Unknown => {
                self.context.notices.info(format!(
                    "{place}: tag {tag} points to an image of commit {short}: the git checkout cannot order {short} and {ours}, so the tag moves"
                ));
                Ok(None)
            }
        }
    }
}

fn is_branch_tag(planned: &PlannedTag) -> bool {
    matches!(planned.kind, TagKind::Moving(MovingTagSource::Branch))
}
