//! `manifest.json` of a docker-archive: the list of its images.

use serde::Deserialize;

use super::ArchiveFault;
use super::tar_reader::TarReader;
use crate::image::{Digest, ImageSelector, exact_names};
use crate::layout::{is_same_name, tag_of_name};
use crate::notices::to_printable;

/// The file that lists the images.
pub(super) const LIST_FILE: &str = "manifest.json";

/// An image as `manifest.json` has it.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct DockerArchiveImage {
    #[serde(rename = "Config")]
    pub(super) config: String,
    #[serde(rename = "RepoTags")]
    names: Option<Vec<String>>,
    #[serde(rename = "Layers")]
    pub(super) layers: Option<Vec<String>>,
}

impl DockerArchiveImage {
    pub(super) fn names(&self) -> &[String] {
        self.names.as_deref().unwrap_or_default()
    }

    pub(super) fn layers(&self) -> &[String] {
        self.layers.as_deref().unwrap_or_default()
    }

    /// The digest in the name of the config, which all but the oldest savers write there.
    pub(super) fn id(&self) -> Option<Digest> {
        let name = self.config.rsplit('/').next().unwrap_or_default();
        let name = name.strip_suffix(".json").unwrap_or(name);
        let hex = name.strip_prefix("sha256:").unwrap_or(name);
        format!("sha256:{hex}").parse().ok()
    }

    /// What to call it.
    pub(super) fn label(&self) -> String {
        match (self.names().first(), self.id()) {
            (Some(name), _) => to_printable(name, 160),
            (None, Some(id)) => format!("@{id}"),
            (None, None) => to_printable(&self.config, 160),
        }
    }

    pub(super) fn fault(&self, problem: impl Into<String>) -> ArchiveFault {
        ArchiveFault::Image {
            image: self.label(),
            problem: problem.into(),
        }
    }
}

pub(super) fn parse_image_list(tar: &TarReader) -> Result<Vec<DockerArchiveImage>, ArchiveFault> {
    let list = tar
        .read_document(LIST_FILE)?
        .ok_or_else(|| tar.missing_entry(LIST_FILE))?;
    serde_json::from_slice(&list)
        .and_then(|images| exact_names::check(&list, exact_names::DOCKER_ARCHIVE).map(|()| images))
        .map_err(|error| ArchiveFault::List(format!("is not a list of images: {error}")))
}

/// The images of a list that `selector` means.
pub(super) fn matching_images<'a>(
    images: &'a [DockerArchiveImage],
    selector: &ImageSelector,
) -> Vec<&'a DockerArchiveImage> {
    let named = |fits: &dyn Fn(&str) -> bool| -> Vec<&DockerArchiveImage> {
        let fits = |image: &&DockerArchiveImage| image.names().iter().any(|name| fits(name));
        images.iter().filter(fits).collect()
    };
    match selector {
        ImageSelector::Only => images.iter().collect(),
        ImageSelector::Digest(id) => {
            let is_it = |image: &&DockerArchiveImage| image.id() == Some(*id);
            images.iter().filter(is_it).collect()
        }
        ImageSelector::Name(name) => match named(&|other| is_same_name(other, name)) {
            none if none.is_empty() => named(&|other| tag_of_name(other) == name),
            found => found,
        },
    }
}
