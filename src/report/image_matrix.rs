//! Output `matrix`: images for `strategy: matrix:` of a later job.

use serde::Serialize;

use super::phrases::digest_reference;
use crate::image::{Destination, Digest};
use crate::policy::Service;

#[derive(Serialize)]
struct MatrixJson<'a> {
    include: Vec<MatrixEntryJson<'a>>,
}

#[derive(Serialize)]
struct MatrixEntryJson<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    service: Option<&'a str>,
    image: String,
    digest: String,
}

/// Returns the matrix of images, each with its service, if it is of one.
pub(super) fn image_matrix<'a>(
    images: impl IntoIterator<Item = (Option<&'a Service>, &'a Destination, Digest)>,
) -> String {
    let images = images.into_iter();
    let cells = images.map(|(service, place, digest)| MatrixEntryJson {
        service: service.map(Service::as_str),
        image: digest_reference(place, digest),
        digest: digest.to_string(),
    });
    let matrix = MatrixJson {
        include: cells.collect(),
    };
    serde_json::to_string(&matrix).unwrap_or_default()
}
