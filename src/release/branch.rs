//! A branch's tag that names a newer image already: another run was faster, or this one is repeated.

use super::look::Seen;
use super::{Context, Destination, Failure, origin, source};
use crate::git::{Ancestry, Descent};
use crate::image::{Commit, Digest, Tag};
use crate::tagging::{Derived, Follows, Kind};
use crate::transfer::Side;

/// Notes the branch tags that stay: what they name was built from a commit after ours. Where git cannot
/// tell, they move.
pub(super) async fn hold_newer(
    context: &Context,
    destinations: &[Destination],
    derived: &Derived,
    seen: &mut [Seen],
    root: Digest,
    commit: Option<&Commit>,
) -> Result<(), Failure> {
    let (Some(ancestry), Some(commit)) = (&context.ancestry, commit) else {
        return Ok(());
    };
    let is_branch = |kind: &Kind| matches!(kind, Kind::Moving(Follows::Branch));
    let branches = derived.tags.iter().filter(|it| is_branch(&it.kind));
    let branches: Vec<&Tag> = branches.map(|planned| &planned.tag).collect();
    if branches.is_empty() || !ancestry.may_know_after(commit) {
        return Ok(());
    }
    let ours = Ours {
        context,
        ancestry,
        commit,
    };
    for (destination, seen) in destinations.iter().zip(seen) {
        for tag in &branches {
            let Some(there) = seen.named(tag).filter(|there| *there != root) else {
                continue;
            };
            if let Some(why) = ours.why_it_stays(destination, tag, there).await? {
                seen.newer.insert((*tag).clone(), why);
            }
        }
    }
    Ok(())
}

struct Ours<'a> {
    context: &'a Context,
    ancestry: &'a Ancestry,
    commit: &'a Commit,
}

impl Ours<'_> {
    async fn why_it_stays(
        &self,
        destination: &Destination,
        tag: &Tag,
        there: Digest,
    ) -> Result<Option<String>, Failure> {
        let Destination { place, store } = destination;
        let image = source::at_store(store, place, there).await?;
        let origin = origin::of(&image.source, &image.root)
            .await
            .map_err(|error| Failure::store(Side::Destination, place, error))?;
        let Some(theirs) = origin.revision else {
            return Ok(None);
        };
        if theirs == *self.commit {
            return Ok(None);
        }
        let (ours, short) = (self.commit.short(), theirs.short());
        match self.ancestry.descent(&theirs, self.commit) {
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
