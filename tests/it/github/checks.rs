//! Check runs and commit statuses.

use serde_json::{Value, json};

use super::pages::{array_page, object_page};
use super::server::{ApiRequest, GithubServer};
use super::state::{GithubContent, user};
use crate::registry::Answer;

pub fn answer(content: &GithubContent, request: &ApiRequest<'_>, path: &[&str]) -> Option<Answer> {
    match path {
        ["commits", sha, "check-runs"] => {
            let all = content.check_runs.get(*sha).cloned().unwrap_or_default();
            let wanted = |name: &str, found: &Value| {
                let wanted = request.call.query(name);
                wanted.is_none_or(|wanted| found.as_str() == Some(wanted))
            };
            let listed = all.into_iter().filter(|run| {
                wanted("check_name", &run["name"]) && wanted("status", &run["status"])
            });
            let mut listed: Vec<Value> = listed.collect();
            if request.call.query("filter") != Some("all") {
                keep_latest(&mut listed);
            }
            Some(object_page(
                request.call,
                request.url,
                "check_runs",
                &listed,
            ))
        }
        ["commits", sha, "statuses"] => {
            let all = content.commit_statuses.get(*sha);
            let all = all.cloned().unwrap_or_default();
            Some(array_page(request.call, request.url, &all))
        }
        _ => None,
    }
}

/// Keeps the newest run of each name, app and suite: what GitHub lists without `filter=all`.
fn keep_latest(runs: &mut Vec<Value>) {
    let key = |run: &Value| {
        let suite = run["check_suite"]["id"].as_u64();
        (
            run["name"].to_string(),
            run["app"]["slug"].to_string(),
            suite,
        )
    };
    let newest: Vec<_> = runs
        .iter()
        .map(|run| (key(run), run["id"].as_u64()))
        .collect();
    runs.retain(|run| {
        let own = key(run);
        let ids = newest.iter().filter(|(key, _)| *key == own);
        ids.map(|(_, id)| *id).max() == Some(run["id"].as_u64())
    });
}

impl GithubServer {
    /// Adds a check run of an app; `None` as conclusion: it is still in progress. Returns its id.
    pub fn add_check_run(&self, sha: &str, name: &str, app: &str, conclusion: Option<&str>) -> u64 {
        let id = self.with(GithubContent::next_id);
        self.add_check_run_with_id(id, sha, name, app, conclusion);
        id
    }

    /// The same with an id: that of the job which it is.
    pub fn add_check_run_with_id(
        &self,
        id: u64,
        sha: &str,
        name: &str,
        app: &str,
        conclusion: Option<&str>,
    ) {
        self.with(|content| {
            let started = content.next_time();
            let run = json!({
                "id": id, "name": name, "head_sha": sha, "external_id": "",
                "status": if conclusion.is_some() { "completed" } else { "in_progress" },
                "conclusion": conclusion, "started_at": started,
                "completed_at": conclusion.map(|_| started.clone()),
                "html_url": format!("https://github.com/{}/runs/{id}", content.repository),
                "details_url": format!("https://github.com/{}/runs/{id}", content.repository),
                "check_suite": {"id": id / 10}, "app": {"id": 1, "slug": app, "name": app},
                "pull_requests": [], "output": {"title": null, "summary": null, "text": null},
            });
            content
                .check_runs
                .entry(sha.to_owned())
                .or_default()
                .insert(0, run);
        });
    }

    /// Adds a commit status, as the newest.
    pub fn add_commit_status(&self, sha: &str, context: &str, state: &str, creator: Option<&str>) {
        self.with(|content| {
            let (id, time) = (content.next_id(), content.next_time());
            let status = json!({
                "id": id, "context": context, "state": state, "description": null,
                "target_url": null, "creator": creator.map(user), "created_at": time,
                "updated_at": time,
            });
            let statuses = content.commit_statuses.entry(sha.to_owned()).or_default();
            statuses.insert(0, status);
        });
    }
}
