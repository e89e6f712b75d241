//! Steps of a copy whose missing content is known: blobs, child manifests, roots.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Mutex, PoisonError};

use futures_util::future::join_all;
use futures_util::{StreamExt, TryStreamExt, stream};

use super::copy_blob;
use super::copy_plan::{self, CopyPlan, MANIFEST_CONCURRENCY, PlanDepth, PlannedManifest};
use super::copy_target::CopyTarget;
use super::image_store::WritePass;
use super::{CopyError, CopyFailure, CopyRequest, CopyStats};
use crate::image::{Descriptor, Digest};

/// Blobs that are asked for or under way at the same time.
const BLOB_CONCURRENCY: usize = 64;

/// A copy of which is known what the destinations lack. Each of its steps is taken at all of them
/// before the next.
pub struct PlannedCopy<'a> {
    request: CopyRequest<'a>,
    /// The destinations, and what each of them lacks.
    targets: Vec<(CopyTarget<'a>, CopyPlan)>,
}

impl<'a> CopyRequest<'a> {
    /// Finds out what the destinations lack.
    ///
    /// # Errors
    /// Whatever cannot be read.
    pub async fn plan(self) -> Result<PlannedCopy<'a>, CopyFailure> {
        let looks = self.destinations.iter().map(|store| async {
            let target = CopyTarget::new(store);
            let plan = copy_plan::plan_copy(&self, store, PlanDepth::MissingOnly).await;
            let plan = target.record_result(plan).unwrap_or_default();
            (target, plan)
        });
        let targets = join_all(looks).await;
        let planned_copy = PlannedCopy {
            request: self,
            targets,
        };
        planned_copy.check_failures().await?;
        Ok(planned_copy)
    }
}

impl CopyRequest<'_> {
    /// Brings all below the roots, whatever the destinations have: they say that they lack some of it.
    ///
    /// # Errors
    /// As [`PlannedCopy::copy_blobs`].
    pub async fn copy_everything(self) -> Result<(), CopyFailure> {
        // What they lack may be what they have said that they mounted.
        let registries = self
            .destinations
            .iter()
            .filter_map(|store| store.registry());
        registries.for_each(|registry| self.blob_index.stop_mounting(registry));
        let targets = self.destinations.iter().map(|store| CopyTarget::new(store));
        let targets = targets
            .map(|target| (target, CopyPlan::default()))
            .collect();
        let planned_copy = PlannedCopy {
            request: self,
            targets,
        };
        let each = planned_copy.targets.iter().map(|(target, _)| async {
            target.record_result(
                planned_copy
                    .rewrite_everything(target, ManifestLevels::BelowRoots, None)
                    .await,
            );
        });
        join_all(each).await;
        planned_copy.check_failures().await
    }
}

impl PlannedCopy<'_> {
    /// Returns how many bytes the config and layers of a manifest have; `None` if it is not copied.
    pub fn content_size(&self, manifest: Digest) -> Option<u64> {
        let mut plans = self.targets.iter().map(|(_, plan)| plan);
        plans.find_map(|plan| plan.content_size(manifest))
    }

    /// Returns whether the destination at index `at` gets a blob from this copy.
    pub fn will_have_blob(&self, at: usize, blob: Digest) -> bool {
        let target = self.targets.get(at);
        target.is_some_and(|(_, plan)| plan.blobs.contains_key(&blob))
    }

    /// Returns the foreign layers of the manifests to be written, which are not copied.
    pub fn foreign_layers(&self) -> BTreeMap<Digest, &Descriptor> {
        let plans = self.targets.iter().flat_map(|(_, plan)| &plan.foreign);
        plans.map(|(digest, layer)| (*digest, layer)).collect()
    }

    /// Brings the blobs that are missing.
    ///
    /// # Errors
    /// What cannot be read, is not what its digest says, or cannot be written.
    pub async fn copy_blobs(&self) -> Result<(), CopyFailure> {
        let each = self.targets.iter().map(|(target, plan)| (target, plan));
        self.copy_planned_blobs(each.collect()).await;
        self.check_failures().await
    }

    /// Writes the manifests below the roots.
    ///
    /// # Errors
    /// As [`PlannedCopy::copy_blobs`].
    pub async fn write_child_manifests(&self) -> Result<(), CopyFailure> {
        self.write_levels(ManifestLevels::BelowRoots, None).await
    }

    /// Writes the roots, by their digests: the destinations have them, and all below.
    ///
    /// # Errors
    /// As [`PlannedCopy::copy_blobs`].
    pub async fn write_roots(&self) -> Result<(), CopyFailure> {
        self.write_levels(ManifestLevels::Roots, None).await
    }

    /// Writes the roots as [`PlannedCopy::write_roots`] does, except those that a destination refuses for
    /// their media type or form. Returns these.
    ///
    /// # Errors
    /// As [`PlannedCopy::copy_blobs`].
    pub async fn write_accepted_roots(&self) -> Result<Vec<RejectedManifest>, CopyFailure> {
        let rejected = Mutex::new(Vec::new());
        self.write_levels(ManifestLevels::Roots, Some(&rejected))
            .await?;
        Ok(rejected
            .into_inner()
            .unwrap_or_else(PoisonError::into_inner))
    }

    /// Counts the roots as written, where tags have written them and not [`PlannedCopy::write_roots`].
    pub fn count_roots(&self) {
        for (target, plan) in &self.targets {
            target.update_stats(|content| content.manifests_written += plan.roots.len() as u64);
        }
    }

    /// Returns the counts of the copy, in the order of the destinations.
    pub fn copy_stats(&self) -> Vec<CopyStats> {
        let targets = self.targets.iter();
        targets.map(|(target, _)| target.stats()).collect()
    }

    /// The largest blobs are first, so that none of them is left to travel alone at the end.
    async fn copy_planned_blobs(&self, at: Vec<(&CopyTarget<'_>, &CopyPlan)>) {
        let mut missing: HashMap<Digest, (&Descriptor, Vec<&CopyTarget>)> = HashMap::new();
        for (target, plan) in at {
            for blob in plan.blobs.values() {
                self.request.meter.expect_bytes(blob.size);
                let (_, targets) = missing.entry(blob.digest).or_insert((blob, Vec::new()));
                targets.push(target);
            }
        }
        let mut missing: Vec<_> = missing.into_values().collect();
        missing.sort_by_key(|(blob, _)| (std::cmp::Reverse(blob.size), blob.digest));
        let copy = &self.request;
        stream::iter(missing)
            .for_each_concurrent(BLOB_CONCURRENCY, |(blob, targets)| {
                copy_blob::copy_blob(copy, blob, targets)
            })
            .await;
    }

    async fn write_levels(
        &self,
        levels: ManifestLevels,
        rejected: Option<&RejectionLog>,
    ) -> Result<(), CopyFailure> {
        let written = self.targets.iter().map(|(target, plan)| async move {
            let pass = WritePass::First;
            let levels_of_plan = levels.select(plan);
            match write_manifests(&self.request, target, levels_of_plan, pass, rejected).await {
                // Whoever has a manifest has what it names, unless it says itself that it has not.
                Err(error) if error.lacks_content() => {
                    let text = format!("{error}; copying the whole image again");
                    self.request.notices.warning(text);
                    self.distrust_mounts(target);
                    target.reset();
                    let rewritten = self.rewrite_everything(target, levels, rejected).await;
                    target.record_result(rewritten);
                }
                outcome => {
                    target.record_result(outcome);
                }
            }
        });
        join_all(written).await;
        self.check_failures().await
    }

    /// Brings everything, whatever a destination has.
    async fn rewrite_everything(
        &self,
        target: &CopyTarget<'_>,
        levels: ManifestLevels,
        rejected: Option<&RejectionLog>,
    ) -> Result<(), CopyError> {
        let plan = copy_plan::plan_copy(&self.request, target.store, PlanDepth::Everything).await?;
        self.copy_planned_blobs(vec![(target, &plan)]).await;
        let pass = WritePass::AfterRecopy;
        let below = ManifestLevels::BelowRoots.select(&plan);
        write_manifests(&self.request, target, below, pass, None).await?;
        match levels {
            ManifestLevels::BelowRoots => Ok(()),
            ManifestLevels::Roots => {
                let roots = levels.select(&plan);
                write_manifests(&self.request, target, roots, pass, rejected).await
            }
        }
    }

    /// Mounts nothing more at a registry that lacks content after it has said that it mounted some.
    fn distrust_mounts(&self, target: &CopyTarget<'_>) {
        if let (Some(registry), true) = (target.store.registry(), target.stats().has_mounts()) {
            self.request.blob_index.stop_mounting(registry);
        }
    }

    /// That nothing has failed; what has closes what it has open.
    async fn check_failures(&self) -> Result<(), CopyFailure> {
        let targets = self.targets.iter().enumerate();
        let failed = targets.filter_map(|(at, (target, _))| Some((at, target, target.error()?)));
        let failed: Vec<_> = failed.collect();
        join_all(
            failed
                .iter()
                .map(|(_, target, _)| target.store.cancel_uploads()),
        )
        .await;
        match failed.into_iter().next() {
            None => Ok(()),
            Some((at, _, error)) => Err(CopyFailure { at, error }),
        }
    }
}

/// Some of the manifests of a plan.
#[derive(Debug, Clone, Copy)]
enum ManifestLevels {
    BelowRoots,
    Roots,
}

impl ManifestLevels {
    fn select(self, plan: &CopyPlan) -> &[Vec<PlannedManifest>] {
        match self {
            Self::BelowRoots => &plan.children,
            Self::Roots => std::slice::from_ref(&plan.roots),
        }
    }
}

/// Manifest that a destination refuses for its media type or form.
#[derive(Debug)]
pub struct RejectedManifest {
    /// Its digest.
    pub digest: Digest,
    /// The refusal.
    pub error: CopyError,
}

type RejectionLog = Mutex<Vec<RejectedManifest>>;

/// Writes manifests, a level after the other. With `rejected`, those that the destination refuses for what
/// they are go there, and are no errors.
async fn write_manifests(
    copy: &CopyRequest<'_>,
    target: &CopyTarget<'_>,
    levels: &[Vec<PlannedManifest>],
    pass: WritePass,
    rejected: Option<&RejectionLog>,
) -> Result<(), CopyError> {
    for level in levels {
        if target.has_failed() {
            return Ok(());
        }
        let written = stream::iter(level)
            .map(|planned| async move {
                let written = planned.write(copy, target.store, pass).await;
                match (written, rejected) {
                    (Err(error), Some(rejected)) if error.is_rejected_manifest() => {
                        let digest = planned.digest();
                        let mut rejected = rejected.lock().unwrap_or_else(PoisonError::into_inner);
                        rejected.push(RejectedManifest { digest, error });
                        Ok(false)
                    }
                    (written, _) => written,
                }
            })
            .buffer_unordered(MANIFEST_CONCURRENCY)
            .try_fold(0, async |count, written| Ok(count + u64::from(written)))
            .await?;
        target.update_stats(|content| content.manifests_written += written);
    }
    Ok(())
}
