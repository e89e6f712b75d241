//! Verbs that write one record of a timeline, in two steps: checks, and writes.

use super::Failure;
use super::context::ReleaseContext;
use super::records::timeline_request::TimelineRequest;

/// Request about the timeline of one service, whose checks come before its writes.
pub(super) trait TimelineVerb {
    /// What is checked, and not written.
    type Prepared;
    type Outcome;

    fn timeline(&self) -> &TimelineRequest;

    /// Checks all that can be known before a write.
    async fn prepare(&self, context: &ReleaseContext) -> Result<Self::Prepared, Failure>;

    /// Writes; nothing on a dry run.
    async fn execute(
        &self,
        context: &ReleaseContext,
        prepared: Self::Prepared,
    ) -> Result<Self::Outcome, Failure>;
}
