//! Copies the image to the destinations that lack it.

use crate::image::{Descriptor, Digest};
use crate::notices::to_printable;
use crate::release::Failure;
use crate::release::destination::OpenDestination;
use crate::release::plan::tags::TagPlan;
use crate::release::prepared_release::PreparedRelease;
use crate::release::resolve::image::ResolvedImage;
use crate::transfer::{CopyFailure, CopyRequest, CopyStats, PlannedCopy, Root, RootPresence, Side};

/// Stage that copies the image to all destinations.
pub(crate) struct ImageCopyStage<'a> {
    image: &'a ResolvedImage,
    /// For each destination, whether it may lack part of the image: a registry that has a tag for the
    /// root has all of it.
    needs_copy: Vec<bool>,
    targets: Vec<&'a OpenDestination>,
    planned_copy: PlannedCopy<'a>,
}

/// Plans the copy from what the destinations have.
pub(crate) async fn plan_image_copy<'a>(
    prepared: &'a PreparedRelease<'_>,
) -> Result<ImageCopyStage<'a>, Failure> {
    let PreparedRelease {
        request,
        context,
        destinations,
        image,
        plans,
        ..
    } = prepared;
    let may_lack = |(destination, plan): (&OpenDestination, &TagPlan)| {
        !request.dry_run && (plan.writes() || PreparedRelease::is_looked_through(destination, plan))
    };
    let lacks: Vec<bool> = destinations.iter().zip(plans).map(may_lack).collect();
    let targets = destinations.iter().zip(&lacks).filter(|(_, lacks)| **lacks);
    let targets: Vec<&OpenDestination> = targets.map(|(destination, _)| destination).collect();
    let copy = CopyRequest {
        source: &image.reader,
        roots: vec![Root::Read(Box::new(image.root.clone()))],
        root_presence: RootPresence::Unknown,
        destinations: targets
            .iter()
            .map(|destination| &destination.store)
            .collect(),
        foreign_layers: request.foreign_layers,
        blob_index: &context.blob_index,
        notices: &context.notices,
        meter: &context.meter,
    };
    let planned_copy = copy.plan().await;
    Ok(ImageCopyStage {
        planned_copy: planned_copy.map_err(|failed| image_copy_failure(image, &targets, failed))?,
        image,
        needs_copy: lacks,
        targets,
    })
}

/// Most addresses of a layer that a note names.
const SHOWN_ADDRESSES: usize = 3;

/// Returns the note on a foreign layer that is not copied.
pub(crate) fn foreign_layer_note(layer: &Descriptor) -> String {
    let addresses = layer.urls.iter().take(SHOWN_ADDRESSES);
    let addresses: Vec<String> = addresses.map(|url| to_printable(url, 120)).collect();
    format!(
        "foreign layer {} ({} bytes) is not copied and stays at {} (foreign-layers: copy copies it)",
        layer.digest,
        layer.size,
        addresses.join(", ")
    )
}

/// Copies the whole image without its root, once, to a destination that was expected to have it.
pub(crate) async fn recopy_image(
    prepared: &PreparedRelease<'_>,
    destination: &OpenDestination,
) -> Result<(), Failure> {
    let PreparedRelease {
        request,
        context,
        image,
        ..
    } = prepared;
    let fill = || async {
        let copy = CopyRequest {
            source: &image.reader,
            roots: vec![Root::Read(Box::new(image.root.clone()))],
            root_presence: RootPresence::Unknown,
            destinations: vec![&destination.store],
            foreign_layers: request.foreign_layers,
            blob_index: &context.blob_index,
            notices: &context.notices,
            meter: &context.meter,
        };
        let filled = copy.copy_everything().await;
        filled.map_err(|failed| image_copy_failure(image, &[destination], failed))
    };
    destination.recopied.get_or_try_init(fill).await.copied()
}

impl ImageCopyStage<'_> {
    /// Returns whether [`Self::write_blobs`] writes this blob too.
    pub(crate) fn will_have_blob(&self, destination: &OpenDestination, blob: Digest) -> bool {
        let mut targets = self.targets.iter();
        let at = targets.position(|targets| targets.name == destination.name);
        at.is_some_and(|at| self.planned_copy.will_have_blob(at, blob))
    }

    /// Returns how many bytes the config and layers of a manifest have, if it was read.
    pub(crate) fn content_size(&self, manifest: Digest) -> Option<u64> {
        self.planned_copy.content_size(manifest)
    }

    /// Writes the blobs.
    pub(crate) async fn write_blobs(&self) -> Result<(), Failure> {
        let taken = self.planned_copy.copy_blobs().await;
        taken.map_err(|failed| self.to_failure(failed))
    }

    /// Writes all manifests but the root.
    pub(crate) async fn write_child_manifests(&self) -> Result<(), Failure> {
        let taken = self.planned_copy.write_child_manifests().await;
        taken.map_err(|failed| self.to_failure(failed))
    }

    /// Writes the root, by its digest.
    pub(crate) async fn write_root(&self) -> Result<(), Failure> {
        let taken = self.planned_copy.write_roots().await;
        taken.map_err(|failed| self.to_failure(failed))
    }

    /// Returns a note for each foreign layer that is not copied, with the hosts that have it.
    pub(crate) fn foreign_layer_notes(&self) -> Vec<String> {
        let foreign = self.planned_copy.foreign_layers().into_values();
        foreign.map(foreign_layer_note).collect()
    }

    /// Counts the root at the destinations that lacked it, where tags have written it.
    pub(crate) fn count_roots(&self) {
        self.planned_copy.count_roots();
    }

    /// Returns what was copied, in the order of all destinations.
    pub(crate) fn result(&self) -> Vec<CopyStats> {
        let mut content = self.planned_copy.copy_stats().into_iter();
        let each = self.needs_copy.iter().map(|lacks| match lacks {
            true => content.next().unwrap_or_default(),
            false => CopyStats::default(),
        });
        each.collect()
    }

    fn to_failure(&self, failed: CopyFailure) -> Failure {
        image_copy_failure(self.image, &self.targets, failed)
    }
}

fn image_copy_failure(
    image: &ResolvedImage,
    targets: &[&OpenDestination],
    CopyFailure { at, error }: CopyFailure,
) -> Failure {
    let place: &dyn std::fmt::Display = match error.side {
        Side::Source => &image.location,
        Side::Destination => &targets[at].name,
    };
    Failure::from_store_error(error.side, place, error.error)
}
