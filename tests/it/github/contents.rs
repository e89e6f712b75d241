//! The repository itself, its commits and its files.

use serde_json::{Value, json};

use super::server::{ApiRequest, GithubServer};
use super::state::{GithubContent, user};
use crate::registry::Answer;

pub fn answer(content: &GithubContent, request: &ApiRequest<'_>, path: &[&str]) -> Option<Answer> {
    match path {
        [] => Some(Answer::new(200).json(&repository(content))),
        ["commits", sha] => content
            .commits
            .get(*sha)
            .map(|commit| Answer::new(200).json(commit)),
        ["contents", rest @ ..] => {
            let sha = request.call.query("ref").unwrap_or_default();
            let key = (rest.join("/"), sha.to_owned());
            let file = content.files.get(&key)?;
            Some(Answer::new(200).bytes(file.clone()))
        }
        _ => None,
    }
}

fn repository(content: &GithubContent) -> Value {
    let (owner, name) = content.repository.split_once('/').unwrap_or_default();
    json!({
        "id": 1, "name": name, "full_name": content.repository, "private": content.is_private,
        "owner": {"login": owner, "type": content.owner_type},
        "default_branch": "main", "html_url": format!("https://github.com/{}", content.repository),
        "visibility": if content.is_private { "private" } else { "public" },
    })
}

impl GithubServer {
    /// Adds a commit with the logins of its author and its committer.
    pub fn add_commit(&self, sha: &str, author: Option<&str>, committer: Option<&str>) {
        let person = json!({"name": "A", "email": "a@example.com", "date": "2026-11-20T10:00:00Z"});
        let commit = json!({
            "sha": sha, "commit": {"author": person, "committer": person, "message": "A change"},
            "author": author.map(user), "committer": committer.map(user), "parents": [], "files": [],
        });
        self.with(|content| content.commits.insert(sha.to_owned(), commit));
    }

    /// Adds a file at a commit.
    pub fn add_file(&self, path: &str, sha: &str, text: &str) {
        let key = (path.to_owned(), sha.to_owned());
        self.with(|content| content.files.insert(key, text.to_owned()));
    }
}
