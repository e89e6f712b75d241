//! Holds: a tag keeps an image from every cleanup, and a record says who holds it and why.
//!
//! A hold is its tag first and then its record, and its end is the record first and then the tag: a run that dies
//! leaves an image that stays. A repeated run does what is missing.

mod find_image;
mod hold_place;
mod hold_request;
mod hold_tag;
mod lift_hold;
mod place_hold;

use super::Failure;
use super::context::ReleaseContext;
use crate::registry::RepositoryAccess;

pub use hold_request::{HoldChange, HoldOutcome, HoldRequest, HoldTagChange};

/// Places a hold, or lifts it; a dry run reads and checks the same, and writes nothing.
///
/// # Errors
/// See [`Failure`]. What is refused is refused before anything is written, except for a registry that lets no tag
/// move: that only a write tells.
pub async fn change_hold(
    request: &HoldRequest,
    context: &ReleaseContext,
) -> Result<HoldOutcome, Failure> {
    let access = match request.change {
        HoldChange::Place(_) => RepositoryAccess::PullPush,
        HoldChange::Lift => RepositoryAccess::PullPushDelete,
    };
    if let Some(timeline) = &request.timeline {
        timeline.announce_with(context, access);
    }
    let place = Box::pin(hold_place::HoldPlace::open(request, context)).await?;
    match &request.change {
        HoldChange::Place(image) => {
            Box::pin(place_hold::place_hold(request, context, &place, image)).await
        }
        HoldChange::Lift => Box::pin(lift_hold::lift_hold(request, context, place)).await,
    }
}
