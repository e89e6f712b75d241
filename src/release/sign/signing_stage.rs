//! What is signed and attested of one manifest at one destination.

use std::collections::BTreeMap;

use bytes::Bytes;
use futures_util::future::{try_join, try_join_all};
use serde_json::Value;
use url::Url;

use super::planned_statement::{PlannedStatement, SignedContent, changed_content};
use super::{SignatureResult, SigningOptions};
use crate::github::AttestationUploadError;
use crate::image::{Descriptor, Digest, Manifest, ManifestBody, TagOrDigest};
use crate::notices::Notices;
use crate::referrers::{
    AppendableTag, Artifact, CosignTagSuffix, MirroredAdditions, MirroredTags, ReferrerError,
    ReferrersSource, TagSnapshot, annotations_over, sig_layer, sig_tag,
};
use crate::registry::{PutManifestReceipt, RegistryClient};
use crate::release::evidence::{self, OpenedBundles, PREDICATE_TYPE_ANNOTATION, SignatureFormat};
use crate::release::{Failure, OpenDestination, ReleaseContext, copy_image};
use crate::signing::{
    BUNDLE_TYPE, ENVELOPE_TYPE, LegacySignature, Requirement, SIMPLE_SIGNING_TYPE, Signer,
    VerificationError,
};
use crate::transfer::{ImageStore, Side, StoreError};

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
pub(in super::super) struct SigningStage<'a> {
    request: SignRequest<'a>,
    context: &'a ReleaseContext,
    destination: &'a OpenDestination,
    items: Vec<PlannedSignature>,
    existing: ExistingAttachments,
    /// Which of the tags that every run adds to are there.
    existing_locations: Vec<AttachmentLocation>,
    /// What was made and is not done with yet.
    pending: Vec<PendingAttachment>,
    tag_update: Option<SharedTagUpdate>,
}

/// Something that is to be said, and in which forms it is.
struct PlannedSignature {
    statement: PlannedStatement,
    results: Vec<SignatureResult>,
}

/// What is added to, as it was read last.
#[derive(Default)]
struct ExistingAttachments {
    /// Where bundles are listed, where any are wanted.
    referrers_source: Option<ReferrersSource>,
    images: CosignImages,
}

/// Where what is made is put.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum AttachmentLocation {
    /// The list of referrers.
    ReferrersList,
    /// The `.sig` image.
    SigTag,
    /// The `.att` image.
    AttTag,
}

/// What making and checking go by.
pub(super) struct SigningContext<'a> {
    pub(super) registry: &'a RegistryClient,
    pub(super) notices: &'a Notices,
    pub(super) signer: &'a Signer,
    pub(super) requirement: &'a Requirement,
    pub(super) image: Digest,
}

/// What was made, and is not written yet.
struct PendingAttachment {
    /// Which of the items it says.
    item: usize,
    format: SignatureFormat,
    part: AttachmentPart,
    /// Where GitHub shows it, if it is kept there.
    url: Option<Url>,
}

enum AttachmentPart {
    Artifact(Box<Artifact>),
    Layer { value: Value, payload: Bytes },
}

/// What was added to tags, to look whether it is still there.
struct SharedTagUpdate {
    root: Digest,
    /// Whether the list of referrers and the `.sig` image hold each other's members.
    is_mirrored: bool,
    additions: MirroredAdditions,
    attestations: AttTagUpdate,
}

/// What is added to the `.att` image.
#[derive(Default)]
struct AttTagUpdate {
    own_layers: Vec<Value>,
    seen_layers: Vec<Value>,
}

/// The images under tags.
#[derive(Clone, Default)]
struct CosignImages {
    signatures: Option<Manifest>,
    attestations: Option<Manifest>,
}

impl<'a> SigningStage<'a> {
    /// The work, with what is there already.
    pub(super) async fn plan(
        request: SignRequest<'a>,
        context: &'a ReleaseContext,
        destination: &'a OpenDestination,
        statement: Vec<PlannedStatement>,
        prior: &TagSnapshot,
    ) -> Result<Self, Failure> {
        let items = statement.into_iter().map(|statement| PlannedSignature {
            statement,
            results: Vec::new(),
        });
        let mut work = Self {
            request,
            context,
            destination,
            items: items.collect(),
            existing: ExistingAttachments::default(),
            existing_locations: Vec::new(),
            pending: Vec::new(),
            tag_update: None,
        };
        let looked = work.find_existing(prior).await;
        looked.map_err(|error| work.to_failure(error))?;
        Ok(work)
    }

    /// Whether nothing is missing.
    pub(in super::super) fn is_complete(&self) -> bool {
        self.missing().is_empty()
    }

    /// Whether a tag that is there has to be added to.
    pub(in super::super) fn appends_to_existing_tag(&self) -> bool {
        let wanted = self.missing();
        let mut locations = wanted
            .iter()
            .map(|(item, form)| self.attachment_location(*item, *form));
        locations.any(|location| self.existing_locations.contains(&location))
    }

    fn to_failure(&self, error: ReferrerError) -> Failure {
        evidence::referrer_failure(Side::Destination, &self.destination.name, error)
    }

    fn store(&self) -> &ImageStore {
        &self.destination.store
    }

    fn signing_context(&self) -> SigningContext<'_> {
        SigningContext {
            registry: &self.context.registry,
            notices: &self.context.notices,
            signer: &self.request.signing.signer,
            requirement: &self.request.requirement,
            image: self.request.subject.digest,
        }
    }

    /// The items that are not there yet, by their place, and in which form.
    fn missing(&self) -> Vec<(usize, SignatureFormat)> {
        let is_done =
            |item: &PlannedSignature, form| item.results.iter().any(|signed| signed.format == form);
        let each = self.items.iter().enumerate().flat_map(|(at, item)| {
            let forms = self.request.signing.formats.iter().copied();
            let missing = forms.filter(move |form| !is_done(item, *form));
            missing.map(move |form| (at, form))
        });
        each.collect()
    }

    fn attachment_location(&self, item: usize, form: SignatureFormat) -> AttachmentLocation {
        match (form, self.items[item].statement.attested_type()) {
            (SignatureFormat::Bundle, _) => AttachmentLocation::ReferrersList,
            (SignatureFormat::Legacy, None) => AttachmentLocation::SigTag,
            (SignatureFormat::Legacy, Some(_)) => AttachmentLocation::AttTag,
        }
    }

    fn has_attestations(&self) -> bool {
        self.items
            .iter()
            .any(|item| item.statement.attested_type().is_some())
    }

    async fn find_existing(&mut self, prior: &TagSnapshot) -> Result<(), ReferrerError> {
        let forms = &self.request.signing.formats;
        let (store, subject) = (self.store(), self.request.subject.digest);
        let kinds: Vec<&str> = self
            .items
            .iter()
            .map(|item| item.statement.predicate_type())
            .collect();
        let bundles = async {
            match forms.contains(&SignatureFormat::Bundle) {
                true => {
                    evidence::open_bundles(store, prior, &self.request.requirement, subject, &kinds)
                        .await
                        .map(Some)
                }
                false => Ok(None),
            }
        };
        let images = self.read_cosign_images(prior);
        let (bundles, images) = try_join(bundles, images).await?;
        if let Some(bundles) = bundles {
            self.record_bundles(bundles);
        }
        self.record_layers(&images).await?;
        self.existing.images = images;
        Ok(())
    }

    /// Reads the images under tags that layers are going to be in.
    async fn read_cosign_images(&self, prior: &TagSnapshot) -> Result<CosignImages, ReferrerError> {
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

    /// Keeps the first bundle that is equal to each of ours.
    fn record_bundles(&mut self, bundles: OpenedBundles) {
        if matches!(bundles.referrers_source, ReferrersSource::TagSchema(_))
            && !bundles.opened.is_empty()
        {
            self.existing_locations
                .push(AttachmentLocation::ReferrersList);
        }
        self.existing.referrers_source = Some(bundles.referrers_source);
        for (digest, opened) in bundles.opened {
            let Ok(opened) = opened else { continue };
            let at = TagOrDigest::Digest(digest);
            self.record_existing(SignatureFormat::Bundle, &at, |statement| {
                statement.matches_bundle(&opened)
            });
        }
    }

    async fn record_layers(&mut self, images: &CosignImages) -> Result<(), ReferrerError> {
        let (store, subject) = (self.store(), self.request.subject.digest);
        let requirement = &self.request.requirement;
        let (signatures, attestations) = try_join(
            evidence::check_legacy_signatures(
                store,
                requirement,
                subject,
                images.signatures.as_ref(),
            ),
            evidence::open_legacy_attestations(
                store,
                requirement,
                subject,
                images.attestations.as_ref(),
            ),
        )
        .await?;
        let locations = [
            (&images.signatures, AttachmentLocation::SigTag),
            (&images.attestations, AttachmentLocation::AttTag),
        ];
        let there = locations.into_iter().filter(|(image, _)| image.is_some());
        self.existing_locations
            .extend(there.map(|(_, location)| location));
        for found in signatures
            .iter()
            .filter_map(|found| found.result.as_ref().ok())
        {
            let at = TagOrDigest::Tag(sig_tag(subject));
            self.record_existing(SignatureFormat::Legacy, &at, |statement| {
                statement.matches_signature(found)
            });
        }
        for found in attestations
            .iter()
            .filter_map(|(_, found)| found.as_ref().ok())
        {
            let at = TagOrDigest::Tag(CosignTagSuffix::Att.tag(subject));
            self.record_existing(SignatureFormat::Legacy, &at, |statement| {
                statement.matches_attestation(found)
            });
        }
        Ok(())
    }

    fn record_existing(
        &mut self,
        form: SignatureFormat,
        at: &TagOrDigest,
        is_it: impl Fn(&PlannedStatement) -> bool,
    ) {
        for item in 0..self.items.len() {
            let is_done = self.items[item]
                .results
                .iter()
                .any(|signed| signed.format == form);
            if !is_done && is_it(&self.items[item].statement) {
                let signed = self.signature_result(item, form, Some(at.clone()), false);
                self.items[item].results.push(signed);
            }
        }
    }

    fn signature_result(
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

    /// Makes and attaches what is not there, in all steps; `after` is as in [`ImageCopyStage::lists`].
    pub(in super::super) async fn sign_and_attach(&mut self, after: bool) -> Result<(), Failure> {
        self.sign_and_upload_blobs(None).await?;
        self.write_manifests().await?;
        self.update_lists(after).await
    }

    /// Makes what is not there, and brings its blobs, but those that come with the `image`. What GitHub
    /// is to keep goes there first: a run that dies in between finds nothing here, and makes it again.
    pub(in super::super) async fn sign_and_upload_blobs(
        &mut self,
        image: Option<&copy_image::ImageCopyStage<'_>>,
    ) -> Result<(), Failure> {
        let mut made = self.sign_missing().await?;
        self.upload_to_github(&mut made).await?;
        let brings = |blob| image.is_some_and(|image| image.will_have_blob(self.destination, blob));
        let results = self
            .put_blobs(&made, brings(Artifact::config_digest()))
            .await;
        results.map_err(|error| self.to_failure(error.into()))?;
        self.pending = made;
        Ok(())
    }

    /// Writes the bundles, reads them back and checks them; what the tags that are added to name is
    /// read meanwhile.
    pub(in super::super) async fn write_manifests(&mut self) -> Result<(), Failure> {
        if self.pending.is_empty() {
            return Ok(());
        }
        let step = try_join(self.write_artifacts(), self.reread_existing()).await;
        let (unlisted, read) = step.map_err(|error| self.to_failure(error))?;
        self.existing = read.unwrap_or_else(|| std::mem::take(&mut self.existing));
        let listed = self.check_listed(&unlisted).await;
        listed.map_err(|error| self.to_failure(error))
    }

    /// Adds to the tags that every run adds to, and sees to it that all is there and good. If it comes
    /// `after` this run itself has added to them, they are read once more.
    pub(in super::super) async fn update_lists(&mut self, after: bool) -> Result<(), Failure> {
        if self.pending.is_empty() {
            return Ok(());
        }
        let named = async {
            if after && let Some(read) = self.reread_existing().await? {
                self.existing = read;
            }
            // By what it has said meanwhile, the registry may list them itself.
            if let Some(listing) = &self.existing.referrers_source
                && listing
                    .is_native_now(self.store(), self.request.subject.digest)
                    .await?
            {
                self.existing.referrers_source = Some(ReferrersSource::Native);
            }
            self.update_tags(!after).await
        };
        let named = named.await;
        self.tag_update = Some(named.map_err(|error| self.to_failure(error))?);
        for PendingAttachment {
            item,
            format: form,
            part,
            url: shown,
        } in std::mem::take(&mut self.pending)
        {
            let at = match (&part, self.attachment_location(item, form)) {
                (AttachmentPart::Artifact(artifact), _) => {
                    TagOrDigest::Digest(artifact.manifest.digest)
                }
                (_, AttachmentLocation::AttTag) => {
                    TagOrDigest::Tag(CosignTagSuffix::Att.tag(self.request.subject.digest))
                }
                _ => TagOrDigest::Tag(sig_tag(self.request.subject.digest)),
            };
            let signed = SignatureResult {
                url: shown,
                ..self.signature_result(item, form, Some(at), true)
            };
            self.report_signature(&signed);
            self.items[item].results.push(signed);
        }
        Ok(())
    }

    fn report_signature(&self, signed: &SignatureResult) {
        let what = match signed.predicate_type {
            Some(kind) => format!("attested {kind} of"),
            None => "signed".to_owned(),
        };
        let at = signed.at.as_ref().map(ToString::to_string);
        self.context.notices.info(format!(
            "{}: {what} {} ({} {})",
            self.destination.name,
            self.request.subject.digest.short(),
            signed.format,
            at.unwrap_or_default()
        ));
    }

    /// What is not there yet: good, before anything of it is written.
    async fn sign_missing(&self) -> Result<Vec<PendingAttachment>, Failure> {
        let context = &self.signing_context();
        let each = self.missing().into_iter().map(|(item, form)| async move {
            let statement = &self.items[item].statement;
            let content = match self.unfinished_signature(statement, form) {
                Some(begun) => SignedContent::Layer(begun),
                None => statement.sign(context, form).await?,
            };
            Ok(PendingAttachment {
                item,
                format: form,
                part: self.to_attachment_part(statement, content),
                url: None,
            })
        });
        try_join_all(each).await
    }

    /// The equal signature of a run that died before it was in the `.sig` image.
    fn unfinished_signature(
        &self,
        statement: &PlannedStatement,
        form: SignatureFormat,
    ) -> Option<LegacySignature> {
        let (PlannedStatement::Signature(claim), SignatureFormat::Legacy) = (statement, form)
        else {
            return None;
        };
        let referrers = self.existing.referrers_source.as_ref()?.mirrored_layers();
        let payload = claim.to_simple_signing_payload();
        referrers
            .iter()
            .filter_map(|layer| annotations_over(layer, &payload))
            .map(|annotations| LegacySignature::from_layer(payload.clone(), &annotations))
            .find(|begun| {
                let content = SignedContent::Layer(begun.clone());
                statement
                    .check_content(&self.signing_context(), &content)
                    .is_ok()
            })
    }

    fn to_attachment_part(
        &self,
        statement: &PlannedStatement,
        content: SignedContent,
    ) -> AttachmentPart {
        let layer = match content {
            SignedContent::Bundle(bundle) => {
                return AttachmentPart::Artifact(Box::new(self.to_artifact(statement, bundle)));
            }
            SignedContent::Layer(layer) => layer,
        };
        let mut annotations = layer.to_annotations();
        let media_type = match statement.attested_type() {
            None => SIMPLE_SIGNING_TYPE,
            Some(kind) => {
                annotations.insert("predicateType", kind);
                ENVELOPE_TYPE
            }
        };
        AttachmentPart::Layer {
            value: sig_layer(media_type, &layer.payload, &annotations),
            payload: layer.payload.clone().into(),
        }
    }

    fn to_artifact(&self, statement: &PlannedStatement, bundle: Vec<u8>) -> Artifact {
        let annotations: BTreeMap<_, _> = [
            (
                "org.opencontainers.image.created",
                self.request.signing.created.as_str(),
            ),
            ("dev.sigstore.bundle.content", "dsse-envelope"),
            (PREDICATE_TYPE_ANNOTATION, statement.predicate_type()),
        ]
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .into();
        Artifact::new(&self.request.subject, BUNDLE_TYPE, bundle, annotations)
            .expect("what is made here is a manifest")
    }

    /// Has GitHub keep the attestations, where it is to.
    async fn upload_to_github(&self, made: &mut [PendingAttachment]) -> Result<(), Failure> {
        let Some(github) = &self.request.signing.github else {
            return Ok(());
        };
        let each = made.iter_mut().map(|made| async move {
            if let AttachmentPart::Artifact(artifact) = &made.part
                && self.items[made.item].statement.attested_type().is_some()
            {
                let kept = github.upload(self.context.registry.http(), artifact.content());
                made.url = Some(kept.await.map_err(upload_failure)?);
            }
            Ok(())
        });
        try_join_all(each).await.map(drop)
    }

    async fn put_blobs(
        &self,
        made: &[PendingAttachment],
        has_config: bool,
    ) -> Result<(), StoreError> {
        let store = self.store();
        let each = made.iter().map(|made| async move {
            match &made.part {
                AttachmentPart::Artifact(artifact) => artifact.put_blobs(store, has_config).await,
                AttachmentPart::Layer { payload, .. } => store.put_blob(payload).await,
            }
        });
        try_join_all(each).await.map(drop)
    }

    /// Writes the bundles' manifests. Returns those of which the registry does not say that it lists
    /// them.
    async fn write_artifacts(&self) -> Result<Vec<Digest>, ReferrerError> {
        let artifacts = self.pending.iter().filter_map(|made| match &made.part {
            AttachmentPart::Artifact(artifact) => Some(self.write_artifact(made.item, artifact)),
            AttachmentPart::Layer { .. } => None,
        });
        let written = try_join_all(artifacts).await?.into_iter();
        let unlisted = written.filter(|(_, receipt)| !receipt.listed);
        Ok(unlisted.map(|(digest, _)| digest).collect())
    }

    /// That the registry lists them, where it has lists of its own; under a tag they are listed by us.
    async fn check_listed(&self, unlisted: &[Digest]) -> Result<(), ReferrerError> {
        if unlisted.is_empty()
            || !matches!(
                self.existing.referrers_source,
                Some(ReferrersSource::Native)
            )
        {
            return Ok(());
        }
        let subject = self.request.subject.digest;
        let missing = ReferrersSource::find_unlisted(self.store(), subject, unlisted).await?;
        missing.map_or(Ok(()), |digest| Err(missing_signature(digest)))
    }

    /// What is added to, read again just before. Of two tags that are added to together, the first is
    /// written after what was read long before: see `pair.rs`.
    async fn reread_existing(&self) -> Result<Option<ExistingAttachments>, ReferrerError> {
        let (store, subject) = (self.store(), self.request.subject.digest);
        if let (true, Some(listing)) = (self.uses_mirrored_tags(), &self.existing.referrers_source)
            && !listing.is_native_now(store, subject).await?
        {
            return Ok(None);
        }
        let listing = async {
            match &self.existing.referrers_source {
                Some(listing) => listing.reread(store, subject).await.map(Some),
                None => Ok(None),
            }
        };
        let (listing, images) =
            try_join(listing, self.read_cosign_images(&TagSnapshot::Unknown)).await?;
        Ok(Some(ExistingAttachments {
            referrers_source: listing,
            images,
        }))
    }

    /// Whether the list of referrers and the `.sig` image are added to together.
    fn uses_mirrored_tags(&self) -> bool {
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

    /// Writes a bundle's manifest, and reads the bundle back. Returns what the registry says of it.
    async fn write_artifact(
        &self,
        item: usize,
        artifact: &Artifact,
    ) -> Result<(Digest, PutManifestReceipt), ReferrerError> {
        let (store, digest) = (self.store(), artifact.manifest.digest);
        let (receipt, content) = try_join(artifact.write(store), artifact.read_back(store)).await?;
        if !receipt.stored
            && store
                .get_manifest(&TagOrDigest::Digest(digest))
                .await?
                .is_none()
        {
            return Err(missing_signature(digest));
        }
        let content = SignedContent::Bundle(content.to_vec());
        let checked = self.items[item]
            .statement
            .check_content(&self.signing_context(), &content);
        checked.map_err(|error| changed_content(digest, &error))?;
        Ok((digest, receipt))
    }

    /// Adds to the tags that every run adds to, and reads back the layers in them. `fresh` says whether
    /// this run has written none of them since they were read.
    async fn update_tags(&self, fresh: bool) -> Result<SharedTagUpdate, ReferrerError> {
        let list = match &self.existing.referrers_source {
            Some(ReferrersSource::TagSchema(list)) => Some(list.as_deref().cloned()),
            _ => None,
        };
        let mut addition = SharedTagUpdate {
            root: self.request.subject.digest,
            is_mirrored: self.uses_mirrored_tags(),
            additions: MirroredAdditions::default(),
            attestations: AttTagUpdate::default(),
        };
        let [listed, signatures] = &mut addition.additions.ours;
        for PendingAttachment {
            item,
            format: form,
            part,
            ..
        } in &self.pending
        {
            match (part, self.attachment_location(*item, *form)) {
                (AttachmentPart::Artifact(artifact), _) if list.is_some() => {
                    listed.push(artifact.descriptor().clone());
                }
                (AttachmentPart::Artifact(_), _) => {}
                (AttachmentPart::Layer { value, .. }, AttachmentLocation::AttTag) => {
                    addition.attestations.own_layers.push(value.clone());
                }
                (AttachmentPart::Layer { value, .. }, _) => signatures.push(value.clone()),
            }
        }
        let (list, images) = (list.flatten(), self.existing.images.clone());
        let images = addition
            .write(self.store(), self.context, (list, images), fresh)
            .await?;
        self.check_layers(images).await?;
        Ok(addition)
    }

    /// That the layers that were just written are there, and good.
    async fn check_layers(&self, images: CosignImages) -> Result<(), ReferrerError> {
        let (store, subject) = (self.store(), self.request.subject.digest);
        let layers = self.pending.iter().filter_map(|made| match &made.part {
            AttachmentPart::Layer { payload, .. } => Some((Digest::of(payload), made.item)),
            AttachmentPart::Artifact(_) => None,
        });
        let layers: Vec<_> = layers.collect();
        let ours: Vec<Digest> = layers.iter().map(|(digest, _)| *digest).collect();
        let signatures = images.signatures.map(|image| retain_layers(image, &ours));
        let attestations = images.attestations.map(|image| retain_layers(image, &ours));
        let requirement = &self.request.requirement;
        let (signatures, attestations) = try_join(
            evidence::check_legacy_signatures(store, requirement, subject, signatures.as_ref()),
            evidence::open_legacy_attestations(store, requirement, subject, attestations.as_ref()),
        )
        .await?;
        for (digest, item) in layers {
            let statement = &self.items[item].statement;
            let signed = signatures.iter().filter(|found| found.digest == digest);
            let signed = signed.map(|found| match &found.result {
                Ok(found) => Ok(statement.matches_signature(found)),
                Err(error) => Err(error.clone()),
            });
            let attested = attestations.iter().filter(|(found, _)| *found == digest);
            let attested = attested.map(|(_, found)| match found {
                Ok(found) => Ok(statement.matches_attestation(found)),
                Err(error) => Err(error.clone()),
            });
            // Another key may have signed the same words.
            let results: Vec<_> = signed.chain(attested).collect();
            if results.contains(&Ok(true)) {
                continue;
            }
            return Err(match results.into_iter().next() {
                None => missing_signature(digest),
                Some(result) => {
                    changed_content(digest, &result.err().unwrap_or(VerificationError::Tampered))
                }
            });
        }
        Ok(())
    }

    /// Looks once more at a tag that was added to alone: a run that read it before us may have
    /// written it after us.
    pub(in super::super) async fn recheck_tags(&mut self) -> Result<(), Failure> {
        let OpenDestination {
            name: place, store, ..
        } = self.destination;
        match &mut self.tag_update {
            Some(shared) if matches!(store, ImageStore::Registry(_)) => {
                let outcome = shared
                    .recheck(store, self.context, self.request.tags_follow)
                    .await;
                outcome.map_err(|error| evidence::referrer_failure(Side::Destination, place, error))
            }
            _ => Ok(()),
        }
    }

    /// What became of all that is to be said.
    pub(in super::super) fn signature_results(&self) -> Vec<SignatureResult> {
        let each = self.items.iter().enumerate().flat_map(|(at, item)| {
            self.request.signing.formats.iter().map(move |form| {
                let done = item.results.iter().find(|signed| signed.format == *form);
                done.cloned()
                    .unwrap_or_else(|| self.signature_result(at, *form, None, true))
            })
        });
        each.collect()
    }
}

fn upload_failure(error: AttestationUploadError) -> Failure {
    let failure = Failure::service(error.to_string());
    match error.hint() {
        Some(hint) => failure.with_hint(hint),
        None => failure,
    }
}

fn missing_signature(digest: Digest) -> ReferrerError {
    ReferrerError::Missing {
        what: "signature",
        digest,
    }
}

impl SharedTagUpdate {
    /// Adds what is missing to what the tags named when they were read; `fresh` says whether this run
    /// has written neither since.
    async fn write(
        &mut self,
        store: &ImageStore,
        context: &ReleaseContext,
        (list, images): (Option<Manifest>, CosignImages),
        fresh: bool,
    ) -> Result<CosignImages, ReferrerError> {
        let read = [list, images.signatures];
        for (tag, there) in Self::list_and_sig_tags(self.root).iter().zip(&read) {
            tag.warn_of_overwritten(there.as_ref(), &context.notices);
        }
        let signatures = match self.is_mirrored && !self.additions.is_empty() {
            true => {
                let pair = MirroredTags::new(self.root);
                let [_, sig] = pair.append(store, read, fresh, &mut self.additions).await?;
                sig
            }
            false => self.write_separately(store, context, read).await?,
        };
        let AttTagUpdate {
            own_layers: ours,
            seen_layers: seen,
        } = &mut self.attestations;
        let attestations = match ours.is_empty() {
            true => None,
            false => {
                let tag = AppendableTag::cosign_image(self.root, CosignTagSuffix::Att);
                let (there, notices) = (images.attestations, &context.notices);
                tag.warn_of_overwritten(there.as_ref(), notices);
                tag.append(store, there, ours, None, seen, notices).await?;
                tag.recheck(store, ours, seen, notices).await?
            }
        };
        Ok(CosignImages {
            signatures,
            attestations,
        })
    }

    /// Adds to the list and to the `.sig` image, each for itself. Returns the latter as it is read
    /// back, since it holds the signatures; of the list, which only names them, the registry's answer
    /// is enough.
    async fn write_separately(
        &mut self,
        store: &ImageStore,
        context: &ReleaseContext,
        [list, sig]: [Option<Manifest>; 2],
    ) -> Result<Option<Manifest>, ReferrerError> {
        let notices = &context.notices;
        let MirroredAdditions {
            ours: [listed, signatures],
            seen: [seen_listed, seen_signatures],
        } = &mut self.additions;
        let [list_tag, sig_tag] = Self::list_and_sig_tags(self.root);
        if !listed.is_empty() {
            let add = list_tag.append(store, list, listed, None, seen_listed, notices);
            add.await?;
        }
        if signatures.is_empty() {
            return Ok(None);
        }
        let add = sig_tag.append(store, sig, signatures, None, seen_signatures, notices);
        add.await?;
        sig_tag
            .recheck(store, signatures, seen_signatures, notices)
            .await
    }

    fn list_and_sig_tags(root: Digest) -> [AppendableTag; 2] {
        [
            AppendableTag::referrers_index(root),
            AppendableTag::signatures(root),
        ]
    }

    /// Looks once more at the list, and at the images if it is a while since they were read back.
    async fn recheck(
        &mut self,
        store: &ImageStore,
        context: &ReleaseContext,
        images: bool,
    ) -> Result<(), ReferrerError> {
        let notices = &context.notices;
        let MirroredAdditions {
            ours: [listed, signatures],
            seen: [seen_listed, seen_signatures],
        } = &mut self.additions;
        let [list_tag, sig_tag] = Self::list_and_sig_tags(self.root);
        if !self.is_mirrored && !listed.is_empty() {
            let recheck = list_tag.recheck(store, listed, seen_listed, notices);
            recheck.await?;
        }
        if images && !self.is_mirrored && !signatures.is_empty() {
            let recheck = sig_tag.recheck(store, signatures, seen_signatures, notices);
            recheck.await?;
        }
        let AttTagUpdate {
            own_layers: ours,
            seen_layers: seen,
        } = &mut self.attestations;
        if images && !ours.is_empty() {
            let tag = AppendableTag::cosign_image(self.root, CosignTagSuffix::Att);
            tag.recheck(store, ours, seen, notices).await?;
        }
        Ok(())
    }
}

/// The image with these layers alone: the others were looked at before, or are others' affair.
fn retain_layers(mut image: Manifest, digests: &[Digest]) -> Manifest {
    if let ManifestBody::Image { layers, .. } = &mut image.body {
        layers.retain(|layer| digests.contains(&layer.digest));
    }
    image
}
