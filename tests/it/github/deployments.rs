//! Deployments and their statuses.

use serde_json::{Value, json};

use super::pages::array_page;
use super::permission::message;
use super::server::{ApiRequest, GithubServer};
use super::state::{GithubContent, user};
use crate::registry::Answer;

/// States that GitHub accepts.
const STATES: [&str; 7] = [
    "error",
    "failure",
    "inactive",
    "in_progress",
    "queued",
    "pending",
    "success",
];
/// Longest description, in characters.
const DESCRIPTION_LIMIT: usize = 140;

pub fn answer(
    content: &mut GithubContent,
    request: &ApiRequest<'_>,
    path: &[&str],
) -> Option<Answer> {
    match (request.method, path) {
        ("GET", ["deployments"]) => Some(list(content, request)),
        ("POST", ["deployments"]) => Some(create(content, request)),
        ("GET", ["deployments", id]) => {
            let id: u64 = id.parse().ok()?;
            let found = content.deployments.iter().find(|found| found["id"] == id)?;
            Some(Answer::new(200).json(found))
        }
        ("GET", ["deployments", id, "statuses"]) => {
            let statuses = content.deployment_statuses.get(&id.parse().ok()?)?;
            let newest_first: Vec<Value> = statuses.iter().rev().cloned().collect();
            Some(array_page(request.call, request.url, &newest_first))
        }
        ("POST", ["deployments", id, "statuses"]) => {
            let id: u64 = id.parse().ok()?;
            content
                .deployment_statuses
                .contains_key(&id)
                .then_some(())?;
            Some(add_status(content, request, id))
        }
        _ => None,
    }
}

fn list(content: &GithubContent, request: &ApiRequest<'_>) -> Answer {
    let is_listed = |deployment: &&Value| {
        ["sha", "ref", "task", "environment"].iter().all(|name| {
            let wanted = request.call.query(name);
            wanted.is_none_or(|wanted| deployment[name].as_str() == Some(wanted))
        })
    };
    let newest_first = content.deployments.iter().rev().filter(is_listed);
    let listed: Vec<Value> = newest_first.cloned().collect();
    array_page(request.call, request.url, &listed)
}

fn create(content: &mut GithubContent, request: &ApiRequest<'_>) -> Answer {
    let body = request.body;
    let Some(reference) = request.text("ref") else {
        return message(422, "Validation Failed");
    };
    // The defaults merge the default branch, and wait for all commit statuses.
    if body["auto_merge"] != false {
        return Answer::new(202).json(&json!({"message": "Auto-merged main into the ref."}));
    }
    if body["required_contexts"] != json!([]) {
        return message(409, "Conflict: Commit status checks failed for the ref.");
    }
    let description = request.text("description").unwrap_or_default();
    if description.chars().count() > DESCRIPTION_LIMIT {
        return message(422, "Validation Failed");
    }
    let login = content.login.clone();
    let deployment = add(content, reference, &login, body);
    Answer::new(201).json(&deployment)
}

fn add(content: &mut GithubContent, sha: &str, login: &str, body: &Value) -> Value {
    let (id, time) = (content.next_id(), content.next_time());
    let environment = body["environment"].as_str().unwrap_or("production");
    let repository = format!("https://api.github.com/repos/{}", content.repository);
    let deployment = json!({
        "id": id, "node_id": format!("DE_{id}"), "sha": sha, "ref": sha,
        "task": body["task"].as_str().unwrap_or("deploy"),
        "payload": match &body["payload"] { Value::Null => json!({}), payload => payload.clone() },
        "original_environment": environment, "environment": environment,
        "description": body["description"], "creator": user(login),
        "created_at": time, "updated_at": time,
        "url": format!("{repository}/deployments/{id}"),
        "statuses_url": format!("{repository}/deployments/{id}/statuses"),
        "transient_environment": body["transient_environment"].as_bool().unwrap_or(false),
        "production_environment": body["production_environment"].as_bool()
            .unwrap_or(environment == "production"),
    });
    content.deployments.push(deployment.clone());
    content.deployment_statuses.insert(id, Vec::new());
    deployment
}

fn add_status(content: &mut GithubContent, request: &ApiRequest<'_>, id: u64) -> Answer {
    let state = request.text("state").unwrap_or_default();
    let description = request.text("description").unwrap_or_default();
    if !STATES.contains(&state) || description.chars().count() > DESCRIPTION_LIMIT {
        return message(422, "Validation Failed");
    }
    let status = push_status(content, id, state, request.body);
    if state == "success" && request.body["auto_inactive"] != false {
        replace_earlier(content, id);
    }
    Answer::new(201).json(&status)
}

fn push_status(content: &mut GithubContent, id: u64, state: &str, body: &Value) -> Value {
    let (status, time) = (content.next_id(), content.next_time());
    let status = json!({
        "id": status, "state": state, "description": body["description"].as_str().unwrap_or(""),
        "creator": content.user(), "created_at": time, "updated_at": time,
        "log_url": body["log_url"].as_str().unwrap_or(""),
        "environment_url": body["environment_url"].as_str().unwrap_or(""),
        "target_url": body["log_url"].as_str().unwrap_or(""),
    });
    let statuses = content.deployment_statuses.entry(id).or_default();
    statuses.push(status.clone());
    status
}

/// Marks earlier successes of the same environment inactive, as `auto_inactive` does: neither transient nor
/// production ones.
fn replace_earlier(content: &mut GithubContent, id: u64) {
    let environment = |content: &GithubContent, id: u64| {
        let found = content.deployments.iter().find(|found| found["id"] == id);
        found.map(|found| found["environment"].clone())
    };
    let own = environment(content, id);
    let earlier: Vec<u64> = content
        .deployments
        .iter()
        .filter(|found| Some(&found["environment"]) == own.as_ref())
        .filter(|found| found["production_environment"] == false)
        .filter(|found| found["transient_environment"] == false)
        .filter_map(|found| found["id"].as_u64())
        .filter(|found| *found < id)
        .collect();
    for earlier in earlier {
        let statuses = &content.deployment_statuses[&earlier];
        if statuses
            .last()
            .is_some_and(|last| last["state"] == "success")
        {
            push_status(content, earlier, "inactive", &Value::Null);
        }
    }
}

impl GithubServer {
    /// Adds a deployment of somebody with statuses, without HTTP. `body` has the members of a request.
    /// Returns its id.
    pub fn add_deployment(&self, sha: &str, login: &str, body: &Value, states: &[&str]) -> u64 {
        self.with(|content| {
            let deployment = add(content, sha, login, body);
            let id = deployment["id"].as_u64().expect("an id");
            for state in states {
                push_status(content, id, state, &Value::Null);
            }
            id
        })
    }

    /// All deployments, oldest first.
    pub fn deployments(&self) -> Vec<Value> {
        self.with(|content| content.deployments.clone())
    }

    /// The states of a deployment, oldest first.
    pub fn deployment_states(&self, id: u64) -> Vec<String> {
        self.with(|content| {
            let statuses = content.deployment_statuses.get(&id).into_iter().flatten();
            let states = statuses.filter_map(|status| status["state"].as_str());
            states.map(str::to_owned).collect()
        })
    }

    /// The deployments of an environment whose newest state is this.
    pub fn deployments_in_state(&self, environment: &str, state: &str) -> Vec<u64> {
        let of_environment = self.deployments().into_iter();
        let of_environment = of_environment.filter(|found| found["environment"] == environment);
        let ids = of_environment.filter_map(|found| found["id"].as_u64());
        let is_in_state =
            |id: &u64| self.deployment_states(*id).last().map(String::as_str) == Some(state);
        ids.filter(is_in_state).collect()
    }
}
