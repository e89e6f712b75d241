//! Names the next release to go back to, where the known-good one is refused.

use super::image_check::{check_image, check_signature};
use super::target::with_unrecorded;
use super::withdrawn::WithdrawnRelease;
use crate::record::{Timeline, TimelineEntry};
use crate::release::Failure;
use crate::release::named_root::NamedRoot;
use crate::release::records::open_timeline::OpenTimeline;

/// Releases that are tried.
const TRIED_LIMIT: usize = 4;

/// Adds the next release that passes to the hint of a refused target.
pub(super) async fn advise_next(
    timeline: &OpenTimeline,
    withdrawn: &WithdrawnRelease,
    refused: &TimelineEntry,
    failure: Failure,
) -> Failure {
    if !matches!(failure, Failure::Refused(_)) {
        return failure;
    }
    let mut passed_over = vec![refused.root];
    for _ in 0..TRIED_LIMIT {
        let known = with_unrecorded(timeline, withdrawn);
        let entries = known.entries().iter();
        let others = entries.filter(|entry| !passed_over.contains(&entry.root));
        let others = Timeline::new(others.cloned().collect());
        let Some(candidate) = others.rollback_target(withdrawn.root) else {
            break;
        };
        passed_over.push(candidate.root);
        if Box::pin(passes(timeline, candidate)).await {
            let to = candidate.version.clone();
            let to = to.unwrap_or_else(|| candidate.root.to_string());
            return failure.with_hint(format!(
                "go back to {} with to: {to}, or promote the refused image again",
                NamedRoot::of_entry(candidate)
            ));
        }
    }
    failure
}

/// Returns whether a rollback to the release would be accepted.
async fn passes(timeline: &OpenTimeline, candidate: &TimelineEntry) -> bool {
    let checked = async {
        timeline.read_root(candidate.root).await?;
        let manifest = timeline.require_root(candidate.root).await?;
        check_image(timeline, &manifest).await?;
        check_signature(timeline, candidate).await
    };
    checked.await.is_ok() && !timeline.known().is_withdrawn(candidate.root)
}
