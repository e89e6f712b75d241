//! Copies referrers: they are found at the source and at the destinations before anything is written.

use futures_util::future::try_join_all;

use crate::image::Digest;
use crate::referrers::{
    CopiedReferrers, CopyRoute, ReferrerCopy, ReferrerGraph, ReferrerSelection, SidedReferrerError,
};
use crate::release::Failure;
use crate::release::context::ReleaseContext;
use crate::release::destination::OpenDestination;
use crate::release::execute::image::foreign_layer_note;
use crate::release::prepared_release::PreparedRelease;
use crate::release::request::ReleaseRequest;
use crate::release::resolve::image::ResolvedImage;
use crate::transfer::Side;

/// Finds the referrers of the image that are to be copied.
async fn discover_referrers(
    request: &ReleaseRequest,
    context: &ReleaseContext,
    image: &ResolvedImage,
) -> Result<ReferrerGraph, Failure> {
    if !request.copies_referrers_from(&image.location) {
        return Ok(ReferrerGraph::default());
    }
    let found = ReferrerGraph::discover(
        &image.reader,
        &image.root,
        &image.generated_manifests,
        request.referrers,
    )
    .await
    .map_err(|error| Failure::from_referrer_error(Side::Source, &image.location, error))?;
    for left in &found.skipped {
        let text = format!("{}: skipped referrer: {left}", image.location);
        match left.is_unexpected() {
            true => context.notices.warning(text),
            false => context.notices.info(text),
        }
    }
    Ok(found)
}

/// Stage that copies referrers to one destination.
pub(crate) struct ReferrerCopyStage<'a> {
    image: &'a ResolvedImage,
    destination: &'a OpenDestination,
    copy: ReferrerCopy<'a>,
}

/// Plans the copies at every destination that has, or is going to have, the root.
pub(crate) async fn plan_referrer_copies<'a>(
    prepared: &'a PreparedRelease<'_>,
) -> Result<Vec<Option<ReferrerCopyStage<'a>>>, Failure> {
    let (image, context) = (&prepared.image, prepared.context);
    let found = &discover_referrers(&prepared.request, context, image).await?;
    let each = prepared.destinations.iter().zip(&prepared.plans);
    let each = each.zip(&prepared.states);
    try_join_all(each.map(|((destination, plan), seen)| async move {
        let nothing = found.is_empty() || destination.name.is_place_of(&image.location);
        if nothing || !plan.has_root() {
            return Ok(None);
        }
        let prior = destination
            .load_tag_snapshot(plan.writes(), &seen.tags)
            .await?;
        let between = CopyRoute {
            source: &image.reader,
            store: &destination.store,
            foreign_layers: prepared.request.foreign_layers,
            skips_rejected: prepared.request.referrers == ReferrerSelection::Known,
            blob_index: &context.blob_index,
            notices: &context.notices,
            meter: &context.meter,
        };
        let carry = ReferrerCopy::plan(between, found, prior)
            .await
            .map_err(|failed| referrer_copy_failure(image, destination, failed))?;
        Ok(Some(ReferrerCopyStage {
            image,
            destination,
            copy: carry,
        }))
    }))
    .await
}

fn referrer_copy_failure(
    image: &ResolvedImage,
    destination: &OpenDestination,
    SidedReferrerError { side, error }: SidedReferrerError,
) -> Failure {
    match side {
        Side::Source => Failure::from_referrer_error(side, &image.location, error),
        Side::Destination => Failure::from_referrer_error(side, &destination.name, error),
    }
}

impl ReferrerCopyStage<'_> {
    /// Returns whether nothing is missing.
    pub(crate) fn is_complete(&self) -> bool {
        self.copy.is_complete()
    }

    /// Returns the copied referrers; before they are written, the planned ones.
    pub(crate) fn result(&self) -> CopiedReferrers {
        self.copy.copied_referrers().clone()
    }

    /// Returns a note for each foreign layer that is not copied.
    pub(crate) fn foreign_layer_notes(&self) -> impl Iterator<Item = String> {
        self.copy.foreign_layers().map(foreign_layer_note)
    }

    /// Appends to the tags that exist.
    pub(crate) async fn append_to_existing_tags(&mut self) -> Result<(), Failure> {
        let taken = self.copy.append_to_existing_tags().await;
        taken.map_err(|failed| self.to_failure(failed))
    }

    /// Writes the blobs.
    pub(crate) async fn write_blobs(&mut self) -> Result<(), Failure> {
        let taken = self.copy.copy_blobs().await;
        taken.map_err(|failed| self.to_failure(failed))
    }

    /// Writes the manifests.
    pub(crate) async fn write_manifests(&mut self) -> Result<(), Failure> {
        let taken = self.copy.write_manifests().await;
        taken.map_err(|failed| self.to_failure(failed))
    }

    /// Adds another entry to the list of referrers of `subject`, if that is a tag which is appended to; returns whether
    /// it is.
    pub(crate) fn list_too(&mut self, subject: Digest, entry: &serde_json::Value) -> bool {
        self.copy.list_too(subject, entry)
    }

    /// Adds them to the lists of referrers.
    pub(crate) async fn write_lists(&mut self) -> Result<(), Failure> {
        let taken = self.copy.write_lists().await;
        taken.map_err(|failed| self.to_failure(failed))
    }

    /// Returns whether tags are appended to, known once the manifests are written.
    pub(crate) fn appends_to_tags(&self) -> bool {
        self.copy.appends_to_tags()
    }

    /// Reads the tags that were appended to once more.
    pub(crate) async fn recheck_tags(&mut self) -> Result<(), Failure> {
        let taken = self.copy.recheck_tags().await;
        taken.map_err(|failed| self.to_failure(failed))
    }

    fn to_failure(&self, failed: SidedReferrerError) -> Failure {
        referrer_copy_failure(self.image, self.destination, failed)
    }
}
