//! What stands beside an image, on the road: found at the source and looked for at the destinations
//! before anything is written, and brought there in the steps of the road.

use futures_util::future::try_join_all;

use super::source::Resolved;
use super::{Change, Context, Destination, Failure, Prepared, Request, beside};
use crate::image::{Location, Place};
use crate::referrers::{Beside, Between, Carry, Selection, Sided, Travelled};
use crate::transfer::Side;

/// Whether anything that stands beside the source may have to travel.
pub(super) fn is_wanted(request: &Request) -> bool {
    travels(request, &request.source)
}

fn travels(request: &Request, from: &Location) -> bool {
    let mut places = request.destinations.iter();
    request.referrers != Selection::None && places.any(|place| !is_at(place, from))
}

/// What is beside the image and is to travel.
async fn find(request: &Request, context: &Context, image: &Resolved) -> Result<Beside, Failure> {
    if !travels(request, &image.location) {
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
pub(super) async fn look<'a>(prepared: &'a Prepared<'_>) -> Result<Vec<Option<Work<'a>>>, Failure> {
    let (image, context) = (&prepared.image, prepared.context);
    let found = &find(prepared.request, context, image).await?;
    let each = prepared.destinations.iter().zip(&prepared.plans);
    let each = each.zip(&prepared.seen);
    try_join_all(each.map(|((destination, plan), seen)| async move {
        let named = |step: &super::Step| step.writes() || step.change == Change::Unchanged;
        let nothing = found.is_empty() || is_at(&destination.place, &image.location);
        if nothing || !plan.steps.iter().any(named) {
            return Ok(None);
        }
        let prior = destination.prior(plan, seen).await?;
        let between = Between {
            source: &image.source,
            store: &destination.store,
            known: &context.known,
            notices: &context.notices,
            meter: &context.meter,
        };
        let carry = Carry::look(between, found, prior)
            .await
            .map_err(|failed| failure(image, destination, failed))?;
        Ok(Some(Work {
            image,
            destination,
            carry,
        }))
    }))
    .await
}

fn failure(image: &Resolved, destination: &Destination, Sided { side, error }: Sided) -> Failure {
    match side {
        Side::Source => beside::failure(side, &image.location, error),
        Side::Destination => beside::failure(side, &destination.place, error),
    }
}

impl Work<'_> {
    /// Whether nothing is missing.
    pub(super) fn is_done(&self) -> bool {
        self.carry.is_done()
    }

    /// What came of it; before it is written, what is to come.
    pub(super) fn travelled(&self) -> Travelled {
        self.carry.travelled().clone()
    }

    /// Adds to the tags that are there.
    pub(super) async fn add_to_tags(&mut self) -> Result<(), Failure> {
        let taken = self.carry.add_to_tags().await;
        taken.map_err(|failed| self.failed(failed))
    }

    /// Brings the blobs.
    pub(super) async fn blobs(&mut self) -> Result<(), Failure> {
        let taken = self.carry.blobs().await;
        taken.map_err(|failed| self.failed(failed))
    }

    /// Writes the manifests.
    pub(super) async fn manifests(&mut self) -> Result<(), Failure> {
        let taken = self.carry.manifests().await;
        taken.map_err(|failed| self.failed(failed))
    }

    /// Has the destination list them.
    pub(super) async fn lists(&mut self) -> Result<(), Failure> {
        let taken = self.carry.lists().await;
        taken.map_err(|failed| self.failed(failed))
    }

    /// Whether tags are added to, known once the manifests are written.
    pub(super) fn adds_to_tags(&self) -> bool {
        self.carry.adds_to_tags()
    }

    /// Looks once more at what was added to.
    pub(super) async fn settle(&mut self) -> Result<(), Failure> {
        let taken = self.carry.settle().await;
        taken.map_err(|failed| self.failed(failed))
    }

    fn failed(&self, failed: Sided) -> Failure {
        failure(self.image, self.destination, failed)
    }
}
