//! docker-archives: what `docker save`, podman, skopeo, crane, buildx, kaniko and Bazel write. A
//! `manifest.json` lists images, each with its config and the tars of its layers.
//!
//! There is no manifest in it, so one is made here: an OCI image manifest over the config as it is
//! and the layers compressed, see `layer_compression.rs`. The same image gives the same digest, whoever
//! saved it. Since Docker 25 the archive is an image layout as well. Where Docker keeps images with
//! containerd, that layout has the image with the digest it was built or pulled with, and that is
//! what is taken. Where it keeps them in the older way, the layout is made for the occasion, out of
//! layers that are not compressed: then the image is made here as from any other docker-archive.
//! An archive whose layout and list are about different images is refused: see [`agreement`].
//!
//! Limits: `manifest.json` and configs of 8 MiB, [`LAYERS_LIMIT`] layers; those of the tar's own
//! headers are in `tar_entries.rs`. Memory does not grow with a layer.

mod agreement;

use std::cmp::Reverse;
use std::collections::HashMap;
use std::fs::File;
use std::io::Write;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use super::docker_image_list::{DockerArchiveImage, LIST_FILE, matching_images, parse_image_list};
use super::layer_compression::{self, CompressedLayer, LayerFault};
use super::layout_archive::open_layout_archive;
use super::scratch::Scratch;
use super::tar_reader::TarReader;
use super::{ArchiveFault, ImageArchive};
use crate::image::{Digest, ImageSelector, Manifest, ManifestBody, MediaType};
use crate::layout::{self, FileExtent, INDEX_FILE, LayoutFault, LayoutIndex};
use crate::notices::{Notices, to_printable};

/// The most layers that an image may have; container engines take 127.
const LAYERS_LIMIT: usize = 1000;
/// How many layers are compressed at the same time, where there are as many processors.
const COMPRESSION_THREADS: usize = 4;

const CONFIG_TYPE: &str = "application/vnd.oci.image.config.v1+json";

/// The image that `selector` means, and its digest.
pub(super) fn open_docker_archive(
    path: &Path,
    file: File,
    selector: &ImageSelector,
    scratch: &Scratch,
    notices: &Notices,
) -> Result<(ImageArchive, Digest), ArchiveFault> {
    let tar = TarReader::open(file, scratch)?;
    if !tar.has_entry(INDEX_FILE) {
        return convert_image(path, &tar, selector, scratch, notices);
    }
    let is_listed = tar.has_entry(LIST_FILE);
    let archive = open_layout_archive(path, tar)?;
    if is_listed && let Some(tar) = archive.layout_tar() {
        // By the id of its config an image is known in the list alone.
        let by_id = matches!(selector, ImageSelector::Digest(id) if is_config_digest(tar, *id)?);
        if by_id {
            return convert_image(path, tar, selector, scratch, notices);
        }
        let root = layout::select_image(&archive, selector)?;
        agreement::check(&archive, tar, root, selector)?;
        if has_uncompressed_layers(&archive, root)? {
            return convert_image(path, tar, selector, scratch, notices);
        }
    }
    let root = layout::select_image(&archive, selector)?;
    Ok((archive, root))
}

fn is_config_digest(tar: &TarReader, id: Digest) -> Result<bool, ArchiveFault> {
    Ok(parse_image_list(tar)?
        .iter()
        .any(|image| image.id() == Some(id)))
}

/// Whether an image of a layout has layers that are not compressed.
fn has_uncompressed_layers(archive: &ImageArchive, root: Digest) -> Result<bool, ArchiveFault> {
    let manifest = layout::blobs::get_manifest(archive, root)?;
    Ok(manifest.is_some_and(|manifest| match &manifest.body {
        ManifestBody::Image { layers, .. } => layers
            .iter()
            .any(|layer| layer.media_type.ends_with(".tar")),
        ManifestBody::Index(_) | ManifestBody::Artifact(_) => false,
    }))
}

/// The image that `selector` means. One image with several names may be listed several times.
fn select_image(
    images: &[DockerArchiveImage],
    selector: &ImageSelector,
) -> Result<DockerArchiveImage, ArchiveFault> {
    let labels = |images: &[&DockerArchiveImage]| {
        let mut labels: Vec<_> = images.iter().map(|image| image.label()).collect();
        labels.sort();
        labels
    };
    let mut found = matching_images(images, selector);
    found.dedup_by(|a, b| a.config == b.config && a.layers == b.layers);
    match (found.as_slice(), selector) {
        ([image], _) => Ok((*image).clone()),
        ([], ImageSelector::Name(name)) => Err(LayoutFault::NoSuchName {
            name: name.clone(),
            names: labels(&images.iter().collect::<Vec<_>>()),
        }
        .into()),
        ([], ImageSelector::Digest(id)) => Err(ArchiveFault::NoSuchId(*id)),
        ([], ImageSelector::Only) => Err(ArchiveFault::List("lists no image".to_owned())),
        _ => Err(ArchiveFault::SeveralImages(labels(&found))),
    }
}

/// Makes the image of the list that `selector` means.
fn convert_image(
    path: &Path,
    tar: &TarReader,
    selector: &ImageSelector,
    scratch: &Scratch,
    notices: &Notices,
) -> Result<(ImageArchive, Digest), ArchiveFault> {
    let image = select_image(&parse_image_list(tar)?, selector)?;
    let config = read_config(tar, &image)?;
    let layers = locate_layers(tar, &image, &config.diff_ids)?;
    report_layers(path, &layers, notices);
    let layers = compress_all(&image, layers, scratch)?;
    let manifest = build_manifest(&config, &layers)?;
    let write = |error| scratch.fault(error);
    let blobs = layers
        .into_iter()
        .map(|layer| (layer.digest, layer.extent))
        .chain([
            (config.digest, config.extent),
            (
                manifest.digest,
                write_nameless_file(&manifest.bytes, scratch).map_err(write)?,
            ),
        ]);
    let mut index = LayoutIndex::empty();
    index.add_unnamed(&manifest);
    let archive = ImageArchive::from_converted(path, index, blobs.collect());
    Ok((archive, manifest.digest))
}

fn report_layers(path: &Path, layers: &[(FileExtent, Digest)], notices: &Notices) {
    let bytes: u64 = layers.iter().map(|(layer, _)| layer.len).sum();
    notices.info(format!(
        "{}: making an image of its {} layers, {} MB in all",
        path.display(),
        layers.len(),
        bytes.div_ceil(1_000_000)
    ));
}

/// The config of an image, whose bytes stay as they are.
struct DockerArchiveConfig {
    digest: Digest,
    extent: FileExtent,
    /// The digests of the layers' tars, lowest first.
    diff_ids: Vec<Digest>,
}

fn read_config(
    tar: &TarReader,
    image: &DockerArchiveImage,
) -> Result<DockerArchiveConfig, ArchiveFault> {
    #[derive(Deserialize)]
    struct SavedConfigJson {
        rootfs: Option<RootfsJson>,
    }
    #[derive(Deserialize)]
    struct RootfsJson {
        diff_ids: Option<Vec<String>>,
    }
    let missing = || {
        let name = to_printable(&image.config, 160);
        image.fault(format!("its config {name:?} is missing"))
    };
    let bytes = tar.read_document(&image.config)?.ok_or_else(missing)?;
    let digest = Digest::from_bytes(&bytes);
    if image.id().is_some_and(|id| id != digest) {
        return Err(image.fault(format!(
            "its config is damaged: its content has the digest {digest}"
        )));
    }
    let wire: SavedConfigJson = serde_json::from_slice(&bytes)
        .map_err(|error| image.fault(format!("its config is not an image config: {error}")))?;
    let diff_ids = wire.rootfs.and_then(|rootfs| rootfs.diff_ids);
    let diff_ids: Result<Vec<Digest>, _> = diff_ids
        .unwrap_or_default()
        .iter()
        .map(|text| text.parse())
        .collect();
    let extent = tar.find_entry(&image.config).ok().flatten();
    Ok(DockerArchiveConfig {
        digest,
        extent: extent.ok_or_else(missing)?,
        diff_ids: diff_ids.map_err(|error| {
            image.fault(format!("its config names a layer by a digest that {error}"))
        })?,
    })
}

/// Where the layers lie, each with the digest its tar must have.
fn locate_layers(
    tar: &TarReader,
    image: &DockerArchiveImage,
    diff_ids: &[Digest],
) -> Result<Vec<(FileExtent, Digest)>, ArchiveFault> {
    let names = image.layers();
    if names.len() != diff_ids.len() {
        return Err(image.fault(format!(
            "it lists {} layers, but its config {}",
            names.len(),
            diff_ids.len()
        )));
    }
    if names.len() > LAYERS_LIMIT {
        return Err(image.fault(format!("it has more than {LAYERS_LIMIT} layers")));
    }
    let each = names.iter().zip(diff_ids).map(|(name, diff_id)| {
        let what = || format!("its layer {:?}", to_printable(name, 160));
        match tar.find_entry(name) {
            Ok(Some(extent)) => Ok((extent, *diff_id)),
            Ok(None) => Err(image.fault(format!("{} is missing", what()))),
            Err(fault) => Err(image.fault(format!("{} {fault}", what()))),
        }
    });
    each.collect()
}

/// The layers compressed, in order, several at the same time.
fn compress_all(
    image: &DockerArchiveImage,
    layers: Vec<(FileExtent, Digest)>,
    scratch: &Scratch,
) -> Result<Vec<CompressedLayer>, ArchiveFault> {
    let processors = std::thread::available_parallelism().map_or(1, usize::from);
    // One that is there several times, as empty ones are, is compressed once.
    let mut distinct: HashMap<Digest, &FileExtent> = HashMap::new();
    for (from, diff_id) in &layers {
        distinct.entry(*diff_id).or_insert(from);
    }
    let mut distinct: Vec<_> = distinct.into_iter().collect();
    distinct.sort_by_key(|(diff_id, from)| (Reverse(from.len), *diff_id));
    let next = AtomicUsize::new(0);
    let turn = Mutex::new(());
    let work = || {
        let mut done = Vec::new();
        while let Some((diff_id, from)) = distinct.get(next.fetch_add(1, Ordering::Relaxed)) {
            match layer_compression::compress_layer((*from).clone(), *diff_id, scratch, &turn) {
                Ok(layer) => done.push((*diff_id, layer)),
                // Nobody needs the others any more.
                Err(fault) => {
                    next.store(distinct.len(), Ordering::Relaxed);
                    return Err(layer_fault(image, *diff_id, scratch, fault));
                }
            }
        }
        Ok(done)
    };
    let threads = processors.min(COMPRESSION_THREADS).min(distinct.len());
    let done = std::thread::scope(|scope| {
        let workers: Vec<_> = (0..threads).map(|_| scope.spawn(work)).collect();
        let join = |worker: std::thread::ScopedJoinHandle<'_, _>| match worker.join() {
            Ok(done) => done,
            Err(panic) => std::panic::resume_unwind(panic),
        };
        workers.into_iter().map(join).collect::<Result<Vec<_>, _>>()
    })?;
    let made: HashMap<Digest, CompressedLayer> = done.into_iter().flatten().collect();
    let in_order = layers.iter().filter_map(|(_, diff_id)| made.get(diff_id));
    Ok(in_order.cloned().collect())
}

fn layer_fault(
    image: &DockerArchiveImage,
    diff_id: Digest,
    scratch: &Scratch,
    fault: LayerFault,
) -> ArchiveFault {
    match fault {
        LayerFault::Content(is) => image.fault(format!(
            "its layer {diff_id} is damaged: its content has the digest {is}"
        )),
        LayerFault::Read(error) => {
            image.fault(format!("its layer {diff_id} cannot be read: {error}"))
        }
        LayerFault::Write(error) => scratch.fault(error),
        LayerFault::TooLarge => ArchiveFault::TooLarge {
            limit: scratch.limit(),
        },
    }
}

/// The manifest, whose members are always in this order and form.
fn build_manifest(
    config: &DockerArchiveConfig,
    layers: &[CompressedLayer],
) -> Result<Manifest, ArchiveFault> {
    #[derive(Serialize)]
    #[serde(rename_all = "camelCase")]
    struct NewManifestJson {
        schema_version: u8,
        media_type: &'static str,
        config: NewDescriptorJson,
        layers: Vec<NewDescriptorJson>,
    }
    #[derive(Serialize)]
    #[serde(rename_all = "camelCase")]
    struct NewDescriptorJson {
        media_type: &'static str,
        digest: String,
        size: u64,
    }
    let descriptor = |media_type, digest: Digest, extent: &FileExtent| NewDescriptorJson {
        media_type,
        digest: digest.to_string(),
        size: extent.len,
    };
    let wire = NewManifestJson {
        schema_version: 2,
        media_type: MediaType::OciManifest.as_str(),
        config: descriptor(CONFIG_TYPE, config.digest, &config.extent),
        layers: layers
            .iter()
            .map(|layer| descriptor(layer.media_type, layer.digest, &layer.extent))
            .collect(),
    };
    let bytes = serde_json::to_vec(&wire).map_err(|error| ArchiveFault::List(error.to_string()))?;
    Manifest::parse(Bytes::from(bytes), None)
        .map_err(|error| LayoutFault::blob("its manifest")(error.into()).into())
}

/// Bytes in a nameless file, to be read as all other blobs are.
fn write_nameless_file(bytes: &[u8], scratch: &Scratch) -> std::io::Result<FileExtent> {
    let mut file = scratch.file()?;
    file.write_all(bytes)?;
    Ok(FileExtent {
        file: Arc::new(file.finish()?),
        offset: 0,
        len: bytes.len() as u64,
    })
}

#[cfg(test)]
mod savers;
#[cfg(test)]
mod tests;
