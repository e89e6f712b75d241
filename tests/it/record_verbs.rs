//! Rollback, mark and adopt as their users meet them: command line, exit status, outputs and the policy.

use serde_json::Value;

use crate::support::made_image::MadeImage;
use crate::support::output_schema::OutputSchema;
use crate::support::process::Place;

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

#[test]
fn one_service_is_chosen() {
    let place = Place::new();
    let text = "services: [web, api]\nenvironments:\n  prod:\n    repository: oci:prod-{service}\n";
    std::fs::write(place.path("policy.yml"), text).unwrap();
    let ran = place.run(&["rollback", "--policy=policy.yml", "--environment=prod"]);
    assert_eq!(ran.status, Some(2), "{}", ran.log);
    assert!(
        ran.log
            .contains("prod has 2 services, and rollback is about one release"),
        "{}",
        ran.log
    );
}
