//! Rollback, mark and adopt as their users meet them: command line, exit status, outputs and the policy.

use serde_json::Value;

use crate::support::made_image::MadeImage;
use crate::support::output_schema::OutputSchema;
use crate::support::process::{Place, Ran};

/// A place with two releases of a layout.
fn released() -> Place {
    let place = Place::new();
    for version in ["1.3.0", "1.3.1"] {
        let source = format!("--source={}", image(&place, version));
        let ran = place.run(&[
            "promote",
            &source,
            "--images=oci:prod",
            "--environment=prod",
            &format!("--version={version}"),
        ]);
        assert_eq!(ran.status, Some(0), "{}", ran.log);
    }
    place
}

/// Writes the image of a version to an archive. Returns its name.
fn image(place: &Place, version: &str) -> String {
    let number = version
        .bytes()
        .map(u32::from)
        .fold(0, |sum, byte| sum * 7 + byte);
    let image = MadeImage::new(number, &[("version", version)]);
    image.write_archive(place.path(&format!("{version}.tar")).as_ref());
    format!("oci-archive:{version}.tar")
}

fn json(place: &Place, status: i32, arguments: &[&str]) -> Value {
    let ran = place.run(&[arguments, &["--output=json"]].concat());
    assert_eq!(ran.status, Some(status), "{arguments:?}: {}", ran.log);
    serde_json::from_str(&ran.out).expect(&ran.out)
}

const ON_PROD: [&str; 2] = ["--images=oci:prod", "--environment=prod"];

fn with<'a>(verb: &'a str, more: &[&'a str]) -> Vec<&'a str> {
    [&[verb], &ON_PROD[..], more].concat()
}

#[test]
fn a_rollback_and_a_mark_from_the_command_line() {
    let place = released();
    let mut schema = OutputSchema::load();
    let planned = json(&place, 0, &with("rollback", &["--dry-run"]));
    assert_eq!(planned["outcome"], "unchanged");
    let marked = json(
        &place,
        0,
        &with("mark", &["--state=failed", "--reason=orders fail"]),
    );
    schema.check("mark", &marked.to_string());
    assert_eq!(marked["release"]["version"], "1.3.1");
    let withdrawn = json(&place, 0, &with("rollback", &["--reason=orders fail"]));
    schema.check("rollback", &withdrawn.to_string());
    assert_eq!(withdrawn["outcome"], "withdrawn");
    assert_eq!(withdrawn["withdrawn"]["version"], "1.3.1");
    assert_eq!(withdrawn["current"]["version"], "1.3.0");
    assert_eq!(
        withdrawn["withdrawn"]["digest"],
        planned["withdrawn"]["digest"]
    );
    let again = place.run(&with("rollback", &["--withdraw=1.3.1", "--output=digest"]));
    assert_eq!(again.status, Some(0), "{}", again.log);
    assert_eq!(again.out.trim(), withdrawn["current"]["digest"]);
    let none = place.run(&with("rollback", &[]));
    assert_eq!(none.status, Some(1));
    assert!(
        none.log.contains("has no release to go back to"),
        "{}",
        none.log
    );
}

#[test]
fn why_somebody_stepped_in_reaches_the_reader() {
    let place = released();
    let notes = ["--reason=orders fail", "--link=https://example.com/7"];
    json(&place, 0, &with("rollback", &notes));
    let shown = json(&place, 0, &with("history", &[]));
    OutputSchema::load().check("history", &shown.to_string());
    let rollback = &shown["timelines"][0]["entries"][0];
    assert_eq!(rollback["statedReason"], "orders fail");
    assert_eq!(rollback["link"], "https://example.com/7");
    for verb in ["history", "inspect"] {
        let ran = place.run(&with(verb, &[]));
        for part in ["reason: orders fail\n", "link: https://example.com/7\n"] {
            assert!(ran.out.contains(part), "{verb}: {}", ran.out);
        }
    }
    // The environment is on the image that the rollback put back.
    let ran = place.run(&with("inspect", &[]));
    for part in ["  rollback of ", "  since        20"] {
        assert!(ran.out.contains(part), "{}", ran.out);
    }
    let source = image(&place, "1.3.1");
    let again = [
        "--source",
        &source,
        "--version=1.3.1",
        "--reinstate",
        "--reason=no fault of it",
    ];
    let ran = place.run(&with("promote", &again));
    assert_eq!(ran.status, Some(0), "{}", ran.log);
    for part in [
        "reinstatement: a rollback withdrew this image",
        "reason: no fault of it",
    ] {
        assert!(ran.out.contains(part), "{}", ran.out);
    }
}

#[test]
fn a_line_that_stays_is_exit_status_1_and_named() {
    let place = released();
    let source = image(&place, "1.4.0");
    let promote = with("promote", &["--source", &source, "--version=1.4.0"]);
    assert_eq!(place.run(&promote).status, Some(0));
    let ran = place.run(&with("rollback", &[]));
    assert_eq!(ran.status, Some(1), "{}", ran.log);
    assert!(
        ran.log.contains(
            "incomplete: the rollback is done, and the version line 1.4 of oci:prod still names the withdrawn 1.4.0"
        ),
        "{}",
        ran.log
    );
    assert!(ran.log.contains("do not repeat it"), "{}", ran.log);
    assert!(!ran.log.contains("refused"), "{}", ran.log);
    let place = released();
    let source = image(&place, "1.4.0");
    let promote = with("promote", &["--source", &source, "--version=1.4.0"]);
    assert_eq!(place.run(&promote).status, Some(0));
    let incomplete = json(&place, 1, &with("rollback", &[]));
    OutputSchema::load().check("rollback", &incomplete.to_string());
    assert_eq!(incomplete["outcome"], "incomplete");
}

#[test]
fn an_adoption_from_the_command_line() {
    let place = Place::new();
    for version in ["1.3.0", "1.3.1"] {
        let source = image(&place, version);
        let promote = with(
            "promote",
            &["--source", &source, "--version", version, "--record=off"],
        );
        let ran = place.run(&promote);
        assert_eq!(ran.status, Some(0), "{}", ran.log);
    }
    let planned = json(&place, 0, &with("adopt", &["--dry-run"]));
    assert_eq!(planned["timelines"][0]["adopted"][1]["version"], "1.3.1");
    let adopted = json(&place, 0, &with("adopt", &[]));
    OutputSchema::load().check("adoption", &adopted.to_string());
    assert_eq!(adopted["outcome"], "adopted");
    let again = json(&place, 0, &with("adopt", &[]));
    assert_eq!(again["outcome"], "unchanged");
}

#[test]
fn promise_5_the_policy_says_where_and_until_when() {
    let place = released();
    let policy = |more: &str| {
        let text = format!("environments:\n  prod:\n    repository: oci:prod\n{more}");
        std::fs::write(place.path("policy.yml"), text).unwrap();
    };
    let run = |arguments: &[&str]| {
        let ran = place.run(&[arguments, &["--policy=policy.yml", "--environment=prod"]].concat());
        (ran.status, ran.log)
    };
    policy("");
    let (status, log) = run(&["adopt"]);
    assert_eq!(status, Some(1), "{log}");
    assert!(log.contains("adopt for the environment prod"), "{log}");
    policy("    adopt-until: 2020-01-01\n");
    let (status, log) = run(&["adopt"]);
    assert_eq!(status, Some(1), "{log}");
    assert!(log.contains("until 2020-01-01"), "{log}");
    policy("    adopt-until: 2999-01-01\n");
    assert_eq!(run(&["adopt"]).0, Some(0));
    let (status, log) = run(&["mark", "--state=deployed"]);
    assert_eq!(status, Some(0), "{log}");
    let (status, log) = run(&["mark"]);
    assert_eq!(status, Some(2), "{log}");
    let (status, log) = run(&["rollback", "--images=oci:elsewhere"]);
    assert_eq!(status, Some(2), "{log}");
    let (status, log) = run(&["rollback"]);
    assert_eq!(status, Some(0), "{log}");
}

/// A folder whose policy has an environment `prod`.
fn with_policy(place: &Place) {
    let text = "environments:\n  prod:\n    repository: oci:prod\n";
    std::fs::write(place.path("policy.yml"), text).unwrap();
}

#[test]
fn promise_5_an_environment_of_the_policy_is_released_to_with_a_record() {
    let place = released();
    with_policy(&place);
    let withdrawn = place.run(&["rollback", "--policy=policy.yml", "--environment=prod"]);
    assert_eq!(withdrawn.status, Some(0), "{}", withdrawn.log);
    let index = || std::fs::read(place.path("prod/index.json")).unwrap();
    let before = index();
    for target in ["--environment=prod", "--images=oci:prod"] {
        let ran = place.run(&[
            "promote",
            "--source=oci-archive:1.3.1.tar",
            "--policy=policy.yml",
            "--version=1.3.1",
            "--record=off",
            target,
        ]);
        assert_eq!(ran.status, Some(1), "{target}: {}", ran.log);
        for part in [
            "the input record in a release to the environment prod",
            "leave record: off out",
        ] {
            assert!(ran.log.contains(part), "{part}: {}", ran.log);
        }
    }
    assert_eq!(index(), before);
}

#[test]
fn promise_5_the_clock_of_a_record_is_not_set_in_a_runner() {
    let place = released();
    for (verb, state) in [("adopt", ""), ("mark", "failed"), ("rollback", "")] {
        let inputs = [
            ("command", verb),
            ("environment", "prod"),
            ("images", "oci:prod"),
            ("state", state),
            ("offline", "true"),
        ];
        let step = |time: Option<&str>| {
            let mut command = place.step("refs/heads/main", &inputs);
            time.map(|time| command.env("SHIPMARK_NOW", time));
            Ran::of(command.output().unwrap())
        };
        let set = step(Some("2026-11-20T10:00:00Z"));
        assert_eq!(set.status, Some(1), "{verb}: {}", set.log);
        let what = "SHIPMARK_NOW in a record of the environment prod";
        assert!(set.log.contains(what), "{verb}: {}", set.log);
        let ran = step(None);
        assert_eq!(ran.status, Some(0), "{verb}: {}", ran.log);
    }
    let image = place.output("image");
    let digest = place.output("digest");
    assert_eq!(image, format!("oci:prod@{digest}"), "of the rollback");
    let inputs = [
        ("command", "inspect"),
        ("images", "oci:prod"),
        ("environment", "prod"),
        ("offline", "true"),
    ];
    let shown = Ran::of(place.step("refs/heads/main", &inputs).output().unwrap());
    assert_eq!(shown.status, Some(0), "{}", shown.log);
    assert_eq!(place.output("image"), image);
}

#[test]
fn promise_7_a_record_has_no_secret() {
    let place = released();
    let index = || std::fs::read(place.path("prod/index.json")).unwrap();
    let before = index();
    let login = "--credentials=x.test=robot:made-up-word";
    let encoded = "--reason=see cm9ib3Q6bWFkZS11cC13b3Jk";
    for (input, message) in [
        (
            "--reason=it is made-up-word",
            "has a secret of this run in it",
        ),
        (encoded, "has a secret of this run in it"),
        (
            "--link=https://x.test/?word=made-up-word",
            "has a secret of this run in it",
        ),
        (
            "--link=https://octo:unsaid@x.test/1",
            "has a user or password in it",
        ),
        (
            "--link=https://unsaid@x.test/1",
            "has a user or password in it",
        ),
        ("--link=see there", "is not an http(s) address"),
        ("--link=ftp://x.test/1", "is not an http(s) address"),
    ] {
        let ran = place.run(&with("mark", &["--state=failed", login, input]));
        assert_eq!(ran.status, Some(2), "{input}: {}", ran.log);
        assert!(ran.log.contains(message), "{input}: {}", ran.log);
        for secret in ["made-up-word", "cm9ib3Q6bWFkZS11cC13b3Jk", "unsaid"] {
            assert!(!ran.log.contains(secret), "{input}: {}", ran.log);
        }
    }
    assert_eq!(index(), before);
    let source = "--source=oci-archive:1.3.1.tar";
    let ran = place.run(&with(
        "promote",
        &[
            source,
            "--version=1.3.2",
            login,
            "--dockerfile=made-up-word/Dockerfile",
        ],
    ));
    assert_eq!(ran.status, Some(2), "{}", ran.log);
    assert_eq!(index(), before);
    let good = [
        "--state=failed",
        login,
        "--link=https://x.test/1",
        "--reason=it fails",
    ];
    let ran = place.run(&with("mark", &good));
    assert_eq!(ran.status, Some(0), "{}", ran.log);
}

#[test]
fn promise_7_a_record_has_no_login_of_the_source_label() {
    let place = Place::new();
    let revision = "860c1904a1ce19322e91ac35af1ab07466440c37";
    let labels = [
        ("revision", revision),
        ("source", "https://octo:made-up-word@github.com/acme/web"),
    ];
    MadeImage::new(7, &labels).write_archive(place.path("labelled.tar").as_ref());
    let source = "--source=oci-archive:labelled.tar";
    let ran = place.run(&with("promote", &[source, "--version=1.0.0"]));
    assert_eq!(ran.status, Some(0), "{}", ran.log);
    let shown = place.run(&[
        "inspect",
        "--output=json",
        "--images=oci:prod",
        "--environment=prod",
    ]);
    assert_eq!(shown.status, Some(0), "{}", shown.log);
    assert!(
        shown.out.contains("https://github.com/acme/web"),
        "{}",
        shown.out
    );
    let history = place.run(&with("history", &["--output=json"]));
    for out in [&ran.out, &ran.log, &shown.out, &history.out] {
        assert!(!out.contains("made-up-word"), "{out}");
    }
    let blobs = std::fs::read_dir(place.path("prod/blobs/sha256")).unwrap();
    let records = blobs.map(|blob| std::fs::read(blob.unwrap().path()).unwrap());
    let records = records.map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
    let records: Vec<String> = records
        .filter(|text| text.contains("committedAt") || text.contains("plannedAt"))
        .collect();
    assert!(!records.is_empty());
    assert!(
        records.iter().all(|text| !text.contains("made-up-word")),
        "{records:?}"
    );
}

#[test]
fn services_and_images_are_not_given_together() {
    let place = Place::new();
    let text = "services: [web, api]\nenvironments:\n  prod:\n    repository: oci:prod-{service}\n";
    std::fs::write(place.path("policy.yml"), text).unwrap();
    for verb in [
        &["rollback"][..],
        &["mark", "--state=failed"],
        &["adopt"],
        &["history"],
        &["inspect"],
    ] {
        let target = [
            "--policy=policy.yml",
            "--environment=prod",
            "--services=web",
            "--images=oci:prod-api",
        ];
        let ran = place.run(&[verb, &target].concat());
        assert_eq!(ran.status, Some(2), "{verb:?}: {}", ran.log);
        let message = "services and images are both given";
        assert!(ran.log.contains(message), "{verb:?}: {}", ran.log);
    }
}

#[test]
fn a_layout_that_does_not_exist_has_no_history() {
    let place = Place::new();
    for verb in ["history", "inspect"] {
        let ran = place.run(&with(verb, &[]));
        assert_ne!(ran.status, Some(0), "{verb}: {}", ran.log);
        assert!(
            ran.log.contains("the directory does not exist"),
            "{verb}: {}",
            ran.log
        );
    }
}
