//! What stands beside an image, on the road: found at the source while the destinations are looked
//! at, and brought to each of them after the root and before any tag.

use futures_util::future::try_join_all;

use super::plan::Plan;
use super::source::Resolved;
use super::{Change, Context, Destination, Failure, Request, beside};
use crate::image::{Location, Place};
use crate::referrers::{Beside, Carry, Selection, Sided, Travelled};
use crate::transfer::Side;

/// What is beside the image and is to travel.
pub(super) async fn find(
    request: &Request,
    context: &Context,
    destinations: &[Destination],
    image: &Resolved,
) -> Result<Beside, Failure> {
    let goes_on = |destination: &Destination| !is_at(&destination.place, &image.location);
    if request.referrers == Selection::None || !destinations.iter().any(goes_on) {
        return Ok(Beside::default());
    }
    let found = Beside::of(&image.source, &image.root, &image.made, request.referrers)
        .await
        .map_err(|error| beside::failure(Side::Source, &image.location, error))?;
    for left in &found.left {
        let text = format!("{} stays behind: {left}", image.location);
        match left.is_odd() {
            true => context.notices.warning(text),
            false => context.notices.info(text),
        }
    }
    Ok(found)
}

/// Whether an image is where it is to go.
fn is_at(place: &Place, location: &Location) -> bool {
    match (place, location) {
        (Place::Registry(repository), Location::Registry(reference)) => {
            *repository == reference.repository
        }
        (Place::Layout(to), Location::Layout(from, _)) => to == from,
        _ => false,
    }
}

/// What is to be brought along, for one destination.
pub(super) struct Work<'a> {
    image: &'a Resolved,
    destination: &'a Destination,
    carry: Carry<'a>,
}

/// The work at every destination that has, or is going to have, the root.
pub(super) async fn look<'a>(
    context: &'a Context,
    image: &'a Resolved,
    destinations: &'a [Destination],
    plans: &[Plan],
) -> Result<Vec<Option<Work<'a>>>, Failure> {
    let each = destinations.iter().zip(plans);
    try_join_all(each.map(|(destination, plan)| async move {
        let named = |step: &super::Step| step.writes() || step.change == Change::Unchanged;
        let nothing = image.beside.is_empty() || is_at(&destination.place, &image.location);
        if nothing || !plan.steps.iter().any(named) {
            return Ok(None);
        }
        let (source, store) = (&image.source, &destination.store);
        let (notices, meter) = (&context.notices, &context.meter);
        let carry = Carry::look(source, &image.beside, store, &context.known, notices, meter)
            .await
            .map_err(|error| beside::failure(Side::Destination, &destination.place, error))?;
        Ok(Some(Work {
            image,
            destination,
            carry,
        }))
    }))
    .await
}

impl Work<'_> {
    /// Writes what is missing; with `by_tag` what a tag that is there has to be added to for.
    pub(super) async fn write(&mut self, by_tag: bool) -> Result<(), Failure> {
        let outcome = self.carry.write(by_tag).await;
        outcome.map_err(|error| self.failed(error))
    }

    /// Looks once more at what was added to.
    pub(super) async fn settle(&mut self) -> Result<(), Failure> {
        let outcome = self.carry.settle().await;
        outcome.map_err(|error| self.failed(error))
    }

    /// What came of it; on a dry run, what would.
    pub(super) fn results(self) -> Travelled {
        self.carry.into_travelled()
    }

    fn failed(&self, Sided { side, error }: Sided) -> Failure {
        match side {
            Side::Source => beside::failure(side, &self.image.location, error),
            Side::Destination => beside::failure(side, &self.destination.place, error),
        }
    }
}

/// Writes everywhere what is missing there.
pub(super) async fn write(works: &mut [Option<Work<'_>>], by_tag: bool) -> Result<(), Failure> {
    let each = works.iter_mut().flatten();
    try_join_all(each.map(|work| work.write(by_tag))).await?;
    Ok(())
}
