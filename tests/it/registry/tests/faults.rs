//! Every fault's effect.

use std::time::{Duration, Instant};

use tokio::time::timeout;

use super::{Answer, Ask, ask, client, digest_of, get, image, post, tagged};
use crate::registry::{Effect, Fault, Profile, Registry, digest, fixture};

const BASE: &str = "/v2/";
/// Long enough for any answer on this machine.
const A_WHILE: Duration = Duration::from_millis(300);

/// A registry with the blob `0123456789`, one fault for it, and its path.
async fn with_blob(effect: Effect) -> (Registry, String) {
    let registry = Registry::start(Profile::plain()).await;
    let path = format!(
        "/v2/team/app/blobs/{}",
        registry.put_blob("team/app", "0123456789")
    );
    registry.fault(Fault::on("GET", "/blobs/", effect));
    (registry, path)
}

async fn fails(registry: &Registry, path: &str) -> bool {
    ask(registry, "GET", path).attempt().await.is_err()
}

async fn is_silent(registry: &Registry, path: &str) -> bool {
    timeout(A_WHILE, ask(registry, "GET", path).attempt())
        .await
        .is_err()
}

#[tokio::test]
async fn a_status_takes_the_place_of_an_answer() {
    let registry = Registry::start(Profile::plain()).await;
    let effect = Effect::status_with(429, &[("retry-after", "7")], "slow down");
    registry.fault(Fault::at(2, effect));
    assert_eq!(get(&registry, BASE).await.status, 200);
    let refused = get(&registry, BASE).await;
    assert_eq!(
        (
            refused.status,
            refused.header("retry-after"),
            refused.text()
        ),
        (429, "7", "slow down")
    );
    assert_eq!(get(&registry, BASE).await.status, 200);
    assert_eq!(
        registry.requests(),
        ["GET /v2/ 200", "GET /v2/ 429", "GET /v2/ 200"]
    );
}

#[tokio::test]
async fn a_fixture_takes_the_place_of_an_answer() {
    let registry = Registry::start(Profile::plain()).await;
    registry.fault(Fault::on(
        "*",
        "",
        Effect::Answer(fixture("dockerhub/429_pull_limit")),
    ));
    let refused = get(&registry, BASE).await;
    assert_eq!(
        (refused.status, refused.header("retry-after")),
        (429, "600")
    );
    assert_eq!(refused.code(), "TOOMANYREQUESTS");
    assert_eq!(
        registry.log()[0].known_from.as_deref(),
        Some("dockerhub/429_pull_limit")
    );
}

#[tokio::test]
async fn faults_strike_by_pattern_and_so_often() {
    let registry = Registry::start(Profile::plain()).await;
    registry.fault(Fault::on("GET", "/tags/", Effect::status(503)).times(2));
    registry.fault(Fault::on("HEAD", BASE, Effect::status(500)).always());
    let path = "/v2/team/app/tags/list";
    let mut statuses = Vec::new();
    for _ in 0..3 {
        statuses.push(get(&registry, path).await.status);
        statuses.push(super::head(&registry, BASE).await.status);
    }
    assert_eq!(statuses, [503, 500, 503, 500, 404, 500]);
    registry.clear_faults();
    assert_eq!(super::head(&registry, BASE).await.status, 200);
}

#[tokio::test]
async fn the_count_of_a_fault_begins_where_the_log_was_cleared() {
    let registry = Registry::start(Profile::plain()).await;
    get(&registry, BASE).await;
    registry.clear_log();
    registry.fault(Fault::at(1, Effect::status(500)));
    assert_eq!(get(&registry, BASE).await.status, 500);
}

/// Pushes a manifest with this fault in the way, and tells whether an answer came and
/// whether the manifest did.
async fn push_with(effect: Effect) -> (Registry, bool, bool) {
    let registry = Registry::start(Profile::plain()).await;
    let manifest = image(&registry, "team/app", "one");
    registry.fault(Fault::on("PUT", "/manifests/", effect));
    let push =
        ask(&registry, "PUT", "/v2/team/app/manifests/1").header("content-type", super::MANIFEST);
    let push = timeout(A_WHILE, push.body(manifest.to_string()).attempt()).await;
    let there = registry.has_manifest("team/app", &digest_of(&manifest));
    (registry, matches!(push, Ok(Ok(_))), there)
}

#[tokio::test]
async fn a_reset_comes_before_or_after_the_request_is_applied() {
    let (registry, answered, there) = push_with(Effect::ResetBefore).await;
    assert_eq!((answered, there), (false, false));
    assert_eq!(registry.requests(), ["PUT /v2/team/app/manifests/1 -"]);
    let (_, answered, there) = push_with(Effect::ResetAfter).await;
    assert_eq!((answered, there), (false, true));
}

#[tokio::test]
async fn a_reset_is_a_reset() {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let registry = Registry::start(Profile::plain()).await;
    registry.fault(Fault::at(1, Effect::ResetBefore));
    let mut stream = tokio::net::TcpStream::connect(registry.host())
        .await
        .expect("a connection");
    stream
        .write_all(b"GET /v2/ HTTP/1.1\r\nhost: x\r\n\r\n")
        .await
        .expect("a request");
    let error = stream.read_u8().await.expect_err("no answer");
    assert_eq!(error.kind(), std::io::ErrorKind::ConnectionReset);
}

#[tokio::test]
async fn a_reset_comes_within_an_upload() {
    let registry = Registry::start(Profile::plain()).await;
    let blob = digest(&[7; 100_000]);
    registry.fault(Fault::on("POST", "digest=", Effect::ResetInUpload(1000)));
    let path = format!("/v2/team/app/blobs/uploads/?digest={blob}");
    let upload = || ask(&registry, "POST", &path).body(vec![7; 100_000]);
    assert!(upload().attempt().await.is_err());
    assert!(!registry.has_blob("team/app", &blob));
    assert_eq!(upload().get().await.status, 201);
}

#[tokio::test]
async fn a_reset_comes_within_the_body() {
    let (registry, path) = with_blob(Effect::ResetInBody(4)).await;
    let mut answer = client()
        .get(registry.url() + &path)
        .send()
        .await
        .expect("a head");
    assert_eq!(
        (answer.status().as_u16(), answer.content_length()),
        (200, Some(10))
    );
    assert_eq!(
        answer.chunk().await.expect("the first bytes").as_deref(),
        Some(&b"0123"[..])
    );
    assert!(answer.chunk().await.is_err());
    assert_eq!(get(&registry, &path).await.text(), "0123456789");
}

#[tokio::test]
async fn a_body_is_cut_short() {
    let (registry, path) = with_blob(Effect::Truncate(4)).await;
    let cut = get(&registry, &path).await;
    assert_eq!(
        (cut.status, cut.header("content-length"), cut.text()),
        (200, "4", "0123")
    );
}

#[tokio::test]
async fn a_byte_is_flipped() {
    let (registry, path) = with_blob(Effect::FlipByte(4)).await;
    assert_eq!(get(&registry, &path).await.text(), "0123556789");
    assert_eq!(get(&registry, &path).await.text(), "0123456789");
}

#[tokio::test]
async fn an_answer_is_late() {
    let (registry, path) = with_blob(Effect::Delay(A_WHILE)).await;
    let asked = Instant::now();
    assert_eq!(get(&registry, &path).await.status, 200);
    assert!(asked.elapsed() >= A_WHILE);
}

#[tokio::test]
async fn a_body_has_no_end() {
    let (registry, path) = with_blob(Effect::EndlessBody).await;
    let mut answer = client()
        .get(registry.url() + &path)
        .send()
        .await
        .expect("a head");
    let mut read = 0;
    while read < 1_000_000 {
        read += answer.chunk().await.expect("a part").expect("no end").len();
    }
}

#[tokio::test]
async fn it_stops_for_good_and_resumes() {
    let registry = Registry::start(Profile::plain()).await;
    registry.fault(Fault::at(2, Effect::StopForGood));
    assert_eq!(get(&registry, BASE).await.status, 200);
    assert!(timeout(A_WHILE, registry.stopped()).await.is_err());
    assert!(is_silent(&registry, BASE).await);
    registry.stopped().await;
    assert!(is_silent(&registry, BASE).await);
    assert_eq!(
        registry.requests(),
        ["GET /v2/ 200", "GET /v2/ -", "GET /v2/ -"]
    );
    registry.resume();
    assert!(timeout(A_WHILE, registry.stopped()).await.is_err());
    assert_eq!(get(&registry, BASE).await.status, 200);
}

#[tokio::test]
async fn it_stops_for_good_before_or_after_the_request_is_applied() {
    let (registry, answered, there) = push_with(Effect::StopForGood).await;
    assert_eq!((answered, there), (false, false));
    registry.stopped().await;
    let (registry, answered, there) = push_with(Effect::StopForGoodAfter).await;
    assert_eq!((answered, there), (false, true));
    registry.stopped().await;
    assert!(is_silent(&registry, BASE).await);
}

#[tokio::test]
async fn a_stop_leaves_nothing_half_done_on_kept_connections() {
    let registry = Registry::start(Profile::plain()).await;
    tagged(&registry, "team/app", "1");
    let client = client();
    let again = || Ask(client.get(registry.url() + BASE)).attempt();
    again()
        .await
        .map(|answer: Answer| assert_eq!(answer.status, 200))
        .expect("an answer");
    registry.fault(Fault::at(2, Effect::StopForGood));
    assert!(timeout(A_WHILE, again()).await.is_err());
    assert_eq!(registry.open_uploads(), 0);
    registry.resume();
    assert!(!fails(&registry, BASE).await);
    assert_eq!(
        post(&registry, "/v2/team/app/blobs/uploads/").await.status,
        202
    );
    assert!(registry.dangling().is_empty());
}
