//! Places a hold: the tag first, then the record.

use super::find_image::find_image;
use super::hold_place::HoldPlace;
use super::hold_request::{HoldOutcome, HoldRequest, HoldTagChange};
use super::hold_tag::{HoldTag, write_hold_tag};
use crate::image::Digest;
use crate::record::RecordAction;
use crate::release::Failure;
use crate::release::context::ReleaseContext;
use crate::release::records::release_name::ReleaseName;

/// Places a hold on an image.
///
/// # Errors
/// A name that means no image, a hold of that name on another image, and a store that fails.
pub(super) async fn place_hold(
    request: &HoldRequest,
    context: &ReleaseContext,
    place: &HoldPlace,
    image: &ReleaseName,
) -> Result<HoldOutcome, Failure> {
    let image = find_image(request, place, image).await?;
    let there = HoldTag::read(request, place).await?;
    let recorded = place.holds_of(request.name.as_str());
    refuse_other_image(request, there, image.digest)?;
    for hold in &recorded {
        refuse_other_image(request, HoldTag::Holds(hold.root), image.digest)?;
    }
    let recorded = recorded.first().map(|hold| hold.record);
    let stage = match (&request.timeline, place.timeline(), recorded) {
        (Some(written), Some(timeline), None) => {
            let record = request.record(timeline, written, image.digest, RecordAction::Hold);
            Some(written.plan_entry_alone(context, timeline, record).await?)
        }
        _ => None,
    };
    let is_there = there == HoldTag::Holds(image.digest);
    if !is_there && !request.dry_run {
        write_hold_tag(request, context, place, there, &image).await?;
    }
    let record = match stage {
        Some(mut stage) => {
            if !request.dry_run {
                stage.write_blobs().await?;
                stage.write_entry().await?;
            }
            Some(stage.result())
        }
        None => None,
    };
    Ok(HoldOutcome {
        dry_run: request.dry_run,
        name: request.name.clone(),
        place: request.place.clone(),
        environment: request.environment(),
        is_lifted: false,
        digest: Some(image.digest),
        tag: request.name.to_tag(),
        tag_change: match is_there {
            true => HoldTagChange::Unchanged,
            false => HoldTagChange::Written,
        },
        record,
        recorded,
        reason: request.reason.clone(),
    })
}

fn refuse_other_image(
    request: &HoldRequest,
    there: HoldTag,
    expected: Digest,
) -> Result<(), Failure> {
    let HoldTag::Holds(digest) = there else {
        return Ok(());
    };
    if digest == expected {
        return Ok(());
    }
    Err(Failure::refused(format!(
        "the hold {} of {} is on {digest}, expected {expected}",
        request.name, request.place
    ))
    .with_reason("the name of a hold stands for one image")
    .with_hint("give the hold another name, or lift the first one with unhold"))
}
