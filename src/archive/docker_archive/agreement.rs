//! Whether the two lists of an archive, `manifest.json` and `index.json`, are about one image. Tools
//! differ in which of them they read, so where they disagree, what was tested need not be what is pushed.

use std::collections::{HashMap, HashSet};

use crate::archive::docker_image_list::{DockerArchiveImage, matching_images, parse_image_list};
use crate::archive::tar_reader::TarReader;
use crate::archive::{ArchiveFault, ImageArchive};
use crate::image::{Digest, ImageSelector, Manifest, ManifestBody};
use crate::layout::{BLOB_DIRECTORY, LayoutBlobs, LayoutFault};
use crate::notices::to_printable;

/// Refuses an archive whose list has another image than the layout has at `root`, for who is asked for
/// what `selector` says. One that is asked for by its digest can be no other.
pub(super) fn check(
    archive: &ImageArchive,
    tar: &TarReader,
    root: Digest,
    selector: &ImageSelector,
) -> Result<(), ArchiveFault> {
    if matches!(selector, ImageSelector::Digest(_)) {
        return Ok(());
    }
    let inside = Contents::below(archive, tar, root)?;
    let listed = parse_image_list(tar)?;
    let mut digests = HashMap::new();
    let mut stray = None;
    let meant = matching_images(&listed, selector);
    let all = if meant.is_empty() {
        listed.iter().collect()
    } else {
        meant.clone()
    };
    let mut count = 0;
    for image in all {
        let config = config_digest(tar, image, &mut digests)?;
        match inside.has(tar, config, image)? {
            true => count += 1,
            false => stray = stray.or(Some(image)),
        }
    }
    // A name that is the layout's alone is that of one of the images which are listed without it.
    match stray {
        Some(stray) if !meant.is_empty() || count == 0 => Err(ArchiveFault::TwoImages {
            listed: stray.label(),
            root,
        }),
        _ => Ok(()),
    }
}

/// The digest of an image's config, whatever its file is called. Each is hashed once, however often
/// it is listed or linked to.
fn config_digest(
    tar: &TarReader,
    image: &DockerArchiveImage,
    digests: &mut HashMap<u64, Digest>,
) -> Result<Digest, ArchiveFault> {
    let fault = || LayoutFault::blob(format!("config of image {}", image.label()));
    let found = tar.find_entry(&image.config).map_err(fault())?;
    let extent = found.ok_or_else(|| image.fault("its config is missing"))?;
    if let Some(known) = digests.get(&extent.offset) {
        return Ok(*known);
    }
    let digest = extent.digest().map_err(ArchiveFault::Read)?;
    digests.insert(extent.offset, digest);
    Ok(digest)
}

/// Where the layers of the images below a root lie, by the digests of their configs.
struct Contents(HashMap<Digest, HashSet<Vec<Option<u64>>>>);

impl Contents {
    /// Goes through what is there. What is not is found by the check of the whole image.
    fn below(archive: &ImageArchive, tar: &TarReader, root: Digest) -> Result<Self, ArchiveFault> {
        let mut images = Self(HashMap::new());
        let mut seen = HashSet::from([root]);
        let mut pending = vec![root];
        while let Some(digest) = pending.pop() {
            let read = archive.read_manifest(digest, None);
            let manifest = read.map_err(LayoutFault::blob(format!("manifest {digest}")))?;
            let below = manifest.iter().flat_map(Manifest::children);
            let below = below.map(|child| child.digest);
            pending.extend(below.filter(|child| seen.insert(*child)));
            if let Some(ManifestBody::Image { config, layers }) = manifest.map(|it| it.body) {
                let blob = |digest: Digest| format!("{BLOB_DIRECTORY}/{}", digest.to_hex());
                let places = layers.iter().map(|layer| place(tar, &blob(layer.digest)));
                let places = places.collect::<Result<_, _>>()?;
                images.0.entry(config.digest).or_default().insert(places);
            }
        }
        Ok(images)
    }

    /// Whether one of them has that config and the very layers that `image` lists.
    fn has(
        &self,
        tar: &TarReader,
        config: Digest,
        image: &DockerArchiveImage,
    ) -> Result<bool, ArchiveFault> {
        let Some(images) = self.0.get(&config) else {
            return Ok(false);
        };
        let listed = image.layers().iter().map(|name| place(tar, name));
        Ok(images.contains(&listed.collect::<Result<Vec<_>, _>>()?))
    }
}

/// Where the content of an entry lies, if it is there.
fn place(tar: &TarReader, name: &str) -> Result<Option<u64>, ArchiveFault> {
    let found = tar.find_entry(name);
    let found = found.map_err(LayoutFault::blob(to_printable(name, 160)))?;
    Ok(found.map(|extent| extent.offset))
}

#[cfg(test)]
mod tests;
