//! Lists the platforms of a released image with the sizes of their content, as far as they are known.

use super::execute::stages::PreTagStages;
use super::release_facts::PlatformContent;
use super::resolve::image::ResolvedImage;
use crate::image::{Descriptor, ManifestBody};

/// Most platforms that are listed.
const PLATFORMS_LIMIT: usize = 32;

/// Returns the platforms of the image, with sizes as far as its manifests were read.
pub(super) fn platform_contents(
    image: &ResolvedImage,
    stages: &PreTagStages<'_>,
) -> Vec<PlatformContent> {
    let root = &image.root;
    let of_child = |child: &Descriptor| {
        Some(PlatformContent {
            platform: Some(child.platform.clone()?),
            bytes: stages.content_size(child.digest),
        })
    };
    match &root.body {
        ManifestBody::Image { .. } => vec![PlatformContent {
            platform: image.origin.as_ref().and_then(|it| it.platform.clone()),
            bytes: Some(root.content_size()),
        }],
        ManifestBody::Index(_) => {
            let children = root.children().filter(|child| !child.says_attestation());
            children
                .filter_map(of_child)
                .take(PLATFORMS_LIMIT)
                .collect()
        }
        ManifestBody::Artifact(_) => Vec::new(),
    }
}
