//! Writing tags.

use futures_util::future::try_join_all;

use super::plan::{Plan, Step, taken};
use super::source::taken_by;
use super::{Change, Destination, Failure, Prepared, transfer};
use crate::image::{Digest, Manifest, Target};
use crate::layout::{Expectation, Layout};
use crate::registry::{self, Head, Remote};
use crate::tagging::PlannedTag;
use crate::transfer::{Side, Store, StoreError};

/// An immutable tag that is to be written.
pub(super) struct Immutable<'a> {
    destination: &'a Destination,
    step: &'a Step,
    /// Whether another run has made it name the root meanwhile.
    is_there: bool,
}

/// Why an immutable tag that was free when the run began is not.
pub(super) const RACED: &str = "another run wrote this immutable tag at the same time";

/// The steps that write now, of the immutable tags or of the others.
fn steps<'a>(
    prepared: &'a Prepared<'_>,
    plans: &'a [Plan],
    immutable: bool,
) -> impl Iterator<Item = (&'a Destination, &'a Step)> {
    let now = move |step: &&Step| step.writes() && step.planned.kind.is_immutable() == immutable;
    let each = prepared.destinations.iter().zip(plans);
    each.flat_map(move |(destination, plan)| {
        let steps = plan.steps.iter().filter(now);
        steps.map(move |step| (destination, step))
    })
}

/// Looks again at the immutable tags that are to be written: a registry cannot compare and write in
/// one step. They are read back after, as well.
///
/// # Errors
/// A refusal where one was taken in between.
pub(super) async fn look_again<'a>(
    prepared: &'a Prepared<'_>,
) -> Result<Vec<Immutable<'a>>, Failure> {
    let looks = steps(prepared, &prepared.plans, true).map(|(destination, step)| async move {
        let there = match &destination.store {
            Store::Registry(remote) => head(destination, remote, &step.planned).await?,
            // It compares and writes under its lock.
            Store::Layout(_) => None,
        };
        if let Some(there) = &there {
            is_ours(prepared, destination, &step.planned, there)?;
        }
        Ok(Immutable {
            destination,
            step,
            is_there: there.is_some(),
        })
    });
    try_join_all(looks).await
}

/// Writes the immutable tags, everywhere before any other: once a moving tag names a release, the
/// release's own name is there.
///
/// # Errors
/// A refusal where one was taken in between.
pub(super) async fn write_immutable(
    prepared: &Prepared<'_>,
    tags: Vec<Immutable<'_>>,
) -> Result<(), Failure> {
    let writes = tags.into_iter().map(|tag| async move {
        let (destination, planned) = (tag.destination, &tag.step.planned);
        if !tag.is_there {
            put_root(prepared, destination, planned).await?;
            if let Store::Registry(remote) = &destination.store {
                let there = head(destination, remote, planned).await?;
                let there = there.ok_or_else(|| vanished(destination, planned))?;
                is_ours(prepared, destination, planned, &there)?;
            }
        }
        say(prepared, destination, tag.step);
        Ok(())
    });
    try_join_all(writes).await.map(drop)
}

/// Writes the tags that move, as `plans` has them by now.
///
/// # Errors
/// A store that fails.
pub(super) async fn write_moving(prepared: &Prepared<'_>, plans: &[Plan]) -> Result<(), Failure> {
    let writes = steps(prepared, plans, false).map(|(destination, step)| async move {
        put_root(prepared, destination, &step.planned).await?;
        say(prepared, destination, step);
        Ok(())
    });
    try_join_all(writes).await.map(drop)
}

fn say(prepared: &Prepared<'_>, destination: &Destination, step: &Step) {
    let (place, tag) = (&destination.place, &step.planned.tag);
    prepared.context.notices.info(match &step.change {
        Change::Moved { from } => format!("{place}: moved tag {tag} from {}", from.short()),
        _ => format!("{place}: created tag {tag}"),
    });
}

async fn head(
    destination: &Destination,
    remote: &Remote,
    planned: &PlannedTag,
) -> Result<Option<Head>, Failure> {
    let head = remote.head(&Target::Tag(planned.tag.clone())).await;
    head.map_err(|error| failed(destination, error))
}

fn is_ours(
    prepared: &Prepared<'_>,
    destination: &Destination,
    planned: &PlannedTag,
    there: &Head,
) -> Result<(), Failure> {
    let root = prepared.image.root.digest;
    match there.digest == root {
        true => Ok(()),
        false => Err(taken(&destination.place, planned, there.digest, root).why(RACED)),
    }
}

/// Why a tag was not written.
enum Unwritten {
    /// The registry lacks what the manifest names.
    Incomplete(registry::Error),
    Failed(Failure),
}

impl Unwritten {
    fn into_failure(self, destination: &Destination) -> Failure {
        match self {
            Self::Incomplete(error) => failed(destination, error),
            Self::Failed(failure) => failure,
        }
    }
}

/// Makes a tag name the root. A registry that was taken to have what is below it, and says only now
/// that it has not, gets all of it once more.
async fn put_root(
    prepared: &Prepared<'_>,
    destination: &Destination,
    planned: &PlannedTag,
) -> Result<(), Failure> {
    let root = &prepared.image.root;
    if let Err(unwritten) = write(destination, planned, root).await {
        let Unwritten::Incomplete(error) = unwritten else {
            return Err(unwritten.into_failure(destination));
        };
        let text = format!("{error}; going through the whole image once more");
        prepared.context.notices.warning(text);
        transfer::fill(prepared, destination).await?;
        put(destination, planned, root).await?;
    }
    Ok(())
}

/// Writes a tag, whatever it names; on disk an immutable one only where it is free.
pub(super) async fn put(
    destination: &Destination,
    planned: &PlannedTag,
    manifest: &Manifest,
) -> Result<(), Failure> {
    let written = write(destination, planned, manifest).await;
    written.map_err(|unwritten| unwritten.into_failure(destination))
}

async fn write(
    destination: &Destination,
    planned: &PlannedTag,
    manifest: &Manifest,
) -> Result<(), Unwritten> {
    match &destination.store {
        Store::Registry(remote) => on_registry(destination, remote, planned, manifest).await,
        Store::Layout(layout) => {
            let written = in_layout(destination, layout, planned, manifest).await;
            written.map_err(Unwritten::Failed)
        }
    }
}

async fn on_registry(
    destination: &Destination,
    remote: &Remote,
    planned: &PlannedTag,
    manifest: &Manifest,
) -> Result<(), Unwritten> {
    let target = Target::Tag(planned.tag.clone());
    let Err(error) = remote.put_manifest(&target, manifest).await else {
        return Ok(());
    };
    if error.is_incomplete() {
        return Err(Unwritten::Incomplete(error));
    }
    let failed = |error| Unwritten::Failed(failed(destination, error));
    if !error.may_keep_tag() {
        return Err(failed(error));
    }
    match remote.head(&target).await.map_err(failed)? {
        Some(there) if there.digest == manifest.digest => Ok(()),
        Some(there) => {
            let kept = kept(destination, planned, there.digest, manifest.digest);
            Err(Unwritten::Failed(kept))
        }
        // It keeps nothing, so it means something else.
        None => Err(failed(error)),
    }
}

/// A registry with a rule of its own against moving this tag.
fn kept(destination: &Destination, planned: &PlannedTag, there: Digest, to: Digest) -> Failure {
    let (place, tag) = (&destination.place, &planned.tag);
    let why = format!("the registry itself keeps {tag} immutable");
    if planned.kind.is_immutable() {
        return taken(place, planned, there, to).why(why);
    }
    Failure::refused(format!("tag {tag} of {place} names {there}, not {to}"))
        .why(why)
        .hint(format!(
            "{tag} is meant to move ({}): exclude it from the registry's rule for immutable tags",
            planned.kind
        ))
}

/// A layout compares and writes under its lock.
async fn in_layout(
    destination: &Destination,
    layout: &Layout,
    planned: &PlannedTag,
    manifest: &Manifest,
) -> Result<(), Failure> {
    let expectation = if planned.kind.is_immutable() {
        Expectation::AbsentOrSame
    } else {
        Expectation::Any
    };
    let place = &destination.place;
    match layout.write_tag(&planned.tag, manifest, expectation).await {
        Ok(_) => Ok(()),
        Err(error) => Err(match taken_by(&error) {
            Some(there) => taken(place, planned, there, manifest.digest).why(RACED),
            None => Failure::store(Side::Destination, place, StoreError::Layout(error)),
        }),
    }
}

fn failed(destination: &Destination, error: registry::Error) -> Failure {
    let error = StoreError::Registry(error);
    Failure::store(Side::Destination, &destination.place, error)
}

/// A tag that was written and is not there.
pub(super) fn vanished(destination: &Destination, planned: &PlannedTag) -> Failure {
    Failure::service(format!(
        "destination {}: the tag {} was written, and is not there",
        destination.place, planned.tag
    ))
}
