//! Linked artifacts of an organisation.

use serde_json::{Value, json};

use super::permission::message;
use super::server::{ApiRequest, GithubServer};
use super::state::GithubContent;
use crate::registry::Answer;

pub fn answer(
    content: &mut GithubContent,
    request: &ApiRequest<'_>,
    path: &[&str],
) -> Option<Answer> {
    if content.owner_type != "Organization" {
        return None;
    }
    let (required, list): (&[&str], _) = match (request.method, path) {
        ("POST", ["artifacts", "metadata", "storage-record"]) => {
            (&["name", "digest", "registry_url"], "storage_records")
        }
        ("POST", ["artifacts", "metadata", "deployment-record"]) => (
            &[
                "name",
                "digest",
                "status",
                "logical_environment",
                "deployment_name",
            ],
            "deployment_records",
        ),
        _ => return None,
    };
    if required.iter().any(|name| request.text(name).is_none()) {
        return Some(message(422, "Validation Failed"));
    }
    if content.unknown_artifacts > 0 {
        content.unknown_artifacts -= 1;
        return Some(message(404, "no artifacts found"));
    }
    let mut record = request.body.clone();
    record["id"] = content.next_id().into();
    let kept = match list {
        "storage_records" => &mut content.storage_records,
        _ => &mut content.deployment_records,
    };
    kept.push(record.clone());
    Some(Answer::new(200).json(&json!({"total_count": 1, list: [record]})))
}

impl GithubServer {
    pub fn storage_records(&self) -> Vec<Value> {
        self.with(|content| content.storage_records.clone())
    }

    pub fn deployment_records(&self) -> Vec<Value> {
        self.with(|content| content.deployment_records.clone())
    }
}
