//! Reads everything that a plan is made from: the content of repositories, and the releases that keep images.

use super::content_cache::ContentCache;
use super::known_registry::{find_refusal, known_deletion, note_unused};
use super::open_api::{api_failure, open_api};
use super::prune_request::{PruneRequest, RecordedUse, RuleGroup};
use super::read_ages::read_ages;
use super::read_layout::read_layout;
use super::read_registry::{ReadingError, RegistryReading};
use super::repository_content::RepositoryContent;
use super::request_budget::RequestBudget;
use crate::image::{Destination, Digest};
use crate::release::{Failure, ReleaseContext, open_to_read, read_whole_timeline};
use crate::retention::{EnvironmentReleases, RecordedHold};
use crate::transfer::{ImageStore, Side, StoreError};

/// What the reading of a run shares.
pub(super) struct SnapshotReader<'a> {
    pub(super) request: &'a PruneRequest,
    pub(super) context: &'a ReleaseContext,
    pub(super) cache: ContentCache,
    pub(super) budget: RequestBudget,
}

impl<'a> SnapshotReader<'a> {
    /// Returns a reader whose budget begins now.
    pub(super) fn new(request: &'a PruneRequest, context: &'a ReleaseContext) -> Self {
        Self {
            request,
            context,
            cache: ContentCache::open(request.cache.as_deref(), &context.notices),
            budget: RequestBudget::new(&context.registry, request.max_requests),
        }
    }

    /// Reads the content of a repository, with `planned` manifests that nothing may name.
    ///
    /// # Errors
    /// A repository that this login may not read, and a budget that is spent.
    pub(super) async fn read_repository(
        &self,
        group: &RuleGroup,
        place: &Destination,
        planned: &[Digest],
    ) -> Result<RepositoryContent, Failure> {
        let store = open_to_read(self.context, place);
        let opened = open_api(self.request, &group.rules, place, self.context).await?;
        let api = opened.as_ref().and_then(|opened| opened.as_ref().ok());
        let mut content = match &store {
            ImageStore::Registry(remote) => {
                let reading = RegistryReading {
                    remote,
                    api,
                    deletion: known_deletion(&group.rules, remote.repository()),
                    cache: &self.cache,
                    budget: &self.budget,
                    planned,
                };
                reading.read().await
            }
            ImageStore::Layout(layout) => {
                let read = read_layout(layout, place.to_string()).await;
                let failed = |error| {
                    Failure::from_store_error(Side::Source, place, StoreError::Layout(error))
                };
                return read.map_err(failed);
            }
        }
        .map_err(|error| self.reading_failure(place, error))?;
        content.refusal = find_refusal(&group.rules, place, opened.as_ref());
        if let Some(Err(error)) = &opened {
            content.notes.push(note_unused(place, error));
        }
        let ages = read_ages(
            &mut content,
            &group.rules,
            &store,
            &self.cache,
            &self.budget,
        );
        ages.await
            .map_err(|error| self.reading_failure(place, error))?;
        Ok(content)
    }

    /// Returns the failure of a reading.
    pub(super) fn reading_failure(&self, place: &Destination, error: ReadingError) -> Failure {
        match error {
            ReadingError::Registry(error) => {
                Failure::from_store_error(Side::Source, place, StoreError::Registry(*error))
            }
            ReadingError::Api(error) => api_failure(place, &error),
            ReadingError::BudgetSpent { read, left } => self.budget_failure(&format!(
                "{place}: {read} manifests are read, and at least {left} requests are left"
            )),
        }
    }

    /// Returns the failure of a run whose budget is spent.
    pub(super) fn budget_failure(&self, what_remains: &str) -> Failure {
        let limit = self.budget.limit().unwrap_or_default();
        Failure::incomplete(format!("max-requests: {limit} requests are sent. {what_remains}"))
            .with_reason("nothing is planned or deleted from a part of what a repository has")
            .with_hint("repeat the run with the same cache, which keeps the manifests that are read, or raise max-requests")
    }

    /// Reads the releases and holds of all timelines.
    ///
    /// # Errors
    /// A timeline that cannot be read, and a budget that is spent.
    pub(super) async fn read_use(&self) -> Result<RecordedUse, Failure> {
        let mut used = RecordedUse::default();
        for location in &self.request.timelines {
            if !self.budget.reserve() {
                let name = &location.environment;
                return Err(self.budget_failure(&format!(
                    "The records of {name} in {} are not read",
                    location.destination
                )));
            }
            let reading = read_whole_timeline(location, self.request.clock, self.context);
            let (timeline, uncounted) = Box::pin(reading).await?;
            used.holds
                .extend(timeline.holds().into_iter().map(|hold| RecordedHold {
                    name: hold.name,
                    digest: hold.root,
                }));
            used.environments.push(EnvironmentReleases {
                environment: location.environment.clone(),
                repository: location.destination.to_string(),
                timeline,
                uncounted,
            });
        }
        Ok(used)
    }
}
