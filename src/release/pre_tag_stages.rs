//! What is written before any tag: the image, what stands beside it, and its signatures, in the order of
//! promise 2 of the design. All blobs go side by side; then the manifests below the root, then the root,
//! then all that is about it, then what lists that. What was copied and what is made here may add to the
//! same tags, so there the one comes after the other.

use futures_util::future::{try_join, try_join_all, try_join3};

use super::{Failure, OpenDestination, PreparedRelease, copy_image, copy_referrers, sign};
use crate::referrers::CopiedReferrers;
use crate::transfer::CopyStats;
use sign::SignatureResult;

/// What a destination was brought.
pub(super) struct StageResult {
    pub(super) copy_stats: CopyStats,
    pub(super) referrers: CopiedReferrers,
    pub(super) signatures: Vec<SignatureResult>,
}

/// What is missing at the destinations.
pub(super) struct PreTagStages<'a> {
    destinations: &'a [OpenDestination],
    image: copy_image::ImageCopyStage<'a>,
    referrers: Vec<Option<copy_referrers::ReferrerCopyStage<'a>>>,
    signatures: Vec<Vec<sign::SigningStage<'a>>>,
}

impl<'a> PreTagStages<'a> {
    /// Looks at all of it at once.
    pub(super) async fn find_missing(prepared: &'a PreparedRelease<'_>) -> Result<Self, Failure> {
        let (image, referrers, signatures) = try_join3(
            copy_image::plan_image_copy(prepared),
            copy_referrers::plan_referrer_copies(prepared),
            sign::plan_signing(prepared),
        )
        .await?;
        Ok(Self {
            destinations: &prepared.destinations,
            image,
            referrers,
            signatures,
        })
    }

    /// Whether nothing but the image may be missing.
    pub(super) fn is_only_image_missing(&self) -> bool {
        let mut signatures = self.signatures.iter().flatten();
        self.are_referrers_complete() && signatures.all(sign::SigningStage::is_complete)
    }

    fn are_referrers_complete(&self) -> bool {
        self.referrers
            .iter()
            .flatten()
            .all(copy_referrers::ReferrerCopyStage::is_complete)
    }

    /// What a tag has to be added to for that is there. A registry that makes tags immutable refuses
    /// it: then nothing of the release has been written.
    pub(super) async fn append_to_existing_tags(&mut self) -> Result<(), Failure> {
        let each = self.referrers.iter_mut().zip(&mut self.signatures);
        let added = each.map(|(referrers, signatures)| async move {
            let mut after = false;
            if let Some(referrers) = referrers {
                referrers.append_to_existing_tags().await?;
                after = referrers.appends_to_tags();
            }
            let to_tags = signatures
                .iter_mut()
                .filter(|work| work.appends_to_existing_tag());
            try_join_all(to_tags.map(|work| work.sign_and_attach(after))).await
        });
        try_join_all(added).await.map(drop)
    }

    /// Brings all blobs.
    pub(super) async fn copy_blobs(&mut self) -> Result<(), Failure> {
        let referrers = self.referrers.iter_mut().flatten();
        let signatures = self.signatures.iter_mut().flatten();
        try_join3(
            self.image.copy_blobs(),
            try_join_all(referrers.map(|work| work.copy_blobs())),
            try_join_all(signatures.map(|work| work.sign_and_upload_blobs(Some(&self.image)))),
        )
        .await?;
        Ok(())
    }

    /// Writes the image's manifests below its root.
    pub(super) async fn write_child_manifests(&mut self) -> Result<(), Failure> {
        for destination in self.destinations {
            destination.store.mark_not_new();
        }
        self.image.write_child_manifests().await
    }

    /// Writes the root.
    pub(super) async fn write_root(&mut self) -> Result<(), Failure> {
        self.image.write_root().await
    }

    /// Counts the root where tags have brought it.
    pub(super) fn count_roots(&self) {
        self.image.count_roots();
    }

    /// Writes the manifests of what is beside the root, which is there.
    pub(super) async fn write_referrer_manifests(&mut self) -> Result<(), Failure> {
        let referrers = self.referrers.iter_mut().flatten();
        let signatures = self.signatures.iter_mut().flatten();
        try_join(
            try_join_all(referrers.map(copy_referrers::ReferrerCopyStage::write_manifests)),
            try_join_all(signatures.map(sign::SigningStage::write_manifests)),
        )
        .await?;
        Ok(())
    }

    /// Has the destinations list what is beside the root.
    pub(super) async fn write_referrer_lists(&mut self) -> Result<(), Failure> {
        let each = self.referrers.iter_mut().zip(&mut self.signatures);
        let lists = each.map(|(referrers, signatures)| async move {
            let mut after = false;
            if let Some(referrers) = referrers {
                referrers.write_lists().await?;
                after = referrers.appends_to_tags();
            }
            let lists = signatures.iter_mut().map(|work| work.update_lists(after));
            try_join_all(lists).await.map(drop)
        });
        try_join_all(lists).await.map(drop)
    }

    /// Looks once more at the tags that other runs add to as well.
    pub(super) async fn recheck_shared_tags(&mut self) -> Result<(), Failure> {
        let each = self.referrers.iter_mut().zip(&mut self.signatures);
        let results = each.map(|(referrers, signatures)| async move {
            if let Some(referrers) = referrers {
                referrers.recheck_tags().await?;
            }
            try_join_all(signatures.iter_mut().map(sign::SigningStage::recheck_tags)).await
        });
        try_join_all(results).await.map(drop)
    }

    /// What came of it at each destination; before it is written, what is to come.
    pub(super) fn stage_results(&self) -> Vec<StageResult> {
        let content = self.image.copy_stats().into_iter();
        let each = content.zip(&self.referrers).zip(&self.signatures);
        let each = each.map(|((content, referrers), signatures)| StageResult {
            copy_stats: content,
            referrers: referrers
                .as_ref()
                .map(copy_referrers::ReferrerCopyStage::copied_referrers)
                .unwrap_or_default(),
            signatures: signatures
                .iter()
                .flat_map(sign::SigningStage::signature_results)
                .collect(),
        });
        each.collect()
    }
}
