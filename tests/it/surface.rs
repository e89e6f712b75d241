//! The process, from the outside: its arguments, its streams, its exit status, what it leaves.

use std::io::Read;
use std::process::{Command, Stdio};
use std::time::Instant;

use shipmark::http::RetryTiming;

use crate::support::process::{Place, Ran, is_empty};
use crate::support::{example, example_root};

#[test]
fn an_image_goes_its_way_on_the_command_line() {
    let place = Place::new();
    let source = example();
    let push = [
        "push",
        "--source",
        &source,
        "--images=oci:dev",
        "--tags=git-9f3c2a1",
    ];
    let dry = place.run(&[&push[..], &["--dry-run"]].concat());
    assert_eq!(
        (dry.status, is_empty(&place.path("dev"))),
        (Some(0), true),
        "{}",
        dry.log
    );
    assert!(dry.out.contains("would be created"), "{}", dry.out);
    let first = place.run(&push);
    assert_eq!(first.status, Some(0), "{}", first.log);
    assert!(
        first.out.starts_with("pushed oci-archive:"),
        "{}",
        first.out
    );
    assert!(
        first
            .out
            .contains(&format!("\noci:dev@{}\n", example_root()))
    );
    let again = place.run(&push);
    assert_eq!(again.status, Some(0));
    assert!(
        again.out.starts_with("already up to date: "),
        "{}",
        again.out
    );
    let promote = [
        "promote",
        "--source=oci:dev:git-9f3c2a1",
        "--images=oci:prod",
        "--environment=prod",
    ];
    let promoted = place.run(&promote);
    assert_eq!(promoted.status, Some(0), "{}", promoted.log);
    for tag in ["1.4.0 ", "git-9f3c2a1 ", "latest ", "prod "] {
        assert!(
            promoted.out.contains(&format!("\n  {tag}")),
            "{}",
            promoted.out
        );
    }
}

#[test]
fn a_step_of_a_job_leaves_outputs_and_a_summary() {
    let place = Place::new();
    let ran = Ran::of(
        place
            .step(
                "refs/tags/v1.4.0",
                &[
                    ("command", "push"),
                    ("source", &example()),
                    ("images", "oci:a\noci:b\n"),
                    ("credentials", "ghcr.io=robot:made-up-word"),
                    ("dry-run", "false"),
                    ("qqq", "x"),
                ],
            )
            .output()
            .unwrap(),
    );
    assert_eq!((ran.status, ran.out.as_str()), (Some(0), ""), "{}", ran.log);
    assert!(ran.log.starts_with("::add-mask::"), "{}", ran.log);
    assert!(ran.log.contains("::add-mask::made-up-word\n"));
    assert!(
        ran.log
            .contains("::warning title=shipmark::unknown input qqq")
    );
    let said = ran
        .log
        .lines()
        .filter(|line| !line.starts_with("::add-mask::"));
    assert!(said.clone().all(|line| !line.contains("made-up-word")));
    let root = example_root();
    assert_eq!(place.output("digest"), root.to_string());
    assert_eq!(place.output("image"), format!("oci:a@{root}\noci:b@{root}"));
    assert!(place.output("tags").contains("oci:b:1.4.0"));
    assert_eq!(place.output("version"), "1.4.0");
    assert_eq!(place.output("outcome"), "released");
    let json: serde_json::Value = serde_json::from_str(&place.output("json")).unwrap();
    assert_eq!(json["destinations"][1]["place"], "oci:b");
    let summary = place.read("summary");
    let head = "## a 1.4.0 to oci:a and 1 more\n\n**Released** by shipmark push: ";
    assert!(summary.starts_with(head), "{summary}");
    assert!(!summary.contains("made-up-word"));
    let platforms = "| Platforms | linux/amd64 (";
    assert!(
        summary.contains(platforms) && summary.contains("), linux/arm64 ("),
        "{summary}"
    );
}

#[test]
fn a_hostile_branch_name_is_text_wherever_it_comes() {
    let place = Place::new();
    let name = "x\n::add-mask::sha256\n%0A`<script>alert(1)</script>|outcome=released";
    let inputs = [
        ("command", "push"),
        ("source", &example()),
        ("images", "oci:a"),
    ];
    let ran = Ran::of(
        place
            .step(&format!("refs/heads/{name}"), &inputs)
            .output()
            .unwrap(),
    );
    assert_eq!(ran.status, Some(0), "{}", ran.log);
    assert_eq!(place.outputs().len(), 12);
    let mut stopped = None;
    for line in ran.log.lines() {
        match &stopped {
            None => {
                stopped = line
                    .strip_prefix("::stop-commands::")
                    .map(|word| format!("::{word}::"));
                let ours = [
                    "::stop-commands::",
                    "::group::",
                    "::endgroup::",
                    "::warning title=",
                ];
                let command = line.trim_start().starts_with("::") || line.contains("##[");
                assert!(
                    !command || ours.iter().any(|ours| line.starts_with(ours)),
                    "{line}"
                );
            }
            Some(word) if word == line => stopped = None,
            Some(_) => {}
        }
    }
    let summary = place.read("summary");
    assert!(!summary.contains("\n::"), "{summary}");
    let bare: String = summary.split('`').step_by(2).collect();
    assert!(!bare.replace("\\<", "").contains("<script"), "{summary}");
}

#[test]
fn bad_input_is_told_from_refusals_and_writes_nothing() {
    let source = example();
    let minimum = ["--source", &source, "--images=oci:out"];
    for (arguments, message) in [
        (
            vec!["push", "--source=oci:none", "--images=oci:out", "--tags=a"],
            "error: source oci:none: the directory does not exist",
        ),
        (
            vec![
                "push",
                "--source",
                &source,
                "--images=oci:out:1",
                "--tags=a",
            ],
            "error: --images: ",
        ),
        (
            vec!["push", "--source", &source, "--images=", "--tags=a"],
            "error: --images is required",
        ),
        (
            [&["push", "--tags=type=rwa,value=b"], &minimum[..]].concat(),
            "error: --tags: ",
        ),
        (
            [&["push", "--existing=x"], &minimum[..]].concat(),
            "[possible values: fail, keep]",
        ),
        (
            [&["push", "--imagse=x"], &minimum[..]].concat(),
            "similar argument exists: '--images'",
        ),
        ([&["push"], &minimum[..]].concat(), "no git repository"),
        (vec![], "Usage: shipmark"),
    ] {
        let place = Place::new();
        let ran = place.run(&arguments);
        assert_eq!(ran.status, Some(2), "{arguments:?}: {}", ran.log);
        assert!(ran.log.contains(message), "{arguments:?}: {}", ran.log);
        assert_eq!(ran.out, "");
        assert!(is_empty(place.root()), "{arguments:?}");
    }
}

#[test]
fn a_refusal_is_exit_1_and_an_output() {
    let place = Place::new();
    let inputs = [
        ("command", "promote"),
        ("source", &example()),
        ("images", "oci:a"),
        ("environment", "prod"),
        ("ref", "refs/heads/main"),
    ];
    let ran = Ran::of(place.step("refs/heads/x", &inputs).output().unwrap());
    assert_eq!(ran.status, Some(1), "{}", ran.log);
    assert!(
        ran.log
            .contains("::error title=shipmark promote::refused: "),
        "{}",
        ran.log
    );
    assert_eq!(place.output("outcome"), "refused");
    assert!(is_empty(&place.path("a")));
}

/// A registry that takes connections and says nothing.
fn silent() -> (std::net::TcpListener, String) {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let images = format!("--images={}/a/b", listener.local_addr().unwrap());
    (listener, images)
}

#[test]
fn a_signal_ends_it_soon() {
    for signal in ["-INT", "-TERM", "-HUP"] {
        let place = Place::new();
        let (listener, images) = silent();
        let mut child = place
            .command()
            .args(["push", "--source", &example(), &images, "--tags=a"])
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        // Once it has called, it is at work and listens to signals.
        drop(listener.accept().unwrap());
        let start = Instant::now();
        let id = child.id().to_string();
        assert!(
            Command::new("kill")
                .args([signal, &id])
                .status()
                .unwrap()
                .success()
        );
        let status = child.wait().unwrap();
        // It takes two seconds and a half at most on a machine that has time for it. Far less than any
        // limit of the client's own, so that it is the signal which has ended it.
        assert!(
            start.elapsed() < RetryTiming::default().stall / 2,
            "{signal}"
        );
        assert_eq!(status.code(), Some(130), "{signal}");
        let mut log = String::new();
        child.stderr.unwrap().read_to_string(&mut log).unwrap();
        assert!(log.contains("cancelled: "), "{log}");
    }
}

#[test]
fn nobody_has_to_listen() {
    let place = Place::new();
    let run = |arguments: &[&str]| {
        let mut child = place
            .command()
            .args(arguments)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        drop((child.stdout.take(), child.stderr.take()));
        child.wait().unwrap().code()
    };
    assert_eq!(run(&["push", "--help"]), Some(0));
    let source = example();
    assert_eq!(
        run(&["push", "--source", &source, "--images=oci:a", "--tags=a"]),
        Some(0)
    );
}

#[test]
fn a_value_that_cannot_be_written_is_a_failure() {
    let place = Place::new();
    let source = example();
    let push = ["push", "--source", &source, "--images=oci:a", "--tags=a"];
    for arguments in [
        [&push[..], &["--output=digest"]].concat(),
        [&push[..], &["--output=json"]].concat(),
        push.to_vec(),
        vec!["push", "--help"],
        vec!["completions", "bash"],
    ] {
        let full = std::fs::File::options()
            .write(true)
            .open("/dev/full")
            .unwrap();
        let mut command = place.command();
        let ran = command.args(&arguments).stdout(full).output().unwrap();
        let log = String::from_utf8(ran.stderr).unwrap();
        assert_eq!(ran.status.code(), Some(3), "{arguments:?}: {log}");
        let message = "failed: cannot write to standard output: No space left";
        assert!(log.contains(message), "{log}");
    }
}

#[test]
fn promise_7_a_login_in_the_name_of_an_image_is_not_repeated() {
    let source = example();
    for flag in ["--images", "--source"] {
        let name = format!("{flag}=robot:made-up-word@ghcr.io/acme/web");
        let mut arguments = vec!["push", "--tags=a", &name];
        if flag == "--images" {
            arguments.extend(["--source", &source]);
        } else {
            arguments.push("--images=oci:a");
        }
        let ran = Place::new().run(&arguments);
        assert_eq!(ran.status, Some(2), "{}", ran.log);
        let message = format!("error: {flag}: the name of an image holds no login");
        assert!(ran.log.contains(&message), "{}", ran.log);
        assert!(!ran.log.contains("made-up-word"), "{}", ran.log);
    }
}

#[test]
fn the_version_is_that_of_the_package() {
    let ran = Place::new().run(&["--version"]);
    assert_eq!(
        ran.out,
        concat!("shipmark ", env!("CARGO_PKG_VERSION"), "\n")
    );
}
