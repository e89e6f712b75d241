//! Plan of deletions, with what a report and a plan file need of each repository.

use std::collections::{BTreeMap, BTreeSet};

use super::known_registry::note_refused;
use super::prune_request::{PruneRequest, RecordedUse, RuleGroup};
use super::read_layout::written_at;
use super::read_snapshot::SnapshotReader;
use super::repository_content::RepositoryContent;
use crate::image::{Destination, Digest, Tag};
use crate::layout::StoredBlob;
use crate::record::RecordTime;
use crate::release::{Failure, ReleaseContext};
use crate::retention::{
    ObservedBlob, ObservedManifest, PlannedDeletions, RetentionPlan, RetentionRules,
    RetentionSnapshot, plan_retention,
};

/// Plan of a run.
#[derive(Debug, Clone)]
pub struct PrunePlan {
    /// Plans of the groups of repositories, in the order of the request.
    pub groups: Vec<GroupPlan>,
    /// Time of the plan.
    pub planned_at: RecordTime,
    /// Requests that it took.
    pub requests: u64,
}

/// Plan for repositories that have the same rules.
#[derive(Debug, Clone)]
pub struct GroupPlan {
    /// Rules.
    pub rules: RetentionRules,
    /// What goes and what stays.
    pub plan: RetentionPlan,
    /// More about each repository of the plan, in its order.
    pub repositories: Vec<PlannedRepository>,
}

/// More about a repository of a plan.
#[derive(Debug, Clone)]
pub struct PlannedRepository {
    /// Repository.
    pub place: Destination,
    /// Digest of everything that the plan was made from.
    pub snapshot: Digest,
    /// Tags with the manifests that they name.
    pub tags: BTreeMap<Tag, Digest>,
    /// Blobs of a layout that no manifest names and that are older than the grace.
    pub unnamed_blobs: Vec<ObservedBlob>,
    /// Names by which the registry's own API deletes and restores manifests.
    pub ids: BTreeMap<Digest, String>,
    /// What is odd, and stops nothing.
    pub notes: Vec<String>,
}

impl PrunePlan {
    /// Returns whether the plan of a repository is refused.
    pub fn is_stopped(&self) -> bool {
        self.groups.iter().any(|group| {
            let mut repositories = group.plan.repositories.iter();
            group.plan.is_stopped() || repositories.any(|it| !it.stops.is_empty())
        })
    }

    /// Returns the number of tags and manifests that go.
    pub fn deletion_count(&self) -> usize {
        let plans = self
            .groups
            .iter()
            .flat_map(|group| &group.plan.repositories);
        plans.map(|plan| plan.steps().len()).sum()
    }
}

/// Plans deletions, and deletes nothing.
///
/// # Errors
/// See [`Failure`]. Lists that are not whole are no errors: they stop the plan of their repository.
pub async fn plan_prune(
    request: &PruneRequest,
    context: &ReleaseContext,
) -> Result<PrunePlan, Failure> {
    let reader = SnapshotReader::new(request, context);
    let used = reader.read_use().await?;
    let mut groups = Vec::with_capacity(request.groups.len());
    for group in &request.groups {
        let mut read = GroupContent::read(&reader, group, None).await?;
        groups.push(read.plan_whole(request, &used, None));
    }
    Ok(PrunePlan {
        groups,
        planned_at: request.clock,
        requests: reader.budget.used(),
    })
}

/// Content of the repositories of a group.
pub(super) struct GroupContent<'a> {
    pub(super) group: &'a RuleGroup,
    pub(super) contents: Vec<RepositoryContent>,
}

impl<'a> GroupContent<'a> {
    /// Reads the repositories of a group one after the other, with what an `earlier` plan deletes, named or not.
    ///
    /// # Errors
    /// A repository that cannot be read, and a budget that is spent.
    pub(super) async fn read(
        reader: &SnapshotReader<'_>,
        group: &'a RuleGroup,
        earlier: Option<&PlannedDeletions>,
    ) -> Result<Self, Failure> {
        let mut contents = Vec::with_capacity(group.places.len());
        for place in &group.places {
            let planned = earlier.and_then(|plan| plan.0.get(&place.to_string()));
            let planned = planned.map(|it| it.manifests.keys().copied().collect());
            let planned: Vec<Digest> = planned.unwrap_or_default();
            let reading = reader.read_repository(group, place, &planned);
            contents.push(Box::pin(reading).await?);
        }
        Ok(Self { group, contents })
    }

    /// Plans the deletions from the content as it is known now.
    pub(super) fn plan(
        &mut self,
        request: &PruneRequest,
        used: &RecordedUse,
        earlier: Option<&PlannedDeletions>,
    ) -> RetentionPlan {
        let taken = self.contents.iter_mut();
        let snapshot = RetentionSnapshot {
            repositories: taken.map(|it| std::mem::take(&mut it.snapshot)).collect(),
            environments: used.environments.clone(),
            pins: request.pins.clone(),
            holds: used.holds.clone(),
        };
        let plan = plan_retention(&snapshot, &self.group.rules, request.clock, earlier);
        for (content, repository) in self.contents.iter_mut().zip(snapshot.repositories) {
            content.snapshot = repository;
        }
        plan
    }

    /// Returns the blobs that a repository had before and that its manifests do not name now.
    pub(super) fn freed_blobs(&self, at: usize) -> BTreeSet<Digest> {
        let content = &self.contents[at];
        let links = content.snapshot.manifests.values();
        let links = links.filter_map(ObservedManifest::links);
        let named: BTreeSet<Digest> = links.flat_map(|it| &it.blobs).map(|it| it.digest).collect();
        let known = content.named_blobs.iter().copied();
        known.filter(|blob| !named.contains(blob)).collect()
    }

    /// Plans the deletions, with what a report needs.
    pub(super) fn plan_whole(
        &mut self,
        request: &PruneRequest,
        used: &RecordedUse,
        earlier: Option<&PlannedDeletions>,
    ) -> GroupPlan {
        let plan = self.plan(request, used, earlier);
        let rules = &self.group.rules;
        let places = self.group.places.iter().zip(&self.contents);
        let places = places.zip(&plan.repositories);
        let repositories = places.map(|((place, content), planned)| PlannedRepository {
            place: place.clone(),
            snapshot: content.snapshot_digest(),
            tags: content
                .snapshot
                .tags
                .iter()
                .map(|(tag, target)| (tag.clone(), target.digest))
                .collect(),
            unnamed_blobs: old_unnamed_blobs(content, rules, request.clock),
            ids: content.ids.clone(),
            notes: content
                .notes
                .iter()
                .cloned()
                .chain(note_refused(place, content.refusal.as_deref(), planned))
                .collect(),
        });
        GroupPlan {
            repositories: repositories.collect(),
            rules: rules.clone(),
            plan,
        }
    }
}

/// Returns the blobs that no manifest names and that are older than the grace: a push writes blobs first.
fn old_unnamed_blobs(
    content: &RepositoryContent,
    rules: &RetentionRules,
    now: RecordTime,
) -> Vec<ObservedBlob> {
    if rules.prune.is_empty() {
        return Vec::new();
    }
    let is_old = |file: &StoredBlob| {
        let age = written_at(file).map(|time| now.since(time));
        age.is_some_and(|age| age >= rules.grace.to_duration())
    };
    let unnamed = content.unnamed_blobs.iter();
    let old = unnamed.filter(|(_, file)| is_old(file));
    old.map(|(digest, file)| ObservedBlob {
        digest: *digest,
        size: file.size,
    })
    .collect()
}
