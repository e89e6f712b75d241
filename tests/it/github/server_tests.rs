//! The test server itself: what it answers is what GitHub's API description says.

use serde_json::{Value, json};

use super::actions::TestRun;
use super::faults;
use super::pulls::TestPull;
use super::server::GithubServer;
use crate::registry::{Effect, Fault};

struct TestClient {
    client: reqwest::Client,
    url: String,
    token: Option<&'static str>,
}

impl TestClient {
    fn new(server: &GithubServer) -> Self {
        // Another test may have installed it.
        let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
        let root = reqwest::Certificate::from_pem(server.ca_pem().as_bytes()).unwrap();
        let client = reqwest::Client::builder().add_root_certificate(root);
        Self {
            client: client.build().unwrap(),
            url: server.url(),
            token: Some("t"),
        }
    }

    async fn send(&self, method: &str, path: &str, body: &Value) -> (u16, Value, Option<String>) {
        let method = method.parse().unwrap();
        let request = self.client.request(method, format!("{}{path}", self.url));
        let request = match self.token {
            Some(token) => request.bearer_auth(token),
            None => request,
        };
        let answer = request.body(body.to_string()).send().await.unwrap();
        let status = answer.status().as_u16();
        let header = |name: &str| {
            let value = answer.headers().get(name);
            value.map(|value| value.to_str().unwrap().to_owned())
        };
        let header = header("link").or(header("x-accepted-github-permissions"));
        let body = answer.bytes().await.unwrap();
        (
            status,
            serde_json::from_slice(&body).unwrap_or_default(),
            header,
        )
    }

    async fn get(&self, path: &str) -> Value {
        let (status, body, _) = self.send("GET", path, &Value::Null).await;
        assert_eq!(status, 200, "{path}: {body}");
        body
    }
}

const R: &str = "/repos/acme/web";

#[tokio::test]
async fn lists_come_in_pages_with_links() {
    let server = GithubServer::start().await;
    for at in 0..250 {
        server.add_check_run(
            "abc",
            &format!("check {at}"),
            "github-actions",
            Some("success"),
        );
    }
    let client = TestClient::new(&server);
    let mut path = format!("{R}/commits/abc/check-runs?per_page=100");
    let mut sizes = Vec::new();
    loop {
        let (status, body, link) = client.send("GET", &path, &Value::Null).await;
        assert_eq!((status, &body["total_count"]), (200, &json!(250)));
        sizes.push(body["check_runs"].as_array().unwrap().len());
        let Some(link) = link else { break };
        let next = link.split('>').next().unwrap();
        path = next.trim_start_matches('<').replace(&server.url(), "");
    }
    assert_eq!(sizes, [100, 100, 50]);
    assert_eq!(server.count(), 3);
}

#[tokio::test]
async fn a_missing_permission_is_named_or_not() {
    let server = GithubServer::start().await;
    server.forbid("deployments: write");
    let client = TestClient::new(&server);
    let path = format!("{R}/deployments");
    let (status, body, header) = client.send("POST", &path, &json!({})).await;
    assert_eq!(status, 403);
    assert_eq!(body["message"], "Resource not accessible by integration");
    assert_eq!(header.as_deref(), Some("deployments=write"));
    server.hide_permissions();
    let (status, _, header) = client.send("POST", &path, &json!({})).await;
    assert_eq!((status, header), (403, None));
    let anonymous = TestClient {
        token: None,
        ..TestClient::new(&server)
    };
    assert_eq!(anonymous.send("POST", &path, &json!({})).await.0, 401);
    server.with(|content| content.is_private = true);
    assert_eq!(anonymous.send("GET", &path, &json!({})).await.0, 404);
}

#[tokio::test]
async fn deployments_have_the_defaults_that_bite() {
    let server = GithubServer::start().await;
    let client = TestClient::new(&server);
    let path = format!("{R}/deployments");
    let (status, _, _) = client.send("POST", &path, &json!({"ref": "abc"})).await;
    assert_eq!(status, 202);
    let body = json!({"ref": "abc", "auto_merge": false});
    assert_eq!(client.send("POST", &path, &body).await.0, 409);
    assert_eq!(server.deployments(), Vec::<Value>::new());
    let create = |environment: &str, production: bool| {
        json!({
            "ref": "abc", "auto_merge": false, "required_contexts": [], "task": "shipmark",
            "environment": environment, "production_environment": production,
            "payload": {"run": {"id": 1}},
        })
    };
    let mut ids = Vec::new();
    for (environment, production) in [
        ("dev", false),
        ("dev", false),
        ("prod", true),
        ("prod", true),
    ] {
        let (status, body, _) = client
            .send("POST", &path, &create(environment, production))
            .await;
        assert_eq!(status, 201);
        let id = body["id"].as_u64().unwrap();
        let statuses = format!("{path}/{id}/statuses");
        let success = json!({"state": "success", "description": "released"});
        assert_eq!(client.send("POST", &statuses, &success).await.0, 201);
        ids.push(id);
    }
    // Production stays active until somebody says otherwise.
    assert_eq!(server.deployments_in_state("dev", "success"), [ids[1]]);
    assert_eq!(
        server.deployments_in_state("prod", "success"),
        [ids[2], ids[3]]
    );
    let listed = client
        .get(&format!("{path}?environment=dev&task=shipmark"))
        .await;
    assert_eq!(listed.as_array().unwrap().len(), 2);
    assert_eq!(listed[0]["id"], ids[1]);
    assert_eq!(listed[0]["payload"], json!({"run": {"id": 1}}));
}

#[tokio::test]
async fn runs_jobs_reviews_pulls_and_comments_are_listed() {
    let server = GithubServer::start().await;
    let run = server.add_workflow_run(&TestRun {
        sha: "abc",
        ..TestRun::default()
    });
    let job = server.add_job(run, "abc", "test", Some("success"));
    server.add_review(run, "approved", Some("octocat"), "fine", &["production"]);
    server.add_pull_request("abc", &TestPull::default());
    let comment = server.add_comment(7, "hello", "octocat");
    server.add_commit_status("abc", "ci", "success", Some("octocat"));
    server.add_commit("abc", Some("octocat"), None);
    let client = TestClient::new(&server);
    let runs = client
        .get(&format!("{R}/actions/workflows/ci.yml/runs?head_sha=abc"))
        .await;
    assert_eq!(runs["workflow_runs"][0]["id"], run);
    let runs = client
        .get(&format!("{R}/actions/workflows/ci.yml/runs?head_sha=def"))
        .await;
    assert_eq!(runs["total_count"], 0);
    let jobs = client
        .get(&format!("{R}/actions/runs/{run}/jobs?filter=all"))
        .await;
    assert_eq!(jobs["jobs"][0]["id"], job);
    let checks = client.get(&format!("{R}/commits/abc/check-runs")).await;
    assert_eq!(checks["check_runs"][0]["id"], job);
    let reviews = client
        .get(&format!("{R}/actions/runs/{run}/approvals"))
        .await;
    assert_eq!(reviews[0]["environments"][0]["name"], "production");
    let pulls = client.get(&format!("{R}/commits/abc/pulls")).await;
    assert_eq!(pulls[0]["user"]["login"], "octocat");
    let statuses = client.get(&format!("{R}/commits/abc/statuses")).await;
    assert_eq!(statuses[0]["creator"]["login"], "octocat");
    let commit = client.get(&format!("{R}/commits/abc")).await;
    assert_eq!(commit["author"]["login"], "octocat");
    let path = format!("{R}/issues/comments/{comment}");
    let changed = client
        .send("PATCH", &path, &json!({"body": "changed"}))
        .await;
    assert_eq!(
        (changed.0, server.comments(7)),
        (200, vec!["changed".to_owned()])
    );
    let path = format!("{R}/issues/7/comments");
    let long = json!({"body": "x".repeat(65_537)});
    assert_eq!(client.send("POST", &path, &long).await.0, 422);
}

#[tokio::test]
async fn linked_artifacts_belong_to_organisations() {
    let server = GithubServer::start().await;
    server.with(|content| content.unknown_artifacts = 1);
    let client = TestClient::new(&server);
    let path = "/orgs/acme/artifacts/metadata/storage-record";
    let record = json!({"name": "web", "digest": "sha256:00", "registry_url": "https://ghcr.io"});
    let unknown = client.send("POST", path, &record).await;
    assert_eq!(
        (unknown.0, &unknown.1["message"]),
        (404, &json!("no artifacts found"))
    );
    assert_eq!(client.send("POST", path, &record).await.0, 200);
    assert_eq!(server.storage_records().len(), 1);
    server.with(|content| content.owner_type = "User".to_owned());
    assert_eq!(client.send("POST", path, &record).await.0, 404);
}

#[tokio::test]
async fn a_gateway_can_fail_after_the_request_was_taken() {
    let server = GithubServer::start().await;
    server.fault(Fault::on(
        "POST",
        "/deployments",
        Effect::status_after(502, "<html>"),
    ));
    server.fault(Fault::on("GET", "/deployments", faults::html(200)));
    let client = TestClient::new(&server);
    let body = json!({"ref": "abc", "auto_merge": false, "required_contexts": []});
    let path = format!("{R}/deployments");
    assert_eq!(client.send("POST", &path, &body).await.0, 502);
    assert_eq!(server.deployments().len(), 1);
    assert_eq!(client.get(&path).await, Value::Null);
    assert_eq!(faults::all().len(), 18);
    let lines = server.requests();
    assert_eq!(lines[0], "POST /repos/acme/web/deployments 502");
}
