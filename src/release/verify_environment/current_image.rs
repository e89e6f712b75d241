use std::sync::Arc;

use super::current_state::CurrentState;
use super::environment_finding::{EnvironmentFinding, FindingKind};
use crate::image::{Digest, TagOrDigest};
use crate::release::Failure;
use crate::release::resolve::image::ResolvedImage;
use crate::release::verify::graph;
use crate::transfer::{ImageReader, Side, StoreError};

impl CurrentState {
    /// Reads the current image with the manifests below it, or returns which of them is gone.
    ///
    /// # Errors
    /// A store that cannot tell.
    pub(super) async fn read_image(
        &self,
        root: Digest,
    ) -> Result<Result<ResolvedImage, EnvironmentFinding>, Failure> {
        let place = &self.location().destination;
        let failed = |error| Failure::from_store_error(Side::Source, place, error);
        let reader = ImageReader::from_store(self.images.clone());
        let Some(manifest) = reader.get_manifest(root).await.map_err(failed)? else {
            return Ok(Err(missing(&format!("the current image {root}"))));
        };
        let image = ResolvedImage {
            location: place.to_source(TagOrDigest::Digest(root)),
            reader: Arc::new(reader),
            root: manifest,
            origin: None,
            platform_selection: None,
            generated_manifests: Vec::new(),
        };
        match graph::manifests(&image.reader, image.root.clone()).await {
            Ok(_) => Ok(Ok(image)),
            Err(StoreError::MissingChild { child, parent }) => Ok(Err(missing(&format!(
                "the manifest {child}, which {parent} of the current image lists,"
            )))),
            Err(error) => Err(failed(error)),
        }
    }
}

fn missing(what: &str) -> EnvironmentFinding {
    FindingKind::MissingManifest
        .found(format!("{what} is gone"))
        .with_hint("promote the image again, and exclude released images from cleanup")
}
