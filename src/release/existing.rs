//! Where an immutable tag names another image that was built from the same commit.
//!
//! Whoever can write to the destination can put an image there and write any commit into its label.
//! So an image that is kept passes every check that the source passes, and more than its own label
//! has to speak for it where the release names a version or an environment after it.

use super::look::Seen;
use super::source::{self, Resolved};
use super::{Context, Destination, Existing, Failure, Request, Verb, origin, plan, sign};
use crate::image::{Commit, Digest, Target};
use crate::tagging::{Derived, Follows, Kind, Names, PlannedTag};
use crate::transfer::Side;

/// An immutable tag that names another digest than it should.
struct Conflict<'a> {
    destination: &'a Destination,
    planned: &'a PlannedTag,
    names: Digest,
}

/// Finds the image to go on with instead: one commit is built once, so a rebuilt image, which always
/// differs, gives way to the one that the commit's tag names. `None` where nothing is in the way.
///
/// # Errors
/// A refusal, where what is there cannot be shown to be of the same commit, or fails a check.
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
    kept.origin = Some(named);
    if !is_checked(request, context, destinations, seen, &kept).await?
        && names_release(request, derived)
    {
        return Err(refused(first, UNPROVEN.to_owned()).hint(format!(
            "promote that image if it is the one that is meant (--source {}), or sign it and this release (sign)",
            plan::named(place, &first.planned.tag)
        )));
    }
    context.notices.warning(format!(
        "{}: tag {} names {} already, built from the same commit: going on with that image, not with {root}",
        place, first.planned.tag, first.names
    ));
    Ok(Some(kept))
}

/// Why an image is not kept of which nothing but its own label is known.
const UNPROVEN: &str = "only the label of that image says that it is of the same commit, and whoever can write to the repository can write that";

/// Checks an image that is kept as the source is checked, and that this release's signer has signed
/// it. Returns whether there was anything to check.
async fn is_checked(
    request: &Request,
    context: &Context,
    destinations: &[Destination],
    seen: &[Seen],
    kept: &Resolved,
) -> Result<bool, Failure> {
    let root = kept.root.digest;
    if let Some(from) = &request.from {
        let store = source::at_place(context, from);
        let found = store.manifest(&Target::Digest(root)).await;
        let found = found.map_err(|error| Failure::store(Side::Source, from, error))?;
        if found.is_none() {
            return Err(Failure::refused(format!("{} is not in {from}", kept.location))
                .why("the environment takes its images from there alone, also an image that existing: keep goes on with")
                .hint("promote that image to there first, or say existing: fail"));
        }
    }
    if let Some(check) = &request.check {
        let checked = check.require(context, Side::Destination, root, &kept.location);
        checked.await.map_err(|failure| match failure {
            refused @ Failure::Refused(_) => refused.hint("existing: keep goes on with that image, so it is checked as the source is; existing: fail refuses it by name"),
            other => other,
        })?;
    }
    if let Some(signing) = &request.signing {
        sign::require(signing, context, destinations, seen, root).await?;
    }
    Ok(request.from.is_some() || request.check.is_some() || request.signing.is_some())
}

/// Whether the tags say more of the image than which build it is: a promotion always does.
fn names_release(request: &Request, derived: &Derived) -> bool {
    let is_build = |planned: &PlannedTag| match &planned.kind {
        Kind::Immutable(names) => *names == Names::Commit,
        Kind::Moving(Follows::Line { .. } | Follows::Environment) => false,
        Kind::Moving(Follows::Branch | Follows::PullRequest | Follows::Other) => true,
    };
    request.verb == Verb::Promote || !derived.tags.iter().all(is_build)
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
