//! Writing one tag.

use super::plan::{Step, taken};
use super::source::taken_by;
use super::{Change, Context, Destination, Failure};
use crate::image::{Digest, Manifest, Target};
use crate::layout::{Expectation, Layout};
use crate::registry::Remote;
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
        Store::Registry(remote) => on_registry(destination, remote, step, root).await?,
        Store::Layout(layout) => in_layout(destination, layout, step, root).await?,
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

/// A registry cannot compare and write in one step: an immutable tag is looked at again just before
/// it is written, and read back after.
async fn on_registry(
    destination: &Destination,
    remote: &Remote,
    step: &Step,
    root: &Manifest,
) -> Result<(), Failure> {
    let target = Target::Tag(step.planned.tag.clone());
    let failed = |error| {
        Failure::store(
            Side::Destination,
            &destination.place,
            StoreError::Registry(error),
        )
    };
    let immutable = step.planned.kind.is_immutable();
    if immutable && let Some(head) = remote.head(&target).await.map_err(failed)? {
        return same(destination, step, root, head.digest);
    }
    remote.put_manifest(&target, root).await.map_err(failed)?;
    if !immutable {
        return Ok(());
    }
    match remote.head(&target).await.map_err(failed)? {
        Some(head) => same(destination, step, root, head.digest),
        None => Err(Failure::service(format!(
            "destination {}: the tag {} was written, and is not there",
            destination.place, step.planned.tag
        ))),
    }
}

/// A layout compares and writes under its lock.
async fn in_layout(
    destination: &Destination,
    layout: &Layout,
    step: &Step,
    root: &Manifest,
) -> Result<(), Failure> {
    let expectation = if step.planned.kind.is_immutable() {
        Expectation::AbsentOrSame
    } else {
        Expectation::Any
    };
    match layout.write_tag(&step.planned.tag, root, expectation).await {
        Ok(_) => Ok(()),
        Err(error) => Err(match taken_by(&error) {
            Some(other) => lost(destination, step, other, root.digest),
            None => Failure::store(
                Side::Destination,
                &destination.place,
                StoreError::Layout(error),
            ),
        }),
    }
}

fn same(
    destination: &Destination,
    step: &Step,
    root: &Manifest,
    there: Digest,
) -> Result<(), Failure> {
    if there == root.digest {
        Ok(())
    } else {
        Err(lost(destination, step, there, root.digest))
    }
}

/// It was free when the run began.
fn lost(destination: &Destination, step: &Step, there: Digest, root: Digest) -> Failure {
    taken(&destination.place, &step.planned, there, root)
        .why("another run wrote this immutable tag at the same time")
}
