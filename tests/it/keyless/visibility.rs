//! Whether a repository may be named in the public log: only one that is known to be public, or where
//! that is agreed to.

use super::{ran, step};
use crate::registry::{Effect, Fault};
use crate::sigstore::Sigstore;
use crate::support::process::{Place, Ran};
use crate::support::web::Web;

/// Sigstore's public instance, whose services nothing here can reach.
const PUBLIC: [(&str, &str); 3] = [("fulcio-url", ""), ("rekor-url", ""), ("trusted-root", "")];
const TOKEN: (&str, &str) = ("github-token", "made-up");
const OFFLINE: (&str, &str) = ("offline", "true");
const AGREED: (&str, &str) = ("transparency-log", "on");

/// Where a run came to.
#[derive(Debug, Clone, Copy, PartialEq)]
enum End {
    /// It asked for the identity that is logged.
    Signing,
    /// It was refused for want of an agreement.
    Refused,
    /// GitHub's API failed.
    Failed,
}

/// A job that an event started, and what GitHub's API answers.
struct Job {
    event: &'static str,
    payload: Option<String>,
    answer: Option<(u16, &'static str)>,
    inputs: Vec<(&'static str, &'static str)>,
}

impl Job {
    fn of(event: &'static str, payload: Option<&str>) -> Self {
        Self {
            event,
            payload: payload.map(str::to_owned),
            answer: None,
            inputs: PUBLIC.to_vec(),
        }
        .with(("command", "promote"))
    }

    fn answered(mut self, status: u16, body: &'static str) -> Self {
        self.answer = Some((status, body));
        self.with(TOKEN)
    }

    fn with(mut self, input: (&'static str, &'static str)) -> Self {
        self.inputs.retain(|(name, _)| *name != input.0);
        self.inputs.push(input);
        self
    }

    /// Runs it, and tells what GitHub's API was asked for.
    async fn run(&self) -> (End, Vec<String>, Ran) {
        let sigstore = Sigstore::start().await;
        // The identity is as far as it goes: nothing here leads to the public log.
        sigstore.fault(Fault::on("GET", "/token", Effect::status(403)).always());
        let answers = self
            .answer
            .map(|(status, body)| ("/repos/acme/web", status, body));
        let api = Web::start(answers.as_slice());
        let place = Place::new();
        let mut step = step(&place, &sigstore, &self.inputs);
        step.env("GITHUB_EVENT_NAME", self.event)
            .env("GITHUB_API_URL", api.address())
            .env("HTTPS_PROXY", "http://127.0.0.1:9");
        if let Some(payload) = &self.payload {
            std::fs::write(place.path("event.json"), payload).unwrap();
            step.env("GITHUB_EVENT_PATH", place.path("event.json"));
        }
        let ran = ran(step).await;
        assert!(!place.path("a").exists(), "{}", ran.log);
        let asked_identity = ran.log.contains("permissions: id-token: write");
        let end = match (asked_identity, ran.status) {
            (true, _) => End::Signing,
            (false, Some(2)) => End::Refused,
            (false, Some(3)) => End::Failed,
            other => panic!("{other:?}: {}", ran.log),
        };
        if end != End::Signing {
            assert!(ran.log.contains("transparency-log: on"), "{}", ran.log);
            assert_eq!(sigstore.counts(), [0; 4], "{}", ran.log);
        }
        (end, api.asked(), ran)
    }
}

async fn ends(job: Job, end: End, asks: bool) {
    let case = format!(
        "{} {:?} {:?} {:?}",
        job.event, job.payload, job.answer, job.inputs
    );
    let (ended, asked, ran) = job.run().await;
    assert_eq!(ended, end, "{case}: {}", ran.log);
    assert_eq!(!asked.is_empty(), asks, "{case}: {asked:?}");
}

/// A repository as events describe it.
fn about(repository: &str) -> String {
    format!(r#"{{"repository":{repository}}}"#)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn promise_7_an_event_that_says_public_is_enough_and_any_other_word_is_not() {
    for (repository, end) in [
        (r#"{"private":false}"#, End::Signing),
        (
            r#"{"private":false,"visibility":"public","full_name":"Acme/Web"}"#,
            End::Signing,
        ),
        (r#"{"private":true}"#, End::Refused),
        (r#"{"private":true,"visibility":"internal"}"#, End::Refused),
        (r#"{"private":false,"visibility":"internal"}"#, End::Refused),
        (r#"{"private":true,"visibility":"public"}"#, End::Refused),
        // Nothing certain is said of this repository, and nobody else is asked.
        (
            r#"{"private":false,"full_name":"acme/other"}"#,
            End::Refused,
        ),
        (r#"{"private":"false"}"#, End::Refused),
        (r#"{"visibility":"public"}"#, End::Refused),
        ("{}", End::Refused),
    ] {
        let payload = about(repository);
        for event in ["push", "workflow_dispatch"] {
            ends(Job::of(event, Some(&payload)).with(OFFLINE), end, false).await;
        }
        let agreed = Job::of("push", Some(&payload)).with(OFFLINE).with(AGREED);
        ends(agreed, End::Signing, false).await;
    }
}

/// The events that say nothing of the repository, or of another one.
fn silent() -> Vec<(&'static str, Option<String>)> {
    vec![
        ("schedule", None),
        ("schedule", Some(r#"{"schedule":"0 0 * * *"}"#.to_owned())),
        ("push", None),
        (
            "workflow_run",
            Some(r#"{"workflow_run":{"head_repository":{"private":false}}}"#.to_owned()),
        ),
        ("repository_dispatch", Some("{}".to_owned())),
        (
            "fork",
            Some(about(r#"{"private":false,"full_name":"other/web"}"#)),
        ),
    ]
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn promise_7_a_silent_event_needs_an_agreement_or_githubs_word() {
    for (event, payload) in silent() {
        let job = || Job::of(event, payload.as_deref());
        ends(job(), End::Refused, false).await;
        ends(job().with(AGREED), End::Signing, false).await;
        ends(
            job().answered(200, r#"{"private":false}"#).with(OFFLINE),
            End::Refused,
            false,
        )
        .await;
        for (status, body, end) in [
            (
                200,
                r#"{"private":false,"visibility":"public"}"#,
                End::Signing,
            ),
            (200, r#"{"private":true}"#, End::Refused),
            (
                200,
                r#"{"private":true,"visibility":"internal"}"#,
                End::Refused,
            ),
            (
                200,
                r#"{"private":false,"visibility":"internal"}"#,
                End::Refused,
            ),
            (200, "{}", End::Refused),
            (404, "{}", End::Refused),
            (403, "{}", End::Refused),
            (500, "{}", End::Failed),
            (200, "<html>", End::Failed),
        ] {
            ends(job().answered(status, body), end, true).await;
        }
    }
}

/// The inputs say which event to go by for tags; the log names the repository of the job.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn promise_7_the_inputs_do_not_make_a_repository_public() {
    let place = Place::new();
    let said = place.path("said.json");
    std::fs::write(&said, about(r#"{"private":false}"#)).unwrap();
    let event: &'static str = Box::leak(format!("push={}", said.display()).into_boxed_str());
    for payload in [None, Some(about(r#"{"private":true}"#))] {
        let job = Job::of("push", payload.as_deref())
            .with(("event", event))
            .with(OFFLINE);
        ends(job, End::Refused, false).await;
        let job = Job::of("push", payload.as_deref())
            .with(("ref", "refs/heads/x"))
            .with(OFFLINE);
        ends(job, End::Refused, false).await;
    }
}

/// Sigstore's own services are public however they are named.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn promise_7_the_public_log_is_public_however_it_is_named() {
    for (fulcio, rekor, end) in [
        (
            "https://fulcio.sigstore.dev",
            "https://rekor.sigstore.dev",
            End::Refused,
        ),
        (
            "https://fulcio.example",
            "https://rekor.sigstore.dev",
            End::Refused,
        ),
        (
            "https://fulcio.example",
            "https://REKOR.Sigstore.dev./",
            End::Refused,
        ),
        (
            "https://fulcio.sigstage.dev",
            "https://rekor.example",
            End::Refused,
        ),
        (
            "https://fulcio.example",
            "https://rekor.notsigstore.dev",
            End::Signing,
        ),
        (
            "https://fulcio.example",
            "https://sigstore.dev.example",
            End::Signing,
        ),
    ] {
        let job = Job::of("schedule", None)
            .with(("fulcio-url", fulcio))
            .with(("rekor-url", rekor))
            .with(("trusted-root", "root.json"));
        ends(job, end, false).await;
    }
}
