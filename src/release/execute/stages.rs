//! Writes before any tag: image, referrers and signatures, in the order of promise 2 of the design. All
//! blobs are written at once; then child manifests, the root, the referrers' manifests, and lists of
//! referrers. Copied referrers and new signatures may append to the same tags, so one follows the other.

use std::collections::BTreeSet;

use futures_util::future::{try_join_all, try_join3, try_join5};

use super::image::{self, ImageCopyStage};
use super::referrers::{self, ReferrerCopyStage};
use crate::image::Digest;
use crate::referrers::CopiedReferrers;
use crate::release::Failure;
use crate::release::destination::OpenDestination;
use crate::release::outcome::{RecordResult, SignatureResult};
use crate::release::prepared_release::PreparedRelease;
use crate::release::records::plan_stages::plan_record_stages;
use crate::release::records::stage::RecordStage;
use crate::release::records::timeline_records::TimelineRecords;
use crate::release::release_facts::SignerName;
use crate::release::sign::plan::plan_signing;
use crate::release::sign::plan_summaries::plan_summaries;
use crate::release::sign::stage::SigningStage;
use crate::transfer::CopyStats;

/// Content that was written at a destination.
pub(crate) struct StageResult {
    pub(crate) copy_stats: CopyStats,
    pub(crate) referrers: CopiedReferrers,
    pub(crate) signatures: Vec<SignatureResult>,
    pub(crate) record: Option<RecordResult>,
}

/// Stages before the tags, with what is missing at the destinations.
pub(crate) struct PreTagStages<'a> {
    destinations: &'a [OpenDestination],
    image: ImageCopyStage<'a>,
    referrers: Vec<Option<ReferrerCopyStage<'a>>>,
    signatures: Vec<Vec<SigningStage<'a>>>,
    records: Vec<Option<RecordStage<'a>>>,
    /// Verification summaries, which are written after the timeline entries.
    summaries: Vec<Option<SigningStage<'a>>>,
}

/// Has a record's entry added to the list of referrers of its root by a stage that adds its own; returns whether
/// there is one.
fn list_with_others(
    entry: &serde_json::Value,
    root: Digest,
    referrers: &mut Option<ReferrerCopyStage<'_>>,
    signatures: &mut [SigningStage<'_>],
) -> bool {
    let mut signatures = signatures.iter_mut();
    signatures.any(|stage| stage.list_too(root, entry))
        || referrers
            .as_mut()
            .is_some_and(|stage| stage.list_too(root, entry))
}

impl<'a> PreTagStages<'a> {
    /// Plans all stages at once.
    pub(crate) async fn find_missing(prepared: &'a PreparedRelease<'_>) -> Result<Self, Failure> {
        let (image, referrers, signatures, records, summaries) = try_join5(
            image::plan_image_copy(prepared),
            referrers::plan_referrer_copies(prepared),
            plan_signing(prepared),
            plan_record_stages(prepared),
            plan_summaries(prepared),
        )
        .await?;
        Ok(Self {
            destinations: &prepared.destinations,
            image,
            referrers,
            signatures,
            records,
            summaries,
        })
    }

    /// Returns whether at most the image is missing.
    pub(crate) fn is_only_image_missing(&self) -> bool {
        let mut signatures = self.signatures.iter().flatten();
        let mut records = self.records.iter().flatten();
        self.are_referrers_complete()
            && signatures.all(SigningStage::is_complete)
            && records.all(|stage| stage.is_intent_listed)
            && self
                .summaries
                .iter()
                .flatten()
                .all(SigningStage::is_complete)
    }

    /// Returns whether something is missing that is named under a tag which others append to as well.
    pub(crate) fn may_append_to_tags(&self) -> bool {
        let mut signatures = self.signatures.iter().flatten();
        let mut records = self.records.iter().flatten();
        !self.are_referrers_complete()
            || signatures.any(|stage| !stage.is_complete() && stage.may_append_to_tags())
            || records.any(RecordStage::may_append_to_list)
    }

    fn are_referrers_complete(&self) -> bool {
        self.referrers
            .iter()
            .flatten()
            .all(ReferrerCopyStage::is_complete)
    }

    /// Appends to tags that exist. A registry that makes tags immutable refuses this: then nothing of the
    /// release has been written.
    pub(crate) async fn append_to_existing_tags(&mut self) -> Result<(), Failure> {
        let each = self.referrers.iter_mut().zip(&mut self.signatures);
        let added = each.map(|(referrers, signatures)| async move {
            let mut after = false;
            if let Some(referrers) = referrers {
                referrers.append_to_existing_tags().await?;
                after = referrers.appends_to_tags();
            }
            let to_tags = signatures.iter_mut();
            try_join_all(to_tags.map(|stage| stage.append_to_existing_tags(after))).await
        });
        try_join_all(added).await.map(drop)
    }

    /// Writes all blobs.
    pub(crate) async fn write_blobs(&mut self) -> Result<(), Failure> {
        let referrers = self.referrers.iter_mut().flatten();
        let signatures = self.signatures.iter_mut().flatten();
        let records = self.records.iter_mut().flatten();
        let summaries = self.summaries.iter_mut().flatten();
        try_join5(
            self.image.write_blobs(),
            try_join_all(referrers.map(|stage| stage.write_blobs())),
            try_join_all(signatures.map(|stage| stage.write_blobs(Some(&self.image)))),
            try_join_all(records.map(RecordStage::write_blobs)),
            try_join_all(summaries.map(|stage| stage.write_blobs(Some(&self.image)))),
        )
        .await?;
        Ok(())
    }

    /// Writes the image's manifests below its root.
    pub(crate) async fn write_child_manifests(&mut self) -> Result<(), Failure> {
        for destination in self.destinations {
            destination.store.mark_not_new();
        }
        self.image.write_child_manifests().await
    }

    /// Writes the root.
    pub(crate) async fn write_root(&mut self) -> Result<(), Failure> {
        self.image.write_root().await
    }

    /// Counts the root where tags have written it.
    pub(crate) fn count_roots(&self) {
        self.image.count_roots();
    }

    /// Writes the manifests of the referrers and signatures; the root exists.
    pub(crate) async fn write_referrer_manifests(&mut self) -> Result<(), Failure> {
        let referrers = self.referrers.iter_mut().flatten();
        let signatures = self.signatures.iter_mut().flatten();
        let records = self.records.iter_mut().flatten();
        try_join3(
            try_join_all(referrers.map(ReferrerCopyStage::write_manifests)),
            try_join_all(signatures.map(SigningStage::write_manifests)),
            try_join_all(records.map(RecordStage::write_intent)),
        )
        .await?;
        Ok(())
    }

    /// Adds the referrers, signatures and records to the lists of referrers. A list under a tag gets a record in one
    /// write with others, where there are any: a registry that makes tags immutable takes no second write.
    pub(crate) async fn write_referrer_lists(&mut self) -> Result<(), Failure> {
        let each = self.referrers.iter_mut().zip(&mut self.signatures);
        let each = each.zip(&mut self.records);
        let lists = each.map(|((referrers, signatures), record)| async move {
            if let Some(record) = record
                && let Some(entry) = record.unlisted_entry()
                && list_with_others(&entry, record.subject.digest, referrers, signatures)
            {
                record.note_listed();
            }
            let mut after = false;
            if let Some(referrers) = referrers {
                referrers.write_lists().await?;
                after = referrers.appends_to_tags();
            }
            let lists = signatures.iter_mut().map(|stage| stage.write_lists(after));
            try_join_all(lists).await?;
            match record {
                Some(record) => record.write_list(after).await,
                None => Ok(()),
            }
        });
        try_join_all(lists).await.map(drop)
    }

    /// Returns whether timeline entries are written after the tags.
    pub(crate) fn writes_entries(&self) -> bool {
        let mut records = self.records.iter().flatten();
        records.any(RecordStage::writes_entry)
    }

    /// Writes the timeline entries: the last write of a release, corrections of moving tags apart.
    pub(crate) async fn write_timeline_entries(&self) -> Result<(), Failure> {
        let each = self.records.iter().zip(self.destinations);
        let writes = each.map(|(record, destination)| async move {
            let (Some(record), Some(timeline)) = (record, destination.records.timeline()) else {
                return Ok(());
            };
            if let Some(own) = record.own() {
                timeline.set_own(own);
            }
            if let Some(written) = record.write_entry().await? {
                timeline.add_written(written);
            }
            Ok(())
        });
        try_join_all(writes).await.map(drop)
    }

    /// Writes the verification summaries: they say that the root was released, so its entry is there, whoever dies when.
    /// Where a tag lists the referrers, they are added to it once more.
    pub(crate) async fn write_summaries(&mut self) -> Result<(), Failure> {
        let summaries = self.summaries.iter_mut().flatten();
        let written = summaries.map(|stage| async move {
            stage.write_manifests().await?;
            stage.write_lists(false).await?;
            stage.recheck_tags().await
        });
        try_join_all(written).await.map(drop)
    }

    /// Finds out which releases do not keep the tags of their environments.
    pub(crate) fn find_superseded(&mut self) {
        for (record, destination) in self.records.iter_mut().zip(self.destinations) {
            let current = destination
                .records
                .timeline()
                .and_then(TimelineRecords::current);
            if let Some((record, current)) = record.as_mut().zip(current) {
                record.note_current(&current);
            }
        }
    }

    /// Reads the tags that other runs append to as well once more.
    pub(crate) async fn recheck_shared_tags(&mut self) -> Result<(), Failure> {
        let each = self.referrers.iter_mut().zip(&mut self.signatures);
        let each = each.zip(&mut self.records);
        let results = each.map(|((referrers, signatures), record)| async move {
            if let Some(referrers) = referrers {
                referrers.recheck_tags().await?;
            }
            try_join_all(signatures.iter_mut().map(SigningStage::recheck_tags)).await?;
            match record {
                Some(record) => record.recheck_list().await,
                None => Ok(()),
            }
        });
        try_join_all(results).await.map(drop)
    }

    /// Returns how many bytes the config and layers of a manifest of the image have, if it was read.
    pub(crate) fn content_size(&self, manifest: Digest) -> Option<u64> {
        self.image.content_size(manifest)
    }

    /// Returns the signer of the signatures; `None` if nothing is signed.
    pub(crate) fn signer(&self) -> Option<SignerName> {
        self.signatures
            .iter()
            .flatten()
            .next()
            .map(SigningStage::signer)
    }

    /// Returns notes on content that is not copied.
    pub(crate) fn notes(&self) -> Vec<String> {
        let referrers = self.referrers.iter().flatten();
        let notes = referrers.flat_map(ReferrerCopyStage::foreign_layer_notes);
        let notes: BTreeSet<_> = notes.chain(self.image.foreign_layer_notes()).collect();
        notes.into_iter().collect()
    }

    /// Returns what was written at each destination; before the writes, what is planned.
    pub(crate) fn results(&self) -> Vec<StageResult> {
        let content = self.image.result().into_iter();
        let each = content.zip(&self.referrers).zip(&self.signatures);
        let each = each.zip(&self.records).zip(&self.summaries);
        let each =
            each.map(
                |((((content, referrers), signatures), record), summary)| StageResult {
                    copy_stats: content,
                    referrers: referrers
                        .as_ref()
                        .map(ReferrerCopyStage::result)
                        .unwrap_or_default(),
                    signatures: signatures
                        .iter()
                        .chain(summary)
                        .flat_map(SigningStage::result)
                        .collect(),
                    record: record.as_ref().map(RecordStage::result),
                },
            );
        each.collect()
    }
}
