//! Pull requests that contain a commit.

use serde_json::json;

use super::pages::array_page;
use super::server::{ApiRequest, GithubServer};
use super::state::{GithubContent, user};
use crate::registry::Answer;

pub fn list(content: &GithubContent, request: &ApiRequest<'_>, sha: &str) -> Answer {
    let pulls = content.pull_requests.get(sha).cloned().unwrap_or_default();
    array_page(request.call, request.url, &pulls)
}

/// A pull request of the test server.
pub struct TestPull<'a> {
    pub number: u64,
    pub is_merged: bool,
    pub merge_commit: Option<&'a str>,
    pub head_branch: &'a str,
    pub head_sha: &'a str,
    pub head_repository: Option<&'a str>,
    pub base_branch: &'a str,
    pub base_repository: &'a str,
    pub author: Option<&'a str>,
}

impl Default for TestPull<'_> {
    fn default() -> Self {
        Self {
            number: 7,
            is_merged: true,
            merge_commit: None,
            head_branch: "feature",
            head_sha: "",
            head_repository: Some("acme/web"),
            base_branch: "main",
            base_repository: "acme/web",
            author: Some("octocat"),
        }
    }
}

impl GithubServer {
    /// Adds a pull request to those that contain a commit.
    pub fn add_pull_request(&self, sha: &str, pull: &TestPull<'_>) {
        self.with(|content| {
            let (id, time) = (content.next_id(), content.next_time());
            let repository = |name: &str| json!({"full_name": name});
            let value = json!({
                "id": id, "number": pull.number, "title": "A change",
                "state": if pull.is_merged { "closed" } else { "open" },
                "merged_at": pull.is_merged.then_some(&time),
                "merge_commit_sha": pull.merge_commit,
                "user": pull.author.map(user), "created_at": time,
                "html_url": format!("https://github.com/{}/pull/{}", pull.base_repository, pull.number),
                "head": {
                    "ref": pull.head_branch, "sha": pull.head_sha,
                    "repo": pull.head_repository.map(repository),
                },
                "base": {
                    "ref": pull.base_branch, "sha": "", "repo": repository(pull.base_repository),
                },
            });
            content.pull_requests.entry(sha.to_owned()).or_default().push(value);
        });
    }
}
