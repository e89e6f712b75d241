//! The commit that a pull request is compared with: what decides in its runs is of that commit.

use super::EventError;
use super::payload::EventPayload;
use crate::image::CommitId;

/// Returns whether runs for the event are of the merge of a pull request, with what its author wrote: also
/// reviews are. Runs for `pull_request_target` are of the base itself.
pub fn is_of_pull_request(event: &str) -> bool {
    event.starts_with("pull_request") && event != "pull_request_target"
}

/// Returns the base's commit by the payload of such an event; `None` if the payload names none.
///
/// # Errors
/// A payload that is no JSON object, or that names something else than a commit.
pub fn pull_request_base(payload: &[u8]) -> Result<Option<CommitId>, EventError> {
    EventPayload::parse(payload)?.commit_at("pull_request.base.sha")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_for_a_pull_request_goes_by_the_base() {
        for (event, expected) in [
            ("pull_request", true),
            ("pull_request_review", true),
            ("pull_request_review_comment", true),
            ("pull_request_target", false),
            ("push", false),
            ("workflow_run", false),
        ] {
            assert_eq!(is_of_pull_request(event), expected, "{event}");
        }
        let base = "2b2e9270c0ffee2b2e9270c0ffee2b2e9270c0ff";
        let payload = format!(r#"{{"pull_request": {{"base": {{"sha": "{base}"}}}}}}"#);
        let found = pull_request_base(payload.as_bytes()).unwrap();
        assert_eq!(found.map(|it| it.to_string()).as_deref(), Some(base));
        assert_eq!(pull_request_base(br#"{"pull_request": {}}"#), Ok(None));
        for wrong in ["[]", r#"{"pull_request": {"base": {"sha": "main"}}}"#] {
            assert!(pull_request_base(wrong.as_bytes()).is_err(), "{wrong}");
        }
    }
}
