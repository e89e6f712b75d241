//! Writing one tag.

use super::plan::{Step, taken};
use super::source::taken_by;
use super::{Change, Context, Destination, Failure};
use crate::image::{Digest, Manifest, Target};
use crate::layout::{Expectation, Layout};
use crate::registry::{self, Head, Remote};
use crate::tagging::PlannedTag;
use crate::transfer::{Side, Store, StoreError};

/// Makes the tag of a step name `root`, which is there with all below it.
///
/// # Errors
/// A refusal where an immutable tag was taken in between.
pub(super) async fn write(
    context: &Context,
    destination: &Destination,
    step: &Step,
    root: &Manifest,
) -> Result<(), Failure> {
    match &destination.store {
        Store::Registry(remote) if step.planned.kind.is_immutable() => {
            immutable(destination, remote, &step.planned, root).await?;
        }
        _ => put(destination, &step.planned, root).await?,
    }
    let tag = &step.planned.tag;
    context.notices.info(match &step.change {
        Change::Moved { from } => format!(
            "{}: moved tag {tag} from {}",
            destination.place,
            from.short()
        ),
        _ => format!("{}: created tag {tag}", destination.place),
    });
    Ok(())
}

/// Why an immutable tag that was free when the run began is not.
pub(super) const RACED: &str = "another run wrote this immutable tag at the same time";

/// A registry cannot compare and write in one step: an immutable tag is looked at again just before
/// it is written, and read back after.
async fn immutable(
    destination: &Destination,
    remote: &Remote,
    planned: &PlannedTag,
    root: &Manifest,
) -> Result<(), Failure> {
    let target = Target::Tag(planned.tag.clone());
    let head = || async {
        let head = remote.head(&target).await;
        head.map_err(|error| failed(destination, error))
    };
    let same = |there: Head| {
        if there.digest == root.digest {
            Ok(())
        } else {
            Err(taken(&destination.place, planned, there.digest, root.digest).why(RACED))
        }
    };
    if let Some(there) = head().await? {
        return same(there);
    }
    put(destination, planned, root).await?;
    match head().await? {
        Some(there) => same(there),
        None => Err(vanished(destination, planned)),
    }
}

/// Writes a tag, whatever it names; on disk an immutable one only where it is free.
pub(super) async fn put(
    destination: &Destination,
    planned: &PlannedTag,
    manifest: &Manifest,
) -> Result<(), Failure> {
    match &destination.store {
        Store::Registry(remote) => on_registry(destination, remote, planned, manifest).await,
        Store::Layout(layout) => in_layout(destination, layout, planned, manifest).await,
    }
}

async fn on_registry(
    destination: &Destination,
    remote: &Remote,
    planned: &PlannedTag,
    manifest: &Manifest,
) -> Result<(), Failure> {
    let target = Target::Tag(planned.tag.clone());
    let Err(error) = remote.put_manifest(&target, manifest).await else {
        return Ok(());
    };
    if !error.may_keep_tag() {
        return Err(failed(destination, error));
    }
    let there = remote.head(&target).await;
    match there.map_err(|error| failed(destination, error))? {
        Some(there) if there.digest == manifest.digest => Ok(()),
        Some(there) => Err(kept(destination, planned, there.digest, manifest.digest)),
        // It keeps nothing, so it means something else.
        None => Err(failed(destination, error)),
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
