//! Attaches signatures: writes blobs and manifests, adds to lists and tags, and reads everything back.

use futures_util::future::{try_join, try_join_all};

use super::shared_tags::{AttTagUpdate, CosignImages, SharedTagUpdate, retain_layers};
use super::stage::{AttachmentLocation, AttachmentPart, PendingAttachment, SigningStage};
use super::statement::{SignedContent, changed_content};
use crate::image::{Digest, TagOrDigest};
use crate::referrers::{
    Artifact, CosignTagSuffix, MirroredAdditions, ReferrerError, ReferrersSource, sig_tag,
};
use crate::registry::PutManifestReceipt;
use crate::release::Failure;
use crate::release::destination::OpenDestination;
use crate::release::execute::image::ImageCopyStage;
use crate::release::outcome::SignatureResult;
use crate::release::verify::evidence;
use crate::signing::VerificationError;
use crate::transfer::{ImageStore, Side};

impl SigningStage<'_> {
    /// Signs and attaches everything missing if a tag that exists must be appended to; `after` is as in
    /// [`Self::write_lists`].
    pub(crate) async fn append_to_existing_tags(&mut self, after: bool) -> Result<(), Failure> {
        if !self.appends_to_existing_tag() {
            return Ok(());
        }
        self.write_blobs(None).await?;
        self.write_manifests().await?;
        self.write_lists(after).await
    }

    /// Signs everything missing and writes its blobs, without those that come with the `image`. Uploads
    /// to GitHub come first: a run that dies in between finds nothing here, and signs again.
    pub(crate) async fn write_blobs(
        &mut self,
        image: Option<&ImageCopyStage<'_>>,
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

    /// Writes the bundles, reads them back and checks them; meanwhile the shared tags are read.
    pub(crate) async fn write_manifests(&mut self) -> Result<(), Failure> {
        if self.pending.is_empty() {
            return Ok(());
        }
        let step = try_join(self.write_artifacts(), self.reread_existing()).await;
        let (unlisted, read) = step.map_err(|error| self.to_failure(error))?;
        self.existing = read.unwrap_or_else(|| std::mem::take(&mut self.existing));
        let listed = self.check_listed(&unlisted).await;
        listed.map_err(|error| self.to_failure(error))
    }

    /// Appends to the shared tags, and checks that everything is listed and verifies. If this run has
    /// appended to them before (`after`), they are read once more.
    pub(crate) async fn write_lists(&mut self, after: bool) -> Result<(), Failure> {
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

    /// Reads a shared tag once more: a run that read it before this one may have written it after.
    pub(crate) async fn recheck_tags(&mut self) -> Result<(), Failure> {
        let OpenDestination {
            name: place, store, ..
        } = self.destination;
        match &mut self.tag_update {
            Some(shared) if matches!(store, ImageStore::Registry(_)) => {
                let outcome = shared
                    .recheck(store, self.context, self.request.tags_follow)
                    .await;
                outcome
                    .map_err(|error| Failure::from_referrer_error(Side::Destination, place, error))
            }
            _ => Ok(()),
        }
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

    /// Writes the bundles' manifests. Returns those that the registry does not confirm as listed.
    async fn write_artifacts(&self) -> Result<Vec<Digest>, ReferrerError> {
        let artifacts = self.pending.iter().filter_map(|made| match &made.part {
            AttachmentPart::Artifact(artifact) => Some(self.write_artifact(made.item, artifact)),
            AttachmentPart::Layer { .. } => None,
        });
        let written = try_join_all(artifacts).await?.into_iter();
        let unlisted = written.filter(|(_, receipt)| !receipt.listed);
        Ok(unlisted.map(|(digest, _)| digest).collect())
    }

    /// Requires that the registry lists them, where it has the referrers API.
    async fn check_listed(&self, unlisted: &[Digest]) -> Result<(), ReferrerError> {
        if unlisted.is_empty()
            || !matches!(
                self.existing.referrers_source,
                Some(ReferrersSource::Native)
            )
        {
            return Ok(());
        }
        ReferrersSource::wait_until_listed(self.store(), self.request.subject.digest, unlisted)
            .await
    }

    /// Writes a bundle's manifest, and reads the bundle back. Returns the registry's receipt.
    async fn write_artifact(
        &self,
        item: usize,
        artifact: &Artifact,
    ) -> Result<(Digest, PutManifestReceipt), ReferrerError> {
        let (store, digest) = (self.store(), artifact.manifest.digest);
        let write = async {
            let written = artifact.write(store).await;
            written.map_err(ReferrerError::of_refused_artifact)
        };
        let read = async { Ok(artifact.read_back(store).await?) };
        let (receipt, content) = try_join(write, read).await?;
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

    /// Appends to the shared tags, and reads back the layers in them. `fresh`: this run has written none
    /// of them since they were read.
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
        if list.is_some() {
            listed.extend(self.other_entry.clone());
        }
        let (list, images) = (list.flatten(), self.existing.images.clone());
        let images = addition
            .write(self.store(), self.context, (list, images), fresh)
            .await?;
        self.check_layers(images).await?;
        Ok(addition)
    }

    /// Requires that the layers that were just written exist and verify.
    async fn check_layers(&self, images: CosignImages) -> Result<(), ReferrerError> {
        let (store, subject) = (self.store(), self.request.subject.digest);
        let layers = self.pending.iter().filter_map(|made| match &made.part {
            AttachmentPart::Layer { payload, .. } => Some((Digest::from_bytes(payload), made.item)),
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
}

fn missing_signature(digest: Digest) -> ReferrerError {
    ReferrerError::Missing {
        what: "signature",
        digest,
    }
}
