//! Comments of an issue or a pull request.

use serde_json::{Value, json};

use super::pages::array_page;
use super::permission::message;
use super::server::{ApiRequest, GithubServer};
use super::state::{GithubContent, user};
use crate::registry::Answer;

/// Longest body of a comment, in characters.
const BODY_LIMIT: usize = 65_536;

pub fn answer(
    content: &mut GithubContent,
    request: &ApiRequest<'_>,
    path: &[&str],
) -> Option<Answer> {
    match (request.method, path) {
        ("GET", ["issues", number, "comments"]) => {
            let comments = content.comments.get(&number.parse().ok()?);
            let comments = comments.cloned().unwrap_or_default();
            Some(array_page(request.call, request.url, &comments))
        }
        ("POST", ["issues", number, "comments"]) => {
            let (number, body) = (number.parse().ok()?, request.text("body")?);
            if body.chars().count() > BODY_LIMIT {
                return Some(too_long());
            }
            let login = content.login.clone();
            let comment = add(content, number, body, &login);
            Some(Answer::new(201).json(&comment))
        }
        ("PATCH", ["issues", "comments", id]) => {
            let (id, body): (u64, _) = (id.parse().ok()?, request.text("body")?);
            if body.chars().count() > BODY_LIMIT {
                return Some(too_long());
            }
            let time = content.next_time();
            let mut all = content.comments.values_mut().flatten();
            let comment = all.find(|comment| comment["id"] == id)?;
            comment["body"] = body.into();
            comment["updated_at"] = time.into();
            Some(Answer::new(200).json(comment))
        }
        _ => None,
    }
}

fn too_long() -> Answer {
    message(
        422,
        "Validation Failed: Body is too long (maximum is 65536 characters)",
    )
}

fn add(content: &mut GithubContent, number: u64, body: &str, login: &str) -> Value {
    let (id, time) = (content.next_id(), content.next_time());
    let app = login
        .strip_suffix("[bot]")
        .map(|slug| json!({"slug": slug}));
    let comment = json!({
        "id": id, "body": body, "user": user(login), "created_at": time, "updated_at": time,
        "html_url": format!("https://github.com/{}/pull/{number}#issuecomment-{id}", content.repository),
        "performed_via_github_app": app,
    });
    content
        .comments
        .entry(number)
        .or_default()
        .push(comment.clone());
    comment
}

impl GithubServer {
    /// Adds a comment of somebody, without HTTP. Returns its id.
    pub fn add_comment(&self, number: u64, body: &str, login: &str) -> u64 {
        let comment = self.with(|content| add(content, number, body, login));
        comment["id"].as_u64().expect("an id")
    }

    /// The bodies of the comments on a pull request.
    pub fn comments(&self, number: u64) -> Vec<String> {
        self.with(|content| {
            let comments = content.comments.get(&number).into_iter().flatten();
            let bodies = comments.filter_map(|comment| comment["body"].as_str());
            bodies.map(str::to_owned).collect()
        })
    }
}
