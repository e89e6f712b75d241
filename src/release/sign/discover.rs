//! Finds the signatures and attestations that a destination has already.

use futures_util::future::try_join;

use super::shared_tags::CosignImages;
use super::stage::{
    AttachmentLocation, ExistingAttachments, PlannedSignature, SignRequest, SigningStage,
};
use super::statement::PlannedStatement;
use crate::image::TagOrDigest;
use crate::referrers::{CosignTagSuffix, ReferrerError, ReferrersSource, TagSnapshot, sig_tag};
use crate::release::Failure;
use crate::release::context::ReleaseContext;
use crate::release::destination::OpenDestination;
use crate::release::request::SignatureFormat;
use crate::release::verify::evidence::{self, OpenedBundles};

impl<'a> SigningStage<'a> {
    /// Plans the stage from the signatures that exist.
    pub(crate) async fn plan(
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
            other_entry: None,
        };
        let looked = work.find_existing(prior).await;
        looked.map_err(|error| work.to_failure(error))?;
        Ok(work)
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
            if !forms.contains(&SignatureFormat::Bundle) {
                return Ok(None);
            }
            let listed = self.destination.list_referrers(subject, prior).await?;
            let requirement = &self.request.requirement;
            evidence::open_bundles(store, &listed, requirement, subject, &kinds)
                .await
                .map(Some)
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

    /// Records the first existing bundle of each statement.
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

    /// Reads again what is appended to, just before the write. Of two tags that are appended to
    /// together, the first is written after an earlier read: see `referrers/mirrored_tags.rs`.
    pub(super) async fn reread_existing(
        &self,
    ) -> Result<Option<ExistingAttachments>, ReferrerError> {
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
}
