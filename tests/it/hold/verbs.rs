//! The verbs `hold` and `unhold` as their users run them, on image layouts.

use serde_json::Value;

use crate::support::made_image::MadeImage;
use crate::support::output_schema::OutputSchema;
use crate::support::process::Place;

/// A place with a release of `prod` in a layout.
fn released() -> Place {
    let place = Place::new();
    let image = MadeImage::new(7, &[("version", "1.3.0")]);
    image.write_archive(&place.path("web.tar"));
    let release = [
        "promote",
        "--source=oci-archive:web.tar",
        "--images=oci:prod",
        "--environment=prod",
        "--version=1.3.0",
    ];
    let ran = place.run(&release);
    assert_eq!(ran.status, Some(0), "{}", ran.log);
    place
}

fn json(place: &Place, arguments: &[&str]) -> Value {
    let ran = place.run(&[arguments, &["--output=json"]].concat());
    assert_eq!(ran.status, Some(0), "{arguments:?}: {}", ran.log);
    serde_json::from_str(&ran.out).expect(&ran.out)
}

fn refused(place: &Place, arguments: &[&str]) -> String {
    let ran = place.run(arguments);
    assert_eq!(ran.status, Some(2), "{arguments:?}: {}", ran.log);
    ran.log
}

const HOLD: [&str; 4] = ["hold", "--name=case-7", "--reason=audit", "--release=1.3.0"];
const UNHOLD: [&str; 3] = ["unhold", "--name=case-7", "--reason=audit closed"];

#[test]
fn a_hold_is_placed_shown_and_lifted_on_a_layout() {
    let place = released();
    let mut schema = OutputSchema::load();
    let on_prod = ["--images=oci:prod", "--environment=prod"];
    let placed = json(&place, &[&HOLD[..], &on_prod].concat());
    schema.check("hold", &placed.to_string());
    assert_eq!(placed["outcome"], "on-hold");
    assert_eq!(placed["tag"], "hold.case-7");
    let history = json(&place, &[&["history"], &on_prod[..]].concat());
    let entries = history["timelines"][0]["entries"].as_array().unwrap();
    let newest = entries.iter().find(|entry| entry["action"] == "hold");
    assert_eq!(newest.unwrap()["hold"], "case-7", "{history:#}");
    assert_eq!(newest.unwrap()["statedReason"], "audit");
    let again = json(&place, &[&HOLD[..], &on_prod].concat());
    assert_eq!(again["outcome"], "unchanged");
    assert_eq!(again["recorded"], placed["record"]["record"]);
    let lifted = json(&place, &[&UNHOLD[..], &on_prod].concat());
    schema.check("hold", &lifted.to_string());
    assert_eq!(lifted["outcome"], "lifted");
    assert_eq!(lifted["tagChange"], "deleted");
    assert_eq!(lifted["digest"], placed["digest"]);
    let nothing = json(&place, &[&UNHOLD[..], &on_prod].concat());
    assert_eq!(nothing["outcome"], "unchanged");
    assert_eq!(nothing["tagChange"], "absent");
}

#[test]
fn a_dry_run_writes_nothing_and_says_so() {
    let place = released();
    let mut schema = OutputSchema::load();
    let on_prod = ["--images=oci:prod", "--environment=prod", "--dry-run"];
    let index = place.read("prod/index.json");
    let placed = json(&place, &[&HOLD[..], &on_prod].concat());
    schema.check("hold", &placed.to_string());
    assert_eq!(placed["dryRun"], true);
    assert_eq!(placed["outcome"], "unchanged");
    assert_eq!(placed["tagChange"], "written");
    assert_eq!(placed["record"].get("record"), None, "{placed:#}");
    let ran = place.run(&[&HOLD[..], &on_prod].concat());
    assert!(ran.out.contains("would place case-7"), "{}", ran.out);
    assert!(
        ran.out.contains("hold.case-7, would be written"),
        "{}",
        ran.out
    );
    assert_eq!(place.read("prod/index.json"), index);
    let lifted = json(&place, &[&UNHOLD[..], &on_prod].concat());
    schema.check("hold", &lifted.to_string());
    assert_eq!(lifted["tagChange"], "absent");
    assert_eq!(place.read("prod/index.json"), index);
}

#[test]
fn a_hold_without_an_environment_takes_a_repository_that_no_policy_has() {
    let place = released();
    let alone = json(&place, &[&HOLD[..], &["--images=oci:prod"]].concat());
    assert_eq!(alone.get("environment"), None);
    assert_eq!(alone.get("record"), None);
    std::fs::create_dir_all(place.path(".github")).unwrap();
    let policy = "environments:\n  prod: {repository: 'oci:prod'}\n";
    std::fs::write(place.path(".github/shipmark.yml"), policy).unwrap();
    let log = refused(&place, &[&HOLD[..], &["--images=oci:prod"]].concat());
    assert!(log.contains("images names a repository of prod"), "{log}");
    assert!(log.contains("set environment: prod"), "{log}");
    let by_policy = json(&place, &[&HOLD[..], &["--environment=prod"]].concat());
    assert_eq!(by_policy["outcome"], "on-hold");
    assert_eq!(by_policy["tagChange"], "unchanged");
}

#[test]
fn wrong_inputs_are_named() {
    let place = Place::new();
    for (arguments, expected) in [
        (&["hold", "--reason=x", "--release=1"][..], "--name"),
        (&["hold", "--name=a", "--release=1"], "--reason"),
        (&["hold", "--name=a", "--reason=x"], "--release"),
        (&["unhold", "--name=a"], "--reason"),
        (
            &["unhold", "--name=A", "--reason=x", "--images=oci:a"],
            "is no name of a hold",
        ),
        (&["unhold", "--name=a", "--reason=x"], "environment"),
        (
            &[
                "unhold",
                "--name=a",
                "--reason=x",
                "--images=oci:a",
                "--images=oci:b",
            ],
            "2 repositories are named, and unhold is about one",
        ),
    ] {
        let log = refused(&place, arguments);
        assert!(log.contains(expected), "{arguments:?}: {log}");
    }
}
