//! Where an immutable tag names another image that was built from the same commit.

use super::look::Seen;
use super::source::{self, Resolved};
use super::{Context, Destination, Existing, Failure, Request, Verb, origin, plan};
use crate::image::{Commit, Digest};
use crate::tagging::{Derived, Kind, Names, PlannedTag};
use crate::transfer::Side;

/// An immutable tag that names another digest than it should.
struct Conflict<'a> {
    destination: &'a Destination,
    planned: &'a PlannedTag,
    names: Digest,
}

/// The image to go on with instead: one commit is built once, so a rebuilt image, which always
/// differs, gives way to the one that the commit's tag names. `None` where nothing is in the way.
///
/// # Errors
/// A refusal, where what is there cannot be shown to be of the same commit.
pub(super) async fn kept(
    request: &Request,
    context: &Context,
    destinations: &[Destination],
    derived: &Derived,
    seen: &[Seen],
    image: &Resolved,
    commit: Option<&Commit>,
) -> Result<Option<Resolved>, Failure> {
    let root = image.root.digest;
    let conflicts: Vec<Conflict> = destinations
        .iter()
        .zip(seen)
        .flat_map(|(destination, seen)| {
            let may_keep = |planned: &&PlannedTag| may_keep(request, planned);
            derived
                .tags
                .iter()
                .filter(may_keep)
                .filter_map(move |planned| {
                    let names = seen.named(&planned.tag).filter(|names| *names != root)?;
                    Some(Conflict {
                        destination,
                        planned,
                        names,
                    })
                })
        })
        .collect();
    let Some(first) = conflicts.first() else {
        return Ok(None);
    };
    let refused = |conflict: &Conflict, why: String| {
        let place = &conflict.destination.place;
        plan::taken(place, conflict.planned, conflict.names, root).why(why)
    };
    if let Some(other) = conflicts
        .iter()
        .find(|conflict| conflict.names != first.names)
    {
        let why = format!(
            "{} names {} there: the destinations differ",
            first.destination.place, first.names
        );
        return Err(refused(other, why));
    }
    let Some(commit) = commit else {
        return Err(refused(
            first,
            "it is not known of which commit the image is".to_owned(),
        ));
    };
    let Destination { place, store, .. } = first.destination;
    let mut kept = source::at_store(store, place, first.names).await?;
    let named = origin::of(&kept.source, &kept.root)
        .await
        .map_err(|error| Failure::store(Side::Destination, place, error))?;
    match &named.revision {
        Some(revision) if revision == commit => {}
        Some(revision) => {
            return Err(refused(
                first,
                format!("what it names was built from {revision}, not from {commit}"),
            ));
        }
        None => {
            let why = "what it names does not say of which commit it is (org.opencontainers.image.revision)";
            return Err(refused(first, why.to_owned()));
        }
    }
    context.notices.warning(format!(
        "{}: tag {} names {} already, built from the same commit: going on with that image, not with {root}",
        place, first.planned.tag, first.names
    ));
    kept.origin = Some(named);
    Ok(Some(kept))
}

/// A version's tag is refused, a commit's tag on a push is kept, unless the user says otherwise.
fn may_keep(request: &Request, planned: &PlannedTag) -> bool {
    planned.kind.is_immutable()
        && match request.existing {
            Existing::Keep => true,
            Existing::Fail => false,
            Existing::ByKind => {
                request.verb == Verb::Push && planned.kind == Kind::Immutable(Names::Commit)
            }
        }
}
