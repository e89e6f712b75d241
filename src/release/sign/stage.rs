//! State of signing one manifest at one destination: what is asked for, what exists, what is pending.

use bytes::Bytes;
use futures_util::future::try_join;
use serde_json::Value;
use url::Url;

use super::shared_tags::{CosignImages, SharedTagUpdate};
use super::statement::{PlannedStatement, SigningContext};
use crate::image::{Descriptor, TagOrDigest};
use crate::referrers::{
    AppendableTag, Artifact, CosignTagSuffix, ReferrerError, ReferrersSource, TagSnapshot,
};
use crate::release::Failure;
use crate::release::context::ReleaseContext;
use crate::release::destination::OpenDestination;
use crate::release::outcome::SignatureResult;
use crate::release::request::{SignatureFormat, SigningOptions};
use crate::signing::Requirement;
use crate::transfer::{ImageStore, Side};

/// What is asked for.
pub(super) struct SignRequest<'a> {
    pub(super) signing: &'a SigningOptions,
    /// What has to hold of what is made.
    pub(super) requirement: Requirement,
    /// What is signed.
    pub(super) subject: Descriptor,
    /// Whether tags are written after this.
    pub(super) tags_follow: bool,
}

/// The work on one manifest.
pub(crate) struct SigningStage<'a> {
    pub(super) request: SignRequest<'a>,
    pub(super) context: &'a ReleaseContext,
    pub(super) destination: &'a OpenDestination,
    pub(super) items: Vec<PlannedSignature>,
    pub(super) existing: ExistingAttachments,
    /// Which of the tags that every run adds to are there.
    pub(super) existing_locations: Vec<AttachmentLocation>,
    /// What was made and is not done with yet.
    pub(super) pending: Vec<PendingAttachment>,
    pub(super) tag_update: Option<SharedTagUpdate>,
}

/// Something that is to be said, and in which forms it is.
pub(super) struct PlannedSignature {
    pub(super) statement: PlannedStatement,
    pub(super) results: Vec<SignatureResult>,
}

/// What is added to, as it was read last.
#[derive(Default)]
pub(super) struct ExistingAttachments {
    /// Where bundles are listed, where any are wanted.
    pub(super) referrers_source: Option<ReferrersSource>,
    pub(super) images: CosignImages,
}

/// Where what is made is put.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum AttachmentLocation {
    /// The list of referrers.
    ReferrersList,
    /// The `.sig` image.
    SigTag,
    /// The `.att` image.
    AttTag,
}

/// What was made, and is not written yet.
pub(super) struct PendingAttachment {
    /// Which of the items it says.
    pub(super) item: usize,
    pub(super) format: SignatureFormat,
    pub(super) part: AttachmentPart,
    /// Where GitHub shows it, if it is kept there.
    pub(super) url: Option<Url>,
}

pub(super) enum AttachmentPart {
    Artifact(Box<Artifact>),
    Layer { value: Value, payload: Bytes },
}

impl SigningStage<'_> {
    /// Whether nothing is missing.
    pub(crate) fn is_complete(&self) -> bool {
        self.missing().is_empty()
    }

    /// Whether a tag that is there has to be added to.
    pub(crate) fn appends_to_existing_tag(&self) -> bool {
        let wanted = self.missing();
        let mut locations = wanted
            .iter()
            .map(|(item, form)| self.attachment_location(*item, *form));
        locations.any(|location| self.existing_locations.contains(&location))
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

    /// The items that are not there yet, by their place, and in which form.
    pub(super) fn missing(&self) -> Vec<(usize, SignatureFormat)> {
        let is_done =
            |item: &PlannedSignature, form| item.results.iter().any(|signed| signed.format == form);
        let each = self.items.iter().enumerate().flat_map(|(at, item)| {
            let forms = self.request.signing.formats.iter().copied();
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
        match (form, self.items[item].statement.attested_type()) {
            (SignatureFormat::Bundle, _) => AttachmentLocation::ReferrersList,
            (SignatureFormat::Legacy, None) => AttachmentLocation::SigTag,
            (SignatureFormat::Legacy, Some(_)) => AttachmentLocation::AttTag,
        }
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

    /// What became of all that is to be said.
    pub(crate) fn result(&self) -> Vec<SignatureResult> {
        let each = self.items.iter().enumerate().flat_map(|(at, item)| {
            self.request.signing.formats.iter().map(move |form| {
                let done = item.results.iter().find(|signed| signed.format == *form);
                done.cloned()
                    .unwrap_or_else(|| self.signature_result(at, *form, None, true))
            })
        });
        each.collect()
    }

    /// Whether the list of referrers and the `.sig` image are added to together.
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

    /// Reads the images under tags that layers are going to be in.
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
