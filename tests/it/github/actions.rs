//! Workflow runs, their jobs, and the reviews of their deployments.

use serde_json::{Value, json};

use super::pages::{array_page, object_page};
use super::server::{ApiRequest, GithubServer};
use super::state::{GithubContent, user};
use crate::registry::Answer;

pub fn answer(content: &GithubContent, request: &ApiRequest<'_>, path: &[&str]) -> Option<Answer> {
    let (call, url) = (request.call, request.url);
    match path {
        ["actions", "workflows", file, "runs"] => {
            let path = format!(".github/workflows/{file}");
            let wanted = |name: &str, run: &Value, member: &str| {
                let wanted = call.query(name);
                wanted.is_none_or(|wanted| run[member].as_str() == Some(wanted))
            };
            let is_listed = |run: &&Value| {
                // A path can end in the ref that the file was taken from.
                let file = run["path"].as_str().unwrap_or_default();
                file.split('@').next() == Some(path.as_str())
                    && wanted("head_sha", run, "head_sha")
                    && wanted("event", run, "event")
                    && wanted("branch", run, "head_branch")
            };
            let runs = content.workflow_runs.iter().filter(is_listed);
            let runs: Vec<Value> = runs.cloned().collect();
            Some(object_page(call, url, "workflow_runs", &runs))
        }
        ["actions", "runs", id] => {
            let id: u64 = id.parse().ok()?;
            let run = content.workflow_runs.iter().find(|run| run["id"] == id)?;
            Some(Answer::new(200).json(run))
        }
        ["actions", "runs", id, "jobs"] => {
            let jobs = content.jobs.get(&id.parse().ok()?)?;
            let newest = jobs.iter().filter_map(|job| job["run_attempt"].as_u64());
            let newest = newest.max();
            let is_all = call.query("filter") == Some("all");
            let listed = jobs.iter();
            let listed = listed.filter(|job| is_all || job["run_attempt"].as_u64() == newest);
            let listed: Vec<Value> = listed.cloned().collect();
            Some(object_page(call, url, "jobs", &listed))
        }
        ["actions", "runs", id, "approvals"] => {
            let reviews = content.reviews.get(&id.parse().ok()?);
            let reviews = reviews.cloned().unwrap_or_default();
            Some(array_page(call, url, &reviews))
        }
        _ => None,
    }
}

/// A workflow run of the test server.
pub struct TestRun<'a> {
    pub file: &'a str,
    pub event: &'a str,
    pub branch: &'a str,
    pub sha: &'a str,
    pub conclusion: Option<&'a str>,
    /// `owner/name` of the head's repository.
    pub head_repository: &'a str,
}

impl Default for TestRun<'_> {
    fn default() -> Self {
        Self {
            file: "ci.yml",
            event: "push",
            branch: "develop",
            sha: "",
            conclusion: Some("success"),
            head_repository: "acme/web",
        }
    }
}

impl GithubServer {
    /// Adds a workflow run, as the newest. Returns its id.
    pub fn add_workflow_run(&self, run: &TestRun<'_>) -> u64 {
        self.with(|content| {
            let (id, time) = (content.next_id(), content.next_time());
            let value = json!({
                "id": id, "name": run.file, "path": format!(".github/workflows/{}", run.file),
                "event": run.event, "head_branch": run.branch, "head_sha": run.sha,
                "head_repository": {"full_name": run.head_repository},
                "repository": {"full_name": content.repository},
                "status": if run.conclusion.is_some() { "completed" } else { "in_progress" },
                "conclusion": run.conclusion, "run_attempt": 1, "run_number": id,
                "check_suite_id": id / 10, "created_at": time, "updated_at": time,
                "actor": user("octocat"), "triggering_actor": user("octocat"),
            });
            content.workflow_runs.insert(0, value);
            id
        })
    }

    /// Adds a job to a run, with the check run that it is. Returns the id of both.
    pub fn add_job(&self, run: u64, sha: &str, name: &str, conclusion: Option<&str>) -> u64 {
        let id = self.with(|content| {
            let (id, time) = (content.next_id(), content.next_time());
            let job = json!({
                "id": id, "run_id": run, "run_attempt": 1, "name": name, "head_sha": sha,
                "status": if conclusion.is_some() { "completed" } else { "in_progress" },
                "conclusion": conclusion, "started_at": time, "completed_at": null, "steps": [],
                "check_run_url": format!("https://api.github.com/repos/{}/check-runs/{id}", content.repository),
            });
            content.jobs.entry(run).or_default().push(job);
            id
        });
        self.add_check_run_with_id(id, sha, name, "github-actions", conclusion);
        id
    }

    /// Adds a review of a run's deployment to environments.
    pub fn add_review(
        &self,
        run: u64,
        state: &str,
        login: Option<&str>,
        comment: &str,
        environments: &[&str],
    ) {
        let environments = environments.iter().map(|name| {
            json!({"id": name.len(), "name": name, "html_url": format!("https://github.com/acme/web/deployments/{name}")})
        });
        let review = json!({
            "state": state, "comment": comment, "environments": environments.collect::<Vec<_>>(),
            "user": login.map(user),
        });
        self.with(|content| content.reviews.entry(run).or_default().push(review));
    }
}
