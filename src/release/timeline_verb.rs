//! Verbs that write one record of a timeline, in two steps: checks, and writes.

use super::Failure;
use super::context::ReleaseContext;
use super::github_deployment::options::{DeployedService, DeploymentTask};
use super::records::timeline_request::TimelineRequest;

/// Request about the timeline of one service, whose checks come before its writes.
pub(super) trait TimelineVerb {
    /// What is checked, and not written.
    type Prepared;
    type Outcome;

    fn timeline(&self) -> &TimelineRequest;

    /// Checks all that can be known before a write.
    async fn prepare(&self, context: &ReleaseContext) -> Result<Self::Prepared, Failure>;

    /// Returns what the verb does to the environment.
    fn deployment_task(&self) -> DeploymentTask;

    /// Returns the release that GitHub is told of; `None` if the environment is on no other one afterwards.
    fn deployed_service(&self, prepared: &Self::Prepared) -> Option<DeployedService>;

    /// Writes; nothing on a dry run.
    async fn execute(
        &self,
        context: &ReleaseContext,
        prepared: Self::Prepared,
    ) -> Result<Self::Outcome, Failure>;
}
