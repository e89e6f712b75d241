//! What the test server knows of one repository. Objects have the members of GitHub's API.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard};

use serde_json::{Value, json};

/// The repository, shared by the server and the test.
#[derive(Clone, Default)]
pub struct GithubState(Arc<Mutex<GithubContent>>);

impl GithubState {
    pub fn lock(&self) -> MutexGuard<'_, GithubContent> {
        self.0
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

/// The content of the repository, and what a token may do.
pub struct GithubContent {
    /// `owner/name`
    pub repository: String,
    /// `Organization` or `User`
    pub owner_type: String,
    pub is_private: bool,
    /// Who the token is: the author of comments and deployments.
    pub login: String,
    /// Permissions of the token, such as `checks: read`; `write` includes `read`.
    pub permissions: BTreeSet<String>,
    /// Whether a refusal names the permission in `X-Accepted-GitHub-Permissions`.
    pub names_permissions: bool,
    /// By SHA.
    pub commits: BTreeMap<String, Value>,
    /// By path and SHA.
    pub files: BTreeMap<(String, String), String>,
    /// By SHA.
    pub check_runs: BTreeMap<String, Vec<Value>>,
    /// By SHA, newest first.
    pub commit_statuses: BTreeMap<String, Vec<Value>>,
    /// With their workflow file in `path`.
    pub workflow_runs: Vec<Value>,
    /// By run.
    pub jobs: BTreeMap<u64, Vec<Value>>,
    /// By run.
    pub reviews: BTreeMap<u64, Vec<Value>>,
    /// By the SHA of a commit that they contain.
    pub pull_requests: BTreeMap<String, Vec<Value>>,
    /// By issue.
    pub comments: BTreeMap<u64, Vec<Value>>,
    /// Oldest first.
    pub deployments: Vec<Value>,
    /// By deployment, oldest first.
    pub deployment_statuses: BTreeMap<u64, Vec<Value>>,
    /// As they were sent.
    pub storage_records: Vec<Value>,
    /// As they were sent.
    pub deployment_records: Vec<Value>,
    /// Requests for a storage record that are answered "no artifacts found" before one is taken.
    pub unknown_artifacts: u32,
    /// Bundles that were uploaded.
    pub attestations: Vec<Value>,
    next_id: u64,
}

impl Default for GithubContent {
    fn default() -> Self {
        Self {
            repository: "acme/web".to_owned(),
            owner_type: "Organization".to_owned(),
            is_private: false,
            login: "github-actions[bot]".to_owned(),
            permissions: ALL_PERMISSIONS.map(str::to_owned).into(),
            names_permissions: true,
            commits: BTreeMap::new(),
            files: BTreeMap::new(),
            check_runs: BTreeMap::new(),
            commit_statuses: BTreeMap::new(),
            workflow_runs: Vec::new(),
            jobs: BTreeMap::new(),
            reviews: BTreeMap::new(),
            pull_requests: BTreeMap::new(),
            comments: BTreeMap::new(),
            deployments: Vec::new(),
            deployment_statuses: BTreeMap::new(),
            storage_records: Vec::new(),
            deployment_records: Vec::new(),
            unknown_artifacts: 0,
            attestations: Vec::new(),
            next_id: 1000,
        }
    }
}

const ALL_PERMISSIONS: [&str; 9] = [
    "actions: read",
    "artifact-metadata: write",
    "attestations: write",
    "checks: read",
    "contents: read",
    "deployments: write",
    "issues: write",
    "pull-requests: write",
    "statuses: read",
];

impl GithubContent {
    pub fn next_id(&mut self) -> u64 {
        self.next_id += 1;
        self.next_id
    }

    /// A time that grows with each object that is made.
    pub fn next_time(&mut self) -> String {
        let seconds = self.next_id % 86_400;
        let (hour, minute, second) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
        format!("2026-11-20T{hour:02}:{minute:02}:{second:02}Z")
    }

    pub fn owner(&self) -> &str {
        self.repository.split('/').next().unwrap_or_default()
    }

    /// The user that the token is.
    pub fn user(&self) -> Value {
        user(&self.login)
    }
}

/// A user, or a bot where the login ends in `[bot]`.
pub fn user(login: &str) -> Value {
    let kind = match login.ends_with("[bot]") {
        true => "Bot",
        false => "User",
    };
    json!({"login": login, "id": login.len(), "type": kind, "html_url": format!("https://github.com/{login}")})
}
