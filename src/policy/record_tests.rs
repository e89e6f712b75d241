//! The keys of signatures and records: `sign`, `signers`, `records` and `adopt-until`.

use super::tests::{read, refused};
use super::*;
use crate::record::RecordAction;
use crate::tagging::EnvironmentName;

const PROMOTE: &str = "https://github.com/acme/web/.github/workflows/promote.yml@refs/heads/main";

/// The environment `prod` with further keys, each on a line of its own from line 4.
fn prod(keys: &str) -> String {
    format!("environments:\n  prod:\n    repository: ghcr.io/acme/web\n{keys}")
}

fn environment(text: &str) -> EnvironmentRules {
    read(text).unwrap().environments()[0].clone()
}

/// Signers with these keys, of an environment that demands both kinds of signers.
fn signed(signer: &str) -> String {
    prod(&format!(
        "    sign: keyless\n    signers:\n    - identity: {PROMOTE}\n    - {signer}\n"
    ))
}

/// The last signer of [`signed`].
fn signer(text: &str) -> SignerRule {
    environment(&signed(text)).signers()[1].clone()
}

fn identity(text: &str) -> PolicyIdentity {
    match signer(text).signer {
        PolicySigner::Identity(identity) => identity,
        other => panic!("{other:?}"),
    }
}

#[test]
fn an_environment_names_who_writes_its_records() {
    let text = prod(&format!(
        "    sign: keyless
    signers:
    - identity: {PROMOTE}
      actions: [promote, rollback]
      until: 2027-01-31
    - key: keys/cosign.pub
      until: 2027-01-31T12:00:00+02:00
"
    ));
    let prod = environment(&text);
    assert_eq!(prod.signing(), SigningRule::Keyless);
    assert_eq!(
        prod.stated_keys(),
        ["repository", "sign", "signers"],
        "in the order of the documentation"
    );
    let [one, other] = prod.signers() else {
        panic!("{:?}", prod.signers());
    };
    assert_eq!(
        one.signer,
        PolicySigner::Identity(PolicyIdentity {
            subject: PROMOTE.to_owned(),
            issuer: "https://token.actions.githubusercontent.com".to_owned(),
            repository: Some("acme/web".to_owned()),
        })
    );
    assert_eq!(
        one.actions,
        Some(vec![RecordAction::Promote, RecordAction::Rollback])
    );
    let until = |signer: &SignerRule| signer.until.as_ref().unwrap().end().to_string();
    assert_eq!(until(one), "2027-02-01T00:00:00.000Z");
    assert_eq!(
        other.signer,
        PolicySigner::Key("keys/cosign.pub".to_owned())
    );
    assert_eq!(other.actions, None);
    assert_eq!(until(other), "2027-01-31T10:00:00.000Z");
    assert_eq!(
        other.until.as_ref().unwrap().to_string(),
        "2027-01-31T12:00:00+02:00"
    );
}

#[test]
fn without_keys_nothing_is_demanded() {
    for keys in ["", "    sign: off\n"] {
        let prod = environment(&prod(keys));
        assert_eq!(prod.signing(), SigningRule::Off);
        assert!(prod.signers().is_empty() && prod.records_places().is_empty());
        assert_eq!((prod.records_place(None), prod.adopt_until()), (None, None));
    }
}

#[test]
fn sign_and_signers_belong_together() {
    insta::assert_snapshot!(refused(&prod("    sign: keyless\n")), @"line 4, column 5: sign is keyless, and signers is missing. name who writes the environment's records, such as signers: [{identity: https://github.com/OWNER/NAME/.github/workflows/FILE@refs/heads/main}]");
    insta::assert_snapshot!(refused(&prod("    sign: key\n")), @"line 4, column 5: sign is key, and signers is missing. name who writes the environment's records, such as signers: [{key: keys/cosign.pub}]");
    insta::assert_snapshot!(refused(&prod("    signers: [{key: a.pub}]\n")), @"line 4, column 5: signers has no effect: sign is not keyless or key. set sign: keyless or sign: key, or remove signers");
    insta::assert_snapshot!(refused(&prod("    signers: [{key: a.pub}]\n    sign: off\n")), @"line 4, column 5: signers has no effect: sign is not keyless or key. set sign: keyless or sign: key, or remove signers");
    insta::assert_snapshot!(refused(&prod("    signers: [{key: a.pub}]\n    sign: keyless\n")), @"line 5, column 5: sign is keyless, and no entry of signers has identity. name who writes the environment's records, such as signers: [{identity: https://github.com/OWNER/NAME/.github/workflows/FILE@refs/heads/main}]");
    insta::assert_snapshot!(refused(&prod(&format!("    sign: key\n    signers: [{{identity: '{PROMOTE}'}}]\n"))), @"line 4, column 5: sign is key, and no entry of signers has key. add the public key to signers, such as {key: keys/cosign.pub}");
    insta::assert_snapshot!(refused(&prod("    sign: yes\n")), @r#"line 4, column 11: "yes" is not one of off, keyless, key"#);
    insta::assert_snapshot!(refused(&prod("    sign: Key\n")), @r#"line 4, column 11: "Key" is not one of off, keyless, key"#);
    insta::assert_snapshot!(refused(&prod("    sign: keyless\n    signers: []\n")), @"line 5, column 14: expected one or more signers, got an empty list. add an entry, or remove the key");
}

#[test]
fn a_signer_is_an_identity_or_a_key() {
    insta::assert_snapshot!(refused(&signed("actions: [push]")), @"line 7, column 7: one of the keys identity, key is missing. write identity: and the workflow that signs, or key: and the path of a public key");
    insta::assert_snapshot!(refused(&signed("{key: a.pub, identity: b}")), @"line 7, column 20: expected one of the keys identity, key, got more. write two entries of the list");
    insta::assert_snapshot!(refused(&signed("{key: a.pub, issuer: 'https://x.example.com'}")), @"line 7, column 20: issuer has no effect: a signature of a key has no certificate. remove the key, or write identity in place of key");
    insta::assert_snapshot!(refused(&signed("{key: a.pub, repository: acme/web}")), @"line 7, column 20: repository has no effect: a signature of a key has no certificate. remove the key, or write identity in place of key");
    insta::assert_snapshot!(refused(&signed("keys/cosign.pub")), @"line 7, column 7: expected a mapping with the key identity or key, got text. write each signer after a dash, such as - identity: or - key:, and its other keys below it");
    insta::assert_snapshot!(refused(&signed("{keys: a.pub}")), @"line 7, column 8: the key keys is not known here; did you mean key?");
    insta::assert_snapshot!(refused(&signed("{identity: 'a b'}")), @"line 7, column 18: a b contains a blank or a character that is not visible. remove it");
    insta::assert_snapshot!(refused(&signed("{identity: \"a\\u200b\"}")), @r"line 7, column 18: a\u{200b} contains a blank or a character that is not visible. remove it");
    let private = "|\n        -----BEGIN ENCRYPTED SIGSTORE PRIVATE KEY-----\n        eyJrZGYi\n";
    let error = refused(&signed(&format!("key: {private}")));
    insta::assert_snapshot!(error, @"line 8, column 9: key is a private key, which everybody can read here. replace the key pair, and write the public key or the path of its file");
    let public =
        "|\n        -----BEGIN PUBLIC KEY-----\n        MFkw\n        -----END PUBLIC KEY-----\n";
    let key = signer(&format!("key: {public}")).signer;
    assert_eq!(
        key,
        PolicySigner::Key("-----BEGIN PUBLIC KEY-----\nMFkw\n-----END PUBLIC KEY-----".to_owned())
    );
}

/// Anybody may call a reusable workflow, and gets a certificate with its subject.
#[test]
fn promise_5_an_identity_on_github_is_bound_to_one_repository() {
    let reusable = "https://github.com/acme/ci/.github/workflows/release.yml@refs/tags/v1";
    let of = |text: &str| identity(text).repository;
    assert_eq!(
        of(&format!("identity: {reusable}")).as_deref(),
        Some("acme/ci")
    );
    let called = of(&format!("{{identity: '{reusable}', repository: acme/web}}"));
    assert_eq!(called.as_deref(), Some("acme/web"));
    for subject in [
        "*",
        "https://github.com/acme/*",
        "https://github.com/acme/*/.github/workflows/release.yml@refs/heads/main",
        "*/.github/workflows/release.yml@refs/heads/main",
    ] {
        let error = refused(&signed(&format!("identity: '{subject}'")));
        let expected = format!(
            "line 7, column 7: repository is missing: {subject} does not name one repository. add repository: OWNER/NAME"
        );
        assert!(error.starts_with(&expected), "{error}");
        let bound = of(&format!("{{identity: '{subject}', repository: acme/web}}"));
        assert_eq!(bound.as_deref(), Some("acme/web"));
    }
    let enterprise = "{identity: '*', issuer: 'https://token.actions.githubusercontent.com/acme'}";
    let error = refused(&signed(enterprise));
    assert!(error.contains("repository is missing"), "{error}");
    let elsewhere = "{identity: ops@example.com, issuer: 'https://accounts.example.com'}";
    assert_eq!(of(elsewhere), None);
    for name in [
        "acme",
        "acme/web/x",
        "acme/*",
        "/web",
        "https://github.com/acme/web",
    ] {
        let error = refused(&signed(&format!("{{identity: a, repository: '{name}'}}")));
        let expected = format!("{name:?} is not a repository on GitHub: expected owner/name");
        assert!(error.contains(&expected), "{error}");
    }
    for issuer in ["token.actions.githubusercontent.com", "https://"] {
        let error = refused(&signed(&format!("{{identity: a, issuer: '{issuer}'}}")));
        let expected = format!("{issuer:?} is not an OIDC issuer: expected a URL");
        assert!(error.contains(&expected), "{error}");
    }
}

#[test]
fn actions_and_times_of_a_signer_are_known_ones() {
    let with = |keys: &str| signed(&format!("identity: {PROMOTE}\n      {keys}"));
    insta::assert_snapshot!(refused(&with("actions: [push, release]")), @r#"line 8, column 23: "release" is not one of push, promote, adopt, reinstate, rollback, deployed, failed, pruned, hold, unhold"#);
    insta::assert_snapshot!(refused(&with("actions: [archived]")), @r#"line 8, column 17: "archived" is not one of push, promote, adopt, reinstate, rollback, deployed, failed, pruned, hold, unhold"#);
    insta::assert_snapshot!(refused(&with("actions: [push, push]")), @"line 8, column 23: push is there twice, first in line 8");
    insta::assert_snapshot!(refused(&with("actions: []")), @"line 8, column 16: expected one or more actions, got an empty list. add an entry, or remove the key");
    insta::assert_snapshot!(refused(&with("actions: deployed")), @"line 8, column 16: expected a list, got text. write the entries in brackets, or each on a line of its own after a dash");
    insta::assert_snapshot!(refused(&with("until: 2027-02-30")), @r#"line 8, column 14: "2027-02-30" is not a date or a time. write 2027-01-31, or 2027-01-31T12:00:00Z for a time"#);
    insta::assert_snapshot!(refused(&with("until: 2027-01-31T12:00")), @r#"line 8, column 14: "2027-01-31T12:00" is not a date or a time. write 2027-01-31, or 2027-01-31T12:00:00Z for a time"#);
    let marks = signer(&format!(
        "identity: {PROMOTE}\n      actions: [deployed, failed]"
    ));
    assert_eq!(
        marks.actions,
        Some(vec![RecordAction::Deployed, RecordAction::Failed])
    );
}

#[test]
fn adopt_until_is_a_day() {
    let last = environment(&prod("    adopt-until: 2026-12-31\n"));
    let last = last.adopt_until().unwrap();
    assert_eq!(last.to_string(), "2026-12-31");
    assert_eq!(last.end().to_string(), "2027-01-01T00:00:00.000Z");
    insta::assert_snapshot!(refused(&prod("    adopt-until: 2026-12-31T12:00:00Z\n")), @r#"line 4, column 18: "2026-12-31T12:00:00Z" is not a date. write the last day, such as 2027-01-31"#);
    insta::assert_snapshot!(refused(&prod("    adopt-until: soon\n")), @r#"line 4, column 18: "soon" is not a date. write the last day, such as 2027-01-31"#);
}

/// The places of the records of an environment.
fn places(policy: &ReleasePolicy, name: &str) -> Vec<String> {
    let name: EnvironmentName = name.parse().unwrap();
    let places = policy.stage(&name).unwrap().records_places().iter();
    places.map(|(_, place)| place.to_string()).collect()
}

#[test]
fn records_are_where_the_environment_or_the_file_says() {
    let policy = read(
        "\
records: ghcr.io/acme/records/{environment}/{service}
environments:
  dev: {repository: 'ghcr.io/acme/dev/{service}'}
  stage:
    repository: ghcr.io/acme/stage/{service}
    records: ghcr.io/acme/stage-{service}-{environment}
  disk: {repository: 'oci:out/{service}', records: 'oci:records/{service}/{environment}'}
services: [web, api]
",
    )
    .unwrap();
    assert_eq!(
        places(&policy, "dev"),
        [
            "ghcr.io/acme/records/dev/web",
            "ghcr.io/acme/records/dev/api"
        ]
    );
    assert_eq!(
        places(&policy, "stage"),
        [
            "ghcr.io/acme/stage-web-stage",
            "ghcr.io/acme/stage-api-stage"
        ]
    );
    assert_eq!(
        places(&policy, "disk"),
        ["oci:records/web/disk", "oci:records/api/disk"]
    );
    let dev = policy.stage(&"dev".parse().unwrap()).unwrap();
    let api = dev.records_place(Some(&"api".parse().unwrap()));
    assert_eq!(api.unwrap().to_string(), "ghcr.io/acme/records/dev/api");
    assert_eq!(dev.records_place(None), None);
    // One repository has the timelines of several environments: their entries have other names.
    let one =
        "records: ghcr.io/acme/records\nenvironments: {a: {repository: x}, b: {repository: y}}\n";
    let one = read(one).unwrap();
    assert_eq!(places(&one, "a"), places(&one, "b"));
}

#[test]
fn promise_5_two_services_share_no_repository_of_records() {
    let services = |records: &str| {
        format!(
            "environments:\n  dev:\n    repository: a/{{service}}\n    records: {records}\nservices: [web, api]\n"
        )
    };
    insta::assert_snapshot!(refused(&services("a/records")), @"line 4, column 14: the services of the environment dev would share a repository of records. put {service} into records, so that each service has a timeline of its own");
    insta::assert_snapshot!(refused(&services("a/records").replace("[web, api]", "[web]")), @"line 4, column 14: the services of the environment dev would share a repository of records. put {service} into records, so that each service has a timeline of its own");
    insta::assert_snapshot!(refused(&services("'oci:a/{service}/..'")), @"line 4, column 14: the services of the environment dev would share a repository of records. put {service} into records, so that each service has a timeline of its own");
    insta::assert_snapshot!(refused("environments:\n  dev: {repository: 'a/{service}'}\nservices: [web]\nrecords: a/records\n"), @"line 4, column 10: the services of the environment dev would share a repository of records. put {service} into records, so that each service has a timeline of its own");
    insta::assert_snapshot!(refused("records: a/{service}\nenvironments: {dev: {repository: a}}\n"), @"line 1, column 10: records contains {service}, and the repository of the environment dev does not. give the environment a key records of its own without {service}, or put {service} into its repository");
    let links = read(&services("'oci:records/{service}'")).unwrap();
    let mut real = crate::image::RealPaths::default();
    for name in ["records/web", "records/api"] {
        real.insert(name.into(), "/home/records".into());
    }
    assert_eq!(
        links.repositories(&real).unwrap_err().to_string(),
        "oci:records/api has the records of two services in the environment dev, web and api"
    );
}

#[test]
fn a_repository_of_records_is_a_repository() {
    let records = |text: &str| refused(&prod(&format!("    records: {text}\n")));
    insta::assert_snapshot!(records("ghcr.io/acme/records:1"), @"line 4, column 14: records names a tag or digest, and each record has a tag of its own. write the repository alone");
    insta::assert_snapshot!(records("ghcr.io/Acme/records"), @"line 4, column 14: the repository has upper-case letters in its repository name: write ghcr.io/acme/records");
    insta::assert_snapshot!(records("'{environment}.example.com/a'"), @r#"line 4, column 14: "{environment}.example.com/a" may contain {service} once and {environment}, in its path, and no other braces"#);
    insta::assert_snapshot!(records("'ghcr.io/acme/{version}'"), @r#"line 4, column 14: "ghcr.io/acme/{version}" may contain {service} once and {environment}, in its path, and no other braces"#);
    insta::assert_snapshot!(records("[a]"), @"line 4, column 14: expected text, got a list. write one text, without brackets and dashes");
    insta::assert_snapshot!(refused("records: 'a..b'"), @r#"line 1, column 10: the repository has a malformed repository name "library/a..b""#);
    insta::assert_snapshot!(refused(&format!("records: oci:{}", "x".repeat(1_000))), @"line 1, column 10: expected a repository of at most 1000 characters");
}

#[test]
fn promise_5_another_file_changes_neither_signers_nor_records() {
    let own = prod(&format!(
        "    sign: keyless\n    signers: [{{identity: '{PROMOTE}', actions: [push]}}]\n    records: a/records\n    adopt-until: 2026-12-31\n"
    ));
    let added = |text: &str| read(&own).unwrap().with(read(text).unwrap());
    assert_eq!(
        added(&format!("# other lines\n{own}")),
        Ok(read(&own).unwrap())
    );
    let same = own.replace("    records: a/records\n", "") + "records: a/records\n";
    assert!(added(&same).is_ok());
    for (from, to) in [
        ("actions: [push]", "actions: [push, rollback]"),
        ("promote.yml", "other.yml"),
        ("records: a/records", "records: a/others"),
        ("2026-12-31", "2027-12-31"),
        (
            "sign: keyless\n    signers: [{",
            "sign: key\n    signers: [{key: a.pub}, {",
        ),
    ] {
        let text = own.replace(from, to);
        assert_ne!(text, own);
        assert!(added(&text).is_err(), "{to}");
    }
}

#[test]
fn promise_5_signers_are_bounded() {
    let many = "{key: a.pub},".repeat(101);
    let error = refused(&prod(&format!("    sign: key\n    signers: [{many}]\n")));
    assert!(error.contains("expected at most 100 signers"), "{error}");
}
