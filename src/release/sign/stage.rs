//! State of signing one manifest at one destination: the request, the existing attachments and the
//! pending ones.

use bytes::Bytes;
use futures_util::future::try_join;
use serde_json::Value;
use url::Url;

use super::shared_tags::{CosignImages, SharedTagUpdate};
use super::statement::{PlannedStatement, SigningContext};
use crate::image::{Descriptor, Digest, TagOrDigest};
use crate::referrers::{
    AppendableTag, Artifact, CosignTagSuffix, ReferrerError, ReferrersSource, TagSnapshot,
};
use crate::release::Failure;
use crate::release::context::ReleaseContext;
use crate::release::destination::OpenDestination;
use crate::release::outcome::SignatureResult;
use crate::release::release_facts::SignerName;
use crate::release::request::{SignatureFormat, SigningOptions};
use crate::signing::Requirement;
use crate::transfer::{ImageStore, Side};

/// Request to sign one manifest: the options, the requirement on the result, and the subject.
pub(crate) struct SignRequest<'a> {
    pub(crate) signing: &'a SigningOptions,
    /// Requirement that new signatures must meet.
    pub(crate) requirement: Requirement,
    /// Manifest that is signed.
    pub(crate) subject: Descriptor,
    /// Whether tags are written after this.
    pub(crate) tags_follow: bool,
}

/// Stage that signs one manifest at one destination.
pub(crate) struct SigningStage<'a> {
    pub(super) request: SignRequest<'a>,
    pub(super) context: &'a ReleaseContext,
    pub(super) destination: &'a OpenDestination,
    pub(super) items: Vec<PlannedSignature>,
    pub(super) existing: ExistingAttachments,
    /// Shared tags that exist.
    pub(super) existing_locations: Vec<AttachmentLocation>,
    /// Attachments that are signed and not listed yet.
    pub(super) pending: Vec<PendingAttachment>,
    pub(super) tag_update: Option<SharedTagUpdate>,
    /// Entry of another referrer that is added to the list together with the bundles.
    pub(super) other_entry: Option<Value>,
}

/// Statement with its signatures so far, one for each format.
pub(super) struct PlannedSignature {
    pub(super) statement: PlannedStatement,
    pub(super) results: Vec<SignatureResult>,
}

/// Lists and images that signatures are added to, as read last.
#[derive(Default)]
pub(super) struct ExistingAttachments {
    /// Source of the referrers, where bundles are written.
    pub(super) referrers_source: Option<ReferrersSource>,
    pub(super) images: CosignImages,
}

/// List or image that an attachment is added to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum AttachmentLocation {
    /// The list of referrers.
    ReferrersList,
    /// The `.sig` image.
    SigTag,
    /// The `.att` image.
    AttTag,
}

/// Attachment that is signed and not written yet.
pub(super) struct PendingAttachment {
    /// Index of its statement.
    pub(super) item: usize,
    pub(super) format: SignatureFormat,
    pub(super) part: AttachmentPart,
    /// Address at GitHub, if it was uploaded there.
    pub(super) url: Option<Url>,
}

pub(super) enum AttachmentPart {
    Artifact(Box<Artifact>),
    Layer { value: Value, payload: Bytes },
}

impl SigningStage<'_> {
    /// Returns whether nothing is missing.
    pub(crate) fn is_complete(&self) -> bool {
        self.missing().is_empty()
    }

    /// Returns whether tags are appended to, as far as it is known before the manifests are written.
    pub(crate) fn may_append_to_tags(&self) -> bool {
        let formats = &self.request.signing.formats;
        let source = &self.existing.referrers_source;
        formats.contains(&SignatureFormat::Legacy)
            || matches!(source, Some(ReferrersSource::TagSchema(_)))
    }

    /// Adds another entry to the list of referrers of `subject`, if that is a tag to which bundles are about to be
    /// added; returns whether it is.
    pub(crate) fn list_too(&mut self, subject: Digest, entry: &Value) -> bool {
        let is_bundle = |made: &PendingAttachment| matches!(made.part, AttachmentPart::Artifact(_));
        let source = &self.existing.referrers_source;
        let lists_bundles = self.request.subject.digest == subject
            && matches!(source, Some(ReferrersSource::TagSchema(_)))
            && self.pending.iter().any(is_bundle);
        if lists_bundles {
            self.other_entry = Some(entry.clone());
        }
        lists_bundles
    }

    /// Returns whether a tag that exists must be appended to.
    pub(crate) fn appends_to_existing_tag(&self) -> bool {
        let wanted = self.missing();
        let mut locations = wanted
            .iter()
            .map(|(item, form)| self.attachment_location(*item, *form));
        locations.any(|location| self.existing_locations.contains(&location))
    }

    /// Returns the signer of new signatures.
    pub(crate) fn signer(&self) -> SignerName {
        SignerName::from_requirement(&self.request.requirement)
    }

    pub(super) fn to_failure(&self, error: ReferrerError) -> Failure {
        Failure::from_referrer_error(Side::Destination, &self.destination.name, error)
    }

    pub(super) fn store(&self) -> &ImageStore {
        &self.destination.store
    }

    pub(super) fn signing_context(&self) -> SigningContext<'_> {
        SigningContext {
            registry: &self.context.registry,
            notices: &self.context.notices,
            signer: &self.request.signing.signer,
            requirement: &self.request.requirement,
            image: self.request.subject.digest,
        }
    }

    /// Returns the statements that are not signed yet, by index, with the formats that are missing.
    pub(super) fn missing(&self) -> Vec<(usize, SignatureFormat)> {
        let is_done =
            |item: &PlannedSignature, form| item.results.iter().any(|signed| signed.format == form);
        let each = self.items.iter().enumerate().flat_map(|(at, item)| {
            let forms = self.request.signing.formats.iter().copied();
            let forms = forms.filter(|form| item.statement.has_format(*form));
            let missing = forms.filter(move |form| !is_done(item, *form));
            missing.map(move |form| (at, form))
        });
        each.collect()
    }

    pub(super) fn attachment_location(
        &self,
        item: usize,
        form: SignatureFormat,
    ) -> AttachmentLocation {
        AttachmentLocation::new(form, self.items[item].statement.attested_type())
    }

    pub(super) fn has_attestations(&self) -> bool {
        self.items
            .iter()
            .any(|item| item.statement.attested_type().is_some())
    }

    pub(super) fn signature_result(
        &self,
        item: usize,
        form: SignatureFormat,
        at: Option<TagOrDigest>,
        made: bool,
    ) -> SignatureResult {
        SignatureResult {
            of: self.request.subject.digest,
            predicate_type: self.items[item].statement.attested_type(),
            format: form,
            at,
            url: None,
            is_new: made,
        }
    }

    /// Returns all signatures; before they are written, the planned ones.
    pub(crate) fn result(&self) -> Vec<SignatureResult> {
        let each = self.items.iter().enumerate().flat_map(|(at, item)| {
            let forms = self.request.signing.formats.iter();
            let forms = forms.filter(|form| item.statement.has_format(**form));
            forms.map(move |form| {
                let done = item.results.iter().find(|signed| signed.format == *form);
                done.cloned()
                    .unwrap_or_else(|| self.signature_result(at, *form, None, true))
            })
        });
        each.collect()
    }

    /// Returns whether the referrers tag and the `.sig` image are appended to together.
    pub(super) fn uses_mirrored_tags(&self) -> bool {
        let is_legacy = self
            .request
            .signing
            .formats
            .contains(&SignatureFormat::Legacy);
        is_legacy
            && matches!(
                self.existing.referrers_source,
                Some(ReferrersSource::TagSchema(_))
            )
    }

    /// Reads the images under tags that layers are appended to.
    pub(super) async fn read_cosign_images(
        &self,
        prior: &TagSnapshot,
    ) -> Result<CosignImages, ReferrerError> {
        let (store, subject) = (self.store(), self.request.subject.digest);
        let read = |ending, is_wanted| async move {
            match is_wanted {
                true => {
                    AppendableTag::cosign_image(subject, ending)
                        .read_unless_absent(store, prior)
                        .await
                }
                false => Ok(None),
            }
        };
        let is_legacy = self
            .request
            .signing
            .formats
            .contains(&SignatureFormat::Legacy);
        let (signatures, attestations) = try_join(
            read(CosignTagSuffix::Sig, is_legacy),
            read(CosignTagSuffix::Att, is_legacy && self.has_attestations()),
        )
        .await?;
        Ok(CosignImages {
            signatures,
            attestations,
        })
    }
}

impl AttachmentLocation {
    /// Returns where a signature, or an attestation of a predicate type, is attached.
    fn new(format: SignatureFormat, attested_type: Option<&str>) -> Self {
        match (format, attested_type) {
            (SignatureFormat::Bundle, _) => Self::ReferrersList,
            (SignatureFormat::Legacy, None) => Self::SigTag,
            (SignatureFormat::Legacy, Some(_)) => Self::AttTag,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bundles_are_listed_and_legacy_signatures_have_tags() {
        use AttachmentLocation::{AttTag, ReferrersList, SigTag};
        let sbom = Some("https://spdx.dev/Document");
        for (format, attested_type, expected) in [
            (SignatureFormat::Bundle, None, ReferrersList),
            (SignatureFormat::Bundle, sbom, ReferrersList),
            (SignatureFormat::Legacy, None, SigTag),
            (SignatureFormat::Legacy, sbom, AttTag),
        ] {
            assert_eq!(AttachmentLocation::new(format, attested_type), expected);
        }
    }
}
