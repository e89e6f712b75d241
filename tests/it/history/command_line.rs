//! The verbs as a user runs them, on a layout.

use shipmark::signing::PrivateKey;

use crate::support::keys;
use crate::support::process::{Place, Ran};
use crate::support::{example, example_root};

/// A folder with a layout `prod` that has two releases of the environment `prod`.
fn released() -> Place {
    let place = Place::new();
    for (version, time) in [("1.4.0", "10:00"), ("1.4.1", "11:00")] {
        let ran = place
            .command()
            .env("SHIPMARK_NOW", format!("2026-11-20T{time}:00Z"))
            .args([
                "promote",
                &format!("--source={}", example()),
                "--images=oci:prod",
                "--environment=prod",
                &format!("--version={version}"),
                "--dockerfile=Dockerfile",
                "--target=runtime",
            ])
            .output()
            .unwrap();
        let ran = Ran::of(ran);
        assert_eq!(ran.status, Some(0), "{}", ran.log);
    }
    place
}

fn run(place: &Place, arguments: &[&str]) -> Ran {
    let mut command = place.command();
    command.env("SHIPMARK_NOW", "2026-11-20T12:00:00Z");
    Ran::of(command.args(arguments).output().unwrap())
}

/// Returns a report without record ids and blanks at the ends of lines.
fn plain(report: &str) -> String {
    let root = example_root().to_string();
    let mut text = String::new();
    for line in report.lines() {
        let words = line.split_inclusive(' ').map(|word| {
            match word.starts_with("sha256:") && !word.starts_with(&root) {
                true => "sha256:… ",
                false => word,
            }
        });
        text += words.collect::<String>().trim_end();
        text.push('\n');
    }
    text
}

const HISTORY: [&str; 3] = ["history", "--images=oci:prod", "--environment=prod"];

#[test]
fn a_history_reads_well() {
    let place = released();
    let ran = run(&place, &HISTORY);
    assert_eq!(ran.status, Some(0), "{}", ran.log);
    insta::assert_snapshot!(plain(&ran.out), @r"
    prod of oci:prod
      current      oci:prod@sha256:daabd5f7f76713e866644bcb64579ce61c6f41845cdebdd0f6f17c905ad5d60a (1.4.1)
      since        2026-11-20 11:00:00 UTC
      good before  unknown
      records      not verified: no signers are named, whoever may push counts

      2026-11-20 11:00  1.4.1  promote  daabd5f7f767  9f3c2a1  current     unverified
      2026-11-20 10:00  1.4.0  promote  daabd5f7f767  9f3c2a1  superseded  vouched
    ");
    let ran = run(&place, &[&HISTORY[..], &["--tag=1.4"]].concat());
    assert_eq!(ran.status, Some(0), "{}", ran.log);
    insta::assert_snapshot!(plain(&ran.out), @r"
    prod of oci:prod
      current      oci:prod@sha256:daabd5f7f76713e866644bcb64579ce61c6f41845cdebdd0f6f17c905ad5d60a (1.4.1)
      since        2026-11-20 11:00:00 UTC
      good before  unknown
      records      not verified: no signers are named, whoever may push counts

      1.4
        2026-11-20 10:00:00 UTC to now
          oci:prod@sha256:daabd5f7f76713e866644bcb64579ce61c6f41845cdebdd0f6f17c905ad5d60a (1.4.1)
    ");
    let ran = run(&place, &[&HISTORY[..], &["--output=image"]].concat());
    assert_eq!(ran.out, format!("oci:prod@{}\n", example_root()));
    let ran = run(
        &place,
        &[&HISTORY[..], &["--version=1.4.0", "--output=json"]].concat(),
    );
    let json: serde_json::Value = serde_json::from_str(&ran.out).unwrap();
    let entries = json["timelines"][0]["entries"].as_array().unwrap();
    assert_eq!(entries.len(), 1);
    assert_eq!(entries[0]["version"], "1.4.0");
}

#[test]
fn an_inspection_reads_well() {
    let place = released();
    let ran = run(&place, &["inspect", "--source=oci:prod:1.4.1"]);
    assert_eq!(ran.status, Some(0), "{}", ran.log);
    insta::assert_snapshot!(plain(&ran.out).replace(&example(), "SOURCE"), @r"
    oci:prod:1.4.1
      image        oci:prod@sha256:daabd5f7f76713e866644bcb64579ce61c6f41845cdebdd0f6f17c905ad5d60a
      version      1.4.1
      commit       9f3c2a1ca84d1343b96baa8137c943ed1860e522 of https://github.com/example/web (by its record)
      dockerfile   Dockerfile, target runtime

      evidence
        attestation   sha256:…
                      not verified: no signer is given
        attestation   sha256:…
                      not verified: no signer is given

      environments
        prod of oci:prod: current
          2026-11-20 11:00  promote  1.4.1  unverified
          2026-11-20 10:00  promote  1.4.0  vouched
          record       sha256:…
          from         SOURCE
          since        2026-11-20 11:00:00 UTC
          before       oci:prod@sha256:daabd5f7f76713e866644bcb64579ce61c6f41845cdebdd0f6f17c905ad5d60a (1.4.0)
          good before  unknown
    ");
    let environment = ["inspect", "--images=oci:prod", "--environment=prod"];
    let ran = run(&place, &[&environment[..], &["--output=digest"]].concat());
    assert_eq!(ran.out, format!("{}\n", example_root()), "{}", ran.log);
}

#[test]
fn the_policy_says_where_an_environment_is() {
    let place = released();
    let policy = "environments:\n  prod: {repository: oci:prod}\n";
    std::fs::create_dir(place.path(".github")).unwrap();
    std::fs::write(place.path(".github/shipmark.yml"), policy).unwrap();
    let own = run(&place, &["history", "--environment=prod"]);
    assert_eq!(own.status, Some(0), "{}", own.log);
    assert!(own.out.starts_with("prod of oci:prod\n"), "{}", own.out);
    for (arguments, message) in [
        (
            vec!["history", "--environment=dev"],
            "there is no environment dev",
        ),
        (
            vec!["history", "--environment=prod", "--images=oci:other"],
            "images names no repository of it",
        ),
        (
            vec!["history", "--environment=prod", "--limit=0"],
            "is not a number from 1",
        ),
        (
            vec!["history", "--environment=prod", "--limit=1", "--all"],
            "limit and all are both given",
        ),
        (
            vec!["history", "--environment=prod", "--since=yesterday"],
            "is not a time",
        ),
        (
            vec!["history", "--environment=prod", "--commit=xyz"],
            "is not a commit",
        ),
        (
            vec!["history", "--environment=prod", "--digest=sha256:12"],
            "is not a digest",
        ),
        (vec!["history"], "is required"),
        (vec!["inspect"], "neither source nor environment is given"),
        (
            vec!["inspect", "--source=oci:prod", "--environment=prod"],
            "source and environment are both given",
        ),
        (
            vec!["inspect", "--source=oci:prod", "--services=web"],
            "is given, and source names the image",
        ),
    ] {
        let ran = run(&place, &arguments);
        assert_eq!(ran.status, Some(2), "{arguments:?}: {}", ran.log);
        assert!(ran.log.contains(message), "{arguments:?}: {}", ran.log);
        assert_eq!(ran.out, "");
    }
}

#[test]
fn promise_6_only_records_of_the_named_signer_count() {
    let place = Place::new();
    for name in ["own", "other"] {
        let pem = keys::pem();
        let public = PrivateKey::parse(&pem, "").unwrap().public().to_pem();
        std::fs::write(place.path(&format!("{name}.pem")), &pem).unwrap();
        std::fs::write(place.path(&format!("{name}.pub")), public).unwrap();
    }
    let source = format!("--source={}", example());
    let release = [
        "promote",
        &source,
        "--images=oci:prod",
        "--environment=prod",
        "--version=1.4.0",
        "--sign=key",
        "--signing-key=own.pem",
    ];
    let ran = run(&place, &release);
    assert_eq!(ran.status, Some(0), "{}", ran.log);
    let entry = |key: &str| -> serde_json::Value {
        let ran = run(&place, &[&HISTORY[..], &[key, "--output=json"]].concat());
        assert_eq!(ran.status, Some(0), "{}", ran.log);
        let json: serde_json::Value = serde_json::from_str(&ran.out).unwrap();
        let timeline = &json["timelines"][0];
        assert_eq!(timeline["signed"], true);
        assert_eq!(timeline["current"].is_null(), key.contains("other"));
        timeline["entries"][0].clone()
    };
    let unchecked = run(&place, &HISTORY);
    let phrase =
        "records      signed, not verified: name a signer in key or certificate-identity\n";
    assert!(unchecked.out.contains(phrase), "{}", unchecked.out);
    let own = entry("--key=own.pub");
    assert_eq!(
        (&own["known"], &own["version"]),
        (&"verified".into(), &"1.4.0".into())
    );
    let other = entry("--key=other.pub");
    assert_eq!(
        (&other["known"], &other["digest"]),
        (&"notCounted".into(), &serde_json::Value::Null)
    );
    assert!(
        other["reason"].as_str().unwrap().contains("sign"),
        "{other}"
    );
    let inspect = ["inspect", "--source=oci:prod:1.4.0", "--key=own.pub"];
    let ran = run(&place, &inspect);
    assert_eq!(ran.status, Some(0), "{}", ran.log);
    for part in [
        "signature",
        "good, signed for ",
        ", by the key sha256:",
        ": current\n",
        "  verified\n",
    ] {
        assert!(ran.out.contains(part), "{part}: {}", ran.out);
    }
}

#[test]
fn each_signature_of_an_image_is_judged() {
    let place = Place::new();
    for (name, version) in [("own", "1.4.0"), ("other", "1.4.1")] {
        let pem = keys::pem();
        let public = PrivateKey::parse(&pem, "").unwrap().public().to_pem();
        std::fs::write(place.path(&format!("{name}.pem")), &pem).unwrap();
        std::fs::write(place.path(&format!("{name}.pub")), public).unwrap();
        let release = [
            "promote",
            &format!("--source={}", example()),
            "--images=oci:prod",
            &format!("--version={version}"),
            "--sign=key",
            &format!("--signing-key={name}.pem"),
            "--signature-format=legacy",
        ];
        let ran = run(&place, &release);
        assert_eq!(ran.status, Some(0), "{}", ran.log);
    }
    let ran = run(
        &place,
        &["inspect", "--source=oci:prod:1.4.0", "--key=own.pub"],
    );
    assert_eq!(ran.status, Some(0), "{}", ran.log);
    let lines: Vec<&str> = ran.out.lines().map(str::trim).collect();
    let at = lines.iter().position(|line| line.starts_with("signature "));
    let at = at.unwrap_or_else(|| panic!("{}", ran.out));
    let verdicts = &lines[at + 1..at + 3];
    let good = verdicts.iter().filter(|line| line.starts_with("good"));
    assert_eq!(good.count(), 1, "{}", ran.out);
    assert!(
        verdicts.iter().any(|line| line.contains("another key")),
        "{}",
        ran.out
    );
}

#[test]
fn a_layout_shows_the_records_that_it_carries() {
    let place = Place::new();
    std::fs::create_dir(place.path(".github")).unwrap();
    let policy = place.path(".github/shipmark.yml");
    let prod = "  prod: {repository: oci:prod, from: dev}\n";
    std::fs::write(
        &policy,
        format!("environments:\n  dev: {{repository: oci:dev}}\n{prod}"),
    )
    .unwrap();
    let source = format!("--source={}", example());
    for arguments in [
        vec!["promote", &source, "--environment=dev", "--version=1.4.0"],
        vec!["promote", "--source=1.4.0", "--environment=prod"],
    ] {
        let ran = run(&place, &arguments);
        assert_eq!(ran.status, Some(0), "{arguments:?}: {}", ran.log);
    }
    let inspect = ["inspect", "--source=oci:prod:1.4.0", "--offline"];
    // The registry cannot be reached, and is not tried.
    std::fs::write(
        &policy,
        format!("environments:\n  dev: {{repository: registry.invalid/dev}}\n{prod}"),
    )
    .unwrap();
    let ran = run(&place, &inspect);
    assert_eq!(ran.status, Some(0), "{}", ran.log);
    let skipped = "the records of dev in registry.invalid/dev are not read: offline is true";
    assert!(ran.log.contains(skipped), "{}", ran.log);
    assert!(!ran.log.contains("cannot be read"), "{}", ran.log);
    std::fs::remove_file(&policy).unwrap();
    std::fs::remove_dir_all(place.path("dev")).unwrap();
    let ran = run(&place, &inspect);
    assert_eq!(ran.status, Some(0), "{}", ran.log);
    let carried = "rests on     dev of dev: promote 1.4.0, 2026-11-20 12:00:00 UTC, not verified";
    assert!(ran.out.contains(carried), "{}", ran.out);
}

#[test]
fn what_is_not_there_is_named() {
    let place = released();
    for (arguments, phrase) in [
        (
            vec!["--version=9.9.9"],
            "\n  no record with version 9.9.9\n",
        ),
        (
            vec!["--commit=0123456", "--digest=0123456789ab"],
            "\n  no record with commit 0123456 and digest 0123456789ab\n",
        ),
    ] {
        let ran = run(&place, &[&HISTORY[..], &arguments].concat());
        assert!(ran.out.contains(phrase), "{}", ran.out);
    }
    let elsewhere = ["history", "--images=oci:prod", "--environment=other"];
    let ran = run(&place, &elsewhere);
    let phrase = "no records, or they are in another repository, which the policy names in records";
    assert!(ran.out.contains(phrase), "{}", ran.out);
}
