//! Which permission a request needs, and what GitHub answers without it.

use hyper::Method;
use serde_json::json;

use super::state::GithubContent;
use crate::registry::{Answer, Call};

/// The permission that a request needs, as it stands in a workflow, and in which further permissions it is
/// included. `None`: any token, or none.
pub fn required_permission(method: &Method, path: &[&str]) -> Option<&'static [&'static str]> {
    let is_read = method == Method::GET;
    Some(match path {
        ["repos", _, _] | ["users", ..] => return None,
        ["repos", _, _, "commits", _, "check-runs"] => &["checks: read", "checks: write"],
        ["repos", _, _, "commits", _, "status" | "statuses"] => {
            &["statuses: read", "statuses: write"]
        }
        ["repos", _, _, "commits", _, "pulls"] => &["pull-requests: read", "pull-requests: write"],
        ["repos", _, _, "commits" | "contents", ..] => &["contents: read", "contents: write"],
        ["repos", _, _, "actions", ..] => &["actions: read", "actions: write"],
        ["repos", _, _, "issues", ..] if is_read => &[
            "pull-requests: read",
            "pull-requests: write",
            "issues: read",
            "issues: write",
        ],
        ["repos", _, _, "issues", ..] => &["pull-requests: write", "issues: write"],
        ["repos", _, _, "deployments", ..] if is_read => {
            &["deployments: read", "deployments: write"]
        }
        ["repos", _, _, "deployments", ..] => &["deployments: write"],
        ["repos", _, _, "attestations", ..] => &["attestations: write"],
        ["orgs", _, "artifacts", ..] => &["artifact-metadata: write"],
        _ => return None,
    })
}

/// What GitHub answers in place of a request that the token does not allow, if it does not.
pub fn refusal(content: &GithubContent, call: &Call, path: &[&str]) -> Option<Answer> {
    let needed = required_permission(&call.method, path);
    let has_token = call.header("authorization").is_some();
    if !has_token {
        return match (content.is_private, call.method == Method::GET) {
            (true, _) => Some(message(404, "Not Found")),
            (false, true) => None,
            (false, false) => Some(message(401, "Requires authentication")),
        };
    }
    let needed = needed?;
    let is_public_read = call.method == Method::GET && !content.is_private;
    let is_allowed = needed.iter().any(|one| content.permissions.contains(*one));
    // What everybody can read needs no permission, other than in private repositories.
    if is_allowed || (is_public_read && matches!(path, ["repos", _, _, "commits" | "contents", _]))
    {
        return None;
    }
    let refusal = message(403, "Resource not accessible by integration");
    Some(match content.names_permissions {
        true => refusal.header(
            "x-accepted-github-permissions",
            needed[0].replace(": ", "=").replace('-', "_"),
        ),
        false => refusal,
    })
}

/// An error as GitHub sends them.
pub fn message(status: u16, text: &str) -> Answer {
    let documentation = "https://docs.github.com/rest";
    Answer::new(status).json(&json!({
        "message": text, "documentation_url": documentation, "status": status.to_string(),
    }))
}
