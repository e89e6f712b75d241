//! Scan reports and SBOMs must be about the image that they are attested of.

use std::borrow::Cow;
use std::collections::BTreeSet;

use serde_json::Value;

use crate::image::{Descriptor, Digest, Manifest, ManifestBody};
use crate::release::Failure;
use crate::release::request::{ReleaseRequest, SigningOptions};
use crate::release::resolve::image::{self, ResolvedImage};
use crate::signing::{Predicate, ReportSubject};
use crate::transfer::Side;

/// Most bytes of a config that is read for its layers.
const CONFIG_LIMIT: u64 = 8 << 20;

/// Requires that each part of each report names the image: its root, a manifest below it, or a config or all
/// layers of one.
///
/// # Errors
/// A report of another image, or one that names none, unless that is allowed.
pub(super) async fn require_bound_reports(
    signing: &SigningOptions,
    image: &ResolvedImage,
) -> Result<(), Failure> {
    let reports = signing.attestations.iter().flat_map(|predicate| {
        let subjects = predicate.report_subjects.iter();
        subjects.map(move |subject| (predicate, subject))
    });
    let reports: Vec<_> = reports.collect();
    if reports.is_empty() {
        return Ok(());
    }
    let mut content = None;
    for (predicate, subject) in reports {
        if subject.is_unbound() {
            if !signing.allows_unbound {
                return Err(unbound_failure(predicate));
            }
            continue;
        }
        let content = match &mut content {
            Some(content) => content,
            None => content.insert(ImageContent::read(image).await?),
        };
        if !content.is_named_by(image, subject).await? {
            return Err(foreign_failure(predicate, subject, image.root.digest));
        }
    }
    Ok(())
}

/// Returns a release of one of several images with the scan reports alone that name its image. The gates have claimed
/// each report for one of them.
///
/// # Errors
/// A store that fails, and an incomplete image.
pub(crate) async fn assign_reports<'a>(
    mut request: Cow<'a, ReleaseRequest>,
    image: &ResolvedImage,
) -> Result<Cow<'a, ReleaseRequest>, Failure> {
    let signing = request.signing.as_ref();
    let Some(signing) = signing.filter(|signing| signing.assigns_reports) else {
        return Ok(request);
    };
    if !signing.attestations.iter().any(Predicate::is_scan_report) {
        return Ok(request);
    }
    let content = ImageContent::read(image).await?;
    let mut own = Vec::new();
    for predicate in &signing.attestations {
        if !predicate.is_scan_report() || content.is_named_by_parts(image, predicate).await? {
            own.push(predicate.clone());
        }
    }
    if let Some(signing) = &mut request.to_mut().signing {
        signing.attestations = own;
    }
    Ok(request)
}

/// Digests of an image, as reports name them.
struct ImageContent {
    manifests: BTreeSet<Digest>,
    configs: Vec<Descriptor>,
    /// The layers of each image, as they are stored.
    layers: Vec<Vec<Digest>>,
}

impl ImageContent {
    /// Reads all manifests of the image. Those that say something of another have no content of their own.
    async fn read(image: &ResolvedImage) -> Result<Self, Failure> {
        let mut content = Self {
            // A selection of platforms has the images of its source.
            manifests: [image.root.digest, image.source_digest()].into(),
            configs: Vec::new(),
            layers: Vec::new(),
        };
        let mut open = vec![image.root.clone()];
        while let Some(manifest) = open.pop() {
            content.add(&manifest);
            for child in manifest
                .children()
                .filter(|child| !child.says_attestation())
            {
                if content.manifests.insert(child.digest) {
                    open.push(image::read_child(image, manifest.digest, child.digest).await?);
                }
            }
        }
        Ok(content)
    }

    fn add(&mut self, manifest: &Manifest) {
        if let ManifestBody::Image { config, layers, .. } = &manifest.body {
            self.configs.push((**config).clone());
            self.layers
                .push(layers.iter().map(|layer| layer.digest).collect());
        }
    }

    /// Whether a report names this image. An ID of another image denies the digest of a manifest: the two
    /// together name nothing.
    async fn is_named_by(
        &self,
        image: &ResolvedImage,
        subject: &ReportSubject,
    ) -> Result<bool, Failure> {
        let by_manifest = subject
            .manifests
            .iter()
            .any(|it| self.manifests.contains(it));
        let named = match &subject.image_id {
            Some(id) => self.has_config(*id) || self.manifests.contains(id),
            None => by_manifest,
        };
        Ok(named || self.has_layers(image, &subject.layers).await?)
    }

    /// Returns whether each part of a report that names an image names this one.
    async fn is_named_by_parts(
        &self,
        image: &ResolvedImage,
        predicate: &Predicate,
    ) -> Result<bool, Failure> {
        let subjects = predicate.report_subjects.iter();
        for subject in subjects.filter(|subject| !subject.is_unbound()) {
            if !self.is_named_by(image, subject).await? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    fn has_config(&self, id: Digest) -> bool {
        self.configs.iter().any(|config| config.digest == id)
    }

    /// Whether an image has exactly these layers, as they are stored or as they are unpacked.
    async fn has_layers(&self, image: &ResolvedImage, layers: &[Digest]) -> Result<bool, Failure> {
        if layers.is_empty() {
            return Ok(false);
        }
        if self.layers.iter().any(|stored| stored == layers) {
            return Ok(true);
        }
        for config in &self.configs {
            let bytes = image.reader.read_small_blob(config, CONFIG_LIMIT).await;
            let bytes = bytes
                .map_err(|error| Failure::from_store_error(Side::Source, &image.location, error))?;
            if unpacked_layers(&bytes) == layers {
                return Ok(true);
            }
        }
        Ok(false)
    }
}

/// Returns the digests of a config's layers as they are unpacked (OCI image specification, `rootfs`).
fn unpacked_layers(config: &[u8]) -> Vec<Digest> {
    let config: Value = serde_json::from_slice(config).unwrap_or_default();
    let layers = config["rootfs"]["diff_ids"].as_array();
    let layers = layers.into_iter().flatten();
    layers
        .filter_map(|layer| layer.as_str()?.parse().ok())
        .collect()
}

fn unbound_failure(predicate: &Predicate) -> Failure {
    Failure::input(format!(
        "the file that is attested as {} is unbound: it names no image",
        predicate.kind
    ))
    .with_reason("a report about another image would be signed onto this one")
    .with_hint("scan the image by its digest (REPOSITORY@sha256:…), or set unbound: allow; for an environment of the policy only its key unbound counts")
}

fn foreign_failure(predicate: &Predicate, subject: &ReportSubject, root: Digest) -> Failure {
    let named = subject.image_id.iter().chain(&subject.manifests);
    let named: Vec<_> = named.take(3).map(ToString::to_string).collect();
    let named = match named.is_empty() {
        true => "other layers".to_owned(),
        false => named.join(", "),
    };
    Failure::input(format!(
        "the file that is attested as {} is about another image: it names {named}, expected {root}",
        predicate.kind
    ))
    .with_reason(match subject.image_id {
        Some(_) => "its image ID is the digest of no config and of no manifest of this image",
        None => {
            "none of its digests is that of the root, a manifest below it, a config or the layers"
        }
    })
    .with_hint("attest the report of this image: scan it by its digest")
}
