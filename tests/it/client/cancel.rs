//! What is left at a registry by a run that is broken off: no upload session, no tag.

use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use super::engine::put_image;
use crate::registry::{Effect, Fault, Profile, Registry};
use crate::support::process::Place;

const MIB: u64 = 1 << 20;

/// The program, copying a large image into a registry.
async fn copying(place: &Place, from: &Registry, to: &Registry) -> Child {
    put_image(from, &[(64 * MIB, 1), (8 * MIB, 2), (MIB, 3)]);
    place
        .command()
        .arg("promote")
        .arg(format!("--source={}/big:1", from.host()))
        .arg(format!("--images={}/copy", to.host()))
        .args(["--tags=copied", "--ref=refs/heads/main"])
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}

async fn until(said: impl Fn() -> bool) {
    let start = Instant::now();
    while !said() {
        assert!(start.elapsed() < Duration::from_secs(10), "it never comes");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

/// Sends the signal, and waits for the end that it must bring soon.
async fn ends(mut child: Child, signal: &str) {
    let start = Instant::now();
    let id = child.id().to_string();
    let sent = Command::new("kill").args([signal, &id]).status().unwrap();
    assert!(sent.success());
    let status = tokio::task::spawn_blocking(move || child.wait().unwrap());
    assert_eq!(status.await.unwrap().code(), Some(130), "{signal}");
    assert!(start.elapsed() < Duration::from_secs(2), "{signal}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_signal_in_the_middle_of_an_upload_leaves_no_session() {
    for signal in ["-INT", "-TERM"] {
        let place = Place::new();
        let from = Registry::start(Profile::plain()).await;
        let to = Registry::start(Profile::plain()).await;
        let slow = Effect::Delay(Duration::from_secs(30));
        to.fault(Fault::on("PUT", "/blobs/uploads/", slow).always());
        let child = copying(&place, &from, &to).await;
        until(|| to.count_of("PUT ") >= 3).await;
        assert!(to.open_uploads() >= 3);
        ends(child, signal).await;
        assert_eq!(to.open_uploads(), 0, "{signal}: {:?}", to.requests());
        assert!(to.tags("copy").is_empty());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_that_was_being_opened_is_closed_too() {
    let place = Place::new();
    let from = Registry::start(Profile::plain()).await;
    let to = Registry::start(Profile::plain()).await;
    let slow = Effect::Delay(Duration::from_millis(500));
    to.fault(Fault::on("POST", "/blobs/uploads/", slow).always());
    let child = copying(&place, &from, &to).await;
    until(|| to.count_of("POST ") > 0).await;
    ends(child, "-TERM").await;
    assert!(to.count_of("DELETE ") > 0, "{:?}", to.requests());
    assert_eq!(to.open_uploads(), 0, "{:?}", to.requests());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_registry_that_does_not_answer_keeps_nobody() {
    let place = Place::new();
    let from = Registry::start(Profile::plain()).await;
    let to = Registry::start(Profile::plain()).await;
    to.fault(Fault::on("PUT", "/blobs/uploads/", Effect::StopForGood));
    let child = copying(&place, &from, &to).await;
    to.stopped().await;
    ends(child, "-TERM").await;
}

/// Two destinations, one of which fails while the other is in the middle of its uploads.
#[tokio::test(flavor = "multi_thread")]
async fn a_destination_that_fails_leaves_no_session_at_the_other() {
    let place = Place::new();
    let from = Registry::start(Profile::plain()).await;
    let [fails, slow] = [
        Registry::start(Profile::plain()).await,
        Registry::start(Profile::plain()).await,
    ];
    put_image(&from, &[(4 * MIB, 1), (MIB, 2)]);
    let later = Effect::Delay(Duration::from_secs(30));
    slow.fault(Fault::on("PUT", "/blobs/uploads/", later).always());
    fails.fault(Fault::on("PUT", "/manifests/", Effect::status(403)));
    let mut command = place.command();
    command
        .arg("promote")
        .arg(format!("--source={}/big:1", from.host()))
        .arg(format!("--images={}/copy", fails.host()))
        .arg(format!("--images={}/copy", slow.host()))
        .args(["--tags=copied", "--ref=refs/heads/main"]);
    let ran = tokio::task::spawn_blocking(move || command.output().unwrap());
    assert_eq!(ran.await.unwrap().status.code(), Some(3));
    assert!(slow.count_of("POST ") > 0, "{:?}", slow.requests());
    for registry in [&fails, &slow] {
        assert_eq!(registry.open_uploads(), 0, "{:?}", registry.requests());
    }
}
