//! The image itself, brought to the destinations that lack it.

use super::plan::Plan;
use super::source::Resolved;
use super::{Destination, Failure, Prepared};
use crate::image::Digest;
use crate::transfer::{Bringing, Content, Copy, Failed, Root, Roots, Side};

/// What of the image is missing where.
pub(super) struct Work<'a> {
    image: &'a Resolved,
    /// Of all destinations, whether it may lack some of the image: a registry that names the root
    /// already has it.
    lacks: Vec<bool>,
    lacking: Vec<&'a Destination>,
    bringing: Bringing<'a>,
}

/// Looks at what the destinations have that tags are to be written at.
pub(super) async fn look<'a>(prepared: &'a Prepared<'_>) -> Result<Work<'a>, Failure> {
    let Prepared {
        request,
        context,
        destinations,
        image,
        plans,
        ..
    } = prepared;
    let may_lack = |(destination, plan): (&Destination, &Plan)| {
        !request.dry_run && (plan.writes() || destination.is_looked_through(plan))
    };
    let lacks: Vec<bool> = destinations.iter().zip(plans).map(may_lack).collect();
    let lacking = destinations.iter().zip(&lacks).filter(|(_, lacks)| **lacks);
    let lacking: Vec<&Destination> = lacking.map(|(destination, _)| destination).collect();
    let copy = Copy {
        source: &image.source,
        roots: vec![Root::Read(Box::new(image.root.clone()))],
        roots_at: Roots::Unknown,
        destinations: lacking
            .iter()
            .map(|destination| &destination.store)
            .collect(),
        known: &context.known,
        notices: &context.notices,
        meter: &context.meter,
    };
    let bringing = copy.look().await;
    Ok(Work {
        bringing: bringing.map_err(|failed| failure(image, &lacking, failed))?,
        image,
        lacks,
        lacking,
    })
}

/// Brings all of the image but its root to a destination that was taken to have it, once.
pub(super) async fn fill(
    prepared: &Prepared<'_>,
    destination: &Destination,
) -> Result<(), Failure> {
    let Prepared { context, image, .. } = prepared;
    let fill = || async {
        let copy = Copy {
            source: &image.source,
            roots: vec![Root::Read(Box::new(image.root.clone()))],
            roots_at: Roots::Unknown,
            destinations: vec![&destination.store],
            known: &context.known,
            notices: &context.notices,
            meter: &context.meter,
        };
        let filled = copy.everything().await;
        filled.map_err(|failed| failure(image, &[destination], failed))
    };
    destination.filled.get_or_try_init(fill).await.copied()
}

impl Work<'_> {
    /// Whether bringing the blobs brings this one there too.
    pub(super) fn brings(&self, destination: &Destination, blob: Digest) -> bool {
        let mut lacking = self.lacking.iter();
        let at = lacking.position(|lacking| lacking.place == destination.place);
        at.is_some_and(|at| self.bringing.brings(at, blob))
    }

    /// Brings the blobs.
    pub(super) async fn blobs(&self) -> Result<(), Failure> {
        let taken = self.bringing.blobs().await;
        taken.map_err(|failed| self.failed(failed))
    }

    /// Writes all manifests but the root.
    pub(super) async fn below(&self) -> Result<(), Failure> {
        let taken = self.bringing.below().await;
        taken.map_err(|failed| self.failed(failed))
    }

    /// Writes the root, by its digest.
    pub(super) async fn root(&self) -> Result<(), Failure> {
        let taken = self.bringing.roots().await;
        taken.map_err(|failed| self.failed(failed))
    }

    /// Counts the root at the destinations that lacked it, where tags have brought it.
    pub(super) fn count_roots(&self) {
        self.bringing.count_roots();
    }

    /// What was done, in the order of all destinations.
    pub(super) fn content(&self) -> Vec<Content> {
        let mut content = self.bringing.content().into_iter();
        let each = self.lacks.iter().map(|lacks| match lacks {
            true => content.next().unwrap_or_default(),
            false => Content::default(),
        });
        each.collect()
    }

    fn failed(&self, failed: Failed) -> Failure {
        failure(self.image, &self.lacking, failed)
    }
}

fn failure(image: &Resolved, lacking: &[&Destination], Failed { at, error }: Failed) -> Failure {
    let place: &dyn std::fmt::Display = match error.side {
        Side::Source => &image.location,
        Side::Destination => &lacking[at].place,
    };
    Failure::store(error.side, place, error.error)
}
