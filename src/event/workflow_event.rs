use serde_json::Value;

use super::{EventFacts, EventInputs};

/// The event in the words of a workflow's own expressions, as docker/metadata-action goes by them:
/// read leniently, and nothing told apart that GitHub does not.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct WorkflowEvent {
    /// `github.event_name`
    pub event: String,
    /// `github.ref`; of a `pull_request_target` the pull request's.
    pub git_ref: String,
    /// `github.sha`
    pub sha: String,
    /// `github.event.base_ref`: what branch a pushed tag is on, as far as GitHub says so.
    pub base_ref: Option<String>,
    /// `github.event.pull_request.base.ref`
    pub pull_base: Option<String>,
    /// `github.event.pull_request.head.sha`
    pub pull_head: Option<String>,
    /// `github.event.workflow_run.head_branch`
    pub run_branch: Option<String>,
    /// What the event says of the repository.
    pub repository: RepositoryDetails,
    /// Commits that the event tells the time of.
    pub commits: Vec<(String, String)>,
}

/// What is said of a repository, as far as it is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RepositoryDetails {
    /// Its name, without the owner.
    pub name: Option<String>,
    /// Its description.
    pub description: Option<String>,
    /// Where a person finds it.
    pub url: Option<String>,
    /// Its default branch.
    pub default_branch: Option<String>,
    /// Its licence, as SPDX has it.
    pub license: Option<String>,
    /// Its owner and name, `owner/name`.
    pub full_name: Option<String>,
    /// Whether everybody may read it, where that is certain.
    pub public: Option<bool>,
    /// Whether all of these were told, though perhaps as empty.
    pub is_complete: bool,
}

impl RepositoryDetails {
    /// Reads the object that GitHub describes a repository with.
    pub fn from_json(object: &Value) -> Self {
        let fields = [
            "name",
            "description",
            "html_url",
            "default_branch",
            "license",
        ];
        Self {
            name: text_at(object, "/name"),
            description: text_at(object, "/description"),
            url: text_at(object, "/html_url"),
            default_branch: text_at(object, "/default_branch"),
            license: text_at(object, "/license/spdx_id"),
            full_name: text_at(object, "/full_name"),
            public: is_public(object),
            is_complete: fields.iter().all(|field| object.get(field).is_some()),
        }
    }

    /// This, and where it says nothing, what `other` says.
    pub fn or_else(self, other: Self) -> Self {
        Self {
            name: self.name.or(other.name),
            description: self.description.or(other.description),
            url: self.url.or(other.url),
            default_branch: self.default_branch.or(other.default_branch),
            license: self.license.or(other.license),
            full_name: self.full_name.or(other.full_name),
            public: self.public.or(other.public),
            is_complete: self.is_complete || other.is_complete,
        }
    }
}

impl WorkflowEvent {
    /// Reads what the runner gives. A payload that is no JSON says nothing.
    pub fn parse(given: &EventInputs<'_>) -> Self {
        let payload: Value = given
            .payload
            .and_then(|payload| serde_json::from_slice(payload).ok())
            .unwrap_or_default();
        let text = |path| text_at(&payload, path);
        let git_ref = match number_text_at(&payload, "/number") {
            Some(number) if given.name.contains("pull_request_target") => {
                format!("refs/pull/{number}/merge")
            }
            _ => given.git_ref.unwrap_or_default().to_owned(),
        };
        let git_ref = match text("/release/tag_name") {
            // The runner leaves GITHUB_REF empty for some releases (actions/runner, release events).
            Some(tag) if git_ref.is_empty() && given.name == "release" => {
                format!("refs/tags/{tag}")
            }
            _ => git_ref,
        };
        Self {
            event: given.name.to_owned(),
            git_ref,
            sha: given.sha.unwrap_or_default().to_owned(),
            base_ref: text("/base_ref"),
            pull_base: text("/pull_request/base/ref"),
            pull_head: text("/pull_request/head/sha"),
            run_branch: text("/workflow_run/head_branch"),
            repository: payload
                .get("repository")
                .map(RepositoryDetails::from_json)
                .unwrap_or_default(),
            commits: commit_times(&payload),
        }
    }

    /// The same, as far as a checkout or `--event` says it.
    pub fn from_facts(facts: &EventFacts) -> Self {
        let pull = facts.pull_request.as_ref();
        Self {
            event: facts.event.to_string(),
            git_ref: facts
                .git_ref
                .as_ref()
                .map(ToString::to_string)
                .unwrap_or_default(),
            sha: facts
                .commit
                .as_ref()
                .map(ToString::to_string)
                .unwrap_or_default(),
            pull_base: pull.and_then(|pull| pull.base_ref.clone()),
            pull_head: pull.and_then(|pull| Some(pull.head_commit.as_ref()?.to_string())),
            repository: RepositoryDetails {
                default_branch: facts.default_branch.clone(),
                name: facts.repository.as_deref().and_then(short_name),
                ..RepositoryDetails::default()
            },
            ..Self::default()
        }
    }

    /// When the event says that the commit was made.
    pub fn commit_time(&self, sha: &str) -> Option<&str> {
        let found = self
            .commits
            .iter()
            .find(|(id, time)| id == sha && !time.is_empty());
        found.map(|(_, time)| time.as_str())
    }
}

/// Whether everybody may read a repository: certain only where both fields that say so agree. An
/// internal one is for the members of an enterprise.
fn is_public(repository: &Value) -> Option<bool> {
    let visibility = repository
        .get("visibility")
        .filter(|value| !value.is_null());
    let private = repository.get("private")?.as_bool()?;
    match visibility.map(Value::as_str) {
        _ if private => Some(false),
        None | Some(Some("public")) => Some(true),
        Some(Some(_)) => Some(false),
        Some(None) => None,
    }
}

fn short_name(repository: &str) -> Option<String> {
    repository.rsplit_once('/').map(|(_, name)| name.to_owned())
}

fn text_at(value: &Value, path: &str) -> Option<String> {
    value.pointer(path)?.as_str().map(str::to_owned)
}

fn number_text_at(value: &Value, path: &str) -> Option<String> {
    value
        .pointer(path)?
        .as_u64()
        .map(|number| number.to_string())
}

fn commit_times(payload: &Value) -> Vec<(String, String)> {
    let pushed = payload
        .get("commits")
        .and_then(Value::as_array)
        .into_iter()
        .flatten();
    pushed
        .chain(payload.get("head_commit"))
        .filter_map(|commit| Some((text_at(commit, "/id")?, text_at(commit, "/timestamp")?)))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_payload_is_read_leniently() {
        let payload = br#"{"number": 15, "base_ref": null, "pull_request": {"head": {"sha": "abc"}, "base": 7},
            "repository": {"name": "web", "license": {"spdx_id": "MIT"}},
            "commits": [{"id": "a", "timestamp": "t"}, {"id": 1}], "head_commit": {"id": "b", "timestamp": "u"}}"#;
        let workflow = WorkflowEvent::parse(&EventInputs {
            name: "pull_request_target",
            git_ref: Some("refs/heads/main"),
            payload: Some(payload),
            ..EventInputs::default()
        });
        assert_eq!(workflow.git_ref, "refs/pull/15/merge");
        assert_eq!(workflow.pull_head.as_deref(), Some("abc"));
        assert_eq!(
            (workflow.base_ref.as_ref(), workflow.pull_base.as_ref()),
            (None, None)
        );
        assert_eq!(workflow.repository.license.as_deref(), Some("MIT"));
        assert!(!workflow.repository.is_complete);
        assert_eq!(workflow.repository.public, None);
        assert_eq!(workflow.commit_time("b"), Some("u"));
        assert_eq!(workflow.commit_time("c"), None);
        let broken = WorkflowEvent::parse(&EventInputs {
            name: "push",
            payload: Some(b"{"),
            ..EventInputs::default()
        });
        assert_eq!(broken.event, "push");
    }

    #[test]
    fn only_an_event_of_a_public_repository_is_public() {
        for (repository, public) in [
            (r#"{"private": false}"#, Some(true)),
            (r#"{"private": false, "visibility": "public"}"#, Some(true)),
            (r#"{"private": false, "visibility": null}"#, Some(true)),
            (r#"{"private": true}"#, Some(false)),
            (r#"{"private": true, "visibility": "public"}"#, Some(false)),
            (
                r#"{"private": true, "visibility": "internal"}"#,
                Some(false),
            ),
            (r#"{"private": true, "visibility": 1}"#, Some(false)),
            (
                r#"{"private": false, "visibility": "internal"}"#,
                Some(false),
            ),
            (
                r#"{"private": false, "visibility": "private"}"#,
                Some(false),
            ),
            (r#"{"private": false, "visibility": "Public"}"#, Some(false)),
            (r#"{"private": false, "visibility": true}"#, None),
            (r#"{"private": "false"}"#, None),
            (r#"{"private": 0}"#, None),
            (r#"{"private": null}"#, None),
            (r#"{"visibility": "public"}"#, None),
            (r#"{}"#, None),
        ] {
            let object = serde_json::from_str(repository).unwrap();
            assert_eq!(
                RepositoryDetails::from_json(&object).public,
                public,
                "{repository}"
            );
        }
    }
}
