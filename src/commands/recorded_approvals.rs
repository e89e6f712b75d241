//! Reviews of the run's deployments on GitHub, for its records.

use std::time::Duration;

use super::invocation::Invocation;
use crate::github::RunReview;
use crate::notices::to_printable;
use crate::record::RecordedApproval;
use crate::release::GithubFactReader;

/// Time after which a record is written without the reviews.
const READ_TIMEOUT: Duration = Duration::from_secs(5);
/// Most reviews in a record.
const REVIEWS_LIMIT: usize = 20;
/// Limit on a name, in characters.
const NAME_LIMIT: usize = 255;
/// Limit on a comment, in characters.
const COMMENT_LIMIT: usize = 500;

/// Returns the reviews of the run's deployments; none outside of a runner, without a token, and where GitHub does not
/// tell them.
pub(super) async fn read_recorded_approvals(
    invocation: &Invocation,
    reader: &GithubFactReader,
) -> Vec<RecordedApproval> {
    if !reader.is_in_run() {
        return Vec::new();
    }
    let reason = match tokio::time::timeout(READ_TIMEOUT, reader.read_reviews()).await {
        Ok(Ok(reviews)) => {
            let approvals = reviews.iter().flat_map(recorded_approvals);
            return approvals.take(REVIEWS_LIMIT).collect();
        }
        Ok(Err(unknown)) => match unknown.permission {
            Some(permission) => format!("{}, add {permission}", unknown.reason),
            None => unknown.reason,
        },
        Err(_) => format!(
            "GitHub's API did not answer for {} s",
            READ_TIMEOUT.as_secs()
        ),
    };
    invocation.log.info(&format!(
        "left out of the record: approvals, because {reason}"
    ));
    Vec::new()
}

/// Returns a review once for each of its environments.
fn recorded_approvals(review: &RunReview) -> Vec<RecordedApproval> {
    let Some(user) = &review.user else {
        return Vec::new();
    };
    let environments = review.environments.iter();
    let each = environments.map(|environment| RecordedApproval {
        user: to_printable(user, NAME_LIMIT),
        environment: to_printable(environment, NAME_LIMIT),
        comment: to_printable(&review.comment, COMMENT_LIMIT),
        state: to_printable(&review.state, NAME_LIMIT),
    });
    each.collect()
}
