//! GitHub's API, asked as registries are: with bounds, patience and further tries; and the test server
//! that answers as it does.

pub mod actions;
mod checks;
mod comment;
mod comments;
mod contents;
mod deployments;
pub mod faults;
mod metadata;
mod pages;
mod permission;
pub mod pulls;
mod server;
mod server_tests;
pub mod state;

pub use server::GithubServer;

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use shipmark::github::{GithubApi, GithubApiError};
use shipmark::http::{HttpClient, HttpSettings, RetryTiming};

use crate::client::Wire;
use crate::support::*;

fn api(host: &Wire) -> GithubApi {
    let timing = RetryTiming {
        stall: Duration::from_millis(700),
        whole: Duration::from_millis(900),
        ..timing()
    };
    let settings = HttpSettings {
        timing,
        ..settings().http
    };
    let client = HttpClient::new(settings, Said::default().notices()).unwrap();
    let base = format!("http://{}", host.host).parse().unwrap();
    GithubApi::new(client, &base, "acme/web", None).unwrap()
}

fn answer(status: u16, headers: &str, body: &str) -> String {
    let length = body.len();
    format!(
        "HTTP/1.1 {status} X\r\nconnection: close\r\n{headers}content-length: {length}\r\n\r\n{body}"
    )
}

/// A host whose first answers are these, and all further ones the last of them.
async fn answering(answers: Vec<(String, bool)>) -> Wire {
    let asked = Arc::new(AtomicUsize::new(0));
    Wire::answering(move |_| {
        let at = asked.fetch_add(1, Ordering::Relaxed);
        answers[at.min(answers.len() - 1)].clone()
    })
    .await
}

const COMMIT_JSON: &str =
    r#"{"commit":{"committer":{"date":"2026-11-20T10:00:00Z"}},"files":[{"patch":"x"}]}"#;

#[tokio::test]
async fn what_passes_at_github_is_asked_for_again() {
    for first in [
        (answer(500, "", "{}"), true),
        (answer(502, "", "<html>Bad gateway</html>"), true),
        (answer(503, "retry-after: 0\r\n", ""), true),
        (answer(504, "", ""), true),
        (answer(429, "retry-after: 0\r\n", "{}"), true),
        (answer(403, "retry-after: 0\r\n", "{}"), true),
        // Nothing but a closed connection, or half an answer.
        (String::new(), true),
        (
            "HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n{".to_owned(),
            true,
        ),
        // A server that goes silent, before and in its answer.
        (String::new(), false),
        (
            "HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n{".to_owned(),
            false,
        ),
    ] {
        let host = answering(vec![first.clone(), (answer(200, "", COMMIT_JSON), true)]).await;
        let time = api(&host).get_commit_time(COMMIT).await.unwrap();
        assert_eq!(time.as_deref(), Some("2026-11-20T10:00:00Z"), "{first:?}");
        assert_eq!(host.answered(), 2, "{first:?}");
    }
}

#[tokio::test]
async fn what_does_not_pass_at_github_is_said() {
    for (answers, part, asked) in [
        (
            (answer(502, "", "<html>Bad gateway</html>"), true),
            "502",
            4,
        ),
        ((answer(401, "", "{}"), true), "401", 1),
        (
            (answer(200, "", "<html>Sign in</html>"), true),
            "invalid JSON",
            1,
        ),
        ((answer(200, "", ""), true), "invalid JSON", 1),
        ((answer(200, "", "[]"), true), "invalid JSON", 1),
        ((String::new(), false), "no data received for", 4),
    ] {
        let host = answering(vec![answers]).await;
        let error = api(&host).get_commit_time(COMMIT).await.unwrap_err();
        assert!(error.to_string().contains(part), "{error}");
        assert!(!error.to_string().contains("Sign in"), "{error}");
        assert_eq!(host.answered(), asked, "{error}");
    }
}

/// An answer is no answer where it is longer than what was asked for can be, says so or not.
#[tokio::test]
async fn promise_6_an_answer_of_github_without_end_is_no_answer() {
    let endless = |length: &str| {
        let body = " ".repeat(9 << 20);
        (format!("HTTP/1.1 200 OK\r\n{length}\r\n{body}"), false)
    };
    for length in ["", "content-length: 999999999\r\n", "connection: close\r\n"] {
        let host = answering(vec![endless(length)]).await;
        let api = api(&host);
        let file = Path::new(".github/shipmark.yml");
        for error in [
            api.get_repository().await.map(drop).unwrap_err(),
            api.get_commit_time(COMMIT).await.map(drop).unwrap_err(),
            api.get_file(file, COMMIT, 1 << 20)
                .await
                .map(drop)
                .unwrap_err(),
        ] {
            assert!(matches!(error, GithubApiError::TooLong { .. }), "{error}");
            assert!(error.to_string().contains("/repos/acme/web"), "{error}");
        }
        assert_eq!(host.answered(), 3);
    }
}

#[tokio::test]
async fn promise_6_an_answer_of_github_that_trickles_is_no_answer() {
    let head = "HTTP/1.1 200 OK\r\n\r\n".to_owned();
    let host = Wire::trickling(head, Duration::from_millis(20)).await;
    let error = api(&host).get_repository().await.map(drop).unwrap_err();
    assert!(
        error.to_string().contains("was not complete after 0.9 s"),
        "{error}"
    );
    assert_eq!(host.answered(), 1);
}

#[tokio::test]
async fn a_file_has_its_limit_at_github_too() {
    let limit = 1 << 20;
    let file = Path::new(".github/shipmark.yml");
    for (size, fits) in [(limit, true), (limit + 1, false)] {
        let host = answering(vec![(answer(200, "", &"#".repeat(size)), true)]).await;
        let found = api(&host).get_file(file, COMMIT, limit).await;
        assert_eq!(found.is_ok(), fits, "{size}");
    }
}

/// A page of pull requests with these numbers.
fn pulls(numbers: std::ops::Range<u64>) -> String {
    let pulls = numbers.map(|number| {
        format!(r#"{{"number":{number},"head":{{"ref":"x"}},"base":{{"ref":"main"}}}}"#)
    });
    format!("[{}]", pulls.collect::<Vec<_>>().join(","))
}

/// A header that names the next page.
fn next(page: u32) -> String {
    format!("link: <?page={page}>; rel=\"next\"\r\n")
}

#[tokio::test]
async fn a_list_follows_every_link_header_to_its_end() {
    let last = "link: <?page=9>; rel=\"last\"\r\n";
    let pages = [
        (format!("{last}{}", next(2)), pulls(0..2)),
        (format!("{}{last}", next(3)), pulls(2..3)),
        (last.to_owned(), pulls(3..5)),
    ];
    let answers = pages.map(|(headers, body)| (answer(200, &headers, &body), true));
    let host = answering(answers.into()).await;
    let found = api(&host).list_commit_pull_requests(COMMIT).await.unwrap();
    let numbers: Vec<u64> = found.iter().map(|pull| pull.number).collect();
    assert_eq!(numbers, [0, 1, 2, 3, 4]);
    assert_eq!(host.answered(), 3);
}

#[tokio::test]
async fn a_list_without_end_is_not_followed_for_ever() {
    let pages = (2..100).map(|page| (answer(200, &next(page), &pulls(0..1)), true));
    let host = answering(pages.collect()).await;
    let error = api(&host).list_commit_pull_requests(COMMIT).await;
    let error = error.unwrap_err();
    assert!(matches!(error, GithubApiError::BrokenList(_)), "{error}");
    assert_eq!(host.answered(), 20);
}

#[tokio::test]
async fn a_list_that_ends_before_its_total_is_broken() {
    let run = r#"{"id":1,"name":"test","status":"completed"}"#;
    let page = |total: &str| format!(r#"{{{total}"check_runs":[{run},{run}]}}"#);
    for (total, is_whole) in [
        (r#""total_count":2,"#, true),
        // One was deleted while the pages were read, or GitHub does not count.
        (r#""total_count":1,"#, true),
        ("", true),
        (r#""total_count":3,"#, false),
    ] {
        let host = answering(vec![(answer(200, "", &page(total)), true)]).await;
        match api(&host).list_check_runs(COMMIT).await {
            Ok(found) => assert_eq!((found.len(), is_whole), (2, true), "{total}"),
            Err(error) => {
                assert!(matches!(error, GithubApiError::BrokenList(_)), "{error}");
                assert!(!is_whole, "{total}: {error}");
            }
        }
    }
}
