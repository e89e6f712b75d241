//! The events that start workflows, by the names that GitHub gives them.

use crate::notices::similar_word;

const KNOWN_EVENTS: [&str; 38] = [
    "branch_protection_rule",
    "check_run",
    "check_suite",
    "create",
    "delete",
    "deployment",
    "deployment_status",
    "discussion",
    "discussion_comment",
    "fork",
    "gollum",
    "image_version",
    "issue_comment",
    "issues",
    "label",
    "member",
    "merge_group",
    "milestone",
    "page_build",
    "project",
    "project_card",
    "project_column",
    "public",
    "pull_request",
    "pull_request_comment",
    "pull_request_review",
    "pull_request_review_comment",
    "pull_request_target",
    "push",
    "registry_package",
    "release",
    "repository_dispatch",
    "schedule",
    "status",
    "watch",
    "workflow_call",
    "workflow_dispatch",
    "workflow_run",
];

/// Checks that an event has this name. For names that a person writes: the runner may know newer ones.
///
/// # Errors
/// Returns why it is none, with the name that it is like.
pub fn check_event_name(name: &str) -> Result<(), String> {
    if KNOWN_EVENTS.contains(&name) {
        return Ok(());
    }
    let names = KNOWN_EVENTS.iter().copied();
    let plain = name.to_lowercase().replace(['-', ' '], "_");
    Err(match (name, similar_word(&plain, names)) {
        ("tag" | "branch", _) => {
            format!("is no event: a {name} is pushed, so write push, and ref: refs/…")
        }
        (_, Some(known)) => format!("is no event of GitHub Actions; did you mean {known}?"),
        _ => "is no event of GitHub Actions, such as push, release or workflow_run".to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_event_is_refused_with_the_one_that_is_meant() {
        for name in KNOWN_EVENTS {
            assert_eq!(check_event_name(name), Ok(()));
        }
        for (name, meant) in [
            ("relase", "release"),
            ("Push", "push"),
            ("pull-request", "pull_request"),
            ("workflow-run", "workflow_run"),
            ("scheduled", "schedule"),
        ] {
            let error = check_event_name(name).unwrap_err();
            assert!(
                error.ends_with(&format!("did you mean {meant}?")),
                "{error}"
            );
        }
        for (name, part) in [
            ("tag", "refs/…"),
            ("qqq", "such as push"),
            ("", "such as push"),
        ] {
            let error = check_event_name(name).unwrap_err();
            assert!(error.contains(part), "{error}");
        }
    }
}
