//! Deletes what a plan file and a second plan both condemn, in an order in which a run that ends early leaves no tag
//! and no kept index with a missing target.
//!
//! What was deleted, changed or refused meanwhile is taken into the snapshot, and planned anew: every decision is the
//! planner's, and none goes beyond the plan file.

use std::collections::BTreeSet;

use super::archive::archive_planned;
use super::check_kept::check_kept;
use super::delete_step::{delete_step, forget_deleted};
use super::deletion_batch::{count_independent, delete_batch};
use super::open_api::{api_failure, open_api};
use super::plan_file::PlanFile;
use super::prune_outcome::{AppliedDeletion, AppliedRepository, DeletionRefusal, PruneOutcome};
use super::prune_plan::{GroupContent, PrunePlan};
use super::prune_request::{PruneRequest, RecordedUse};
use super::read_layout::read_layout;
use super::read_registry::RegistryReading;
use super::read_snapshot::SnapshotReader;
use super::record_run::record_run;
use super::repository_content::RepositoryContent;
use super::step_end::{StepEnd, StepError};
use super::undeletable_plan::refuse_undeletable;
use crate::image::{Destination, Digest, Tag};
use crate::layout::LayoutDirectory;
use crate::registry::RepositoryAccess;
use crate::registry_api::RepositoryApi;
use crate::release::{Failure, ReleaseContext};
use crate::retention::{
    DeletionOrder, DeletionStep, RegistryDeletion, RepositoryPlan, RepositorySnapshot, ReservedTag,
};
use crate::transfer::{ImageStore, Side, StoreError};

/// Most times that a repository is planned anew, for changes or refusals.
const ROUNDS_LIMIT: usize = 200;

/// Deletes what the plan file and a second plan both condemn.
///
/// # Errors
/// A plan file that cannot be applied now, and what cannot be read before the first deletion.
pub async fn apply_prune(
    request: &PruneRequest,
    file: &PlanFile,
    context: &ReleaseContext,
) -> Result<PruneOutcome, Failure> {
    file.check(request.clock, &request.policy)
        .map_err(|error| {
            let hint = error.hint();
            Failure::input(format!("apply: the plan file {error}")).with_hint(hint)
        })?;
    refuse_undeletable(request, file, context).await?;
    let reader = SnapshotReader::new(request, context);
    let used = reader.read_use().await?;
    let mut groups = Vec::with_capacity(request.groups.len());
    for group in &request.groups {
        groups.push(GroupContent::read(&reader, group, Some(&file.deletions)).await?);
    }
    let plans = groups
        .iter_mut()
        .map(|group| group.plan_whole(request, &used, Some(&file.deletions)));
    let plan = PrunePlan {
        groups: plans.collect(),
        planned_at: request.clock,
        requests: reader.budget.used(),
    };
    let mut repositories = Vec::new();
    for group in &mut groups {
        for at in 0..group.contents.len() {
            let place = &group.group.places[at];
            let opened = open_api(request, &group.group.rules, place, context).await?;
            let mut run = RepositoryRun {
                reader: &reader,
                api: opened.and_then(Result::ok),
                used: &used,
                file,
                store: open_to_delete(context, place),
                applied: AppliedRepository::new(place.clone()),
                archived: BTreeSet::new(),
                at,
            };
            let ended = Box::pin(run.apply(group)).await;
            // What is gone is recorded, however the run ended, and what an earlier run of the plan deleted.
            let snapshot = &group.contents[at].snapshot;
            let recording = record_run(request, &used, file, snapshot, &mut run.applied, context);
            let recorded = Box::pin(recording).await;
            run.applied.failure = ended.and(recorded).err();
            repositories.push(run.applied);
        }
    }
    Ok(PruneOutcome {
        plan,
        repositories,
        requests: reader.budget.used(),
    })
}

/// Opens a store for deletions.
fn open_to_delete(context: &ReleaseContext, place: &Destination) -> ImageStore {
    match place {
        Destination::Registry(repository) => ImageStore::Registry(
            context
                .registry
                .open_repository(repository, RepositoryAccess::PullDelete, &[]),
        ),
        Destination::Layout(path) => ImageStore::Layout(LayoutDirectory::new(path)),
    }
}

/// Deletions in one repository.
struct RepositoryRun<'a> {
    reader: &'a SnapshotReader<'a>,
    used: &'a RecordedUse,
    file: &'a PlanFile,
    store: ImageStore,
    /// Registry's own API, where it is used.
    api: Option<RepositoryApi>,
    applied: AppliedRepository,
    /// Manifests that are in the archive.
    archived: BTreeSet<Digest>,
    /// Index of the repository in its group.
    at: usize,
}

/// How a pass through the steps of a plan ended.
enum PassEnd {
    Done,
    PlanAgain,
}

impl RepositoryRun<'_> {
    async fn apply(&mut self, group: &mut GroupContent<'_>) -> Result<(), Failure> {
        let before = group.contents[self.at].snapshot.clone();
        let applied = self.delete_all(group).await;
        if self.applied.deletions.is_empty() {
            return applied;
        }
        // What is deleted by now is checked, however the run ended.
        let deleted: BTreeSet<Digest> = self.applied.deleted_manifests().collect();
        let checked = check_kept(&self.store, &before, &group.contents[self.at], &deleted).await;
        let place = &self.applied.place;
        let failed = |error| Failure::from_store_error(Side::Destination, place, error);
        match checked.map_err(failed) {
            Ok(holes) => self.applied.holes = holes,
            Err(failure) => return applied.and(Err(failure)),
        }
        applied
    }

    async fn delete_all(&mut self, group: &mut GroupContent<'_>) -> Result<(), Failure> {
        for _ in 0..ROUNDS_LIMIT {
            let request = self.reader.request;
            let plan = group.plan(request, self.used, Some(&self.file.deletions));
            let is_stopped = plan.is_stopped();
            let Some(plan) = plan.repositories.into_iter().nth(self.at) else {
                return Ok(());
            };
            if is_stopped || !plan.stops.is_empty() {
                return self.end_stopped(&plan);
            }
            let snapshot = &group.contents[self.at].snapshot;
            Box::pin(self.archive_new(&plan, snapshot)).await?;
            match self.run_steps(group, &plan).await? {
                PassEnd::Done => return self.delete_blobs(group).await,
                PassEnd::PlanAgain => {}
            }
        }
        Err(Failure::incomplete(format!(
            "{}: it changed {ROUNDS_LIMIT} times while this run deleted",
            self.applied.place
        ))
        .with_hint("run it again at a time when nothing is pushed"))
    }

    /// Archives what a plan deletes and no earlier plan of the run did.
    async fn archive_new(
        &mut self,
        plan: &RepositoryPlan,
        snapshot: &RepositorySnapshot,
    ) -> Result<(), Failure> {
        let Some(archive) = &self.reader.request.archive else {
            return Ok(());
        };
        let manifests = plan.steps().iter().filter_map(|step| match step {
            DeletionStep::Manifest { digest, .. } => Some(*digest),
            DeletionStep::Tag { .. } => None,
        });
        let manifests: BTreeSet<Digest> = manifests.collect();
        if !manifests.is_subset(&self.archived) {
            let (place, context) = (&self.applied.place, self.reader.context);
            archive_planned(&self.store, place, plan, snapshot, archive, context).await?;
            self.archived.extend(manifests);
        }
        Ok(())
    }

    /// Ends where nothing may go. Before the first deletion the report names the stops.
    fn end_stopped(&self, plan: &RepositoryPlan) -> Result<(), Failure> {
        match (self.applied.deletions.is_empty(), plan.stops.first()) {
            (false, Some(stop)) => Err(Failure::refused(format!(
                "{}: the rest stays, since {stop}",
                self.applied.place
            ))),
            _ => Ok(()),
        }
    }

    /// Takes the steps of a plan one after the other, until one is not as planned.
    async fn run_steps(
        &mut self,
        group: &mut GroupContent<'_>,
        plan: &RepositoryPlan,
    ) -> Result<PassEnd, Failure> {
        let mut rest = plan.steps();
        while !rest.is_empty() {
            if !self.reader.budget.reserve() {
                let place = &self.applied.place;
                let left = format!(
                    "{place}: {} tags and manifests are left to delete",
                    rest.len()
                );
                return Err(self.reader.budget_failure(&left));
            }
            let content = &group.contents[self.at];
            let limit = self.api.as_ref().and_then(RepositoryApi::batch_limit);
            let count = count_independent(rest, limit.unwrap_or(1), &content.snapshot);
            let (batch, after) = rest.split_at(count);
            let ends = self.delete(batch, content).await?;
            if self.take_ends(group, plan, batch, ends).await? {
                return Ok(PassEnd::PlanAgain);
            }
            rest = after;
        }
        Ok(PassEnd::Done)
    }

    /// Deletes what the steps of a batch say: by one request, or the only one of them.
    async fn delete(
        &self,
        batch: &[DeletionStep],
        content: &RepositoryContent,
    ) -> Result<Vec<StepEnd>, Failure> {
        let api = self.api.as_ref();
        if let (ImageStore::Registry(remote), Some(api)) = (&self.store, api)
            && let Some(ends) = delete_batch(remote, api, batch, content).await
        {
            return ends.map_err(|error| self.step_failure(error));
        }
        let mut ends = Vec::with_capacity(batch.len());
        for step in batch {
            let end = delete_step(&self.store, api, step, content).await;
            ends.push(end.map_err(|error| self.step_failure(error))?);
        }
        Ok(ends)
    }

    /// Takes what became of the steps of a batch. Returns whether the rest is planned anew.
    async fn take_ends(
        &mut self,
        group: &mut GroupContent<'_>,
        plan: &RepositoryPlan,
        batch: &[DeletionStep],
        ends: Vec<StepEnd>,
    ) -> Result<bool, Failure> {
        let mut is_changed = false;
        for (step, end) in batch.iter().zip(ends) {
            match end {
                StepEnd::Deleted => self.record(group, plan, step, false),
                StepEnd::Absent => self.record(group, plan, step, true),
                StepEnd::Changed(tags) => {
                    self.read_changed(group, tags).await?;
                    is_changed = true;
                }
                StepEnd::Refused {
                    reason,
                    is_unsupported,
                } => {
                    self.take_refusal(group, step, reason, is_unsupported);
                    is_changed = true;
                }
            }
        }
        Ok(is_changed)
    }

    fn record(
        &mut self,
        group: &mut GroupContent<'_>,
        plan: &RepositoryPlan,
        step: &DeletionStep,
        was_absent: bool,
    ) {
        forget_deleted(&mut group.contents[self.at].snapshot, step);
        self.applied.deletions.push(AppliedDeletion {
            step: step.clone(),
            reason: plan.deletion_reason(step).cloned(),
            was_absent,
        });
    }

    /// Takes what the registry refuses into the snapshot: what rests on it stays. A registry that deletes no tag
    /// alone is planned for as such.
    fn take_refusal(
        &mut self,
        group: &mut GroupContent<'_>,
        step: &DeletionStep,
        reason: String,
        is_unsupported: bool,
    ) {
        let snapshot = &mut group.contents[self.at].snapshot;
        let (name, digest) = match step {
            DeletionStep::Tag { tag, digest } => (tag.to_string(), *digest),
            DeletionStep::Manifest { digest, .. } => (digest.to_string(), *digest),
        };
        let is_tag = matches!(step, DeletionStep::Tag { .. });
        if is_tag && is_unsupported && !snapshot.registry.deletes_tags_with_manifest {
            snapshot.registry = RegistryDeletion {
                deletes_tags_with_manifest: true,
                refuses_last_tagged: false,
                deletes_children_with_index: false,
                order: DeletionOrder::RootsFirst,
            };
            let change = format!("the registry deletes no tag alone: {reason}");
            self.applied.changes.push(change);
            return;
        }
        if let Some(manifest) = snapshot.manifests.get_mut(&digest) {
            manifest.refusal = Some(reason.clone());
        }
        self.applied.refusals.push(DeletionRefusal { name, reason });
    }

    /// Reads tags that changed, with all that they name now.
    async fn read_changed(
        &mut self,
        group: &mut GroupContent<'_>,
        tags: Vec<Tag>,
    ) -> Result<(), Failure> {
        let place = self.applied.place.clone();
        for tag in &tags {
            self.applied
                .changes
                .push(format!("the tag {tag} was written after the plan"));
        }
        // What releases keep was read before the first deletion, and may be more by now.
        let is_record = |tag: &&Tag| ReservedTag::parse(tag) == Some(ReservedTag::Record);
        if let Some(record) = tags.iter().find(is_record) {
            return Err(Failure::incomplete(format!(
                "{place}: the record {record} was written while this run deleted"
            ))
            .with_reason("what it says may keep an image that this run was going to delete")
            .with_hint("run it again with the same plan file: it reads the records anew"));
        }
        let content = &mut group.contents[self.at];
        match &self.store {
            ImageStore::Registry(remote) => {
                let reading = RegistryReading {
                    remote,
                    api: None,
                    deletion: content.snapshot.registry,
                    cache: &self.reader.cache,
                    budget: &self.reader.budget,
                    planned: &[],
                };
                let known = std::mem::take(content);
                let read = reading.read_more(known, tags).await;
                *content = read.map_err(|error| self.reader.reading_failure(&place, error))?;
            }
            ImageStore::Layout(layout) => {
                let read = read_layout(layout, place.to_string()).await;
                *content = read.map_err(|error| self.failure(StoreError::Layout(error)))?;
            }
        }
        Ok(())
    }

    /// Deletes the blobs of a layout that nothing names: those that the plan file has, and those of the manifests that
    /// this run deleted.
    async fn delete_blobs(&mut self, group: &GroupContent<'_>) -> Result<(), Failure> {
        let ImageStore::Layout(layout) = &self.store else {
            return Ok(());
        };
        let name = &group.contents[self.at].snapshot.name;
        let planned = self.file.blobs.get(name).map_or(&[][..], Vec::as_slice);
        let own = self.applied.deletions.iter();
        let own = own.filter(|it| matches!(it.step, DeletionStep::Manifest { .. }));
        if planned.is_empty() && own.count() == 0 {
            return Ok(());
        }
        let failed = |error| {
            let place = &self.applied.place;
            Failure::from_store_error(Side::Destination, place, StoreError::Layout(error))
        };
        let now = read_layout(layout, name.clone()).await.map_err(failed)?;
        let planned: BTreeSet<&Digest> = planned.iter().collect();
        let freed = group.freed_blobs(self.at);
        let unnamed = now.unnamed_blobs.into_keys();
        let goes = unnamed.filter(|blob| planned.contains(blob) || freed.contains(blob));
        let goes: Vec<Digest> = goes.collect();
        self.applied.blobs = layout.delete_blobs(goes).await.map_err(failed)?;
        Ok(())
    }

    fn step_failure(&self, error: StepError) -> Failure {
        match error {
            StepError::Store(error) => self.failure(error),
            StepError::Api(error) => api_failure(&self.applied.place, &error),
        }
    }

    fn failure(&self, error: StoreError) -> Failure {
        Failure::from_store_error(Side::Destination, &self.applied.place, error)
    }
}
