//! What the repository lacks of the documents about the current image.

use std::collections::BTreeSet;

use super::current_state::CurrentState;
use super::environment_finding::{EnvironmentFinding, FindingKind};
use super::environment_request::EnvironmentRequest;
use crate::image::{Digest, Manifest, ManifestBody, TagOrDigest};
use crate::notices::to_printable;
use crate::record::{RecordAction, RecordedEvidence};
use crate::referrers::{
    CosignTagSuffix, ListedEvidence, ListedReferrers, RECORD_ENVIRONMENT_ANNOTATION, ReferrerKind,
    TagSnapshot,
};
use crate::release::Failure;
use crate::release::records::intent::ListedIntents;
use crate::release::records::release_signature::missing_release_signature;
use crate::transfer::{Side, StoreError};

/// Most characters of a text from a record.
const TEXT_LIMIT: usize = 200;
/// Most documents of a record that are looked up.
const EVIDENCE_LIMIT: usize = 64;
/// What the reader can do about documents that are gone.
const CLEANUP_HINT: &str =
    "release the image again, and exclude untagged manifests that refer to an image from cleanup";

impl CurrentState {
    /// Lists the referrers of the current image.
    ///
    /// # Errors
    /// A list that cannot be read.
    pub(super) async fn list_referrers(&self, root: Digest) -> Result<ListedReferrers, Failure> {
        let place = &self.location().destination;
        let prior = TagSnapshot::load(&self.images, &self.tags).await;
        let prior = prior.map_err(|error| self.store_failure(error))?;
        let listed = ListedReferrers::read(&self.images, root, &prior).await;
        listed.map_err(|error| Failure::from_referrer_error(Side::Source, place, error))
    }

    /// Returns why the current image lacks the signature that the environment demands.
    ///
    /// # Errors
    /// Signatures that cannot be read.
    pub(super) async fn signature_finding(
        &self,
        listed: &ListedReferrers,
    ) -> Result<Option<EnvironmentFinding>, Failure> {
        let Some(release) = self.release() else {
            return Ok(None);
        };
        let listed = ListedEvidence {
            referrers: listed,
            tags: &self.tags,
        };
        let images = (&self.images, self.location());
        let missing = missing_release_signature(images, release, Some(listed)).await?;
        Ok(missing.map(|reason| {
            FindingKind::MissingSignature
                .found(format!(
                    "the current image {} has no valid signature of a signer who may record releases of {}: {reason}",
                    release.root,
                    self.location().environment
                ))
                .with_hint(CLEANUP_HINT)
        }))
    }

    /// Returns whether the record of the current release is no referrer of its image.
    pub(super) fn intent_finding(
        &self,
        root: &Manifest,
        listed: &ListedReferrers,
    ) -> Option<EnvironmentFinding> {
        let reading = self.view.record_read(self.release()?.record)?;
        let counted = reading.counted()?;
        let intents = ListedIntents::from_listed(listed, self.location());
        let is_listed = intents.has(&root.to_descriptor(), counted.record(), &counted.blob);
        (!is_listed).then(|| {
            FindingKind::MissingIntent
                .found(format!(
                    "the record {} of the current release is no referrer of its image any more",
                    counted.entry.record
                ))
                .with_hint(CLEANUP_HINT)
        })
    }

    /// Returns whether the verification summary of a promotion is gone, where the environment demands one.
    pub(super) fn summary_finding(
        &self,
        request: &EnvironmentRequest,
        listed: &ListedReferrers,
    ) -> Option<EnvironmentFinding> {
        let release = self.release()?;
        let environment = self.location().environment.as_str();
        let is_adopted = release.action == RecordAction::Adopt;
        let mut entries = listed.entries.iter();
        let is_listed = entries.any(|entry| {
            let of = entry.annotations.get(RECORD_ENVIRONMENT_ANNOTATION);
            entry.kind() == Some(ReferrerKind::ReleaseSummary)
                && of.is_some_and(|of| of == environment)
        });
        (request.demands_summary && !is_adopted && !is_listed).then(|| {
            FindingKind::MissingSummary
                .found(format!(
                    "the current image {} has no verification summary of {environment}",
                    release.root
                ))
                .with_hint(CLEANUP_HINT)
        })
    }

    /// Returns which signed documents that the current release considered are gone.
    ///
    /// # Errors
    /// A store that cannot tell.
    pub(super) async fn evidence_findings(
        &self,
        listed: &ListedReferrers,
    ) -> Result<Vec<EnvironmentFinding>, Failure> {
        let release = self.release();
        let reading = release.and_then(|release| self.view.record_read(release.record));
        let counted = reading.as_ref().and_then(|reading| reading.counted());
        let evidence = counted.map_or(&[][..], |it| &it.record().predicate.evidence);
        // What is not signed is a file of the run, or a part of the image.
        let signed = evidence.iter().filter(|it| it.by.is_some());
        let is_listed = |it: &&RecordedEvidence| {
            let mut entries = listed.entries.iter();
            entries.any(|entry| entry.digest == it.digest)
        };
        let unlisted: Vec<_> = signed.filter(|it| !is_listed(it)).collect();
        let mut findings = Vec::new();
        if unlisted.is_empty() {
            return Ok(findings);
        }
        let layers = self.cosign_layers().await?;
        for document in unlisted.into_iter().take(EVIDENCE_LIMIT) {
            let target = TagOrDigest::Digest(document.digest);
            let is_there =
                layers.contains(&document.digest) || self.get_manifest(&target).await?.is_some();
            if !is_there {
                findings.push(evidence_finding(document));
            }
        }
        Ok(findings)
    }

    /// Returns the layers of cosign's images about the current image.
    async fn cosign_layers(&self) -> Result<BTreeSet<Digest>, Failure> {
        let mut digests = BTreeSet::new();
        let Some(root) = self.root() else {
            return Ok(digests);
        };
        let tags = [CosignTagSuffix::Sig, CosignTagSuffix::Att].map(|suffix| suffix.tag(root));
        for tag in tags.into_iter().filter(|tag| self.tags.contains(tag)) {
            let manifest = self.get_manifest(&TagOrDigest::Tag(tag)).await?;
            if let Some(ManifestBody::Image { layers, .. }) = manifest.map(|it| it.body) {
                digests.extend(layers.iter().map(|layer| layer.digest));
            }
        }
        Ok(digests)
    }

    async fn get_manifest(&self, target: &TagOrDigest) -> Result<Option<Manifest>, Failure> {
        let found = self.images.get_manifest(target).await;
        found.map_err(|error| self.store_failure(error))
    }

    fn store_failure(&self, error: StoreError) -> Failure {
        Failure::from_store_error(Side::Source, &self.location().destination, error)
    }
}

fn evidence_finding(document: &RecordedEvidence) -> EnvironmentFinding {
    let by = document.by.as_deref().unwrap_or_default();
    FindingKind::MissingEvidence.found(format!(
        "the {} {} of {}, which the current release considered, is not in the repository",
        to_printable(&document.kind, TEXT_LIMIT),
        document.digest,
        to_printable(by, TEXT_LIMIT)
    ))
}
