//! What referrers with signatures turn out to be: bundles, cosign's legacy form, or a form that is not read.

use bytes::Bytes;

use super::cosign_image::SIGNATURE_ANNOTATION;
use crate::image::{Digest, Manifest, ManifestBody};

/// An artifact that was found.
#[derive(Debug, Clone)]
pub struct FoundArtifact {
    /// The digest of its manifest.
    pub digest: Digest,
    /// What the annotation says that was asked for, where it is there.
    pub annotation: Option<String>,
    /// Its content, or what is wrong with it.
    pub content: Result<Bytes, String>,
}

/// What a referrer turns out to be.
#[derive(Debug)]
pub enum FoundReferrer {
    /// An artifact of the type that is looked for.
    Artifact(FoundArtifact),
    /// An image with signatures or attestations of cosign's legacy form, a layer each.
    CosignImage(Box<Manifest>),
    /// A signature of a form that is not read.
    UnreadSignature(UnreadSignature),
}

/// A signature of a form that is not read here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnreadSignature {
    /// The digest of its manifest.
    pub digest: Digest,
    /// The form: `notation`.
    pub form: &'static str,
}

/// Forms of signatures that are not read, by the beginning of their artifact types.
const UNREAD_FORMS: [(&str, &str); 2] = [
    ("application/vnd.cncf.notary.signature", "notation"),
    ("application/vnd.cncf.notary.v2.signature", "notation"),
];
/// Artifact types under which cosign, Tekton Chains and Docker's hardened images list the legacy form.
pub(super) const COSIGN_IMAGE_TYPES: [&str; 4] = [
    "application/vnd.dev.cosign.",
    "application/vnd.dsse.envelope",
    "application/vnd.oci.image.config.v1+json",
    "application/vnd.oci.image.manifest.v1+json",
];

/// The form of signatures that an artifact type stands for, if it is one that is not read.
pub(super) fn unread_form(artifact_type: &str) -> Option<&'static str> {
    let mut forms = UNREAD_FORMS.iter();
    let found = forms.find(|(begin, _)| artifact_type.starts_with(begin));
    found.map(|(_, form)| *form)
}

/// Whether an image has layers of cosign's legacy form.
pub(super) fn is_cosign_image(manifest: &Manifest) -> bool {
    match &manifest.body {
        ManifestBody::Image { layers, .. } => layers
            .iter()
            .any(|layer| layer.annotations.contains_key(SIGNATURE_ANNOTATION)),
        ManifestBody::Index(_) | ManifestBody::Artifact(_) => false,
    }
}
