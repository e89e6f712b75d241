//! Images of a Docker engine: over a real socket, from an engine that answers as moby does.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use shipmark::release::{Failure, ReleaseContext, ReleaseOutcome};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{UnixListener, UnixStream};

use crate::support::process::Place;
use crate::support::*;

const MAIN: &str = "refs/heads/main";

/// How the engine answers when it is asked for the archive.
#[derive(Clone, Copy)]
enum Saves {
    /// With the archive.
    Whole,
    /// With half of it.
    Half,
    /// With an error, after it has said that it has the image.
    NotAtAll,
}

/// An engine that has one image.
struct Engine {
    folder: tempfile::TempDir,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Engine {
    fn start(name: &'static str, archive: PathBuf, saves: Saves) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let listener = UnixListener::bind(folder.path().join("docker.sock")).unwrap();
        let asked: Arc<Mutex<Vec<String>>> = Arc::default();
        let log = asked.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let request = answer(stream, name, &archive, saves).await;
                log.lock().unwrap().push(request);
            }
        });
        Self { folder, asked }
    }

    fn host(&self) -> String {
        format!(
            "unix://{}",
            self.folder.path().join("docker.sock").display()
        )
    }

    fn context(&self) -> ReleaseContext {
        ReleaseContext {
            docker_host: Some(self.host()),
            ..context()
        }
    }

    fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }
}

/// Answers one request, and gives its first line.
async fn answer(mut stream: UnixStream, name: &str, archive: &Path, saves: Saves) -> String {
    let mut request = Vec::new();
    while !request.ends_with(b"\r\n\r\n") {
        request.push(stream.read_u8().await.unwrap());
    }
    let request = String::from_utf8(request).unwrap();
    let line = request.lines().next().unwrap().to_owned();
    let tar = std::fs::read(archive).unwrap();
    let known = line.starts_with(&format!("GET /images/{name}/"));
    let saved = line.contains("/get ");
    let (status, body, len) = match (known, saved, saves) {
        // Taken from moby: api/server/httputils, and daemon/images.
        (false, ..) => (
            "404 Not Found",
            br#"{"message":"No such image: web:1"}"#.to_vec(),
            None,
        ),
        (true, false, _) => ("200 OK", b"{}".to_vec(), None),
        (true, true, Saves::Whole) => ("200 OK", tar, None),
        (true, true, Saves::Half) => ("200 OK", tar[..tar.len() / 2].to_vec(), Some(tar.len())),
        (true, true, Saves::NotAtAll) => (
            "500 Internal Server Error",
            b"{\"message\":\"layer does not exist\\u001b[0m\"}".to_vec(),
            None,
        ),
    };
    let len = len.unwrap_or(body.len());
    let head = format!("HTTP/1.1 {status}\r\nContent-Length: {len}\r\nConnection: close\r\n\r\n");
    let _ = stream.write_all(head.as_bytes()).await;
    let _ = stream.write_all(&body).await;
    let _ = stream.shutdown().await;
    line
}

async fn pushed(engine: &Engine, source: &str) -> ReleaseOutcome {
    let out = tempfile::tempdir().unwrap();
    let place = format!("oci:{}", out.path().join("out").display());
    done(push(source, &[&place], MAIN), &engine.context()).await
}

#[tokio::test]
async fn an_image_is_saved_and_pushed() {
    let name = "registry.example/team/fixture:1.4.2";
    let archive = image("docker20-save-single.tar");
    let engine = Engine::start(
        "registry.example/team/fixture:1.4.2",
        archive.clone(),
        Saves::Whole,
    );
    let outcome = pushed(&engine, &format!("docker-daemon:{name}")).await;
    assert_eq!(
        engine.asked(),
        [
            format!("GET /images/{name}/json HTTP/1.1"),
            format!("GET /images/{name}/get HTTP/1.1"),
        ]
    );
    let from_file = pushed(&engine, &format!("docker-archive:{}", archive.display())).await;
    assert_eq!(outcome.root, from_file.root);
}

/// What containerd keeps for Docker has a digest, and is pushed with it.
#[tokio::test]
async fn promise_1_an_engine_with_containerd_keeps_the_digest() {
    let archive = image("docker29-containerd-save-multi.tar");
    let engine = Engine::start("docker.io/library/web:latest", archive, Saves::Whole);
    let outcome = pushed(&engine, "docker-daemon:web").await;
    let built = "sha256:7674676db7b2ca40718eec7b581683075644c51c5ecf2e73da443bd00873b4bd";
    assert_eq!(outcome.root.to_string(), built);
}

#[tokio::test]
async fn an_image_is_found_by_its_id() {
    let id = "sha256:1b67c2ecf6a46829024b90c4b3ebeedbb8255e7af5f58b847d5b32a48650d6da";
    let engine = Engine::start(id, image("docker20-save-by-id.tar"), Saves::Whole);
    pushed(&engine, &format!("docker-daemon:{id}")).await;
}

async fn refused(source: &str, context: &ReleaseContext) -> (Failure, String) {
    let out = tempfile::tempdir().unwrap();
    let place = format!("oci:{}", out.path().join("out").display());
    let failed = failed(push(source, &[&place], MAIN), context).await;
    assert!(!out.path().join("out").exists(), "nothing is written");
    failed
}

#[tokio::test]
async fn what_the_engine_does_not_give_is_explained() {
    let tar = || image("docker20-save-single.tar");
    for (engine, source, is_input, parts) in [
        (
            Engine::start("docker.io/library/web:1", tar(), Saves::Whole),
            "docker-daemon:web:2",
            true,
            [
                "docker-daemon:docker.io/library/web:2: the Docker engine has no such image",
                "--load",
            ],
        ),
        (
            Engine::start("docker.io/library/web:1", tar(), Saves::NotAtAll),
            "docker-daemon:web:1",
            false,
            [
                "answered 500 Internal Server Error: layer does not exist\u{fffd}[0m",
                "the engine's log",
            ],
        ),
        (
            Engine::start("docker.io/library/web:1", tar(), Saves::Half),
            "docker-daemon:web:1",
            false,
            [
                "the connection to the Docker engine broke: ",
                "the engine's log",
            ],
        ),
    ] {
        let (failure, text) = refused(source, &engine.context()).await;
        assert_eq!(matches!(failure, Failure::Input(_)), is_input, "{text}");
        for part in parts {
            assert!(text.contains(part), "{part}: {text}");
        }
    }
}

#[tokio::test]
async fn where_no_engine_is_the_ways_round_are_named() {
    let folder = tempfile::tempdir().unwrap();
    let socket = folder.path().join("docker.sock");
    let left = folder.path().join("left.sock");
    // A socket that nobody listens at any more.
    drop(UnixListener::bind(&left).unwrap());
    for (host, part, hint) in [
        (
            format!("unix://{}", socket.display()),
            format!("no Docker engine listens at {}", socket.display()),
            "/var/run/docker.sock, where the runner's machine has it",
        ),
        (
            format!("unix://{}", left.display()),
            format!("no Docker engine listens at {}", left.display()),
            "docker save -o image.tar NAME",
        ),
        (
            "tcp://10.0.0.1:2375".to_owned(),
            "DOCKER_HOST is tcp://10.0.0.1:2375, expected the socket of an engine on this machine"
                .to_owned(),
            "docker-archive:image.tar",
        ),
    ] {
        let context = ReleaseContext {
            docker_host: Some(host),
            ..context()
        };
        let (_, text) = refused("docker-daemon:web", &context).await;
        assert!(text.contains(&part) && text.contains(hint), "{text}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_process_finds_the_engine_by_docker_host() {
    let engine = Engine::start(
        "docker.io/library/web:1",
        image("docker20-save-single.tar"),
        Saves::Whole,
    );
    let place = Place::new();
    let mut command = place.command();
    let arguments = [
        "push",
        "--source=docker-daemon:web:1",
        "--images=oci:out",
        "--tags=it",
    ];
    let output = command
        .args(arguments)
        .env("DOCKER_HOST", engine.host())
        .output()
        .unwrap();
    let log = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success(), "{log}");
    assert!(
        log.contains("docker-daemon:docker.io/library/web:1: making an image of its 4 layers"),
        "{log}"
    );
    assert!(place.path("out/index.json").exists());
}

/// Against a real engine: `docker pull` or `docker build` made the image of the variable.
#[tokio::test]
#[ignore = "Docker engine"]
async fn a_real_engine_saves_its_images() {
    let name = std::env::var("SHIPMARK_TEST_DOCKER_IMAGE").unwrap();
    let out = tempfile::tempdir().unwrap();
    let place = format!("oci:{}", out.path().join("out").display());
    let context = ReleaseContext {
        docker_host: std::env::var("DOCKER_HOST").ok(),
        ..context()
    };
    let source = format!("docker-daemon:{name}");
    let first = done(push(&source, &[&place], MAIN), &context).await;
    let again = done(push(&source, &[&place], MAIN), &context).await;
    assert_eq!(first.root, again.root);
    let (_, text) = refused("docker-daemon:registry.example/nosuch:1", &context).await;
    assert!(text.contains("has no such image"), "{text}");
}
